"""The judge of a run: every kind of fault is found, named as what it is, and found in nothing that is right."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from judge import Acceptance, Burial, Committed, Evidence, Judgement, Position, judge, widest_window

from pipeline.core.reason import Reason
from pipeline.demo.balance import Published
from pipeline.demo.flaws import Outcome
from pipeline.demo.trade import Expected, Sample

# In whatever a fault says, this must never be: every key, value and header here begins with it.
CANARY = "canary"
KEY = f"{CANARY} key".encode()
VALUE = f"{CANARY} value".encode()
TRACE = (("traceparent", f"{CANARY} trace".encode()),)
REASON = ("__dlq.errors.reason", b"undecodable")
ZERO, ONE = ("orders", 0), ("orders", 1)


def record(place: Position, outcome: Outcome, reason: Reason | None = None, event_id: str = "") -> Published:
    """Return a produced record; with an event id it is a purchase at 1000."""
    name, at = ("Purchase", 1000) if event_id else ("", 0)
    return Published(Sample("order", KEY, VALUE, TRACE, "", Expected(outcome, reason, event_id, name, at)), place)


def arrival(event_id: str, received_at: float = 10.0) -> Acceptance:
    """Return what the journal says of a purchase at 1000."""
    return Acceptance(event_id, "Purchase", 1000, "digest", received_at)


def letter(origin: Position, reason: str = "undecodable", landed_at: float = 10.0) -> Burial:
    """Return a dead letter that holds the record whole."""
    return Burial(origin, reason, KEY, VALUE, [*TRACE, REASON], landed_at)


FIRST, RETRY, SECOND = ("orders", 0, 0), ("orders", 0, 1), ("orders", 0, 2)
BROKEN, REFUSED, REFUND, AGAIN = ("orders", 1, 0), ("orders", 1, 1), ("orders", 1, 2), ("orders", 1, 4)
A, B, LETTER, REFUSAL = arrival("A"), arrival("B"), letter(BROKEN), letter(REFUSED, "rejected")
GOOD = record(SECOND, "accepted", event_id="B")
# Offset 3 of the second partition is a hole, as transactions leave it; the third partition is empty.
RUN = Evidence(
    produced=[
        record(FIRST, "accepted", event_id="A"),
        record(RETRY, "accepted", event_id="A"),
        GOOD,
        record(BROKEN, "dead-lettered", Reason.UNDECODABLE),
        record(REFUSED, "dead-lettered", Reason.REJECTED, event_id="R"),
        record(REFUND, "skipped", Reason.NO_PLATFORM_EVENT, event_id="S"),
        record(AGAIN, "skipped", Reason.DUPLICATE, event_id="A"),
    ],
    accepted=[A, B],
    buried=[LETTER, REFUSAL],
    commits=[Committed(11.0, ZERO, 2), Committed(11.0, ONE, 5), Committed(12.0, ZERO, 3)],
    ends={ZERO: 3, ONE: 5, ("orders", 2): 0},
)
CLEAN = Judgement(
    lost=[],
    leaked=[],
    misburied=[],
    altered=[],
    changed=[],
    overcommitted=[],
    rewound=[],
    uncommitted=[],
    duplicates=0,
    letters_twice=0,
)


def produce(*records: Published) -> Evidence:
    """Return the run with these records instead of the one at `SECOND`; the platform still has B."""
    return replace(RUN, produced=[one for one in RUN.produced if one is not GOOD] + list(records))


def commit(*commits: Committed) -> Evidence:
    """Return the run with these commits alone."""
    return replace(RUN, commits=commits)


UNNAMED = produce(Published(replace(GOOD.sample, expected=Expected("accepted", None, "B")), SECOND))
BAD_TWIN = record(SECOND, "dead-lettered", Reason.UNDECODABLE, "A")
UNFINISHED = replace(RUN, accepted=[A], commits=[Committed(11.0, ZERO, 2)], complete=False)
HIGHER, LOWER, LOW = Committed(11.0, ZERO, 3), Committed(12.0, ZERO, 1), Committed(13.0, ZERO, 2)
AT_END = Committed(14.0, ZERO, 3)
REST = Committed(11.0, ONE, 5)

RIGHT: dict[str, Evidence] = {
    "every record where it should be": RUN,
    "a repeat that was sent again, for the worker had forgotten the first": replace(
        RUN, accepted=[A, B, arrival("A", 99.0)]
    ),
    "another name and time where none is expected": replace(
        UNNAMED, accepted=[A, replace(B, event_name="Lead", event_time=7)]
    ),
    "work left over": UNFINISHED,
    "a letter with more headers after the record's own": replace(
        RUN, buried=[replace(LETTER, headers=[*LETTER.headers, ("more", b"")]), REFUSAL]
    ),
    "accepted within the slack after the commit": replace(RUN, accepted=[A, replace(B, received_at=12.004)]),
    "buried within the slack after the commit": replace(RUN, buried=[letter(BROKEN, landed_at=11.004), REFUSAL]),
    "late, and below no commit yet": replace(
        UNFINISHED, accepted=[A, replace(B, received_at=99.0)], commits=[Committed(11.0, ZERO, 2)]
    ),
    "the same offset committed again": commit(*RUN.commits, Committed(13.0, ZERO, 3)),
    "a bad record with a good one's id, and its letter": replace(
        produce(BAD_TWIN), accepted=[A], buried=[*RUN.buried, letter(SECOND)]
    ),
}

WRONG: dict[str, tuple[Evidence, Judgement]] = {
    "a good record nowhere": (
        replace(RUN, accepted=[A]),
        replace(CLEAN, lost=[SECOND], overcommitted=[(SECOND, 3)]),
    ),
    "a good record nowhere, and another one twice": (
        replace(RUN, accepted=[A, A]),
        replace(CLEAN, lost=[SECOND], overcommitted=[(SECOND, 3)], duplicates=1),
    ),
    "both records of one id nowhere": (
        replace(RUN, accepted=[B]),
        replace(CLEAN, lost=[FIRST, RETRY], overcommitted=[(FIRST, 2), (RETRY, 2)]),
    ),
    "a bad record nowhere": (
        replace(RUN, buried=[REFUSAL]),
        replace(CLEAN, lost=[BROKEN], overcommitted=[(BROKEN, 5)]),
    ),
    "a bad record nowhere, whose id a good one has": (
        replace(produce(BAD_TWIN), accepted=[A]),
        replace(CLEAN, lost=[SECOND], overcommitted=[(SECOND, 3)]),
    ),
    "a bad record nowhere, and an event without an id": (
        replace(RUN, accepted=[A, B, arrival("")], buried=[REFUSAL]),
        replace(CLEAN, lost=[BROKEN], leaked=[""], overcommitted=[(BROKEN, 5)]),
    ),
    "an outcome that no one knows, and the record nowhere": (
        replace(produce(record(SECOND, cast("Outcome", "acepted"))), accepted=[A]),
        replace(CLEAN, lost=[SECOND], overcommitted=[(SECOND, 3)]),
    ),
    "a refused event accepted instead": (replace(RUN, accepted=[A, B, arrival("R")]), replace(CLEAN, leaked=["R"])),
    "a refused event accepted instead of buried": (
        replace(RUN, accepted=[A, B, arrival("R")], buried=[LETTER]),
        replace(CLEAN, leaked=["R"]),
    ),
    "a skipped event accepted": (replace(RUN, accepted=[A, B, arrival("S")]), replace(CLEAN, leaked=["S"])),
    "an event accepted that nobody produced": (
        replace(RUN, accepted=[A, arrival("Z"), B, arrival("Z")]),
        replace(CLEAN, leaked=["Z"], duplicates=1),
    ),
    "a good record buried": (
        replace(RUN, buried=[*RUN.buried, letter(SECOND)]),
        replace(CLEAN, misburied=[SECOND]),
    ),
    "a good record buried instead of accepted": (
        replace(RUN, accepted=[A], buried=[*RUN.buried, letter(SECOND)]),
        replace(CLEAN, misburied=[SECOND]),
    ),
    "a skipped record buried": (
        replace(RUN, buried=[*RUN.buried, letter(REFUND, "no_platform_event")]),
        replace(CLEAN, misburied=[REFUND]),
    ),
    "a letter of a record that nobody produced": (
        replace(RUN, buried=[*RUN.buried, letter(("orders", 7, 7))]),
        replace(CLEAN, misburied=[("orders", 7, 7)]),
    ),
    "a letter with another reason": (
        replace(RUN, buried=[letter(BROKEN, "expired"), REFUSAL]),
        replace(CLEAN, misburied=[BROKEN]),
    ),
    "a second letter with another reason": (
        replace(RUN, buried=[*RUN.buried, letter(BROKEN, "expired")]),
        replace(CLEAN, misburied=[BROKEN], letters_twice=1),
    ),
    "two letters with another reason": (
        replace(RUN, buried=[letter(BROKEN, "expired"), letter(BROKEN, "expired"), REFUSAL]),
        replace(CLEAN, misburied=[BROKEN], letters_twice=1),
    ),
    "two letters that are not whole": (
        replace(RUN, buried=[replace(LETTER, value=b""), replace(LETTER, key=b""), REFUSAL]),
        replace(CLEAN, altered=[BROKEN], letters_twice=1),
    ),
    "a letter with another key": (
        replace(RUN, buried=[replace(LETTER, key=None), REFUSAL]),
        replace(CLEAN, altered=[BROKEN]),
    ),
    "a letter with another value": (
        replace(RUN, buried=[replace(LETTER, value=VALUE[:-1]), REFUSAL]),
        replace(CLEAN, altered=[BROKEN]),
    ),
    "a letter without the record's header": (
        replace(RUN, buried=[replace(LETTER, headers=[REASON]), REFUSAL]),
        replace(CLEAN, altered=[BROKEN]),
    ),
    "a letter with another value of a header": (
        replace(RUN, buried=[replace(LETTER, headers=[("traceparent", None), REASON]), REFUSAL]),
        replace(CLEAN, altered=[BROKEN]),
    ),
    "a letter whose own headers come first": (
        replace(RUN, buried=[replace(LETTER, headers=[REASON, *TRACE]), REFUSAL]),
        replace(CLEAN, altered=[BROKEN]),
    ),
    "a second letter that is not whole": (
        replace(RUN, buried=[*RUN.buried, replace(LETTER, value=b"")]),
        replace(CLEAN, altered=[BROKEN], letters_twice=1),
    ),
    "an event with two digests": (
        replace(RUN, accepted=[A, B, replace(B, sha256="another")]),
        replace(CLEAN, changed=["B"], duplicates=1),
    ),
    "an event of which the second copy has another name, and no name is expected": (
        replace(UNNAMED, accepted=[A, B, replace(B, event_name="Lead")]),
        replace(CLEAN, changed=["B"], duplicates=1),
    ),
    "an event of which the second copy has another time, and no name is expected": (
        replace(UNNAMED, accepted=[A, B, replace(B, event_time=1001)]),
        replace(CLEAN, changed=["B"], duplicates=1),
    ),
    "many events that nobody produced, with two digests each": (
        replace(RUN, accepted=[A, B, *map(arrival, "4321"), *(replace(arrival(one), sha256="") for one in "4321")]),
        replace(CLEAN, leaked=[*"1234"], changed=[*"1234"], duplicates=4),
    ),
    "an event with another name than expected": (
        replace(RUN, accepted=[A, replace(B, event_name="Lead")]),
        replace(CLEAN, changed=["B"]),
    ),
    "an event with another time than expected": (
        replace(RUN, accepted=[A, replace(B, event_time=1001)]),
        replace(CLEAN, changed=["B"]),
    ),
    "a commit before the acceptance": (
        replace(RUN, accepted=[A, replace(B, received_at=12.006)]),
        replace(CLEAN, overcommitted=[(SECOND, 3)]),
    ),
    "a commit before the letter": (
        replace(RUN, buried=[letter(BROKEN, landed_at=11.006), REFUSAL]),
        replace(CLEAN, overcommitted=[(BROKEN, 5)]),
    ),
    "a commit too early in mid-run": (
        replace(UNFINISHED, commits=[Committed(9.0, ZERO, 2)]),
        replace(CLEAN, overcommitted=[(FIRST, 2), (RETRY, 2)]),
    ),
    "a commit that moves back, and on": (
        commit(HIGHER, REST, LOWER, LOW, AT_END),
        replace(CLEAN, rewound=[LOWER, LOW]),
    ),
    "a commit too early, taken back, and come again": (
        replace(commit(HIGHER, REST, LOWER, AT_END), accepted=[A, replace(B, received_at=13.0)]),
        replace(CLEAN, overcommitted=[(SECOND, 3)], rewound=[LOWER]),
    ),
    "a commit short of the end": (commit(Committed(11.0, ZERO, 2), REST), replace(CLEAN, uncommitted=[ZERO])),
    "a commit past the end": (commit(HIGHER, REST, Committed(12.0, ONE, 6)), replace(CLEAN, uncommitted=[ONE])),
    "no commit at all": (commit(HIGHER), replace(CLEAN, uncommitted=[ONE])),
    "a commit of a partition that is not there": (
        commit(*RUN.commits, Committed(11.0, ("orders", 9), 1)),
        replace(CLEAN, uncommitted=[("orders", 9)]),
    ),
}


@pytest.mark.parametrize("evidence", RIGHT.values(), ids=RIGHT)
def test_what_is_right_is_no_fault(evidence: Evidence) -> None:
    """Where every record is where it should be, or may be, nothing is found."""
    assert [] == judge(evidence).faults


@pytest.mark.parametrize(("evidence", "judgement"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_named(evidence: Evidence, judgement: Judgement) -> None:
    """Whatever goes astray is found as what it is, and as nothing else."""
    assert judgement == judge(evidence)


def test_the_first_of_many_settles() -> None:
    """A record is settled by the first acceptance or letter, wherever later ones stand in the list."""
    late = [arrival("B", 99.0), B, arrival("B", 99.0)]
    letters = [letter(BROKEN, landed_at=99.0), *RUN.buried, letter(BROKEN, landed_at=99.0)]

    judgement = judge(replace(RUN, accepted=[A, *late], buried=letters))

    assert replace(CLEAN, duplicates=2, letters_twice=2) == judgement


def test_one_position_is_produced_once() -> None:
    """Two records that claim one position are refused, for one of them would go unjudged."""
    with pytest.raises(ValueError, match="claim one position"):
        judge(produce(GOOD, record(SECOND, "skipped", Reason.TOMBSTONE)))


# -- sentences -----------------------------------------------------------------------------------------------------

EVERYTHING = replace(
    RUN,
    accepted=[A, replace(A, sha256="another"), arrival("S")],
    buried=[replace(LETTER, value=VALUE + b"!"), letter(REFUSED)],
    commits=[HIGHER, LOWER],
)


def test_each_kind_has_a_sentence() -> None:
    """A fault says what is wrong, how often and where."""
    expected = [
        "1 x neither accepted nor dead-lettered: orders[0]@2",
        "1 x accepted by the platform and should not be: S",
        "1 x dead-lettered and should not be, or not for this reason: orders[1]@1",
        "1 x dead-lettered other than produced: orders[1]@0",
        "1 x seen by the platform in two versions, or not as expected: A",
        "1 x committed before it was settled: orders[0]@2 by 3",
        "1 x committed lower than before: orders[0] to 1",
        "2 x not committed to the end: orders[0], orders[1]",
    ]

    assert expected == judge(EVERYTHING).faults


def test_many_are_counted_and_three_are_shown() -> None:
    """A long list is cut to three examples, and its length is told."""
    judgement = judge(replace(RUN, accepted=[A, B, *map(arrival, "4321")]))

    assert ["4 x accepted by the platform and should not be: 1, 2, 3"] == judgement.faults


def test_figures_are_no_faults() -> None:
    """Delivery is at least once: what came twice is a figure."""
    assert [] == replace(CLEAN, duplicates=5, letters_twice=5).faults


@pytest.mark.parametrize("show", [repr, lambda judgement: "\n".join(judgement.faults)], ids=["repr", "faults"])
def test_no_customer_data_is_shown(show: Callable[[Judgement], str]) -> None:
    """No key, value or header of a record is in what the judge says, whatever the fault."""
    assert CANARY not in show(judge(EVERYTHING))


def test_a_letter_shows_no_customer_data() -> None:
    """A dead letter in a failed assertion shows no key, value or header."""
    assert CANARY not in repr(LETTER)


# -- overcommitted, against anyone's way to write it down ----------------------------------------------------------

# Few ids, places and moments, so that records share them and moments are close to the slack.
MOMENTS = st.integers(0, 20).map(lambda milliseconds: milliseconds / 1000)
OUTCOMES = st.sampled_from(["accepted", "dead-lettered", "skipped"]).map(lambda one: cast("Outcome", one))
IDS = st.sampled_from(["A", "B", "C", "D"])
PARTITIONS = st.sampled_from([ZERO, ONE])
PLACES = st.builds(lambda partition, offset: (*partition, offset), PARTITIONS, st.integers(0, 6))
EVIDENCE = st.builds(
    Evidence,
    produced=st.lists(
        st.builds(record, PLACES, OUTCOMES, st.just(Reason.UNDECODABLE), IDS),
        min_size=4,
        max_size=14,
        unique_by=lambda one: one.position,
    ),
    accepted=st.lists(st.builds(arrival, IDS, MOMENTS), max_size=5),
    buried=st.lists(st.builds(letter, PLACES, landed_at=MOMENTS), max_size=6),
    commits=st.lists(st.builds(Committed, MOMENTS, PARTITIONS, st.integers(0, 8)), min_size=1, max_size=8),
    ends=st.just({}),
)


def settled_by(evidence: Evidence, one: Published, deadline: float) -> bool:
    """Whether a record is skipped, or one of all acceptances and letters settles it until then."""
    outcome, event_id = one.sample.expected.outcome, one.sample.expected.event_id
    good_ids = [
        other.sample.expected.event_id for other in evidence.produced if other.sample.expected.outcome == "accepted"
    ]
    its_own = outcome != "dead-lettered" or event_id not in good_ids
    return (
        outcome == "skipped"
        or any(its_own and seen.event_id == event_id and seen.received_at <= deadline for seen in evidence.accepted)
        or any(seen.origin == one.position and seen.landed_at <= deadline for seen in evidence.buried)
    )


def naively_overcommitted(evidence: Evidence) -> list[tuple[Position, int]]:
    """Ask every commit of every record."""
    found = []
    for one in evidence.produced:
        passing = [
            commit
            for commit in evidence.commits
            if commit.partition == one.position[:2] and commit.offset > one.position[2]
        ]
        if passing and not settled_by(evidence, one, passing[0].at + 0.005):
            found.append((one.position, passing[0].offset))
    return sorted(found)


@settings(max_examples=300, deadline=None)
@given(EVIDENCE)
def test_overcommitted_is_what_a_naive_judge_finds(evidence: Evidence) -> None:
    """Whatever was produced, settled and committed in whatever order, no commit that came too early is missed."""
    assert naively_overcommitted(evidence) == judge(evidence).overcommitted


def test_a_long_run_is_judged_quickly() -> None:
    """200 000 records and 20 000 commits take seconds, also when the commits go to and fro."""
    partitions, each, commits = 4, 50_000, 5_000
    step = each // commits
    places = [("orders", partition, offset) for offset in range(each) for partition in range(partitions)]
    evidence = Evidence(
        produced=[record(place, "accepted", event_id=f"{place}") for place in places],
        accepted=[arrival(f"{place}", place[2]) for place in places],
        buried=[],
        # Each commit takes back the one before it, comes when its last record is settled, and the very last too early.
        commits=[
            Committed(float(offset - 1), ("orders", partition), offset if offset // step % 2 else offset - 3 * step)
            for offset in range(step, each + step, step)
            for partition in range(partitions)
        ]
        + [Committed(float(each - 2), ("orders", partition), each) for partition in range(partitions)],
        ends={("orders", partition): each for partition in range(partitions)},
    )

    # In the processor's time: how busy the machine is with others is not the judge's fault.
    started = time.process_time()
    judgement = judge(evidence)
    seconds = time.process_time() - started

    assert [(("orders", partition, each - 1), each) for partition in range(partitions)] == judgement.overcommitted
    assert seconds < 5


# -- the rate limit ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("times", "seconds", "widest"),
    [
        ([], 1.0, 0),
        ([5.0], 1.0, 1),
        ([0.0, 1.0, 2.0], 1.0, 1),
        ([0.0, 0.75, 1.0], 1.0, 2),
        ([0.75, 1.0, 1.25, 1.5, 3.0], 1.0, 4),
        ([1.5, 0.75, 3.0, 1.25, 1.0], 1.0, 4),
        ([2.0, 2.0, 2.0], 1.0, 3),
        ([0.0, 1.0, 2.0], 2.5, 3),
    ],
    ids=["none", "one", "a second apart", "half-open", "over a full second", "in any order", "at once", "longer"],
)
def test_widest_window(times: Sequence[float], seconds: float, widest: int) -> None:
    """The most that lies in any window is found, wherever the window begins; its end is not part of it."""
    assert widest == widest_window(times, seconds)


def test_a_window_is_a_second() -> None:
    """Unless told, a window is one second."""
    assert 2 == widest_window([0.0, 0.5, 1.0])

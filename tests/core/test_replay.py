"""A replayed record is the original, and says whom it is for and where it was first."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.ledger import Page
from pipeline.core.letter import ADDRESSEES, PREFIX, Undertaker, letter_headers
from pipeline.core.model import DeadLetter, Headers, Record, Refusal
from pipeline.core.reason import Reason
from pipeline.core.replay import Address, Replay, ReplayTopic, address_of, replay_posting

PAGE = Page("receipts", 0, 1)
TRACE = ("trace", b"\x00\xff")
TOPIC = ReplayTopic("replay", {"orders"})


def record(headers: Headers, topic: str = "orders") -> Record:
    """Return a record with these headers."""
    return Record(topic, 2, 7, b"\xffkey", b"\x00value", headers, 1234)


def replayed(headers: Headers = (TRACE,), *, destinations: tuple[str, ...] = ("a", "b")) -> Record:
    """Return the record that the replay topic gets for one with these headers."""
    posting = replay_posting(Replay(record(headers), PAGE, destinations))
    return Record("replay", 0, 0, posting.key, posting.value, posting.headers, 9999)


def test_is_the_original() -> None:
    """Key, value and the producer's headers are the same bytes, and the first life is on it."""
    again = replayed()
    headers = dict(again.headers)

    assert (b"\xffkey", b"\x00value", TRACE) == (again.key, again.value, again.headers[0])
    assert (b"orders", b"2", b"7", b"1234") == tuple(
        headers[PREFIX + name] for name in ("topic", "partition", "offset", "original.timestamp")
    )
    assert Address(frozenset({"a", "b"}), "orders") == address_of(again)


def test_a_second_replay_keeps_the_first_life() -> None:
    """Replayed once more, it still says where it was first, and names only the new destinations."""
    again = replay_posting(Replay(replayed(), PAGE, ("c",)))
    headers = dict(again.headers)

    assert (b"orders", b"7", b"c") == (headers[PREFIX + "topic"], headers[PREFIX + "offset"], headers[ADDRESSEES])
    assert len(headers) == len(again.headers)


def test_a_burial_keeps_the_first_life() -> None:
    """Refused in its second life, its letter has the producer's headers and the first coordinates, and no addressee."""
    letter = DeadLetter(replayed(), Page("replay", 0, 1), "a", "toy", Refusal(Reason.REJECTED, "no"))
    headers = letter_headers(letter, undertaker=Undertaker("g", "1"), now=0.0)

    assert [TRACE] == [item for item in headers if not item[0].startswith(PREFIX)]
    assert (b"orders", b"7") == (dict(headers)[PREFIX + "topic"], dict(headers)[PREFIX + "offset"])


@pytest.mark.parametrize(
    ("headers", "said"),
    [
        ([], "names no destination"),
        ([(ADDRESSEES, b" , ")], "names no destination"),
        ([(ADDRESSEES, None)], "names no destination"),
        ([(ADDRESSEES, b"a" * 20_000)], "names no destination"),
        ([(ADDRESSEES, b"a\xff")], "is not UTF-8"),
        ([(ADDRESSEES, b"a")], "does not say where the record was first"),
        ([(ADDRESSEES, b"a"), (PREFIX + "topic", b"leads")], "a topic that this worker does not read"),
    ],
)
def test_what_cannot_be_delivered_is_refused(headers: Headers, said: str) -> None:
    """A replay without an address is refused with what is missing."""
    found = TOPIC.address(record(headers, "replay"))

    assert isinstance(found, Refusal)
    assert (Reason.MISADDRESSED, True) == (found.reason, said in found.detail)


def test_records_of_other_topics_have_no_address() -> None:
    """Only a record of the replay topic is read as a replay, whatever headers others have."""
    assert TOPIC.address(record([(ADDRESSEES, b"a"), (PREFIX + "topic", b"orders")])) is None


@given(st.lists(st.tuples(st.sampled_from([ADDRESSEES, PREFIX + "topic", "x"]), st.none() | st.binary(max_size=9))))
def test_any_headers_give_an_answer(headers: list[tuple[str, bytes | None]]) -> None:
    """Headers of any content are an address or a refusal."""
    assert isinstance(address_of(record(headers)), Address | Refusal)

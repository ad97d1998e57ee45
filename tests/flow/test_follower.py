"""What was accepted is followed to its end: nothing is forgotten, nobody is singled out on a guess."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise

import pytest
from followed import DAY, FIRST, MANNER, POLL, WAIT, Watch, says
from toy import GrantedToy, status

from pipeline.core import signals
from pipeline.core.model import NoReply, Reply, Request
from pipeline.core.ports import SourceBroken
from pipeline.core.reason import Reason
from pipeline.flow.desk import PATIENCE_SECONDS

DONE = says("")
PENDING = says("pending")
SECOND = ("receipts", 1)
SLOW = replace(MANNER, turn=20.0, commit=60.0)


def test_a_good_word_closes_the_receipt() -> None:
    """A receipt is asked about when it is due and not before; all is well, and its offset is committed."""
    with Watch(DONE) as watch:
        watch.file("r")
        early: list[object] = []
        watch.at(POLL - 1, lambda: early.append((watch.asked, watch.committed)))
        watch.run(POLL + 20)

        assert [([], 0)] == early
        assert (["r"], 2, [], []) == (watch.asked, watch.committed, watch.buried, watch.sent_again)
        assert [{"done": 4}] == [signal.fates for signal in watch.teller.of(signals.FinalWord)]


def test_asks_again_while_pending() -> None:
    """What is not decided is asked about at the platform's own pace, and holds its offset."""
    with Watch(PENDING) as watch:
        watch.file("r")
        watch.run(3.5 * POLL)

        assert (["r"] * 3, 0) == (watch.asked, watch.committed)


def test_says_what_stays_unknown() -> None:
    """When the platform was asked enough, the receipt is told as unknown and closed."""
    with Watch(PENDING, manner=SLOW) as watch:
        watch.file("r")
        watch.run(DAY + 1000)

        assert 2 == watch.committed
        assert [("r", 4)] == [(one.receipt, one.events) for one in watch.teller.of(signals.StatusUnknown)]


def test_buries_what_was_refused_later() -> None:
    """A named failure goes to the dead letters: the original record, the platform's reason, the receipt as trace."""
    with Watch(says("bury 1 3")) as watch:
        records = watch.file("r")
        watch.run(POLL + 20)
        letters = watch.letters.topic

        assert [records[1], records[3]] == [letter.record for letter in letters]
        assert [("toy", "toy", "BAD_CLICK", "r", "r-1")] == [
            (one.destination, one.platform, one.refusal.code, one.refusal.trace_id, one.event_id) for one in letters[:1]
        ]
        assert 2 == watch.committed


@pytest.mark.parametrize("word", ["bury 0", "again 0"])
def test_settles_on_acknowledgement_only(word: str) -> None:
    """Until Kafka has the letter, or the replay, the receipt is open."""
    with Watch(says(word)) as watch:
        watch.letters.silent = watch.replays.silent = True
        watch.file("r")
        watch.run(WAIT + 600)

        assert (1, 0) == (watch.letters.tries + watch.replays.tries, watch.committed)


@pytest.mark.parametrize("word", ["bury 0 1 2", "again 0 1 2"])
def test_what_kafka_does_not_take_is_tried_again(word: str) -> None:
    """A topic that refuses for a while loses no letter and no replay."""
    with Watch(says(word)) as watch:
        watch.letters.fails = watch.replays.fails = "down"
        watch.file("r")
        watch.at(WAIT + 600, lambda: setattr(watch.letters, "fails", None))
        watch.at(WAIT + 600, lambda: setattr(watch.replays, "fails", None))
        watch.run(WAIT + 700)

        assert {b"r-0", b"r-1", b"r-2"} == {*watch.buried, *watch.sent_again}
        assert 2 == watch.committed


def test_sends_again_when_it_is_time() -> None:
    """What was too early goes to the replay topic six hours after it was sent, unchanged, for its destination alone."""
    with Watch(says("again 2")) as watch:
        records = watch.file("r")
        early: list[int] = []
        watch.at(WAIT - 5, lambda: early.append(watch.replays.tries))
        watch.run(WAIT + 20)

        assert [0] == early
        assert [(records[2], ("toy",))] == [(one.record, one.destinations) for one in watch.replays.topic]
        assert 2 == watch.committed


def test_each_waits_its_own_time() -> None:
    """Of two events of one batch each is sent again at its own time."""
    with Watch(says("soon 0\nagain 1")) as watch:
        watch.file("r")
        early: list[list[bytes | None]] = []
        watch.at(WAIT - 5, lambda: early.append(watch.sent_again))
        watch.run(WAIT + 20)

        assert ([[b"r-0"]], [b"r-0", b"r-1"], 2) == (early, watch.sent_again, watch.committed)


def test_does_all_of_it() -> None:
    """One batch with every fate: each event has its own, and only what is done is not touched."""
    with Watch(says("bury 0\nagain 1\ncounted 2")) as watch:
        watch.file("r", 5)
        watch.run(WAIT + 20)

        assert ([b"r-0"], [b"r-1"], 2) == (watch.buried, watch.sent_again, watch.committed)
        assert [{"bury": 1, "again": 1, "counted": 1, "done": 2}] == [
            signal.fates for signal in watch.teller.of(signals.FinalWord)
        ]


def test_a_large_batch_goes_in_pieces() -> None:
    """A batch of which everything was refused is buried whole, in order."""
    with Watch(says("bury " + " ".join(map(str, range(450))))) as watch:
        watch.file("r", 450)
        watch.run(POLL + 60)

        assert ([b"r-%d" % number for number in range(450)], 2) == (watch.buried, watch.committed)


def test_singles_nobody_out() -> None:
    """Failures without positions are told with the receipt and their numbers, and nobody is buried."""
    with Watch(says("unplaced 3\nalarm NOT_SIGNED")) as watch:
        watch.file("r")
        watch.run(POLL + 20)

        assert ([], 2) == (watch.buried, watch.committed)
        assert [("r", {"UNKNOWN": 3})] == [(s.receipt, s.reasons) for s in watch.teller.of(signals.FinalUnplaced)]
        assert [("NOT_SIGNED",)] == [signal.causes for signal in watch.teller.of(signals.FinalAlarm)]


def test_a_record_that_is_gone_is_told() -> None:
    """A refused event whose record retention removed is told; the others are buried."""
    with Watch(says("bury 0 1")) as watch:
        watch.file("r")
        watch.archive.gone.add(("orders", 0, 0))
        watch.run(POLL + 20)

        assert ([b"r-1"], 2) == (watch.buried, watch.committed)
        assert [("r", 1)] == [(signal.receipt, signal.events) for signal in watch.teller.of(signals.RecordsGone)]


def test_a_receipt_that_is_gone_is_told() -> None:
    """When retention removed the receipt itself, all that was to be done for it is told."""
    with Watch(says("bury 0 1\nagain 2")) as watch:
        watch.file("r")
        watch.archive.gone.add(("receipts", 0, 0))
        watch.run(POLL + 20)

        assert [3] == [signal.events for signal in watch.teller.of(signals.RecordsGone)]
        assert ([], 2) == (watch.buried, watch.committed)


def test_waits_for_the_archive() -> None:
    """While Kafka does not give the records back, nothing is settled; then all is done."""
    with Watch(says("bury 0 1")) as watch:
        watch.file("r")
        watch.archive.away = True
        early: list[int | None] = []
        watch.at(POLL + 300, lambda: early.append(watch.committed))
        watch.at(POLL + 300, lambda: setattr(watch.archive, "away", False))
        watch.run(POLL + 1000)

        assert ([0], [b"r-0", b"r-1"], 2) == (early, watch.buried, watch.committed)


@pytest.mark.parametrize(
    ("answer", "told"), [(lambda _: NoReply("gone"), signals.StatusWaiting), (status(401), signals.StatusHalted)]
)
def test_no_answer_is_no_word(answer: Callable[[Request], Reply | NoReply], told: type[signals.Signal]) -> None:
    """An outage or a dead token only takes time, also beyond the day in which the platform is asked."""
    with Watch(answer, manner=SLOW) as watch:
        watch.file("r")
        early: list[int | None] = []
        watch.at(DAY + 1000, lambda: early.append(watch.committed))
        watch.at(DAY + 1000, lambda: setattr(watch.http, "answer", DONE))
        watch.run(DAY + 2500)

        assert ([0], 2, []) == (early, watch.committed, watch.teller.of(signals.StatusUnknown))
        assert watch.teller.of(told)


def test_an_outage_is_not_hammered() -> None:
    """While the platform gives no answer, receipts that are due do not take turns at asking."""
    with Watch(lambda _: NoReply("gone"), manner=replace(MANNER, rate=50.0)) as watch:
        for number in range(50):
            watch.file(f"r{number}", 1)
        watch.run(POLL + 60)

        assert len(watch.asked) < 50


def test_patience_ends() -> None:
    """A platform that gives no answer for three days is told as unknown: a receipt is not kept for ever."""
    with Watch(lambda _: NoReply("gone"), manner=replace(SLOW, turn=600.0)) as watch:
        watch.file("r")
        watch.run(PATIENCE_SECONDS + 3000)

        assert (["r"], 2) == ([one.receipt for one in watch.teller.of(signals.StatusUnknown)], watch.committed)


def test_an_answer_that_nobody_knows_ends_with_the_day() -> None:
    """An answer that no table knows is asked for again as if it were undecided, and holds up no other receipt."""
    with Watch(lambda r: Reply(409 if r.url.endswith("odd") else 200, {}, b""), manner=SLOW) as watch:
        watch.file("odd")
        watch.file("good")
        watch.run(DAY + 1000)

        assert ["good"] == [signal.receipt for signal in watch.teller.of(signals.FinalWord)]
        assert ["odd"] == [signal.receipt for signal in watch.teller.of(signals.StatusUnknown)]
        assert 4 == watch.committed


def test_a_refused_token_is_renewed() -> None:
    """A granted token that is refused is replaced at once, and the question asked again."""
    answers = iter([Reply(200, {}, b"one"), Reply(401, {}, b""), Reply(200, {}, b"two"), Reply(200, {}, b"")])
    with Watch(lambda _: next(answers), platform=GrantedToy) as watch:
        watch.file("r")
        watch.run(POLL + 60)

        assert ["one", "two"] == [r.headers["authorization"] for r in watch.http.requests if "status" in r.url]
        assert 2 == watch.committed


def test_leaves_the_receipts_of_others() -> None:
    """Receipts of another worker are passed over: not asked about, not held."""
    with Watch(DONE) as watch:
        watch.file("theirs", group="capi.other")
        watch.file("ours")
        watch.run(POLL + 20)

        assert (["ours"], 3) == (watch.asked, watch.committed)


def test_a_destination_that_is_gone_is_waited_for() -> None:
    """A receipt of ours whose destination is not followed waits a day for it, and is then told as unknown."""
    with Watch(DONE, manner=SLOW) as watch:
        watch.file("r", destination="former")
        early: list[int | None] = []
        watch.at(DAY - 100, lambda: early.append(watch.committed))
        watch.run(DAY + 200)

        assert ([], [0], 2) == (watch.asked, early, watch.committed)
        assert ["former"] == [signal.destination for signal in watch.teller.of(signals.StatusUnknown)]


def test_an_unreadable_receipt_is_buried() -> None:
    """Bytes that are no receipt are buried as they are, and the others followed."""
    with Watch(DONE) as watch:
        record = watch.receipts.produce(b"{]", key=b"x")
        watch.file("r")
        watch.run(POLL + 20)

        assert [(record, Reason.UNDECODABLE)] == [(one.record, one.refusal.reason) for one in watch.letters.topic]
        assert (["r"], 3) == (watch.asked, watch.committed)


def test_a_copy_is_followed_once() -> None:
    """A receipt that was written twice, since an acknowledgement was lost, is followed once."""
    with Watch(says("bury 0")) as watch:
        watch.file("r")
        copy = watch.receipts.logs[FIRST][0]
        watch.receipts.produce(copy.value, key=copy.key)
        watch.run(POLL + 20)

        assert ([b"r-0"], 3) == (watch.buried, watch.committed)


def test_asks_at_its_pace() -> None:
    """However many receipts are due, questions go at the rate that is set."""
    with Watch(DONE, manner=replace(MANNER, rate=2.0, turn=0.1)) as watch:
        for number in range(30):
            watch.file(f"r{number}", 1)
        seen: list[int] = []
        for second in range(11):
            watch.at(POLL + second, lambda: seen.append(len(watch.asked)))
        watch.run(POLL + 30)

        assert 30 == len(watch.asked)
        assert all(later - earlier <= 2 for earlier, later in pairwise(seen))


def test_memory_is_bounded() -> None:
    """With as many receipts open as allowed no more are taken, and in the end all are followed."""
    with Watch(PENDING, manner=replace(MANNER, most_open=10, take=5, rate=50.0)) as watch:
        for number in range(40):
            watch.file(f"r{number}", 1)
        paused: list[bool] = []
        watch.at(POLL / 2, lambda: paused.append(watch.source.paused))
        watch.at(POLL / 2, lambda: setattr(watch.http, "answer", DONE))
        watch.run(20 * POLL)

        assert [True] == paused
        assert (80, set(map("r{}".format, range(40)))) == (watch.committed, set(watch.asked))


def test_tells_what_is_open() -> None:
    """The number of open receipts and the age of the oldest are told, down to zero."""
    with Watch(PENDING) as watch:
        watch.file("r")
        watch.at(2 * POLL + 50, lambda: setattr(watch.http, "answer", DONE))
        watch.run(4 * POLL)
        told = watch.teller.of(signals.ReceiptsOpen)

        assert (0, 0.0) == (told[-1].open["toy"], told[-1].oldest["toy"])
        assert 1 == max(signal.open["toy"] for signal in told)
        assert 2 * POLL < max(signal.oldest["toy"] for signal in told) <= 3 * POLL + 10


# -- restarts and rebalances ---------------------------------------------------------------------------------------


ALL = "bury 0\nagain 1\ncounted 2"


@pytest.mark.parametrize(
    "crash_at",
    [
        pytest.param(POLL / 2, id="before it was asked about"),
        pytest.param(POLL + 5, id="while the question is out"),
        pytest.param(POLL + 11, id="while the letter is under way"),
        pytest.param(POLL + 300, id="between burying and sending again"),
        pytest.param(WAIT + 5, id="before the commit"),
    ],
)
def test_a_restart_forgets_nothing(crash_at: float) -> None:
    """Whenever the process dies, the next one brings a receipt to its end, and sends again no later for it."""
    with Watch(says(ALL), seconds=10.0, manner=replace(MANNER, commit=100_000.0)) as watch:
        watch.file("r")
        if crash_at < POLL + 50:
            watch.letters.silent = True
        watch.break_at(crash_at)
        with pytest.raises(SourceBroken):
            watch.run(WAIT * 2)
        with Watch(says(ALL), after=watch) as again:
            seen: list[int] = []
            again.at(WAIT + 60, lambda: seen.append(len(watch.replays.topic + again.replays.topic)))
            again.run(WAIT + 200)

            assert {b"r-0"} == {*watch.buried, *again.buried}
            assert {b"r-1"} == {*watch.sent_again, *again.sent_again}
            assert len(again.receipts.logs[FIRST]) == again.committed
            assert seen[0] >= 1


def test_what_is_closed_is_not_done_again() -> None:
    """Behind a receipt that takes long others are closed; a restart reads them again and leaves them be."""

    def answer(request: Request) -> Reply:
        return Reply(200, {}, b"pending" if request.url.endswith("slow") else b"bury 0")

    with Watch(answer) as watch:
        watch.file("slow")
        watch.file("quick")
        watch.break_at(2 * POLL + 50)
        with pytest.raises(SourceBroken):
            watch.run(DAY)
        with Watch(answer, after=watch, manner=replace(MANNER, take=1, rate=50.0)) as again:
            again.run(5 * POLL)

            assert ([b"quick-0"], 0) == (watch.buried, watch.committed)
            assert ({"slow"}, []) == (set(again.asked), again.buried)


@pytest.mark.parametrize("gone", ["revoke", "lose"])
def test_a_late_answer_is_nobodys(gone: str) -> None:
    """An answer that comes after the partition went does nothing; with the partition the receipt comes back."""
    with Watch(says("bury 0"), seconds=10.0, partitions=2) as watch:
        watch.file("r", partition=1)
        watch.at(POLL + 5, lambda: getattr(watch.source, gone)(SECOND))
        early: list[object] = []
        watch.at(POLL + 60, lambda: early.append((watch.asked, watch.letters.tries)))
        watch.at(POLL + 70, lambda: watch.source.give(SECOND))
        watch.run(POLL + 200)

        assert [(["r"], 0)] == early
        assert (["r", "r"], [b"r-0"], 2) == (watch.asked, watch.buried, watch.receipts.committed[SECOND])
        assert 1 == len(watch.teller.of(signals.FinalWord))
        assert [] == watch.source.strays


def test_revoke_waits_for_letters() -> None:
    """On revoke a letter that is under way is waited for, and its receipt committed: nobody buries it again."""
    with Watch(says("bury 0")) as watch:
        watch.file("r")
        watch.letters.silent = True
        watch.at(POLL + 5, lambda: watch.source.revoke(FIRST))
        watch.at(POLL + 7, lambda: setattr(watch.letters, "silent", False))
        watch.run(POLL + 60)

        assert ([b"r-0"], 1) == (watch.buried, watch.committed)


def test_revoke_ends_at_its_deadline() -> None:
    """A letter that takes too long is given up with its partition: its acknowledgement moves nothing."""
    with Watch(says("bury 0")) as watch:
        watch.file("r")
        watch.letters.silent = True
        watch.at(POLL + 5, lambda: watch.source.revoke(FIRST))
        watch.at(POLL + 30, lambda: setattr(watch.letters, "silent", False))
        watch.run(POLL + 60)

        assert 0 == watch.committed
        assert [] == watch.source.strays


@pytest.fixture
def words() -> Iterator[Reply]:
    """Answers in turn: undecided, then everything refused."""
    return iter([Reply(200, {}, b"pending"), Reply(200, {}, b"bury 0 1 2 3")])


def test_stop_leaves_the_rest(words: Iterator[Reply]) -> None:
    """Asked to stop, it ends within its time, commits what is closed and leaves the rest to the next start."""
    with Watch(lambda _: next(words)) as watch:
        watch.file("r")
        watch.run(POLL + 50)

        assert (True, 0, []) == (watch.source.closed, watch.committed, watch.buried)
        with Watch(lambda _: next(words), after=watch) as again:
            again.run(3 * POLL)

            assert 4 == len(again.buried)

"""Letters leave by acknowledgement, or with their partition, and in no other way."""

from __future__ import annotations

import pytest
from fakes import FakeDeadLetters, FakeTeller, ManualClock
from toy import letter

from pipeline.core.budget import Allowance, Budget
from pipeline.core.ledger import Page
from pipeline.core.signals import BudgetSpent, Buried, BuryFailed, Refused
from pipeline.flow.graveyard import Graveyard

GENEROUS = Allowance(ratio=1.0)


class Scene:
    """A graveyard with a page on which the offsets 0 to 9 are open."""

    def __init__(self, allowance: Allowance = GENEROUS) -> None:
        self.kafka = FakeDeadLetters()
        self.teller = FakeTeller()
        self.clock = ManualClock()
        self.graveyard = Graveyard(self.kafka, Budget(allowance), self.teller, self.clock, lambda: 1.0)
        self.page = Page("orders", 0, 1)
        for offset in range(100):
            self.page.take(offset, shares=1, size=1)

    def bury(self, *offsets: int) -> None:
        """Bury letters of these offsets."""
        self.graveyard.bury([letter(offset, page=self.page) for offset in offsets])

    def settle_after(self, seconds: float) -> int | None:
        """Let time pass, settle, and return the watermark."""
        self.clock.pass_seconds(seconds)
        self.graveyard.settle(0.0)
        return self.page.watermark()


def test_settles_on_acknowledgement_only() -> None:
    """A letter that is under way settles nothing; the acknowledged one does."""
    scene = Scene()
    scene.kafka.silent = True
    scene.bury(0)
    before = scene.settle_after(60)
    scene.kafka.silent = False

    assert (0, 1) == (before, scene.settle_after(0))
    assert 0 == scene.graveyard.pending


def test_failed_letter_is_tried_again() -> None:
    """What Kafka did not take is tried again, later and later, until it takes it."""
    scene = Scene()
    scene.kafka.fails = "TOPIC_AUTHORIZATION_FAILED"
    scene.bury(0)
    tries = []
    for _ in range(4):
        scene.settle_after(1.0)
        tries.append(scene.kafka.tries)
    scene.kafka.fails = None

    assert [1, 2, 3, 3] == tries
    assert 1 == scene.settle_after(10)


def test_trouble_lasts_until_kafka_takes_the_letters() -> None:
    """While a letter waits to be tried again there is trouble, and it is gone with the last of them."""
    scene = Scene()
    scene.kafka.fails = "down"
    scene.bury(0, 1)
    scene.settle_after(0)
    during = scene.graveyard.trouble
    scene.kafka.fails = None
    scene.settle_after(10)
    between = scene.graveyard.trouble
    scene.settle_after(0)

    assert ("down", "down", None) == (during, between, scene.graveyard.trouble)
    assert ["down"] == [signal.code for signal in scene.teller.of(BuryFailed)]


def test_failed_letters_are_tried_one_at_a_time() -> None:
    """Of letters that failed together one is tried at a time: Kafka refuses a batch for one that is too large."""
    scene = Scene()
    scene.kafka.fails = "MSG_SIZE_TOO_LARGE"
    scene.bury(0, 1, 2)
    tries = []
    for _ in range(3):
        scene.settle_after(10)
        tries.append(scene.kafka.tries)

    assert [3, 4, 5] == tries


def test_failed_letters_catch_up_quickly() -> None:
    """Once Kafka takes letters again they go in doubling numbers: 100 are buried in seven rounds, not in a hundred."""
    scene = Scene()
    scene.kafka.fails = "down"
    scene.bury(*range(100))
    scene.settle_after(10)
    scene.kafka.fails = None
    rounds = 0
    while scene.graveyard.pending:
        scene.settle_after(10 if rounds == 0 else 0)
        rounds += 1

    assert 7 <= rounds <= 9


def test_good_letter_passes_a_bad_one() -> None:
    """A letter that Kafka takes settles, also while another is refused."""
    scene = Scene()
    scene.kafka = FakeDeadLetters(most_bytes=10)
    scene.graveyard = Graveyard(scene.kafka, Budget(GENEROUS), scene.teller, scene.clock, lambda: 1.0)
    large = letter(1, page=scene.page)
    large.record.value = b"x" * 11
    scene.graveyard.bury([letter(0, page=scene.page), large])

    assert 1 == scene.settle_after(0)
    assert "MSG_SIZE_TOO_LARGE" == scene.graveyard.trouble


@pytest.mark.parametrize("under_way", [False, True])
def test_ended_partition_takes_its_trouble_along(under_way: bool) -> None:
    """When the partition of a failed letter is gone, so is the trouble, even while it was being tried again."""
    scene = Scene()
    scene.kafka.fails = "down"
    scene.bury(0)
    scene.settle_after(0)
    if under_way:
        scene.kafka.silent = True
        scene.settle_after(10)
    scene.page.end()
    scene.graveyard.forget_ended()
    scene.kafka.silent = False
    scene.settle_after(10)

    assert (None, 0) == (scene.graveyard.trouble, scene.graveyard.pending)


def test_buries_nothing_of_an_ended_page() -> None:
    """A refusal that comes after the partition went is for the next owner to bury."""
    scene = Scene()
    scene.page.end()
    scene.bury(0)

    assert (0, []) == (scene.kafka.tries, scene.teller.told)


def test_late_acknowledgement_changes_nothing() -> None:
    """A letter that is acknowledged after its partition went moves no offset."""
    scene = Scene()
    scene.kafka.silent = True
    scene.bury(0)
    scene.page.end()
    scene.graveyard.forget_ended()
    scene.kafka.silent = False
    scene.settle_after(0)

    assert 0 == scene.graveyard.pending


def test_done_with_pages() -> None:
    """It is done with a page when no letter of it is under way or waits to be tried again."""
    scene, other = Scene(), Page("orders", 1, 2)
    scene.kafka.fails = "down"
    scene.bury(0)
    done = [scene.graveyard.done_with([scene.page]), scene.graveyard.done_with([other])]
    scene.settle_after(0)
    done.append(scene.graveyard.done_with([scene.page]))
    scene.kafka.fails = None
    scene.settle_after(10)

    assert [False, True, False, True] == [*done, scene.graveyard.done_with([scene.page])]


def test_withholds_beyond_the_budget() -> None:
    """Beyond the budget letters are kept, unsettled and unsent, and it is said once."""
    scene = Scene(Allowance(ratio=0.5, least=4))
    scene.graveyard.note_seen(5)
    scene.bury(0, 1, 2, 3, 4)
    watermark = scene.settle_after(0)

    assert ([0, 1], 2) == ([one.record.offset for one in scene.kafka.topic], watermark)
    assert 3 == scene.graveyard.pending
    assert (scene.graveyard.withheld or "").startswith("100%")
    assert 1 == len(scene.teller.of(BudgetSpent))


def test_withheld_letters_go_with_their_partition() -> None:
    """Withheld letters are forgotten when their partition goes: the next owner reads the records."""
    scene = Scene(Allowance(ratio=0.0, least=1))
    scene.graveyard.note_seen(1)
    scene.bury(0)
    during = scene.graveyard.withheld
    scene.page.end()
    scene.graveyard.forget_ended()

    assert during is not None
    assert scene.graveyard.withheld is None


def test_tells_causes_and_burials() -> None:
    """Refusals are told when they come, burials when Kafka has them, both by cause and counted."""
    scene = Scene()
    scene.bury(0, 1)
    told = [(signal.events, signal.code) for signal in scene.teller.of(Refused)]
    before = scene.teller.of(Buried)
    scene.settle_after(0)

    assert ([(2, "100")], []) == (told, before)
    assert [2] == [signal.events for signal in scene.teller.of(Buried)]

"""What is handed to a courier arrives, or is wanted no more."""

from __future__ import annotations

from fakes import FakeOutbox, ManualClock

from pipeline.flow.courier import Courier


class Scene:
    """A courier of texts; `unwanted` are those that nobody wants any more."""

    def __init__(self) -> None:
        self.outbox: FakeOutbox[str] = FakeOutbox()
        self.clock = ManualClock()
        self.unwanted: set[str] = set()
        self.courier = Courier(self.outbox, lambda text: text not in self.unwanted, self.clock, lambda: 1.0)

    def after(self, seconds: float) -> tuple[list[str], int]:
        """Let time pass and collect."""
        self.clock.pass_seconds(seconds)
        return self.courier.collect(0.0)


def test_tells_what_arrived() -> None:
    """A thing is pending until Kafka has it."""
    scene = Scene()
    scene.outbox.silent = True
    scene.courier.send(["a", "b"])
    before = scene.after(60), list(scene.courier.pending)
    scene.outbox.silent = False

    assert (([], 0), ["a", "b"]) == before
    assert (["a", "b"], 0) == scene.after(0)
    assert [] == scene.courier.pending


def test_tries_again_later_and_later() -> None:
    """What failed is tried again with growing waits, and there is trouble until the last of it is taken."""
    scene = Scene()
    scene.outbox.fails = "down"
    scene.courier.send(["a"])
    tries = [(scene.after(1.0), scene.outbox.tries)[1] for _ in range(4)]
    during = scene.courier.trouble
    scene.outbox.fails = None

    assert ([1, 2, 3, 3], "down") == (tries, during)
    assert (["a"], 0) == scene.after(10)
    assert scene.courier.trouble is None


def test_catches_up_quickly() -> None:
    """What failed goes one at a time, and in doubling numbers once Kafka takes it."""
    scene = Scene()
    scene.outbox.fails = "too large"
    scene.courier.send(map(str, range(100)))
    scene.after(0)
    scene.outbox.fails = None

    assert [1, 2, 4, 8, 16, 32, 37] == [len(scene.after(10)[0]) for _ in range(7)]


def test_a_new_failure_begins_with_one_again() -> None:
    """However many went at once before, after a failure one is tried alone."""
    scene = Scene()
    scene.outbox.fails = "too large"
    scene.courier.send(map(str, range(100)))
    scene.after(0)
    scene.outbox.fails = None
    for _ in range(3):
        scene.after(10)
    scene.outbox.fails = "too large"
    scene.after(0)
    tries = scene.outbox.tries
    scene.after(10)

    assert tries + 1 == scene.outbox.tries


def test_forgets_what_nobody_wants() -> None:
    """What is unwanted is neither sent nor tried again, and takes its trouble along."""
    scene = Scene()
    scene.unwanted = {"b"}
    scene.outbox.fails = "down"
    scene.courier.send(["a", "b"])
    scene.after(0)
    scene.unwanted = {"a", "b"}
    scene.courier.forget()
    scene.after(60)

    assert (1, [], None) == (scene.outbox.tries, scene.courier.pending, scene.courier.trouble)


def test_what_is_forgotten_under_way_leaves_with_its_report() -> None:
    """A thing that becomes unwanted while it is under way is no trouble when it fails."""
    scene = Scene()
    scene.outbox.fails = "down"
    scene.courier.send(["a"])
    scene.unwanted = {"a"}
    scene.courier.forget()

    assert (([], 0), [], None) == (scene.after(60), scene.courier.pending, scene.courier.trouble)

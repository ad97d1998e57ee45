"""Access tokens of a lane: asked for once, shared, renewed early, and asked for anew when the platform forgets one."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from stage import Stage
from toy import LIMITS, OK, GrantedToy

from pipeline.core.model import Reply, Request
from pipeline.core.reason import Reason
from pipeline.core.status import LaneStatus

EACH = replace(LIMITS, events_per_request=1, concurrency=10)


@dataclass
class Bank:
    """A platform that grants tokens `t1`, `t2` ... and takes those in `known` (None: all)."""

    known: set[str] | None = None
    granting: int = 200
    granted: int = 0
    used: list[str] = field(default_factory=list)

    def __call__(self, request: Request) -> Reply:
        """Answer a request for a token, or one with events."""
        if request.method == "GET":
            self.granted += self.granting == 200
            return Reply(self.granting, {}, f"t{self.granted}".encode())
        self.used.append(request.headers["authorization"])
        return OK if self.known is None or self.used[-1] in self.known else Reply(401, {}, b"")


def test_one_token_for_all_who_wait() -> None:
    """Ten sends on a cold cache ask for one token."""
    bank = Bank()
    with Stage(bank, limits=EACH, seconds=0.1, platform=GrantedToy) as stage:
        stage.offer(*"abcdefghij")
        stage.pass_seconds(5)

        assert (1, ["t1"] * 10) == (bank.granted, bank.used)


def test_renews_early() -> None:
    """A token is renewed before it ends: 225 s before, when the next request goes."""
    bank = Bank()
    with Stage(bank, limits=EACH, platform=GrantedToy) as stage:
        stage.offer("a")
        stage.pass_seconds(3370)
        stage.offer("b")
        stage.pass_seconds(10)
        stage.offer("c")
        stage.pass_seconds(10)

        assert ["t1", "t1", "t2"] == bank.used


def test_uses_the_old_token_while_no_new_one_is_granted() -> None:
    """An issuer that is down when a token is to be renewed stops nobody as long as the old one holds."""
    bank = Bank()
    with Stage(bank, limits=EACH, platform=GrantedToy) as stage:
        stage.offer("a")
        stage.pass_seconds(3400)
        bank.granting = 503
        stage.offer("b")
        stage.pass_seconds(10)
        halfway = list(bank.used)
        stage.pass_seconds(300)
        stage.offer("c")
        stage.pass_seconds(10)

        assert (["t1", "t1"], ["t1", "t1"]) == (halfway, bank.used)
        assert LaneStatus("waiting", Reason.OUTAGE) == stage.lane.status


def test_asks_once_more_after_a_refused_token() -> None:
    """A token that the platform does not know is asked for once more, and the same events go again."""
    bank = Bank(known={"t2"})
    with Stage(bank, platform=GrantedToy) as stage:
        stage.offer("a")
        stage.pass_seconds(10)

        assert (["t1", "t2"], ["a"], 2) == (bank.used, stage.accepted, bank.granted)


def test_a_second_refused_token_halts() -> None:
    """When the new token is not known either, it is configuration."""
    bank = Bank(known=set())
    with Stage(bank, platform=GrantedToy) as stage:
        stage.offer("a")
        stage.pass_seconds(10)

        assert ["t1", "t2"] == bank.used
        assert LaneStatus("halted", Reason.UNAUTHORIZED) == stage.lane.status


def test_many_requests_with_one_refused_token_ask_once() -> None:
    """Requests that were out with the refused token all go again with the one new token."""
    bank = Bank(known={"t2"})
    with Stage(bank, limits=EACH, seconds=0.5, platform=GrantedToy) as stage:
        stage.offer(*"abcde")
        stage.pass_seconds(60)

        assert (2, [*"abcde"]) == (bank.granted, sorted(stage.accepted))


def test_a_key_that_is_refused_halts_until_it_is_rotated() -> None:
    """When the issuer does not know the key, the lane halts; a rotated key is tried at once."""
    bank = Bank(granting=400)
    with Stage(bank, platform=GrantedToy) as stage:
        stage.offer("a")
        stage.pass_seconds(10)
        before = stage.lane.status
        bank.granting = 200
        stage.secrets.rotate("toy-token", "k2")
        stage.lane.secrets_changed()
        stage.pass_seconds(10)

        assert (LaneStatus("halted", Reason.UNAUTHORIZED), ["a"]) == (before, stage.accepted)


def test_a_rotated_key_gets_a_new_token() -> None:
    """A token is used with the secrets that it was granted for, and with no others."""
    bank = Bank()
    with Stage(bank, platform=GrantedToy) as stage:
        stage.offer("a")
        stage.pass_seconds(10)
        stage.secrets.rotate("toy-token", "k2")
        stage.offer("b")
        stage.pass_seconds(10)

        assert ["t1", "t2"] == bank.used

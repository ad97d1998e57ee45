"""Worker processes one after another on the same Kafka, each stopped, looked at and killed at any moment.

The real worker runs on a thread of its own and on the virtual loop of a `Road`. It runs only while the test lets time
pass; in between it stands still inside a timer of its loop, so that the test may change the world and look at
everything. Where it stands is where a real one waits: in `take`, in a revoke, in a drain.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field

from road import Road
from toy import OK, ids

from pipeline.core.model import NoReply, Reply, Request

# What it answers when it is not well.
_UNWELL: Mapping[str, Reply | NoReply] = {
    "gone": NoReply("the connection broke"),
    "failing": Reply(503, {}, b""),
    "throttling": Reply(429, {"retry-after": "5"}, b""),
}


class Life:
    """One worker process, from its start to its end or to the kill."""

    def __init__(self, road: Road) -> None:
        self.road = road
        self.over = False
        self._fault: BaseException | None = None
        self._killed = False
        self._go, self._stands = threading.Semaphore(0), threading.Semaphore(0)
        self._thread = threading.Thread(target=self._live)
        self._thread.start()

    def pass_seconds(self, seconds: float) -> None:
        """Let it run for so long, or to its end. Raises what it died of."""
        if self.over:
            return
        self.road.at(self.road.loop.time() + seconds, self._stand)
        self._take_turns()
        if self._fault is not None:
            raise self._fault

    def kill(self) -> None:
        """End it where it stands, as SIGKILL does; what only it knew is gone."""
        self._killed = True
        if not self.over:
            self._take_turns()
        self._thread.join()
        self.road.__exit__()

    def _live(self) -> None:
        self._go.acquire()
        try:
            if not self._killed:
                self.road.worker.run()
        except SystemExit:
            pass
        except BaseException as fault:  # noqa: BLE001 - the test's thread raises it
            self._fault = fault
        finally:
            self.over = True
            self._stands.release()

    def _stand(self) -> None:
        if self.over:
            return
        self._stands.release()
        self._go.acquire()
        if self._killed:
            # The one exception that a loop lets out of a timer.
            raise SystemExit

    def _take_turns(self) -> None:
        self._go.release()
        self._stands.acquire()


@dataclass
class Moods:
    """A platform for the toy: how it is now, the ids that it has accepted, and those that it was asked to.

    `mood` is well, gone, failing or throttling. It takes only its `token`, and refuses ids that begin with `bad` until
    it is `mended`, in one `manner` of three: the whole request, with the first culprit as a hint, or each named.
    """

    mood: str = "well"
    manner: str = "whole"
    token: str = "t1"
    mended: bool = False
    accepted: set[str] = field(default_factory=set)
    asked: set[str] = field(default_factory=set)

    def answer(self, request: Request) -> Reply | NoReply:
        """Answer as the mood is; what is answered 200 is accepted."""
        names = ids(request)
        self.asked.update(names)
        if self.mood in _UNWELL:
            return _UNWELL[self.mood]
        if request.headers["authorization"] != self.token:
            return Reply(401, {}, b"")
        return self._judge(names)

    def _judge(self, names: list[str]) -> Reply:
        bad = [index for index, name in enumerate(names) if name.startswith("bad") and not self.mended]
        if bad and self.manner != "named":
            return Reply(400, {"suspects": str(bad[0])} if self.manner == "hint" else {}, b"")
        self.accepted.update(name for index, name in enumerate(names) if index not in bad)
        return Reply(200, {}, ",".join(map(str, bad)).encode()) if bad else OK

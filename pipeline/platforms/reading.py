"""Reading of replies as far as it is the same everywhere: JSON that may be none, texts of a form, statuses, waits.

Nothing here raises: whatever has not the form that was asked for reads as empty.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

import orjson

from pipeline.core.model import Doubt, Halt, Later, Refusal, Reply, Verdict
from pipeline.core.reason import Reason

# Seconds; a header that asks for more is not believed.
MOST_WAIT: Final = 3600.0
# Whoever says these, the way to the platform is barred: payment, a proxy's password, the law.
BARRED: Final = frozenset({402, 407, 451})


def json_object(body: bytes | str) -> dict[str, object]:
    """Read a JSON object; anything else is an empty one, text that is no Unicode included."""
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return answer if isinstance(answer, dict) else {}


def object_of(value: object) -> Mapping[str, object]:
    """Return a JSON object as it is, and an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def objects_of(value: object) -> Iterator[Mapping[str, object]]:
    """Yield the objects of a list; what is no list holds none."""
    return (one for one in value if isinstance(one, dict)) if isinstance(value, list) else iter(())


def text_of(value: object) -> str:
    """Return a text as it is, and the empty one for anything else."""
    return value if isinstance(value, str) else ""


def formed(form: Callable[[str], object], value: object) -> str:
    """Return a text that has the form, else the empty one: only so may a text of a platform's be passed on."""
    text = text_of(value)
    return text if form(text) else ""


def retry_after(reply: Reply) -> float | None:
    """Return the seconds of the header `retry-after`; None where there is none, or a date."""
    after = reply.headers.get("retry-after", "")
    return float(after) if after.isascii() and after.isdecimal() else None


def longest(waits: Iterable[float]) -> float | None:
    """Return the longest of the waits that a reply asks for, in seconds; None if it asks for none."""
    wait = max(waits, default=0.0)
    return min(wait, MOST_WAIT) if wait > 0 else None


def is_outage(status: int) -> bool:
    """Whether an HTTP status that is no success blames nobody: a timeout, or anything that is no refusal."""
    return status == 408 or not 400 <= status < 500


def halted(status: int, detail: str) -> Halt | None:
    """Return the halt that an HTTP status alone means: the token, the account or the address is wrong."""
    match status:
        case 401:
            return Halt(Reason.UNAUTHORIZED, detail)
        case 403 | 404 | 405:
            return Halt(Reason.MISCONFIGURED, detail)
        case _ if 300 <= status < 400:
            return Halt(Reason.MISCONFIGURED, f"HTTP {status}: a redirect, which a token must not follow")
        case _:
            return None


def by_status(reply: Reply, platform: str, detail: str, wait: float | None = None) -> Verdict | None:
    """Return what an HTTP status that is no success says, whoever answered; None for one that may blame an event.

    `wait` is for how many seconds a throttle asks.
    """
    if reply.status == 429:
        return Later(Reason.THROTTLED, detail, wait)
    if reply.status == 413:
        return Doubt(Refusal(Reason.OVERSIZE, f"the request is too large for {platform}", http_status=413))
    halt = halted(reply.status, detail)
    if halt is not None:
        return halt
    return Later(Reason.OUTAGE, detail) if is_outage(reply.status) else None


def read_bare(reply: Reply, platform: str, wait: float | None) -> Verdict:
    """Read an answer without the platform's JSON: what a gateway says, or nothing that is documented."""
    detail = f"HTTP {reply.status} without an answer in {platform}'s form"
    blame = Refusal(Reason.REJECTED, detail, http_status=reply.status)
    return by_status(reply, platform, detail, wait) or Later(Reason.UNKNOWN_ANSWER, detail, blame=blame)

"""`capi-pipeline explain --ndjson`: for machines, one line for each event and destination.

The form is documented in docs/explain.md and is a promise: within version 1 fields are added, never changed or removed.
Invariant: `payload` holds the very bytes that the worker would put into its request.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

import orjson

from pipeline.commands.account import Account, Target
from pipeline.commands.event_file import EventReader, PublishError
from pipeline.core.masking import mask
from pipeline.core.model import Event
from pipeline.core.quality import quality
from pipeline.core.reason import Reason

VERSION: Final = 1
Now = Callable[[Event], float]


def lines(texts: Iterable[bytes], reader: EventReader, targets: Sequence[Target], now: Now) -> Iterator[bytes]:
    """Yield what is said of each text, line by line and without line ends: nothing of a blank one.

    `now` gives the moment (Unix seconds) at which an event is judged.
    """
    for number, text in enumerate(texts, 1):
        if not text.strip():
            continue
        try:
            event = reader.read(orjson.loads(text))
        except orjson.JSONDecodeError as error:
            yield _no_event(number, Reason.UNDECODABLE, f"column {error.colno}: this is not JSON")
        except PublishError as error:
            yield _no_event(number, Reason.INVALID_EVENT, mask("; ".join(error.lines)))
        else:
            if len(targets) > 1:
                # As on the road: what one platform makes of a field is not made again for the next.
                event.seals = {}
            for target in targets:
                yield _line(number, event, target, target.account(event, now(event)))


def _line(number: int, event: Event, target: Target, account: Account) -> bytes:
    shaped = account.shaped
    return orjson.dumps(
        {
            "v": VERSION,
            "line": number,
            "event_id": event.id,
            "event": event.name,
            "destination": target.destination.name,
            "platform": target.destination.platform,
            "outcome": account.outcome,
            "reason": account.reason,
            "detail": account.detail,
            "consent": account.consent,
            "event_name": shaped and shaped.event_name,
            "group": shaped and shaped.group,
            "payload": shaped and orjson.Fragment(shaped.payload),
            "match_keys": shaped.match_keys if shaped else (),
            "dropped": shaped.dropped if shaped else (),
            "notes": shaped.notes if shaped else (),
            "quality": shaped and round(quality(shaped.match_keys, target.kind.weights), 2),
            "expires_at": shaped and shaped.expires_at,
            "not_before": shaped and shaped.not_before,
        }
    )


def _no_event(number: int, reason: Reason, detail: str) -> bytes:
    return orjson.dumps({"v": VERSION, "line": number, "outcome": "refuse", "reason": reason, "detail": detail})

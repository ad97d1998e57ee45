"""What a platform holds of an event: the parts of its payload that the demo compares or shows, in one form for all.

Pure. Each platform keeps the same facts elsewhere; the tables here are the demo's own, from the platforms' pages.
Invariant: what is kept of a payload holds names, sums and hashes, and no value of a customer in clear.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, cast

from pipeline.demo.balance import Seen
from pipeline.demo.foresight import worth

Json = Mapping[str, object]
# Where value and currency are, and where what identifies the customer is.
_MONEY: Final[Mapping[str, str]] = {"tiktok": "properties"}
_PERSON: Final[Mapping[str, str]] = {"tiktok": "user"}
_EMAIL: Final[Mapping[str, str]] = {"tiktok": "email"}


@dataclass(frozen=True, slots=True)
class Arrival:
    """An event that `platform` accepted for `account`; `emails` are the hashes that stand for e-mail addresses."""

    platform: str
    account: str
    seen: Seen
    emails: tuple[str, ...]
    match_keys: frozenset[str]


def arrival(line: Json, payload: Json) -> Arrival:
    """Read one line of the sandbox's journal and the event that belongs to it."""
    platform = str(line["platform"])
    google = platform == "google"
    money = payload if google else _part(payload, _MONEY.get(platform, "custom_data"))
    identified = dict(_google_keys(payload)) if google else _part(payload, _PERSON.get(platform, "user_data"))
    sum_name = "conversionValue" if google else "value"
    emails = identified.get("emailAddress" if google else _EMAIL.get(platform, "em"))
    return Arrival(
        platform,
        str(line["dataset"]),
        Seen(
            str(line["event_id"]),
            str(line["event_name"]),
            cast("int", line["event_time"]),
            worth(money.get(sum_name), money.get("currency")),
        ),
        tuple(map(str, emails)) if isinstance(emails, list) else (str(emails),) if emails else (),
        frozenset(identified),
    )


def _google_keys(payload: Json) -> Iterator[tuple[str, object]]:
    """Yield what identifies somebody at Google, which has it in three places and each e-mail alone."""
    person = cast("list[Json]", _part(payload, "userData").get("userIdentifiers", []))
    for one in person:
        yield from one.items()
    yield from _part(payload, "adIdentifiers").items()
    yield from _part(payload, "eventDeviceInfo").items()


def _part(payload: Json, name: str) -> Json:
    return cast("Json", payload.get(name, {}))

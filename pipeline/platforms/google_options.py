"""What a Google destination may set beside the common things, and what of it cannot be meant."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, get_args

from pipeline.core.contract import EVENTS_OF, ActionSource
from pipeline.core.destination import Destination
from pipeline.platforms.common import TAKEN_BACK
from pipeline.platforms.options import check_web_address

EventSource = Literal["WEB", "APP", "IN_STORE", "PHONE", "MESSAGE", "OTHER"]

EVENT_SOURCES: Final[Mapping[ActionSource, EventSource]] = {
    "WEBSITE": "WEB",
    "APP": "APP",
    "STORE": "IN_STORE",
    "PHONE": "PHONE",
    "CHAT": "MESSAGE",
    "EMAIL": "MESSAGE",
    "MESSAGING": "MESSAGE",
    "SYSTEM": "OTHER",
    "OTHER": "OTHER",
}
# A customer id as people write it, or as the API wants it.
ACCOUNT: Final = "[0-9]{3}-[0-9]{3}-[0-9]{4}|[0-9]{10}"
_ACCOUNT: Final = re.compile(ACCOUNT).fullmatch
_NUMBER: Final = re.compile("[1-9][0-9]{0,18}").fullmatch
_KNOWN: Final = frozenset(name for names in EVENTS_OF.values() for name in names) - TAKEN_BACK


@dataclass(frozen=True, slots=True)
class Cart:
    """The product feed that an order's items belong to, in Merchant Center."""

    merchant_id: str
    feed_label: str | None = None
    feed_language: str | None = None

    def __post_init__(self) -> None:
        """Raise ValueError for a merchant's id that is no number."""
        if not _NUMBER(self.merchant_id):
            raise ValueError("cart.merchant_id must be the number of a Merchant Center account")


@dataclass(frozen=True, slots=True)
class GoogleOptions:
    """What a Google destination may set beside the common things.

    `conversion_actions` maps our events to numeric ids of conversion actions: an event without one is not sent.
    """

    conversion_actions: Mapping[str, str] = field(default_factory=dict)
    login_account: str | None = None
    shape: Literal["upload_clicks", "webpage"] = "upload_clicks"
    event_sources: Mapping[ActionSource, EventSource] = field(default_factory=dict)
    cancellations: Literal["restate", "skip"] = "restate"
    send_ip: bool = False
    cart: Cart | None = None
    credentials: Literal["service_account", "metadata_server"] = "service_account"
    base_url: str = "https://datamanager.googleapis.com"
    token_url: str | None = None
    metadata_url: str = "http://metadata.google.internal"

    def __post_init__(self) -> None:
        """Raise ValueError for what Google cannot mean."""
        _check_actions(self.conversion_actions)
        if self.login_account is not None and not _ACCOUNT(self.login_account):
            raise ValueError("login_account must look like 123-456-7890 or 1234567890")
        for source, word in self.event_sources.items():
            if source not in get_args(ActionSource) or word not in get_args(EventSource):
                raise ValueError(f"event_sources: {source} as {word} is not one of our sources as one of Google's")
        for option, address in (
            ("base_url", self.base_url),
            ("token_url", self.token_url),
            ("metadata_url", self.metadata_url),
        ):
            if address is not None:
                check_web_address(option, address)


def customer_id(account: str) -> str:
    """Return the id of a Google Ads account without hyphens."""
    return account.replace("-", "")


def _check_actions(actions: Mapping[str, str]) -> None:
    for event, action in actions.items():
        if event in TAKEN_BACK:
            raise ValueError(f"conversion_actions: {event} belongs to the action of order_placed; leave it out")
        if event not in _KNOWN:
            known = ", ".join(sorted(_KNOWN))
            raise ValueError(f"conversion_actions: {event} is none of our events; known are {known}")
        if not _NUMBER(action):
            raise ValueError(f"conversion_actions: the action of {event} must be its numeric id")
    # One action tells conversions apart by our id alone: a lead's second event would overwrite its first, and an order
    # a lead of the same number.
    used = {kind: [actions[event] for event in names if event in actions] for kind, names in EVENTS_OF.items()}
    for action, times in Counter(used["lead"]).items():
        if times > 1:
            raise ValueError(f"conversion_actions: {action} stands for two events of a lead; each needs its own")
    for action in actions.values():
        kinds = [kind for kind, given in used.items() if action in given]
        if len(kinds) > 1:
            raise ValueError(f"conversion_actions: {action} stands for {' and '.join(kinds)}; each kind needs its own")


def faults(destination: Destination) -> Sequence[tuple[str, str]]:
    """Return what is wrong with a destination as a whole, each with a fix."""
    options = destination.options
    if not isinstance(options, GoogleOptions):
        return ()
    found = []
    if not options.conversion_actions:
        fix = "add `conversion_actions: {order_placed: <numeric id>}`; an event without one is not sent"
        found.append(("`options.conversion_actions` is empty", fix))
    has_key = "service_account" in destination.secrets
    if options.credentials == "service_account" and not has_key:
        fix = "add `secrets: {service_account: <name of the secret>}`, or `options: {credentials: metadata_server}`"
        found.append(("the secret `service_account` is missing", fix))
    if options.credentials == "metadata_server" and has_key:
        found.append(("the secret `service_account` is not used with `credentials: metadata_server`", "leave it out"))
    return found

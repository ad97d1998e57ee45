"""What the options of several platforms have in common: reading them, names for our events, web addresses."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Final, TypeVar

from pipeline.core.contract import EVENTS_OF
from pipeline.core.destination import Destination
from pipeline.platforms.common import TAKEN_BACK, bare_name

Options = TypeVar("Options")

# What was never won, or was taken back.
_NO_CONVERSIONS: Final = TAKEN_BACK | {"lead_lost"}
# Scheme, host and port, path. An address may stand in logs, so it has no place for a user and a password.
_BASE: Final = re.compile(r"https?://[^\s/?#@\\]+(?:/[^\s?#\\]*)?", re.IGNORECASE).fullmatch


def options_of(destination: Destination, kind: type[Options]) -> Options:
    """Return a destination's options, or the platform's defaults where they are none of its own."""
    return destination.options if isinstance(destination.options, kind) else kind()


def check_event_names(given: Mapping[str, str], standard: Collection[str], losses: Collection[str] = ()) -> None:
    """Check the option `event_names`: our event to the platform's name.

    `standard` are the platform's own names; `losses` those of them that count no conversion.
    Raises ValueError for an event that is none of ours, for a name that is blank or has white space around it or signs
    that nobody sees, for one that is nearly one of `standard`, and for what is no conversion under the name of one.
    """
    known = {name for names in EVENTS_OF.values() for name in names}
    for event, name in given.items():
        if event not in known:
            raise ValueError(f"event_names: {event} is none of our events; known are {', '.join(sorted(known))}")
        if not name.strip():
            raise ValueError(f"event_names: the name for {event} is blank")
        if name != name.strip() or not name.isprintable():
            raise ValueError(f"event_names: the name for {event} has white space around it, or signs that nobody sees")
        if name not in standard:
            _check_spelling(name, standard)
        elif event in _NO_CONVERSIONS and name not in losses:
            raise ValueError(f"event_names: {event} as {name} would count what was lost or taken back as a conversion")


def _check_spelling(name: str, standard: Collection[str]) -> None:
    """Raise ValueError for `PageVisit` where the platform counts `page_visit` only."""
    meant = sorted(one for one in standard if bare_name(one) == bare_name(name))
    if meant:
        raise ValueError(
            f"event_names: the platform does not know {name}: it counts {' or '.join(meant)} in this spelling only"
        )


def check_web_address(option: str, text: str) -> None:
    """Raise ValueError unless the option is a web address of scheme, host and at most a path."""
    if not (_BASE(text) and text.isprintable()):
        raise ValueError(
            f"{option} must begin with https:// (or http://), name a host and have at most a path: "
            "no user, query, fragment or white space"
        )

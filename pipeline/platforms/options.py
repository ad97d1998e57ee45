"""What the options of several platforms have in common: reading them, names for our events, web addresses."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TypeVar

from pipeline.core.contract import EVENTS_OF
from pipeline.core.destination import Destination
from pipeline.platforms.common import TAKEN_BACK, web_address

Options = TypeVar("Options")


def options_of(destination: Destination, kind: type[Options]) -> Options:
    """Return a destination's options, or the platform's defaults where they are none of its own."""
    return destination.options if isinstance(destination.options, kind) else kind()


def check_event_names(given: Mapping[str, str], conversions: Collection[str]) -> None:
    """Check the option `event_names`: our event to the platform's name.

    Raises ValueError for an event that is none of ours, for a blank name, and for what takes a conversion back under
    a name of `conversions`, which would count it.
    """
    known = {name for names in EVENTS_OF.values() for name in names}
    for event, name in given.items():
        if event not in known:
            raise ValueError(f"event_names: {event} is none of our events; known are {', '.join(sorted(known))}")
        if not name.strip():
            raise ValueError(f"event_names: the name for {event} is blank")
        if event in TAKEN_BACK and name in conversions:
            raise ValueError(f"event_names: {event} as {name} would count what was taken back as a conversion")


def check_web_address(option: str, text: str) -> None:
    """Raise ValueError unless the option is a web address with a host."""
    if web_address(text) is None:
        raise ValueError(f"{option} must begin with https:// (or http://) and name a host")

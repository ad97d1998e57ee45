"""Destinations whose platform decides later, and what the settings must say for them to be followed up."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from pipeline.config.destinations import Platforms
from pipeline.config.faults import Fault
from pipeline.config.settings import Settings
from pipeline.core.destination import Destination


def followed(destinations: Iterable[Destination], platforms: Platforms) -> Sequence[Destination]:
    """Return the destinations that are followed up: in mode `test` nothing is stored, so nothing is decided."""
    return [each for each in destinations if each.mode == "live" and platforms[each.platform].follow is not None]


def following_faults(settings: Settings, destinations: Iterable[Destination], platforms: Platforms) -> Iterator[Fault]:
    """Find what is missing for the destinations that are to be followed up."""
    names = ", ".join(each.name for each in followed(destinations, platforms))
    if names and settings.receipts.topic is None:
        fix = "set it, for example CAPI_RECEIPTS_TOPIC=capi.receipts, and run `capi-pipeline topics apply`"
        yield Fault("CAPI_RECEIPTS_TOPIC", f"is not set; {names} gives receipts, which have to be kept", fix)
    if names and settings.replay.topic is None:
        fix = "set it, for example CAPI_REPLAY_TOPIC=capi.google.replay, and run `capi-pipeline topics apply`"
        yield Fault("CAPI_REPLAY_TOPIC", f"is not set; what is too early for {names} has to be sent again", fix)

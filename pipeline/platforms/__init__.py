"""The platforms, one file each, all pure. The table is what the destinations file may name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pipeline.core.destination import Destination
from pipeline.platforms import google, meta, pinterest, snapchat, tiktok
from pipeline.platforms.base import Platform, PlatformKind

PLATFORMS: Final[Mapping[str, PlatformKind]] = {
    kind.name: kind for kind in (meta.KIND, tiktok.KIND, pinterest.KIND, snapchat.KIND, google.KIND)
}


def open_platform(destination: Destination) -> Platform:
    """Return the platform of a destination. The destinations file was checked: an unknown name is a KeyError."""
    return PLATFORMS[destination.platform].open(destination)

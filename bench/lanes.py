"""The destinations of the bench: Meta alone, or all five platforms, each with its path at the sink.

A thousand events a request and a rate out of the way for each; nothing else differs from the defaults.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Final

from bench.contender import DATASET

SECRET: Final = "bench_token"  # noqa: S105 - the name of a secret
_TOKEN: Final = {"token": SECRET}
_GOOGLE: Final = {"conversion_actions": {"order_placed": "987654321"}, "credentials": "metadata_server"}

# platform -> account, secrets, options beside base_url
_LANES: Final[Mapping[str, tuple[str, Mapping[str, str], Mapping[str, object]]]] = {
    "meta": (DATASET, _TOKEN, {}),
    "google": ("1234567890", {}, _GOOGLE),
    "tiktok": ("C4BENCHPIXEL00000000", _TOKEN, {"offline_event_set_id": "123456789", "app_id": "123456789"}),
    "pinterest": ("549755885175", _TOKEN, {}),
    "snapchat": ("3f1c9a52-6e0b-4d0a-9c58-0b6f1d2e7a34", _TOKEN, {"site_url": "https://shop.example/"}),
}
META: Final = ("meta",)
FIVE: Final = tuple(_LANES)


def destinations(platforms: Sequence[str], *, url: str, linger: float) -> str:
    """Return the destinations file (JSON is YAML) for these platforms at the sink's `url`."""
    return json.dumps({"version": 1, "destinations": [_entry(platform, url, linger) for platform in platforms]})


def _entry(platform: str, url: str, linger: float) -> Mapping[str, object]:
    account, secrets, options = _LANES[platform]
    where = {"base_url": url, **({"metadata_url": url} if platform == "google" else {})}
    return {
        "name": f"bench-{platform}",
        "platform": platform,
        "account": account,
        "mode": "live",
        "limits": {
            "events_per_request": 1000,
            "bytes_per_request": 10_000_000,
            "requests_per_second": 10_000,
            "linger_seconds": linger,
        },
        "secrets": secrets,
        "options": {**where, **options},
    }

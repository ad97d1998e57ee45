"""Events for Snapchat's tests: what Snapchat's code makes of the contract's own samples."""

from __future__ import annotations

from typing import Any

import orjson
from meta_events import APP

from pipeline.core.destination import ConsentPolicy, Destination, Limits, Mode, Rule
from pipeline.core.model import Event, Refusal, Shaped, Skipped
from pipeline.platforms.snapchat import DEFAULTS, KIND, Snapchat, SnapchatOptions

PIXEL = "6abc82ca-4a3a-4391-98ba-0317a8471234"
APP_ID = "0b5f6e2d-1c3a-4d9e-8f70-2a1b3c4d5e6f"
SITE = "https://shop.example/"
EVERYWHERE = SnapchatOptions(app_id=APP_ID, site_url=SITE)
IOS = APP | {"vendor_id": "3F2504E0-4F89-11D3-9A0C-0305E82C3301"}


def snapchat(
    options: SnapchatOptions = EVERYWHERE, *, account: str = PIXEL, mode: Mode = "live", limits: Limits = DEFAULTS
) -> Snapchat:
    """Open a Snapchat destination."""
    return Snapchat(destination(options, account=account, mode=mode, limits=limits))


def destination(
    options: object = EVERYWHERE, *, account: str = PIXEL, mode: Mode = "live", limits: Limits = DEFAULTS
) -> Destination:
    """Return a Snapchat destination."""
    return Destination(
        name="snapchat",
        platform=KIND.name,
        account=account,
        mode=mode,
        rule=Rule(),
        consent=ConsentPolicy(),
        limits=limits,
        secrets={"token": "snapchat_token"},
        options=options,
    )


def shape(event: Event, options: SnapchatOptions = EVERYWHERE) -> Shaped | Skipped | Refusal:
    """Put an event into Snapchat's words."""
    return snapchat(options).shape(event)


def shaped(event: Event, options: SnapchatOptions = EVERYWHERE) -> Shaped:
    """Put an event that is to be sent into Snapchat's words."""
    found = shape(event, options)
    assert isinstance(found, Shaped), found
    return found


def sent(event: Event, options: SnapchatOptions = EVERYWHERE) -> dict[str, Any]:
    """Return what would be sent of an event, read back as JSON."""
    document: dict[str, Any] = orjson.loads(shaped(event, options).payload)
    return document

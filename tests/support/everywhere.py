"""One destination on each platform, set up for every place and event, and with a policy that sends without a choice."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pipeline.commands.account import Target
from pipeline.config.destinations import read_destinations
from pipeline.core.contract import EVENTS_OF
from pipeline.platforms import PLATFORMS

_ACTIONS: Final = ", ".join(
    f'{event}: "{number}"'
    for number, event in enumerate((event for events in EVENTS_OF.values() for event in events), 1)
    if event not in {"order_refunded", "order_cancelled"}
)
_ENTRIES: Final[Mapping[str, str]] = {
    "meta": 'account: "123", secrets: {token: some_token}',
    "tiktok": 'account: "C4A", secrets: {token: some_token}, '
    'options: {offline_event_set_id: "71", crm_event_set_id: "72", app_id: "73"}',
    "pinterest": 'account: "549755885175", secrets: {token: some_token}',
    "snapchat": 'account: "abc-1", secrets: {token: some_token}, '
    'options: {app_id: "abc-2", site_url: "https://shop.example"}',
    "google": 'account: "123-456-7890", secrets: {service_account: some_key}, '
    f"options: {{send_ip: true, conversion_actions: {{{_ACTIONS}}}}}",
}

_CONSENT: Final = '{unknown: {EEA: send, nowhere: send, "*": send}}'

YAML: Final = "version: 1\ndestinations:\n" + "".join(
    f"  - {{name: to-{name}, platform: {name}, mode: live, consent: {_CONSENT}, {entry}}}\n"
    for name, entry in _ENTRIES.items()
)
"""The destinations file: `to-meta`, `to-tiktok` and so on."""


def targets(rule: str = "{}") -> list[Target]:
    """Return them made ready, in the order of the file; `rule` says in YAML which events they want."""
    text = YAML.replace("mode: live", f"mode: live, rule: {rule}")
    return [Target(each) for each in read_destinations(text, PLATFORMS, production=True)]

"""The demo's destinations file: five made-up accounts, one on each platform, all of them at the sandbox."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pipeline.demo.foresight import ACTIONS
from pipeline.demo.people import MARKETS

# Who may get events at each platform: the account of the destination first, then what its options add.
ACCOUNTS: Final[Mapping[str, tuple[str, ...]]] = {
    "meta": ("123456789012345",),
    "google": ("1234567890",),
    "tiktok": ("C4DEMO0PIXEL0CODE0", "7000000000000000001", "7000000000000000002", "7000000000000000003"),
    "pinterest": ("549755885175",),
    "snapchat": ("6abc82ca-4a3a-4391-98ba-0317a8471234", "0d6f1c58-5f0e-4c0e-8c31-7b5a5d1f9e02"),
}
SHOP_URL: Final = "https://shop.example/"

_HEAD: Final = """\
# Where the demo's conversions go: one account on each platform, and all platforms are the sandbox on this machine.
version: 1

destinations:
"""
_ENTRY: Final = """\
  - name: {platform}
    platform: {platform}
    account: "{account}"
    mode: live
    rule:
      stores: [{stores}] # the staff's store is not among them
    limits:
      events_per_request: 100
      requests_per_second: 100
      linger_seconds: 0.2
    secrets:
      {secret}: {platform}_demo
"""
_OPTIONS: Final[Mapping[str, str]] = {
    "meta": """\
    options:
      base_url: {url}
""",
    "google": """\
    options:
      base_url: {url}
      token_url: {url}/token
      send_ip: true # where that is allowed
      conversion_actions: {{{actions}}} # an event without one is not sent
""",
    "tiktok": """\
    options:
      base_url: {url}
      offline_event_set_id: "{others[0]}" # stores and phone calls
      crm_event_set_id: "{others[1]}"
      app_id: "{others[2]}"
""",
    "pinterest": """\
    consent:
      purposes: [ad_user_data, ad_personalization] # this one wants both to be granted
    options:
      base_url: {url}
""",
    "snapchat": """\
    options:
      base_url: {url}
      site_url: {shop} # the page of what happened on none
      app_id: {others[0]}
""",
}


def destinations_file(url: str) -> str:
    """Return the text of the file, for a sandbox at `url`. Secrets are named `meta_demo`, `google_demo` and so on."""
    stores = ", ".join(f'"{market.country.lower()}"' for market in MARKETS)
    actions = ", ".join(f'{event}: "{number}"' for event, number in ACTIONS.items())
    entries = [
        (_ENTRY + _OPTIONS[platform]).format(
            platform=platform,
            account=account,
            others=others,
            stores=stores,
            secret="service_account" if platform == "google" else "token",
            url=url,
            shop=SHOP_URL,
            actions=actions,
        )
        for platform, (account, *others) in ACCOUNTS.items()
    ]
    return _HEAD + "\n".join(entries)

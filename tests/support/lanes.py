"""The five platforms as journeys know them: how a destination is set up, and how each platform says no in its own form.

Written from the platforms' pages, not from the sender: what an event is called and how it is known again stands here a
second time.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import log2
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from pipeline.demo.foresight import ACTIONS, NAMES
from pipeline.demo.shop import Draft
from pipeline.demo.trade import Expected

Words = Mapping[str, object]
# A fault for the sandbox: its kind and the fields of that kind.
Fault = Mapping[str, Any]
KEY_BITS: Final = 2048


@dataclass(frozen=True, slots=True)
class Secret:
    """What opens a platform: the text of the worker's file, what the platform is told, and what nobody may say."""

    written: str = field(repr=False)
    known: str = field(repr=False)
    hidden: tuple[str, ...] = field(repr=False)


def halving(bad: int, events: int) -> float:
    """Return how many requests the search for `bad` culprits among `events` may cost where nobody is named."""
    return 2 * bad * log2(events) + 2


def named(_bad: int, _events: int) -> float:
    """Return the same where the answer names the culprits, and the rest goes again."""
    return 2


def one_by_one(_bad: int, _events: int) -> float:
    """Return the same where the answer speaks of each event, and nothing goes again."""
    return 1


def inquired(bad: int, _events: int) -> float:
    """Return the same where the platform can be asked: the batch, the question, each suspect alone, the rest."""
    return bad + 3


@dataclass(frozen=True, slots=True)
class Lane:
    """A destination on one platform.

    path: a part of the URL path of its requests with events, and of no other platform's.
    most_days: how old an event without a click id may be for the platform, on the web.
    clear: the fields of a customer and a visit that the platform wants as they are.
    outage, throttle: faults for the sandbox, in the platform's own form.
    usage: what the sandbox's usage headers say meanwhile: how long to wait, or nothing that would ask for a minute.
    throttle_seconds: how long that throttle asks to wait; 0 where the platform does not say.
    search: the most requests that so many bad events among so many may cost.
    grants: whether the secret is a key for which the platform issues tokens, and no token.
    unknown: whether a dead token is one that the platform does not know, and not one that it calls revoked.
    token_in_url: whether the platform wants the token in the URL.
    """

    platform: str
    account: str
    path: str
    most_days: float
    clear: frozenset[str]
    outage: Fault
    throttle: Fault
    search: Callable[[int, int], float]
    options: Words = field(default_factory=dict)
    usage: Mapping[str, int] = field(default_factory=dict)
    throttle_seconds: float = 0.0
    grants: bool = False
    unknown: bool = False
    token_in_url: bool = False

    @property
    def destination(self) -> str:
        """The name of the destination."""
        return f"{self.platform}-journey"

    @property
    def secret_name(self) -> str:
        """The name of its secret: that of the file."""
        return f"{self.platform}_key" if self.grants else f"{self.platform}_token"

    def entry(self, url: str, rule: Words, limits: Mapping[str, float]) -> Words:
        """Return its entry of the destinations file, for a platform at `url`."""
        addresses = {"base_url": url, **({"token_url": f"{url}/token"} if self.grants else {})}
        return {
            "name": self.destination,
            "platform": self.platform,
            "account": self.account,
            "mode": "live",
            "rule": rule,
            "limits": limits,
            "secrets": {"service_account" if self.grants else "token": self.secret_name},
            "options": {**addresses, **self.options},
        }

    def new_secret(self) -> Secret:
        """Make up a secret that no other scene has."""
        if self.grants:
            return _key_file()
        unique = secrets.token_hex(16)
        # What a URL has to quote: whoever looks for the token must find it quoted, too.
        tail = "+/=" if self.token_in_url else ""
        token = f"EAAjourney{unique}{tail}"
        return Secret(token, token, (unique,))

    def takes(self, draft: Draft) -> bool:
        """Whether the platform gets this order: TikTok can limit the use of data on the web and in apps only."""
        consent = draft.event["consent"]
        limited = consent["limited_data_use"] or consent["ad_personalization"] == "DENIED"
        return self.platform != "tiktok" or not limited or draft.event["action_source"] in ("WEBSITE", "APP")

    def expected(self, draft: Draft) -> Expected:
        """Return how the platform's journal must have an order that it gets."""
        event_id = draft.id if self.platform == "google" else draft.event_id
        return Expected("accepted", None, event_id, NAMES[self.platform][draft.name], draft.event_time)


def _key_file() -> Secret:
    key = generate_private_key(public_exponent=65_537, key_size=KEY_BITS)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    account = {
        "type": "service_account",
        "client_email": "worker@journey.example",
        "private_key_id": secrets.token_hex(20),
        "private_key": pem,
    }
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    # Lines of the key, the tokens that are issued for it, and the head of every assertion that it signs.
    return Secret(json.dumps(account), public, (*pem.splitlines()[1:-1], "ya29.", "eyJhbGciOi"))


META: Final = Lane(
    platform="meta",
    account="123456789012345",
    path="/123456789012345/events",
    most_days=7,
    clear=frozenset({"url", "client_ip", "user_agent", "fbp", "fbclid"}),
    outage={"kind": "error", "code": 2, "status": 503},
    throttle={"kind": "error", "code": 4, "retry_after": 1},
    # Else they say that all is used up, and the lane is silent for a minute.
    usage={"malformed": True},
    throttle_seconds=1.0,
    search=halving,
)
GOOGLE: Final = Lane(
    platform="google",
    account="1234567890",
    path="events:ingest",
    most_days=63,
    clear=frozenset({"postal_code", "user_agent", "gclid"}),
    outage={"kind": "error", "code": 503},
    throttle={"kind": "error", "code": 429, "retry_after": 1},
    throttle_seconds=1.0,
    search=named,
    options={"conversion_actions": dict(ACTIONS)},
    grants=True,
)
TIKTOK: Final = Lane(
    platform="tiktok",
    account="C4JOURNEY0PIXEL0CODE",
    path="/open_api/",
    most_days=28,
    clear=frozenset({"url", "client_ip", "user_agent", "city", "ttclid"}),
    outage={"kind": "error", "code": 50000},
    throttle={"kind": "error", "code": 40100},
    search=halving,
    options={
        "offline_event_set_id": "7000000000000000001",
        "crm_event_set_id": "7000000000000000002",
        "app_id": "7000000000000000003",
    },
)
PINTEREST: Final = Lane(
    platform="pinterest",
    account="549755885175",
    path="/ad_accounts/",
    most_days=7,
    clear=frozenset({"url", "client_ip", "user_agent", "epik"}),
    outage={"kind": "error", "code": 1, "status": 500},
    throttle={"kind": "error", "code": 8},
    usage={"reset_seconds": 1},
    throttle_seconds=1.0,
    search=one_by_one,
)
SNAPCHAT: Final = Lane(
    platform="snapchat",
    account="6abc82ca-4a3a-4391-98ba-0317a8471234",
    path="/v3/",
    most_days=37,
    clear=frozenset({"url", "client_ip", "user_agent", "sc_click_id"}),
    outage={"kind": "error", "code": 500},
    throttle={"kind": "error", "code": 429},
    search=inquired,
    options={"app_id": "0d6f1c58-5f0e-4c0e-8c31-7b5a5d1f9e02", "site_url": "https://shop.example/"},
    unknown=True,
    token_in_url=True,
)
LANES: Final = (META, GOOGLE, TIKTOK, PINTEREST, SNAPCHAT)

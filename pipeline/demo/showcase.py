"""What each platform must get of the one with everything: its match keys, and its own form of the e-mail address.

Pure. All of it is known by heart, from the platforms' pages; the order itself is in `everything`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Final

from pipeline.demo.arrivals import Arrival
from pipeline.demo.flaws import PLATFORMS
from pipeline.demo.trade import Expected

# Google alone leaves out what Gmail ignores: dots, and what follows a plus.
_EMAILS: Final[Mapping[str, str]] = {**dict.fromkeys(PLATFORMS, "j.doe+shop@gmail.com"), "google": "jdoe@gmail.com"}

_PERSON: Final = "em ph fn ln ge ct st zp country external_id client_ip_address client_user_agent"
_KEYS: Final[Mapping[str, str]] = {
    "meta": f"{_PERSON} db fb_login_id fbc fbp",
    "google": "emailAddress phoneNumber address gclid sessionAttributes ipAddress userAgent",
    "tiktok": "email phone first_name last_name city state zip_code country external_id ip user_agent locale "
    "ttclid ttp",
    "pinterest": f"{_PERSON} db click_id",
    "snapchat": f"{_PERSON} sc_click_id sc_cookie1",
}


def email_hash(platform: str) -> str:
    """Return the hash of the customer's e-mail address that `platform` must get."""
    return sha256(_EMAILS[platform].encode()).hexdigest()


def match_keys(platform: str) -> frozenset[str]:
    """Return the match keys that `platform` must get."""
    return frozenset(_KEYS[platform].split())


def faults_of(expected: Mapping[str, Expected], arrivals: Mapping[str, Arrival]) -> Iterator[str]:
    """Yield what is missing or wrong at each platform, a sentence each; no sentence holds a value of the event."""
    for platform, meant in expected.items():
        arrival = arrivals.get(platform)
        if arrival is None:
            yield f"the one with everything did not arrive at {platform}"
            continue
        seen, missing = arrival.seen, match_keys(platform) ^ arrival.match_keys
        wrong = {
            "event name": seen.event_name != meant.event_name,
            "event id": seen.event_id != meant.event_id,
            "time": seen.event_time != meant.event_time,
            "value": seen.worth != meant.worth,
            "hash of the e-mail": arrival.emails != (email_hash(platform),),
            f"match keys ({', '.join(sorted(missing))})": bool(missing),
        }
        for what, is_wrong in wrong.items():
            if is_wrong:
                yield f"the one with everything has the wrong {what} at {platform}"

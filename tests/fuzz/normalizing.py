"""Normalization: every rule of `core.normalize` on any text, lone surrogates included, in any country."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from ipaddress import ip_address
from typing import Final

from contract_events import LIKELY
from draws import Draws
from promises import promise

from pipeline.core.currency import currency
from pipeline.core.normalize import digest, network, person, phone, place, text
from pipeline.core.normalize.email import email, email_without_gmail_aliases
from pipeline.core.normalize.identifier import external_id, external_id_as_written

TODAY: Final = date(2026, 11, 21)
COUNTRIES: Final = (None, "us", "ca", "de", "gb", "it", "jp", "br", "mx", "ru", "aq", "??", "")
Rule = Callable[[str, str | None], object]
Shape = Callable[[str], object]

HASH: Final = re.compile("[0-9a-f]{64}").fullmatch
_SUFFIX: Final = r"(\.([0-9A-Za-z_-]{2}|[0-9A-Za-z_-]{8}))?"
_NO_GAP: Final = re.compile(r"\S+").fullmatch
_TRIMMED: Final = re.compile(r"\S(.*\S)?", re.DOTALL).fullmatch
_CLEAR_PLACE: Final = re.compile(r"(?!.*[0-9]{3})(?=.*[a-z])[0-9a-z]{1,60}").fullmatch
_ANY_HASH: Final = re.compile("(?:[0-9a-f]{32}){1,2}").fullmatch
_MAIL: Final = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+").fullmatch


def _like(pattern: str) -> Shape:
    return re.compile(pattern).fullmatch


def _address(found: str) -> bool:
    return ip_address(found).is_global or not ip_address(found).is_private or _documentation(found)


def _documentation(found: str) -> bool:
    """Ranges that are kept for documentation and benchmarks pass, and others that the rule leaves to the platform."""
    return not (ip_address(found).is_loopback or ip_address(found).is_link_local or ip_address(found).is_unspecified)


def _place(found: str) -> bool:
    """What leaves clear holds no number and is no hash, as nothing hides it later."""
    return bool(_CLEAR_PLACE(found)) and not _ANY_HASH(found)


# Each rule with the form of what it may return; countries matter to three of them.
RULES: Final[Mapping[str, tuple[Rule, Shape]]] = {
    "email": (lambda raw, _: email(raw), _MAIL),
    "email-google": (lambda raw, _: email_without_gmail_aliases(raw), _MAIL),
    "phone": (phone.phone, _like("[1-9][0-9]{6,14}")),
    "phone-plus": (phone.phone_with_plus, _like(r"\+[1-9][0-9]{6,14}")),
    "name": (lambda raw, _: person.name(raw), _NO_GAP),
    "name-as-written": (lambda raw, _: person.name_as_written(raw), _TRIMMED),
    "name-without-titles": (lambda raw, _: person.name_without_titles(raw), _TRIMMED),
    "gender": (lambda raw, _: person.gender(raw), _like("[fm]")),
    "gender-or-neither": (lambda raw, _: person.gender_or_neither(raw), _like("[fmn]")),
    "birth-date": (lambda raw, _: person.birth_date(raw, TODAY), _like("(19|20)[0-9]{6}")),
    "city": (lambda raw, _: place.city(raw), _NO_GAP),
    "region": (place.region, _NO_GAP),
    "city-in-clear": (lambda raw, _: place.city_in_clear(raw), _place),
    "region-in-clear": (place.region_in_clear, _place),
    "postal-code": (place.postal_code, _NO_GAP),
    "postal-code-digits": (place.postal_code_digits, _like("[0-9]+")),
    "country": (lambda raw, _: place.country(raw), _like("[a-z]{2}")),
    "country-capitals": (lambda raw, _: place.country_in_capitals(raw), _like("[A-Z]{2}")),
    "external-id": (lambda raw, _: external_id(raw), _NO_GAP),
    "external-id-as-written": (lambda raw, _: external_id_as_written(raw), _TRIMMED),
    "client-ip": (lambda raw, _: network.client_ip(raw), _address),
    "client-ip-built": (lambda raw, _: network.client_ip_or_built(raw), _like(rf"[0-9a-fA-F:.]+{_SUFFIX}")),
    "user-agent": (lambda raw, _: network.user_agent(raw), _TRIMMED),
    "fbc": (lambda raw, _: network.fbc(raw), _like(r"fb\.[0-9]{1,2}\.[0-9]{13}\.[!-~]+")),
    "fbp": (lambda raw, _: network.fbp(raw), _like(rf"fb\.[0-9]{{1,2}}\.[0-9]{{13}}\.[0-9]+{_SUFFIX}")),
    "device-id": (lambda raw, _: network.device_id(raw), _like(r"(?![0-]+$)[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")),
    "digits-id": (lambda raw, _: network.digits_id(raw), _like("[1-9][0-9]{0,18}")),
    "opaque-id": (lambda raw, _: network.opaque_id(raw), _like("[!-~]+")),
    "ready-hash": (lambda raw, _: digest.ready_hash(raw), HASH),
    "ready-or-built-hash": (lambda raw, _: digest.ready_or_built_hash(raw), _like(rf"[0-9a-fA-F]{{64}}{_SUFFIX}")),
    "currency": (lambda raw, _: currency(raw), _like("[A-Z]{3}")),
    "postal-code-as-written": (place.postal_code_as_written, _TRIMMED),
    "device-id-in-capitals": (
        lambda raw, _: network.device_id_in_capitals(raw),
        _like(r"(?![0-]+$)[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}"),
    ),
    "language-tag": (lambda raw, _: network.language_tag(raw), _like("[0-9A-Za-z-]{2,}")),
    "google-click-id": (lambda raw, _: network.google_click_id(raw), _like("[0-9A-Za-z_-]+")),
    "opaque-id-in-clear": (lambda raw, _: network.opaque_id_in_clear(raw), _like("[!-~]+")),
    "words": (lambda raw, _: text.words(raw), _NO_GAP),
    "letters": (lambda raw, _: text.letters(raw), _NO_GAP),
}
# They send clear what the browser wrote, and trim it only.
_AS_SENT: Final = frozenset({"user-agent"})
# A national number may be read abroad: only with its plus does a number say what it is.
_NOT_AGAIN: Final = frozenset({"phone"})
_NAMES: Final = tuple(RULES)
_NUMBERS: Final[tuple[tuple[Callable[[str], int | None], int, int], ...]] = (
    (network.lead_id, 10**14, 10**17),
    (network.numeric_id, 1, 10**19),
)
_PARTS: Final = (
    *sorted({one for many in LIKELY.values() for one in many}),
    *("\u0301", "\u200b", "\u00a0", "ß", "İ", "ﬁ", "Σ", "\u0345", "\u1100\u1161", "東", "٣", "\U0001d7d8", "\ud800"),
    *("null", "N/A", "Mr.", "Jr.", ", ", "@", "+", "00", "(0)", "ext 5", "fb.1.", "1700000000000", "."),
)

# What composes, decomposes, folds, or vanishes, and what may stand between.
_TROUBLE: Final = (
    "aeiosun AEINJHT'-.,@+019\u0331\u0301\u0308\u0327\u030c\u0307\u0345İıßſΣςΐŉǰẖ가각\u11a8\u1100\u1161٣½²\u200d\u00a0"
)
# Starts of 256 characters: Latin, combining marks, Greek, Arabic and its digits, Hangul parts, more Latin and Greek,
# invisible signs, compatibility forms, full width, mathematical letters and digits, tags and variation selectors.
_BLOCKS: Final = (
    *(0x00, 0x100, 0x300, 0x370, 0x600, 0x900, 0x1100, 0x1E00, 0x1F00, 0x2000, 0x3000, 0xAC00, 0xD800, 0xFB00),
    *(0xFE00, 0xFF00, 0x1D400, 0x1D700, 0xE0000, 0xE0100),
)


def normalizing(data: bytes) -> None:
    """Apply one rule to any text: None, or text of the rule's form that the rule gives back unchanged."""
    draws = Draws(data)
    name, country = draws.pick(_NAMES), draws.pick(COUNTRIES)
    raw = _raw(draws)
    rule, shape = RULES[name]
    found = rule(raw, country)
    if found is not None:
        promise(isinstance(found, str) and found, f"{name} gave nothing that can be sent")
        holds_form(str(found), name, shape)
        promise(name in _NOT_AGAIN or found == rule(str(found), country), f"{name} changes its own output")
        promise(name in _AS_SENT or HASH(digest.digest(str(found))), f"{name} gave what cannot be hashed")
    if name == "phone" and isinstance(found, str):
        promise(found == phone.phone(f"+{found}", None), "a number with its plus is another number")
    _numbers(raw)
    _clicks(raw, draws)


def holds_form(found: str, name: str, shape: Shape) -> None:
    """Raise BrokenPromiseError unless `found` has the form that is documented for the rule."""
    promise(shape(found), f"{name} gave text of another form")
    promise(name in _AS_SENT or text.composed(found) == found, f"{name} gave text that is not NFC")


def _raw(draws: Draws) -> str:
    """Any text: of likely pieces, of troublesome or any other characters, or of bytes as they come."""
    match draws.whole(3):
        case 0:
            return draws.rest().decode(errors="surrogateescape")
        case 1:
            return "".join(_character(draws) for _ in range(draws.whole(40)))
        case 2:
            return "".join(draws.pick(_TROUBLE) for _ in range(draws.whole(20)))
        case _:
            return "".join(_piece(draws) for _ in range(1 + draws.whole(5)))


def _character(draws: Draws) -> str:
    """One character, more likely of a block whose case, form or width does strange things."""
    return chr(draws.whole(0x10FFFF) if draws.chance(8) else draws.pick(_BLOCKS) + draws.whole(255))


def _piece(draws: Draws) -> str:
    if draws.chance(3):
        return draws.wild_text()
    return _character(draws) if draws.chance(3) else draws.pick(_PARTS)


def _numbers(raw: str) -> None:
    for rule, least, end in _NUMBERS:
        number = rule(raw)
        promise(number is None or least <= number < end, "an id that is too small or too large")


def _clicks(raw: str, draws: Draws) -> None:
    cookie = network.fbc_from_click(raw, draws.pick((None, 0, 1_700_000_000_000, draws.integer(8))))
    promise(cookie is None or cookie == network.fbc(cookie), "a cookie was built that the rule for cookies refuses")

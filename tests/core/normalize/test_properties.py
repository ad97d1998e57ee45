"""What holds for every rule and any text."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from unicodedata import is_normalized, normalize

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline.core.normalize import network, person, place
from pipeline.core.normalize.digest import ready_hash, ready_or_built_hash
from pipeline.core.normalize.email import email, email_without_gmail_aliases
from pipeline.core.normalize.identifier import external_id, external_id_as_written
from pipeline.core.normalize.phone import phone
from pipeline.core.normalize.text import clean

TODAY = date(2026, 11, 21)
Rule = Callable[[str], str | None]

FOLDING: dict[str, Rule] = {
    "email": email,
    "email-google": email_without_gmail_aliases,
    "name": person.name,
    "name-as-written": person.name_as_written,
    "name-without-titles": person.name_without_titles,
    "gender": person.gender,
    "gender-or-neither": person.gender_or_neither,
    "city": place.city,
    "region-us": lambda raw: place.region(raw, "us"),
    "region-ca": lambda raw: place.region(raw, "ca"),
    "region-de": lambda raw: place.region(raw, "de"),
    "postal-us": lambda raw: place.postal_code(raw, "us"),
    "postal-gb": lambda raw: place.postal_code(raw, "gb"),
    "postal-digits": lambda raw: place.postal_code_digits(raw, "jp"),
    "country": place.country,
    "external-id": external_id,
    "city-clear": place.city_in_clear,
    "region-clear-us": lambda raw: place.region_in_clear(raw, "us"),
    "region-clear-de": lambda raw: place.region_in_clear(raw, "de"),
    "device-id": network.device_id,
}
KEEPING: dict[str, Rule] = {
    "birth-date": lambda raw: person.birth_date(raw, TODAY),
    "country-capitals": place.country_in_capitals,
    "external-id-as-written": external_id_as_written,
    "client-ip": network.client_ip,
    "client-ip-built": network.client_ip_or_built,
    "user-agent": network.user_agent,
    "fbc": network.fbc,
    "fbp": network.fbp,
    "digits-id": network.digits_id,
    "device-id-capitals": network.device_id_in_capitals,
    "language-tag": network.language_tag,
    "postal-as-written-us": lambda raw: place.postal_code_as_written(raw, "us"),
    "postal-as-written-gb": lambda raw: place.postal_code_as_written(raw, "gb"),
    "google-click-id": network.google_click_id,
    "opaque-id": network.opaque_id,
    "opaque-id-clear": network.opaque_id_in_clear,
    "ready-hash": ready_hash,
    "ready-or-built-hash": ready_or_built_hash,
}
ALL = FOLDING | KEEPING

# Lone surrogates too: no decoder yields them, and no rule may trip over them.
ANYTHING = st.text(st.characters(codec=None, categories=None), max_size=40)
LIKELY = st.text(alphabet="aAéÉßÑ.@+ -'’,01٣\u200b\u0301\u00a0M東(null)_/&", max_size=30)
SOME = (
    ANYTHING
    | LIKELY
    | st.emails()
    | st.sampled_from(["(null)", "Mr. Jr.", "St. Lucia", "Trinidad & Tobago", "1.2.3.4.AB"])
)

every_rule = pytest.mark.parametrize("name", ALL)
every_folding_rule = pytest.mark.parametrize("name", FOLDING)


@every_rule
@settings(max_examples=40)
@given(raw=SOME)
@example(raw="(null)")
@example(raw="e'\u0301")
@example(raw="ΑΣ-Σ")
def test_idempotent(name: str, raw: str) -> None:
    """A rule gives its own output back unchanged."""
    canonical = ALL[name](raw)

    if canonical is not None:
        assert canonical == ALL[name](canonical)


@every_rule
@settings(max_examples=40)
@given(raw=SOME)
def test_output_is_clean(name: str, raw: str) -> None:
    """What comes out is never empty, encodes as UTF-8, and, where it is to be hashed, is NFC."""
    canonical = ALL[name](raw)

    if canonical is not None:
        assert canonical != ""
        assert name == "user-agent" or (canonical.encode() and is_normalized("NFC", canonical))


@every_folding_rule
@settings(max_examples=40)
@given(raw=LIKELY)
def test_unicode_form_does_not_matter(name: str, raw: str) -> None:
    """Composed and decomposed text, with or without invisible characters and white space around, is one value."""
    rule = FOLDING[name]

    assert rule(normalize("NFC", raw)) == rule(normalize("NFD", raw))
    assert rule(raw) == rule(f" \u200b\ufeff{raw}\u00a0\u3000\u200f")


@every_folding_rule
@settings(max_examples=40)
@given(raw=st.text(alphabet="abcxyzABCXYZ@.-' éñÉÑ019", max_size=30))
def test_case_does_not_matter(name: str, raw: str) -> None:
    """Upper and lower case are one value."""
    rule = FOLDING[name]

    assert rule(raw.lower()) == rule(raw.upper())


@pytest.mark.parametrize("name", ["name", "city", "region-de", "postal-gb", "external-id"])
@settings(max_examples=40)
@given(parts=st.lists(st.text(alphabet="abcdé", min_size=1, max_size=5), min_size=1, max_size=5))
def test_spaces_between_do_not_matter(name: str, parts: list[str]) -> None:
    """Where a rule removes spaces, it does not matter where they were."""
    rule = FOLDING[name]

    assert rule("".join(parts)) == rule(" ".join(parts)) == rule("\u00a0\t".join(parts))


@pytest.mark.parametrize("country", [None, "us", "de", "aq", "??"])
@given(raw=ANYTHING)
def test_phone_never_raises(country: str | None, raw: str) -> None:
    """Any text is a phone number or is left out."""
    digits = phone(raw, country)

    assert digits is None or (digits.isascii() and digits.isdigit())


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("filler", [" ", ",", "a", "+", ".", "(", "\u00e9", "1:"])
def test_long_text_costs_little(name: str, filler: str) -> None:
    """A field of fifty thousand equal characters is answered at once: no rule is worse than linear."""
    canonical = ALL[name](f"x{filler * 50_000}x")

    assert canonical is None or len(canonical) <= 100_002


@given(raw=ANYTHING)
def test_clean_removes_nothing_visible(raw: str) -> None:
    """Cleaning removes surrounding white space and invisible characters only, and does so at once."""
    text = clean(raw)

    assert text == clean(text) == text.strip()

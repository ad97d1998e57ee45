"""Worked vectors of the platforms (`vectors.jsonl`: raw value, canonical text, SHA-256), and what is left out."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import NamedTuple

import pytest

from pipeline.core.normalize import network, person, place
from pipeline.core.normalize.digest import digest, ready_hash
from pipeline.core.normalize.email import email, email_without_gmail_aliases
from pipeline.core.normalize.identifier import external_id, external_id_as_written
from pipeline.core.normalize.phone import phone, phone_with_plus

TODAY = date(2026, 11, 21)

RULES: dict[str, Callable[[str, str | None], str | None]] = {
    "em": lambda raw, _: email(raw),
    "em-google": lambda raw, _: email_without_gmail_aliases(raw),
    "ph": phone,
    "ph-plus": phone_with_plus,
    "fn": lambda raw, _: person.name(raw),
    "fn-pinterest": lambda raw, _: person.name_as_written(raw),
    "fn-google": lambda raw, _: person.name_without_titles(raw),
    "db": lambda raw, _: person.birth_date(raw, TODAY),
    "ge": lambda raw, _: person.gender(raw),
    "ge-pinterest": lambda raw, _: person.gender_or_neither(raw),
    "ct": lambda raw, _: place.city(raw),
    "st": place.region,
    "zp": place.postal_code,
    "zp-pinterest": place.postal_code_digits,
    "country": lambda raw, _: place.country(raw),
    "external_id": lambda raw, _: external_id(raw),
    "external_id-kept": lambda raw, _: external_id_as_written(raw),
    "madid": lambda raw, _: network.device_id(raw),
}


class Vector(NamedTuple):
    """One row: what comes in, the text that is hashed, and the hash from the reference (computed elsewhere)."""

    id: str
    key: str
    raw: str
    canonical: str
    sha256: str
    country: str | None = None


VECTORS = [
    Vector(**json.loads(line))
    for line in Path(__file__).with_name("vectors.jsonl").read_text(encoding="utf-8").splitlines()
]

LEFT_OUT = (
    ("C2-space", "em", "foo @bar.com", None),
    ("C2-comma", "em", "a@b.com,c@d.com", None),
    ("em-no-at", "em", "foo", None),
    ("C3", "em", "a@b", None),
    ("C6-em", "em", "d41d8cd98f00b204e9800998ecf8427e", None),
    ("C6-fn", "fn", "D41D8CD98F00B204E9800998ECF8427E", None),
    ("C6-ph", "ph", "d41d8cd98f00b204e9800998ecf8427e", "us"),
    ("em-two-ats", "em", "a@b@c.de", None),
    ("em-display-name", "em", "Jo <jo@x.de>", None),
    ("em-dot-end", "em", "jo@x.", None),
    ("em-empty-label", "em", "jo@.de", None),
    ("em-control", "em", "jo\x00@x.de", None),
    ("em-unicode-space", "em", "jö @x.de", None),
    ("google-local-empty", "em-google", "...@gmail.com", None),
    ("google-local-tag", "em-google", "+tag@gmail.com", None),
    ("C8", "ph", "020 7946 0958", None),
    ("C8-digits", "ph", "16505551212", None),
    ("ph-short", "ph", "12345", None),
    ("ph-vanity", "ph", "1-800-FLOWERS", None),
    ("ph-vanity-us", "ph", "1-800-FLOWERS", "us"),
    ("ph-vanity-part", "ph", "+1 800 555 CALL", None),
    ("ph-16-digits", "ph", "+4912345678901234", None),
    ("ph-no-such-code", "ph", "+2891234567", None),
    ("ph-local-only", "ph", "555-1212", "us"),
    ("ph-two-plus", "ph", "+16505551212 +16505551213", None),
    ("ph-two-comma", "ph", "+1650555,+1651555", None),
    ("ph-no-plan", "ph", "12345678", "aq"),
    ("ph-long", "ph", "+" + "4" * 100, None),
    ("ph-nanp-zero", "ph", "+1 055 555 1212", None),
    ("ph-extension-only", "ph", "x12", "us"),
    ("ph-6-digits", "ph", "+491234", None),
    ("C13-blank", "fn", "   ", None),
    ("C13-punctuation", "fn", "-.’", None),
    ("C13-marks", "fn", "\u0301\u0302", None),
    ("C13-quoted-null", "fn", "(null)", None),
    ("C13-pinterest", "fn-pinterest", " '-' ", None),
    ("C13-google", "fn-google", "Mrs.", None),
    ("fn-pinterest-md5", "fn-pinterest", "d41d8cd98f00b204e9800998ecf8427e", None),
    ("C18-guess", "db", "31/02/1990", None),
    ("C18-short", "db", "02-16-97", None),
    ("C18-early", "db", "1899-12-31", None),
    ("C18-future", "db", "2026-11-22", None),
    ("C18-no-day", "db", "1990-02-31", None),
    ("C19", "ge", "x", None),
    ("C19-n", "ge", "n", None),
    ("ge-pinterest", "ge-pinterest", "x", None),
    ("ct-digits", "ct", "123", None),
    ("st-digits", "st", "12", None),
    ("st-foreign", "st", "Bavaria", "us"),
    ("st-empty", "st", "", "us"),
    ("C16-short", "zp", "-1234", "us"),
    ("C16-letters", "zp", "9402A", "us"),
    ("zp-blank", "zp", " - ", "de"),
    ("pinterest-zp", "zp-pinterest", "SW1A 1AA", "gb"),
    ("C17", "country", "XX", None),
    ("country-long", "country", "u" * 65, None),
    ("external-null", "external_id", "nu ll", None),
    ("external-kept-blank", "external_id-kept", " \u200b ", None),
    ("madid-zero", "madid", "00000000-0000-0000-0000-000000000000", None),
    ("madid-shape", "madid", "aebe52e7", None),
)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.id)
def test_vector_canonical(vector: Vector) -> None:
    """The raw value becomes the canonical text of the vector."""
    canonical = RULES[vector.key](vector.raw, vector.country)

    assert vector.canonical == canonical


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.id)
def test_vector_hash(vector: Vector) -> None:
    """The canonical text hashes to the vector's SHA-256."""
    hashed = digest(RULES[vector.key](vector.raw, vector.country) or "")

    assert vector.sha256 == hashed


@pytest.mark.parametrize(("key", "raw", "country"), [case[1:] for case in LEFT_OUT], ids=[case[0] for case in LEFT_OUT])
def test_left_out(key: str, raw: str, country: str | None) -> None:
    """What cannot be used is left out, never guessed at and never hashed."""
    assert RULES[key](raw, country) is None


@pytest.mark.parametrize(
    "sentinel", ["null", "None", "UNDEFINED", " n/a ", "unknown", "-", "", "  ", "\u200b\ufeff\u00a0"]
)
@pytest.mark.parametrize("key", RULES)
def test_sentinels_are_empty(key: str, sentinel: str) -> None:
    """Words that programs write for nothing count as nothing, for every field."""
    assert RULES[key](sentinel, "us") is None
    assert ready_hash(sentinel) is None

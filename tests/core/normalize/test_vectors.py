"""Worked vectors of the platforms: raw value, canonical text, SHA-256."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
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


# fmt: off
VECTORS = (
    # Meta
    Vector("C1", "em", " John_Smith@GMAIL.com ", "john_smith@gmail.com", "62a14e44f765419d10fea99367361a727c12365e2520f32218d505ed9aa0f62f"),
    Vector("em-bom", "em", "\ufefftest@example.com", "test@example.com", "973dfe463ec85785f5f95af5ba3906eedb2d931c24e69824a89ea65dba4e813b"),
    Vector("C4", "em", "john.smith+tag@gmail.com", "john.smith+tag@gmail.com", "98196155bb56f9b222a57c96323a092e4f4abd95a54581a151d59d07e6003a45"),
    Vector("em-unicode", "em", "JOSÉ@Exämple.de", "josé@exämple.de", "fd77ec53c6567bfa7b9f7110e10d3d985380bd7ab39c134586f9e35e1136f1db"),
    Vector("C7-plus", "ph", "+1 (650) 555-1212", "16505551212", "e323ec626319ca94ee8bff2e4c87cf613be6ea19919ed1364124e16807ab3176"),
    Vector("C7-00", "ph", "0016505551212", "16505551212", "e323ec626319ca94ee8bff2e4c87cf613be6ea19919ed1364124e16807ab3176"),
    Vector("C7-national", "ph", "(650)555-1212", "16505551212", "e323ec626319ca94ee8bff2e4c87cf613be6ea19919ed1364124e16807ab3176", "us"),
    Vector("C9", "ph", "+44 (0)20 7946 0958", "442079460958", "35e206e5dec4c89b9e8b71b8c32724a5bb518483ac5a20c6617d738375b3b823"),
    Vector("C10-dots", "ph", "+49 170.123.4567", "491701234567", "8b47a52ed04d068c3a9c5632b98cec18780a9f9f4099d4f8afe233970ce116fe"),
    Vector("C10-extension", "ph", "+49 170 1234567 ext. 12", "491701234567", "8b47a52ed04d068c3a9c5632b98cec18780a9f9f4099d4f8afe233970ce116fe"),
    Vector("C10-arabic", "ph", "+٩٦٦٥٠١٢٣٤٥٦٧", "966501234567", "c1ff1911b731b76634191b2a4cfc6425fe23aaa559535e89701c1118d858687a"),
    Vector("fn", "fn", "Mary", "mary", "6915771be1c5aa0c886870b6951b03d7eafc121fea0e80a5ea83beb7c449f4ec"),
    Vector("C11-nfc", "fn", "Val\u00e9ry", "valéry", "08e1996b5dd49e62a4b4c010d44e4345592a863bb9f8e3976219bac29417149c"),
    Vector("C11-nfd", "fn", "Vale\u0301ry", "valéry", "08e1996b5dd49e62a4b4c010d44e4345592a863bb9f8e3976219bac29417149c"),
    Vector("fn-korean", "fn", "정", "정", "8fa8cd9c440be61d0151429310034083132b35975c4bea67fdd74158eb51db14"),
    Vector("fn-two-words", "fn", "  Mary Ann ", "maryann", "16b3f07f0ec2f9dd127b71dc2e6c791b7d93116a1c3bc99d057eaa7a8a077e73"),
    Vector("C14", "fn", "Straße", "straße", "787f4770613d3824cbc89b6d5da90a123e41b07b90b45ea3738c216b14616140"),
    Vector("C12-ascii", "fn", "O'Brien", "obrien", "b4cb6cb33fe4b865868de825023a1e2790dc12ac01ecc8d7c5afe8254071c8ba"),
    Vector("C12-typographic", "fn", "O’Brien", "obrien", "b4cb6cb33fe4b865868de825023a1e2790dc12ac01ecc8d7c5afe8254071c8ba"),
    Vector("ln-prefix", "fn", "van der Berg", "vanderberg", "aad607ca3121d5d843c2cd64e8c73c2a24fa3a4cb890ed8d40a1efa8af7a14d5"),
    Vector("ln-hyphen", "fn", "Nuñez-García", "nuñezgarcía", "ec7bb6dde499b3395dde4a3e6d358ba8f693be58d1d8de7627f07338f493a83a"),
    Vector("C18-iso", "db", "1997-02-16", "19970216", "01acdbf6ec7b4f478a225f1a246e5d6767eeab1a7ffa17f025265b5b94f40f0c"),
    Vector("db-leap", "db", "2000-02-29", "20000229", "78958c155b420adeffb55186f1ff24a0cd544a1d9577e114e7793cc45f90ae01"),
    Vector("ge-word", "ge", "Female", "f", "252f10c83610ebca1a059c0bae8255eba2f95be4d1d7bcfa89d7248a82d9f111"),
    Vector("ge-letter", "ge", "F", "f", "252f10c83610ebca1a059c0bae8255eba2f95be4d1d7bcfa89d7248a82d9f111"),
    Vector("ge-male", "ge", "male", "m", "62c66a7a5dd70c3146618063c344e531e6d4b59e379808443ce962b3abd63c5a"),
    Vector("ge-m", "ge", "M", "m", "62c66a7a5dd70c3146618063c344e531e6d4b59e379808443ce962b3abd63c5a"),
    Vector("C15-ct-space", "ct", "New York", "newyork", "350c754ba4d38897693aa077ef43072a859d23f613443133fecbbd90a3512ca5"),
    Vector("C15-ct-accent", "ct", "São Paulo", "sãopaulo", "3eda1428ae1aece064071f8d40f08fe2bc59ffa66c171a163caf15122ec4d7f0"),
    Vector("C15-ct-apostrophe", "ct", "Coeur d'Alene", "coeurdalene", "09c3b43cc0c54eefe5271dbd88f25beabebd71c617bb93694aceb87f5fee2319"),
    Vector("C15-ct-dots", "ct", "Washington, D.C.", "washingtondc", "911fa18df8b2a4ff2652c32a0efa25516115d6fb0170849a41f38113e5371fe0"),
    Vector("C15-ct-japanese", "ct", "東京", "東京", "130016b2599bf7e5978cae78e528c67f29aa47eaa2490ffedd729df334a2790c"),
    Vector("C15-st-name", "st", "California", "ca", "6959097001d10501ac7d54c0bdb8db61420f658f2922cc26e46d536119a31126", "us"),
    Vector("C15-st-code", "st", "CA", "ca", "6959097001d10501ac7d54c0bdb8db61420f658f2922cc26e46d536119a31126", "us"),
    Vector("C15-st-dots", "st", "C.A.", "ca", "6959097001d10501ac7d54c0bdb8db61420f658f2922cc26e46d536119a31126", "us"),
    Vector("C15-st-au", "st", "New South Wales", "newsouthwales", "96236847af45f93f09c6ba2627cdb8da07e395f009d0e42f782cffb119cc24da", "au"),
    Vector("C15-st-fr", "st", "Île-de-France", "îledefrance", "7f2f97f2a36f4cae0d099b382c08f83ec00532733befa7a2831942ab70360a48", "fr"),
    Vector("C16-dash", "zp", "94025-1234", "94025", "b9a9cf3cd3723a2e91b7c23ecf68456e872b6e5d86e5cab7f3d45a7302da32c7", "us"),
    Vector("C16-nine", "zp", "940251234", "94025", "b9a9cf3cd3723a2e91b7c23ecf68456e872b6e5d86e5cab7f3d45a7302da32c7", "us"),
    Vector("C16-zeros", "zp", "00501", "00501", "6c4a28966d10ff33ff7ca554dfaf73b4e95c205257aab5ced32abb442dcc1114", "us"),
    Vector("C15-zp-gb", "zp", "M1 1AE", "m11ae", "1dc694c2070e697769fb959b50671d76cafd430d8ca191fbdd0affcaea344ac5", "gb"),
    Vector("C15-zp-jp", "zp", "100-0001", "1000001", "443372db1ff98d9737596b4f83a8381ab6aab60e44e29854b48be88c74cdf1f0", "jp"),
    Vector("country", "country", "US", "us", "79adb2a2fce5c6ba215fe5f27f532d4e7edbac4b6a5e09e1ef3a08084a904621"),
    Vector("country-dots", "country", "U.S.", "us", "79adb2a2fce5c6ba215fe5f27f532d4e7edbac4b6a5e09e1ef3a08084a904621"),
    Vector("country-alpha-3", "country", "USA", "us", "79adb2a2fce5c6ba215fe5f27f532d4e7edbac4b6a5e09e1ef3a08084a904621"),
    Vector("country-gb", "country", "GB", "gb", "0b407281768f0e833afef47ed464b6571d01ca4d53c12ce5c51d1462f4ad6677"),
    Vector("C17", "country", "UK", "gb", "0b407281768f0e833afef47ed464b6571d01ca4d53c12ce5c51d1462f4ad6677"),
    Vector("country-de", "country", "DE", "de", "959a45d44e6fcf58361ed004681556fe50129f2109e817dec098c00c9e5d2578"),
    Vector("external", "external_id", "User-42", "user-42", "6d894aa3ee802549d7f340e7c1cf0d1c1cb14cd84f768d92ffaa6785337c4997"),
    Vector("external-spaces", "external_id", " user-42 ", "user-42", "6d894aa3ee802549d7f340e7c1cf0d1c1cb14cd84f768d92ffaa6785337c4997"),
    Vector("external-number", "external_id", "12345", "12345", "5994471abb01112afcc18159f6cc74b4f511b99806da59b3caf5a9c173cacfc5"),
    # TikTok
    Vector("tiktok-em", "em", " Person@Example.COM ", "person@example.com", "542d240129883c019e106e3b1b2d3f3cb3537c43c425364de8e951d5a3083345"),
    Vector("tiktok-ph", "ph-plus", "+1 (202) 555-0146", "+12025550146", "ec7e6b85f24fa6b796f1017236463f1b7160fbdc5e663e39ab363b6d6fe30b9f"),
    Vector("tiktok-ph-15", "ph-plus", "+123456789012345", "+123456789012345", "1b4baed9795e95210d08a51886e9d33e5da06189403c2a823c9d92e222ad55e8"),
    Vector("tiktok-external", "external_id-kept", " CUST-42 ", "CUST-42", "6fd6ebd11fef5dc85e566ceb1db68632fedb601ac5ef53554960d7114c653b94"),
    Vector("tiktok-ln", "fn", "O'Neil", "oneil", "67a42a846e98e3c1a96cd6ba14883a5ea05990cd93964ce8b832aa9497ca785c"),
    Vector("tiktok-fn-nfd", "fn", "Raphae\u0308l", "raphaël", "e74bb89e718fe1e19c422a48382870399f8bf7ca8dfa008739e75b0be76627b7"),
    Vector("tiktok-zip", "zp", "SW1A 1AA", "sw1a1aa", "830e1d4b9838bab1f5c2acdb23e0b502ff13a9832c4632e8d67a1d43d3b7f614"),
    # Pinterest
    Vector("pinterest-ph", "ph", "+1 (202) 555-0146", "12025550146", "46f79a783d7ee6c9ebd5f8904280a5e1ec9c6edb20ced8a83fe5a80e58f1f918"),
    Vector("pinterest-ln", "fn-pinterest", "O'Neil", "o'neil", "eb1aed4f494ca276a88d3161252e48e0fe703f32666fe44fe4652f660b82cda4"),
    Vector("pinterest-zp", "zp-pinterest", "94043-1351", "94043", "1b10e5e0b47cefad5c4f6c1d10b8b6fbbd5af9756eb01ed5c8ee1f588b65947b", "us"),
    Vector("pinterest-maid", "madid", "AEBE52E7-03EE-455A-B3C4-E57283966239", "aebe52e7-03ee-455a-b3c4-e57283966239", "aab766791ab90f208a8bcb342fd935b3012e81ca20b1f7cf707caf804bbd813c"),
    Vector("pinterest-db", "db", "1990-12-25", "19901225", "e02863af498c943e9e0a60f681a96d59edf0644f8efb578ccbfc94a1f273e54f"),
    # Snapchat
    Vector("snap-ph-plus", "ph", "+44 844 412 4653", "448444124653", "dc008fda46e2e64002cf2f82a4906236282d431c4f75e5b60bfe79fc48546383"),
    Vector("snap-ph-00", "ph", "0044 844 412 4653", "448444124653", "dc008fda46e2e64002cf2f82a4906236282d431c4f75e5b60bfe79fc48546383"),
    Vector("snap-ph-home-zero", "ph", "+44 (0)844 412 4653", "448444124653", "dc008fda46e2e64002cf2f82a4906236282d431c4f75e5b60bfe79fc48546383"),
    Vector("snap-ph-bare", "ph", "+447700900123", "447700900123", "033134b911b137918338415ee3d20a064b24773d36a3b02e8b99fdd3fcd6b4cd"),
    Vector("snap-fn", "fn", "John", "john", "96d9632f363564cc3032521409cf22a852f2032eec099ed5967c0d000cec607a"),
    # Google
    Vector("google-em", "em-google", "  ALEXZ@example.com ", "alexz@example.com", "509e933019bb285a134a9334b8bb679dff79d0ce023d529af4bd744d47b4fd8a"),
    Vector("google-gmail", "em-google", "Cloudy.SanFrancisco+shopping@gmail.com", "cloudysanfrancisco@gmail.com", "223ebda6f6889b1494551ba902d9d381daf2f642bae055888e96343d53e9f9c4"),
    Vector("google-googlemail", "em-google", "Cloudy.SanFrancisco+x@googlemail.com", "cloudysanfrancisco@googlemail.com", "332ed5427d17deb381928a719533e85046d68d7e45553abb805852b7d631fcb7"),
    Vector("google-other", "em-google", "user.name+NYC@Example.com", "user.name+nyc@example.com", "f109a2a632fbcea5fc82049f50beed3d8621bf9034399f437fb622222acccdac"),
    Vector("google-ph-us", "ph-plus", "+1 (800) 555-0100", "+18005550100", "fb4f73a6ec5fdb7077d564cdd22c3554b43ce49168550c3b12c547b78c517b30"),
    Vector("google-ph-gb", "ph-plus", "+44-113-496-0987", "+441134960987", "0fac52d27ec377f8ad2f9de75d1f9bace693237e31868ae6f4616b8bbd0e94fb"),
    Vector("google-title", "fn-google", " Mrs. Dana ", "dana", "2c9e0a2585dc7406589a3724f0027811506e0f133726303a15d6779d532a2573"),
    Vector("google-suffix", "fn-google", "Quinn, Jr., DDS", "quinn", "c512ca0c5c1e71be19f3356821e56732b5fb3ac894b0dbc5846d0b6920106fb3"),
    Vector("google-hyphen", "fn-google", "Quinn-Alex", "quinn-alex", "91581930b788bf2fd4ea63d8783c8c3b4c7ac8575461e033d18ee7def6cd49a9"),
    Vector("google-accent", "fn-google", "MU\u0308LLER", "müller", "2dbd218072117713f2d5996a726a9b216ed791ffd0783b6ba4ab6d61b8333192"),
)

LEFT_OUT = (
    ("C2-space", "em", "foo @bar.com", None), ("C2-comma", "em", "a@b.com,c@d.com", None), ("em-no-at", "em", "foo", None),
    ("C3", "em", "a@b", None), ("C6-em", "em", "d41d8cd98f00b204e9800998ecf8427e", None),
    ("C6-fn", "fn", "D41D8CD98F00B204E9800998ECF8427E", None), ("C6-ph", "ph", "d41d8cd98f00b204e9800998ecf8427e", "us"),
    ("em-two-ats", "em", "a@b@c.de", None), ("em-display-name", "em", "Jo <jo@x.de>", None), ("em-dot-end", "em", "jo@x.", None),
    ("em-empty-label", "em", "jo@.de", None), ("em-control", "em", "jo\x00@x.de", None), ("em-unicode-space", "em", "jö @x.de", None),
    ("google-local-empty", "em-google", "...@gmail.com", None), ("google-local-tag", "em-google", "+tag@gmail.com", None),
    ("C8", "ph", "020 7946 0958", None), ("C8-digits", "ph", "16505551212", None), ("ph-short", "ph", "12345", None),
    ("ph-vanity", "ph", "1-800-FLOWERS", None), ("ph-vanity-us", "ph", "1-800-FLOWERS", "us"), ("ph-vanity-part", "ph", "+1 800 555 CALL", None),
    ("ph-16-digits", "ph", "+4912345678901234", None), ("ph-no-such-code", "ph", "+2891234567", None), ("ph-local-only", "ph", "555-1212", "us"),
    ("ph-two-plus", "ph", "+16505551212 +16505551213", None), ("ph-two-comma", "ph", "+1650555,+1651555", None),
    ("ph-no-plan", "ph", "12345678", "aq"), ("ph-long", "ph", "+" + "4" * 100, None), ("ph-nanp-zero", "ph", "+1 055 555 1212", None),
    ("ph-extension-only", "ph", "x12", "us"), ("ph-6-digits", "ph", "+491234", None),
    ("C13-blank", "fn", "   ", None), ("C13-punctuation", "fn", "-.’", None), ("C13-marks", "fn", "\u0301\u0302", None),
    ("C13-quoted-null", "fn", "(null)", None), ("C13-pinterest", "fn-pinterest", " '-' ", None), ("C13-google", "fn-google", "Mrs.", None),
    ("fn-pinterest-md5", "fn-pinterest", "d41d8cd98f00b204e9800998ecf8427e", None),
    ("C18-guess", "db", "31/02/1990", None), ("C18-short", "db", "02-16-97", None), ("C18-early", "db", "1899-12-31", None),
    ("C18-future", "db", "2026-11-22", None), ("C18-no-day", "db", "1990-02-31", None),
    ("C19", "ge", "x", None), ("C19-n", "ge", "n", None), ("ge-pinterest", "ge-pinterest", "x", None),
    ("ct-digits", "ct", "123", None), ("st-digits", "st", "12", None), ("st-foreign", "st", "Bavaria", "us"), ("st-empty", "st", "", "us"),
    ("C16-short", "zp", "-1234", "us"), ("C16-letters", "zp", "9402A", "us"), ("zp-blank", "zp", " - ", "de"),
    ("pinterest-zp", "zp-pinterest", "SW1A 1AA", "gb"), ("C17", "country", "XX", None), ("country-long", "country", "u" * 65, None),
    ("external-null", "external_id", "nu ll", None), ("external-kept-blank", "external_id-kept", " \u200b ", None),
    ("madid-zero", "madid", "00000000-0000-0000-0000-000000000000", None), ("madid-shape", "madid", "aebe52e7", None),
)
# fmt: on


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

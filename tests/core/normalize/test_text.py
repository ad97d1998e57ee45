"""Cleaning: the invisible, the blank, and the words for nothing."""

from __future__ import annotations

import pytest

from pipeline.core.normalize.text import clean, folded, is_empty, letters, words


@pytest.mark.parametrize(
    "invisible",
    [
        "\u200b",
        "\u200d",
        "\u200f",
        "\u202a",
        "\u202e",
        "\u2060",
        "\u2066",
        "\u2069",
        "\ufeff",
        "\ufe0f",
        "\u00ad",
        "\u061c",
        "\U000e0101",
    ],
    ids=ascii,
)
def test_invisible_characters_go(invisible: str) -> None:
    """Zero-width and bidi controls, soft hyphens and variation selectors are removed wherever they stand."""
    assert "ab" == clean(f"{invisible}a{invisible}b{invisible}")


@pytest.mark.parametrize("space", ["\u00a0", "\u2003", "\u3000", "\u2028", "\u0085", "\t", "\r\n"], ids=ascii)
def test_surrounding_white_space_goes(space: str) -> None:
    """White space of any script around the text goes, inside it stays."""
    assert f"a{space}é" == clean(f"{space}a{space}é{space}")


def test_folding_keeps_sharp_s() -> None:
    """Lower case, not case folding: ß is not ss."""
    assert "straße" == folded("STRAßE")


def test_folding_composes_last() -> None:
    """A capital whose small form comes in two parts is composed again where that is possible."""
    assert "\u00e9i\u0307" == folded("E\u0301\u0130")


@pytest.mark.parametrize("raw", ["", " ", "\u200b", "NULL", "None", "undefined", "N/A", "Unknown", " - "])
def test_empty(raw: str) -> None:
    """Blank, invisible and sentinel text is empty."""
    assert is_empty(raw)


@pytest.mark.parametrize("raw", ["0", "nil", "na", "--", "nullable"])
def test_not_empty(raw: str) -> None:
    """Other text is not, however little it says."""
    assert not is_empty(raw)


@pytest.mark.parametrize(
    ("raw", "as_words", "as_letters"),
    [
        ("Ann-Marie 2nd", "annmarie2nd", "annmariend"),
        ("सीता", "सीता", "सीता"),
        ("محمد", "محمد", "محمد"),
        ("Ⅷ½", "ⅷ½", None),
        ("123", "123", None),
        ("e-\u0301", "é", "é"),
        ("\u0301", None, None),
        ("[null]", None, None),
    ],
)
def test_words_and_letters(raw: str, as_words: str | None, as_letters: str | None) -> None:
    """Letters and marks of any script stay, digits in words only, and marks alone are nothing."""
    assert (as_words, as_letters) == (words(raw), letters(raw))

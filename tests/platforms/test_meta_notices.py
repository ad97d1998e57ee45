"""What a Meta destination's options are warned about."""

from __future__ import annotations

from datetime import date

import pytest

from pipeline.platforms.meta import MetaOptions, notices


@pytest.mark.parametrize(
    ("version", "today", "expected"),
    [
        ("v25.0", date(2026, 11, 21), ()),
        ("v21.0", date(2026, 7, 24), ()),
        ("v21.0", date(2026, 7, 25), ("Graph API v21.0 ends on 2027-01-21: set options.api_version to a newer one",)),
        ("v20.0", date(2026, 9, 24), ("Graph API v20.0 ended on 2026-09-24: set options.api_version to a newer one",)),
        ("v99.0", date(2026, 11, 21), ()),
    ],
)
def test_version_ends(version: str, today: date, expected: tuple[str, ...]) -> None:
    """People are warned 180 days before the API version ends, and from then on."""
    assert expected == notices(MetaOptions(api_version=version), today)

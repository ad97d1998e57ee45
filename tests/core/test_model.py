"""The nouns: the little that they compute, and what they never show."""

from __future__ import annotations

import dataclasses

import pytest
from toy import REJECTED, delivery, record

from pipeline.core.model import DeadLetter, Reply, Request


@pytest.mark.parametrize(
    ("key", "value", "expected"), [(None, None, 200), (b"k", b"vvv", 204), (None, b"v", 201), (b"", b"", 200)]
)
def test_record_size(key: bytes | None, value: bytes | None, expected: int) -> None:
    """A record costs its key, its value and a fixed part."""
    assert expected == dataclasses.replace(record(), key=key, value=value).size


def test_letter_of_a_delivery() -> None:
    """The letter of a refused delivery has all that is known about it."""
    refused = dataclasses.replace(delivery("a"), attempts=3, first_failed_at=5.0)
    letter = DeadLetter.of(refused, "meta", REJECTED)

    assert (refused.record, refused.page, "toy", "meta", REJECTED) == (
        letter.record,
        letter.page,
        letter.destination,
        letter.platform,
        letter.refusal,
    )
    assert ("a", "bundled", 3, 5.0) == (letter.event_id, letter.schema_id, letter.attempts, letter.first_failed_at)


@pytest.mark.parametrize(
    "wire", [Request("https://x.example", {"authorization": "hidden"}, b"hidden"), Reply(200, {}, b"hidden")]
)
def test_wire_shows_no_content(wire: Request | Reply) -> None:
    """Neither tokens nor bodies are in what a request or a reply shows of itself."""
    assert "hidden" not in repr(wire)

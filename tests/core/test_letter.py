"""The headers of a dead letter."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st
from toy import REJECTED, letter
from virtual_loop import EPOCH

from pipeline.core.letter import MOST_BYTES, PREFIX, Undertaker, letter_headers
from pipeline.core.model import DeadLetter, Headers
from pipeline.core.reason import Reason

US = Undertaker("capi.meta", "1.2.3")
THEIRS: Headers = [("trace", b"\x00\xff"), ("trace", b"again"), ("none", None)]
REFUSAL = dataclasses.replace(REJECTED, subcode="7", http_status=400, trace_id="T1")


def headers_of(one: DeadLetter, now: float = EPOCH) -> list[tuple[str, bytes | None]]:
    """Return the headers that `one` is buried with."""
    return letter_headers(one, undertaker=US, now=now)


def ours(one: DeadLetter, now: float = EPOCH) -> dict[str, str]:
    """Return our own headers without their prefix."""
    own = {name: value for name, value in headers_of(one, now) if name.startswith(PREFIX)}
    return {name.removeprefix(PREFIX): (value or b"").decode() for name, value in own.items()}


def test_says_why_where_and_when() -> None:
    """Our headers are exactly these."""
    one = dataclasses.replace(letter(5, refusal=REFUSAL), attempts=3, first_failed_at=EPOCH - 60)

    assert {
        "topic": "orders",
        "partition": "0",
        "offset": "5",
        "original.timestamp": "1800000000000",
        "group": "capi.meta",
        "message": "the toy refused it",
        "delivery.count": "3",
        "reason": "rejected",
        "platform": "toy",
        "destination": "toy",
        "code": "100",
        "subcode": "7",
        "http.status": "400",
        "trace.id": "T1",
        "event.id": "id-5",
        "schema.id": "bundled",
        "first.failed.at": "2027-01-15T07:59:00.000+00:00",
        "failed.at": "2027-01-15T08:00:00.000+00:00",
        "app.version": "1.2.3",
    } == ours(one)


def test_leaves_out_what_is_not_known() -> None:
    """An unreadable record has no destination, event, code or status, and then no such header."""
    one = letter(refusal=dataclasses.replace(REJECTED, reason=Reason.UNDECODABLE, code=""))
    one = dataclasses.replace(one, destination=None, platform=None, event_id=None, schema_id=None)
    absent = {"destination", "platform", "event.id", "schema.id", "code", "subcode", "http.status", "trace.id"}

    assert set() == absent & set(ours(one))
    assert "0" == ours(one)["delivery.count"]


def test_leaves_theirs_untouched() -> None:
    """The producer's headers come first, in their order, repeated and empty ones too; key and value stay as well."""
    one = letter()
    before = dataclasses.replace(one.record, headers=THEIRS, key=b"\xff", value=b"\x00\x01")
    one = dataclasses.replace(one, record=dataclasses.replace(before))

    assert THEIRS == headers_of(one)[: len(THEIRS)]
    assert before == one.record


def buried_again(one: DeadLetter) -> DeadLetter:
    """Return the letter of a record that was buried as `one`, came back by another topic, and was refused again."""
    again = dataclasses.replace(one.record, topic="replay", partition=4, offset=99, headers=headers_of(one))
    return dataclasses.replace(one, record=again)


def test_second_burial_replaces() -> None:
    """A second burial has each of our headers once, with the new cause and the record's first coordinates."""
    again = buried_again(letter(5))
    again.refusal = dataclasses.replace(REFUSAL, reason=Reason.EXPIRED, detail="too old now")
    names = [name for name, _ in headers_of(again)]

    assert sorted(set(names)) == sorted(names)
    assert ("orders", "0", "5") == tuple(ours(again)[name] for name in ("topic", "partition", "offset"))
    assert ("expired", "too old now") == (ours(again)["reason"], ours(again)["message"])


def test_stale_headers_do_not_stay() -> None:
    """What the second refusal does not know is not taken over from the first."""
    again = buried_again(letter(5, refusal=REFUSAL))
    again.refusal = dataclasses.replace(REJECTED, code="")

    assert {"code", "subcode", "http.status", "trace.id"}.isdisjoint(ours(again))


@pytest.mark.parametrize("name", ["replay.count", "replay.run"])
def test_keeps_what_replay_wrote(name: str) -> None:
    """The replay's own notes outlive a burial."""
    one = letter()
    one.record.headers = [(PREFIX + name, b"2")]

    assert "2" == ours(one)[name]


@pytest.mark.parametrize("name", ["topic", "offset", "original.timestamp"])
@pytest.mark.parametrize("forged", [None, b"", b"\xff\xfe", b"x" * (MOST_BYTES + 1)])
def test_replaces_what_no_burial_wrote(name: str, forged: bytes | None) -> None:
    """A producer's header under one of our names is kept only if an earlier burial could have written it."""
    one = letter(5)
    expected = ours(one)
    one.record.headers = [(PREFIX + name, forged)]

    assert expected == ours(one)


@given(st.text("a\u00e4\u20ac\U0001f600", min_size=1, max_size=5), st.integers(0, 1100))
def test_short_and_readable(part: str, times: int) -> None:
    """No header of ours is longer than 1 KiB, and cutting leaves valid UTF-8 that begins as the text does."""
    text = part * times
    one = letter(refusal=dataclasses.replace(REJECTED, detail=text, trace_id=text))
    one.event_id = text
    found = ours(one)

    assert all(len(value.encode()) <= MOST_BYTES for value in found.values())
    assert text.startswith(found.get("message", ""))
    assert len(text.encode()) - len(found.get("message", "").encode()) <= max(0, len(text.encode()) - MOST_BYTES + 3)


def test_says_no_more_than_the_refusal() -> None:
    """Nothing of the record's content gets into a header."""
    one = letter()
    one.record.key, one.record.value = b"secret-key", b"a@example.com"

    assert not any(b"secret" in (value or b"") or b"@" in (value or b"") for _, value in headers_of(one))

"""What was accepted."""

from __future__ import annotations

from pathlib import Path

import orjson

from pipeline.sandbox.contract import Reply, Sighting, Verdict
from pipeline.sandbox.journal import Entry, Journal

REPLY = Reply(200, b"")


def verdict(*ids: str, test: str | None = None) -> Verdict:
    """Return a verdict that accepts events with these ids."""
    seen = [Sighting(one, "Lead", 17, "ab", f"123 Lead {one}", 100.0, b'{"em":"x"}') for one in ids]
    return Verdict(REPLY, dataset="123", received=len(ids), taken=len(ids), accepted=seen, test_event_code=test)


def test_entry() -> None:
    """An entry says what was accepted, when, in which request and at which attempt."""
    journal = Journal()
    journal.accept("meta", verdict("a"), 5, 99.5)

    assert [Entry(1, "meta", "123", "a", "Lead", 17, "ab", 1, 99.5, 5, duplicate=False)] == journal.entries


def test_duplicates() -> None:
    """A duplicate is listed and flagged, and counts as no further event."""
    journal = Journal()
    duplicates = [journal.accept("meta", verdict("a", "b"), number, 1.0) for number in (1, 2)]

    assert [0, 2] == duplicates
    assert (["a", "b"], 4) == (journal.event_ids, len(journal.entries))


def test_attempts() -> None:
    """An entry counts the arrivals before it that were refused."""
    journal = Journal()
    journal.attempt(["123 Lead a"])
    journal.accept("meta", verdict("a", "b"), 2, 1.0)

    assert [2, 1] == [entry.attempt for entry in journal.entries]


def test_test_events_apart() -> None:
    """Events with a test event code are listed apart and never make a live event a duplicate."""
    journal = Journal()
    journal.accept("meta", verdict("a", test="TEST1"), 1, 1.0)
    journal.accept("meta", verdict("a"), 2, 2.0)

    assert ["TEST1"] == [entry.test_event_code for entry in journal.test_entries]
    assert [(1, False)] == [(entry.attempt, entry.duplicate) for entry in journal.entries]


def test_file_before_answer(tmp_path: Path) -> None:
    """An accepted event is in the file when `accept` returns, in the words of the endpoint."""
    path = tmp_path / "journal.ndjson"
    journal = Journal(path=path)
    journal.accept("meta", verdict("a", "b"), 1, 1.0)
    held = path.read_bytes()
    journal.close()

    assert journal.lines() == held
    assert ["a", "b"] == [orjson.loads(line)["event_id"] for line in held.splitlines()]


def test_file_is_appended(tmp_path: Path) -> None:
    """A second sandbox adds to the file of the first."""
    path = tmp_path / "journal.ndjson"
    for _ in range(2):
        journal = Journal(path=path)
        journal.accept("meta", verdict("a"), 1, 1.0)
        journal.close()

    assert 2 == len(path.read_bytes().splitlines())


def test_no_payloads_by_default() -> None:
    """Customer data is neither in a line nor kept apart, unless asked for."""
    journal = Journal()
    journal.accept("meta", verdict("a"), 1, 1.0)

    assert ([], False) == (journal.payloads, b'"em"' in journal.lines())


def test_payloads(tmp_path: Path) -> None:
    """Payloads are kept in memory when asked for, and never reach the file."""
    path = tmp_path / "journal.ndjson"
    journal = Journal(path=path, keep_payloads=True)
    journal.accept("meta", verdict("a"), 1, 1.0)
    journal.close()

    assert ([b'{"em":"x"}'], False) == (journal.payloads, b'"em"' in path.read_bytes())


def test_limit() -> None:
    """The oldest requests are dropped when the journal is full, and the drop is counted."""
    journal = Journal(limit=3)
    for number in range(1, 5):
        journal.accept("meta", verdict(f"a{number}", f"b{number}"), number, 1.0)

    assert (["a4", "b4"], 6) == ([entry.event_id for entry in journal.entries], journal.dropped)


def test_newest_request_stays() -> None:
    """A request that is larger than the limit is kept until the next one."""
    journal = Journal(limit=1)
    journal.accept("meta", verdict("a", "b"), 1, 1.0)

    assert ["a", "b"] == journal.event_ids


def test_clear() -> None:
    """After a reset the journal is empty and every event is new."""
    journal = Journal(keep_payloads=True)
    journal.accept("meta", verdict("a"), 1, 1.0)
    journal.clear()
    journal.accept("meta", verdict("a"), 2, 2.0)

    assert ([(1, False)], 1) == (
        [(entry.attempt, entry.duplicate) for entry in journal.entries],
        len(journal.payloads),
    )

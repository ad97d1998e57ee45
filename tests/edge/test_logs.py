"""The logs: known fields only, masked, in one line each."""

from __future__ import annotations

import io
import json
import logging

import pytest

from pipeline.edge.logs import LibraryLogs, describe, open_log, redact

TOKEN = "EAABsbCS1iHgBAKZCq4ZBZA1234567890"


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """Say so."""
        return True


def test_json_is_one_line_in_order() -> None:
    """A line begins with when, how grave and what, and holds the fields as they are."""
    stream = io.StringIO()
    open_log("json", stream).log(logging.WARNING, "lane_waiting", destination="meta-eu", attempt=2)
    line = json.loads(stream.getvalue())

    assert ["timestamp", "level", "event", "destination", "attempt"] == list(line)
    assert ("warning", "lane_waiting", "meta-eu", 2) == tuple(list(line.values())[1:])


@pytest.mark.parametrize(("stream", "is_json"), [(io.StringIO(), True), (Terminal(), False)])
def test_auto_is_console_on_a_terminal(stream: io.StringIO, *, is_json: bool) -> None:
    """People get columns, machines get JSON."""
    open_log("auto", stream).log(logging.INFO, "stopped", seconds=1.0)

    assert is_json == stream.getvalue().startswith("{")


def test_unknown_fields_are_dropped_by_name() -> None:
    """A field that no signal has is not written; that it was there is."""
    line = redact(None, "", {"event": "x", "email": "jane@example.com", "customer": {"phone": "+491711234567"}})

    assert {"event": "x", "dropped_fields": ["customer", "email"]} == line


@pytest.mark.parametrize(
    "text",
    [TOKEN, "jane.doe@example.com", "+49 171 1234567", "Bearer abcdefgh123", "access_token=abc", "a1" * 32],
)
def test_text_is_masked(text: str) -> None:
    """Whatever looks personal or secret is masked, at any depth and also as a key."""
    line = redact(None, "", {"detail": f"near {text} end", "lag": {text: [text]}, "event": text})

    assert text not in json.dumps(line)
    assert str(line["detail"]).startswith("near [")


@pytest.mark.parametrize(
    "text",
    ["capi.orders[3]", "prod-eu-west-1-marketing-conversions-orders-v1[3]", "meta-eu", "order_placed:A-1009", "v25.0",
     "550e8400-e29b-41d4-a716-446655440000", "123456789012345", "AbCd1234EfGh5678IjKl"],
)  # fmt: skip
def test_ordinary_words_are_left_alone(text: str) -> None:
    """Topics, destinations, event ids, account ids and trace ids can be read."""
    assert {"detail": text} == redact(None, "", {"detail": text})


def test_objects_are_not_printed() -> None:
    """An object shows its kind; its repr might show anything."""
    assert {"detail": "[object]"} == redact(None, "", {"detail": object()})


def test_libraries_go_the_same_way() -> None:
    """A library's warning is masked, and of its exception only kind and place are told."""
    stream = io.StringIO()
    logger = logging.Logger("some.library")  # noqa: LOG001 - not to be found by others
    logger.addHandler(LibraryLogs(open_log("json", stream)))
    try:
        raise ValueError("jane@example.com")  # noqa: TRY301
    except ValueError:
        logger.exception("failed for %s", "jane@example.com")
    line = json.loads(stream.getvalue())

    assert ("some.library", "failed for [email]", "error") == (line["logger"], line["message"], line["level"])
    assert line["exception"].startswith("ValueError at ")
    assert "jane" not in stream.getvalue()


def test_an_exception_without_a_place() -> None:
    """One that was never raised has no place."""
    assert "KeyError" == describe(KeyError("jane@example.com"))

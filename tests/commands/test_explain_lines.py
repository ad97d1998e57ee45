"""`explain --ndjson`: one line for each event and destination, with the bytes that the worker would send."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import orjson
import pytest
from contract_events import document
from everywhere import targets
from meta_events import event_of

from pipeline.commands.account import Target
from pipeline.commands.event_file import EventReader
from pipeline.commands.explain_lines import lines
from pipeline.core.model import Shaped
from pipeline.edge.schema_files import KINDS

READER = EventReader()
TARGETS = targets()
ORDER = document("order")


def told(*texts: bytes | dict[str, Any], to: Sequence[Target] = TARGETS, after: float = 60.0) -> list[dict[str, Any]]:
    """Return the lines for these inputs, each event judged `after` seconds from when it happened."""
    raw = [text if isinstance(text, bytes) else orjson.dumps(text) for text in texts]
    return [json.loads(line) for line in lines(raw, READER, to, lambda event: event.time + after)]


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: str(target.destination.name))
@pytest.mark.parametrize("kind", KINDS)
def test_payload_is_verbatim(kind: str, target: Target) -> None:
    """The payload is in the line byte for byte, whatever its order of keys and its way to write a number."""
    given = document(kind)  # type: ignore[arg-type]
    (line,) = lines([orjson.dumps(given)], READER, [target], lambda event: event.time)
    shaped = target.way.platform.shape(event_of(given))
    expected = shaped.payload if isinstance(shaped, Shaped) else b"null"

    assert b'"payload":' + expected + b',"match_keys":' in line


def test_several_platforms_change_nothing() -> None:
    """A payload is the same whether one destination is asked or all of them."""
    alone = [line for target in TARGETS for line in told(ORDER, to=[target])]

    assert alone == told(ORDER)


def test_lines_come_in_order() -> None:
    """For each event, in the order of the input, each destination, in the order of the file; blank lines are none."""
    found = told(ORDER, b"  \n", document("lead"))
    names = [target.destination.name for target in TARGETS]

    assert [(number, name) for number in (1, 3) for name in names] == [
        (one["line"], one["destination"]) for one in found
    ]


@pytest.mark.parametrize(
    ("changes", "after", "expected"),
    [
        ({"consent.ad_user_data": "DENIED"}, 60.0, ("skip", "consent_denied", "consent: `ad_user_data` was denied")),
        ({"state": "REFUNDED"}, 60.0, ("skip", "no_platform_event", "the platform has no event for this")),
        ({"value": None}, 60.0, ("refuse", "invalid_event", "a Purchase needs value and currency")),
        ({}, -3600.0, ("refuse", "future", "the event lies 60 minutes in the future; the limit is 60 s")),
        ({}, 8 * 86_400.0, ("refuse", "expired", "the platform's age limit passed 24 hours ago")),
    ],
    ids=["denied", "no event", "invalid", "future", "expired"],
)
def test_reason_in_place_of_a_payload(changes: dict[str, object], after: float, expected: tuple[str, ...]) -> None:
    """What is not sent has a reason of the closed list and words for people, and no payload."""
    (found,) = told(document("order", changes), to=TARGETS[:1], after=after)

    assert expected == (found["outcome"], found["reason"], found["detail"])
    assert {None} == {found[name] for name in ("event_name", "group", "payload", "quality", "expires_at", "not_before")}


def test_rule_of_the_destination_is_told() -> None:
    """An event that no rule wants is skipped before anybody asks for consent."""
    event = document("order", {"store": "elsewhere"})
    (found,) = told(event, to=targets("{stores: [uk]}")[:1])

    assert ("skip", "not_routed", None) == (found["outcome"], found["reason"], found["consent"])
    assert "store: `elsewhere` is not among uk" == found["detail"]


@pytest.mark.parametrize(
    ("text", "reason", "detail"),
    [
        (b"{", "undecodable", "column 2: this is not JSON"),
        (b'{"order_id": "\xff"}', "undecodable", "column 1: this is not JSON"),
        (b'{"order_id": "1", "jane@example.com": 1}', "invalid_event", "[email]: is no field of the contract;"),
        (b"[]", "invalid_event", "has none of order_id, lead_id, activity_id; add one, or say --kind"),
        (orjson.dumps(ORDER | {"state": "x"}), "invalid_event", "state: is none of the allowed words; known are"),
        (orjson.dumps(ORDER | {"order_id": " "}), "invalid_event", "order_id: is empty; see docs/contract.md"),
    ],
    ids=["not json", "not utf-8", "field", "list", "wrong word", "broken rule"],
)
def test_what_is_no_event(text: bytes, reason: str, detail: str) -> None:
    """A line that is no event gives one line without a destination, and the next one is read."""
    found, *others = told(text, ORDER)

    assert {"v", "line", "outcome", "reason", "detail"} == found.keys()
    assert (1, "refuse", reason, True) == (
        found["line"],
        found["outcome"],
        found["reason"],
        found["detail"].startswith(detail),
    )
    assert len(TARGETS) == len(others)


def test_all_faults_are_told() -> None:
    """Every fault of an event is in its line."""
    (found,) = told(ORDER | {"state": "x", "value": "y"})

    assert ["state", "value"] == [fault for fault in ("state", "value", "tax") if f"{fault}: is " in found["detail"]]

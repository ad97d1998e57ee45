"""TikTok and Snapchat: no official model speaks these versions of their APIs, so a schema stands in for one.

The schemas beside this file were written from the vendors' references and share no code with sender or sandbox.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from contract_events import events
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from oracles import samples, sent

from pipeline.core.contract import Kind
from pipeline.edge.schema_files import KINDS

PLATFORMS = ("tiktok", "snapchat")
SCHEMAS: Mapping[str, dict[str, Any]] = {
    name: json.loads(Path(__file__).with_name(f"{name}.json").read_text(encoding="utf-8")) for name in PLATFORMS
}
VALIDATORS = {
    name: Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)
    for name, schema in SCHEMAS.items()
}

every_platform = pytest.mark.parametrize("platform", PLATFORMS)


def _faults(platform: str, body: Mapping[str, Any]) -> list[str]:
    """Return what the schema says against a body."""
    return [f"{fault.json_path}: {fault.message}" for fault in VALIDATORS[platform].iter_errors(body)]


def _whole(platform: str, **having: object) -> dict[str, Any]:
    """Return the first full request whose event has these values."""
    bodies = (body for event in samples() if (body := sent(platform, event)) is not None)
    return next(body for body in bodies if having.items() <= {**body, **body["data"][0]}.items())


@every_platform
def test_schema_is_one(platform: str) -> None:
    """The schema is a schema, and every format in it is one that is checked."""
    Draft202012Validator.check_schema(SCHEMAS[platform])

    assert {"ipv4", "ipv6", "uuid"} <= set(Draft202012Validator.FORMAT_CHECKER.checkers)


@every_platform
@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_every_request_is_valid(platform: str, kind: Kind, data: st.DataObject) -> None:
    """Any event of ours is a request as the reference has it."""
    body = sent(platform, data.draw(events(kind)))

    assert body is None or [] == _faults(platform, body)


@pytest.mark.parametrize(("platform", "count"), [("tiktok", 65), ("snapchat", 81)])
def test_full_requests_are_valid(platform: str, count: int) -> None:
    """So are events of which everything is known, at every place; TikTok has no limited use in stores and of a CRM."""
    bodies = [body for event in samples() if (body := sent(platform, event)) is not None]

    assert len(bodies) == count
    assert [] == [one for body in bodies for one in _faults(platform, body)]


@pytest.mark.parametrize(
    ("platform", "having", "section", "changes"),
    [
        ("tiktok", {"event_source": "web"}, "", {"event_id": 273196}),
        ("tiktok", {"event_source": "web"}, "", {"event_time": 1_763_712_000_000}),
        ("tiktok", {"event_source": "web"}, "", {"context": {}}),
        ("tiktok", {"event_source": "offline"}, "", {"page": {"url": "https://shop.example/"}}),
        ("tiktok", {"event_source": "web"}, "user", {"email": ["jane@example.com"]}),
        ("tiktok", {"event_source": "web"}, "user", {"city": "São Paulo"}),
        ("tiktok", {"event_source": "web"}, "user", {"ip": "f" * 64}),
        ("tiktok", {"event": "Purchase"}, "properties", {"value": "129.90"}),
        ("tiktok", {"event": "Purchase"}, "", {"properties": {"value": 1.0}}),
        ("snapchat", {"action_source": "WEB"}, "", {"event_name": "ADD_TO_CART"}),
        ("snapchat", {"action_source": "WEB"}, "", {"action_source": "website"}),
        ("snapchat", {"action_source": "WEB"}, "", {"event_time": 1_763_712_000_000}),
        ("snapchat", {"action_source": "WEB"}, "user_data", {"ph": ["+442079460958"]}),
        ("snapchat", {"action_source": "WEB"}, "user_data", {"madid": "cdda802e-fb9c-47ad-9866-0794d394c912"}),
        ("snapchat", {"action_source": "WEB"}, "", {"user_data": {"client_ip_address": "203.0.113.7"}}),
        ("snapchat", {"event_name": "PURCHASE"}, "", {"custom_data": {"value": 1.0}}),
        ("snapchat", {"action_source": "MOBILE_APP"}, "app_data", {"extinfo": ["i2"]}),
    ],
)
def test_faults_would_be_seen(
    platform: str, having: Mapping[str, object], section: str, changes: Mapping[str, object]
) -> None:
    """Mistakes that others made with these APIs are found."""
    body = _whole(platform, **having)
    event = body["data"][0]
    assert [] == _faults(platform, body)
    (event[section] if section else event).update(changes)

    assert [] != _faults(platform, body)

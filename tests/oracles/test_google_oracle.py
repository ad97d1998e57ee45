"""Google's own messages and its description of the API: our requests are read by both, and our words are theirs.

The messages (`google-ads-datamanager`) are one release older than the description (`google-api-python-client`), which
is data and no code; what only the description has is in the table of differences.
"""

from __future__ import annotations

import fnmatch
import json
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

import pytest
from contract_events import events
from differences import MODELS
from google.ads.datamanager_v1.types import ErrorReason, IngestEventsRequest
from google.protobuf.json_format import MessageToDict, ParseDict, ParseError
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from oracles import samples, sent

from pipeline.core.contract import Kind
from pipeline.edge.schema_files import KINDS
from pipeline.platforms import google_faults, google_replies, google_status
from pipeline.platforms.google_options import EVENT_SOURCES

DOCUMENTS = files("googleapiclient.discovery_cache").joinpath("documents")
DESCRIPTION: dict[str, Any] = json.loads(DOCUMENTS.joinpath("datamanager.v1.json").read_text(encoding="utf-8"))
# What the messages do not have yet; every other unknown name fails.
NEWER = {row.place for row in MODELS if row.model == "Google messages"}
# Amounts of which proto3 does not tell 0 from nothing.
NO_PRESENCE = ("transactionDiscount", "unitPrice")
REASONS = {one.name for one in ErrorReason}
FATES = {
    word.removeprefix("PROCESSING_ERROR_REASON_").removeprefix("PROCESSING_ERROR_")
    for word in DESCRIPTION["schemas"]["ErrorCount"]["properties"]["reason"]["enum"]
}
# Reasons of the access to Google's APIs at large (google.api.ErrorReason), which no message of this API lists.
GENERAL = {"SERVICE_DISABLED", "ACCESS_TOKEN_SCOPE_INSUFFICIENT"}


def _strict(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return a schema of the description as JSON Schema in which no other name is known."""
    made = {name: value for name, value in schema.items() if name in ("type", "enum")}
    if "$ref" in schema:
        return {"$ref": f"#/$defs/{schema['$ref']}"}
    if schema.get("format") == "int64":
        made["pattern"] = "^-?[0-9]{1,19}$"
    if schema.get("format") == "google-datetime":
        made["pattern"] = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?Z$"
    if "enum" in made:
        made["enum"] = [word for word in made["enum"] if not word.endswith("_UNSPECIFIED")]
    if "items" in schema:
        made["items"] = _strict(schema["items"])
    if "properties" in schema:
        made["properties"] = {name: _strict(one) for name, one in schema["properties"].items()}
        made["additionalProperties"] = False
    return made


DESCRIBED = Draft202012Validator(
    {
        "$ref": "#/$defs/IngestEventsRequest",
        "$defs": {name: _strict(one) for name, one in DESCRIPTION["schemas"].items()},
    }
)


def _faults(body: Mapping[str, Any]) -> list[str]:
    """Return what Google's description says against a body."""
    return [f"{fault.json_path}: {fault.message}" for fault in DESCRIBED.iter_errors(body)]


def _loss(body: Mapping[str, Any]) -> tuple[object, object]:
    """Return a body and what Google's messages make of it, without what they are too old for."""
    known = {**body, "events": [_known(event) for event in body["events"]]}
    message = ParseDict(known, IngestEventsRequest.pb(IngestEventsRequest()))
    return _exact(known), _exact(MessageToDict(message))


def _known(event: Mapping[str, Any]) -> dict[str, Any]:
    identifiers = {name: one for name, one in event.get("adIdentifiers", {}).items() if name not in NEWER}
    rest = {name: one for name, one in event.items() if name != "adIdentifiers"}
    return {**rest, "adIdentifiers": identifiers} if identifiers else rest


def _exact(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return a body as protobuf writes it: a fraction of a second without its zeros, no amount where it is 0."""
    return {
        **body,
        "events": [_plain({**one, "eventTimestamp": _stamp(one["eventTimestamp"])}) for one in body["events"]],
    }


def _plain(node: Any) -> Any:  # noqa: ANN401 - any part of a JSON document
    if isinstance(node, list):
        return [_plain(one) for one in node]
    if isinstance(node, dict):
        return {name: _plain(one) for name, one in node.items() if not (name in NO_PRESENCE and one == 0)}
    return node


def _stamp(text: str) -> str:
    return text.removesuffix("Z").rstrip("0").rstrip(".") if "." in text else text.removesuffix("Z")


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_every_request_is_read(kind: Kind, data: st.DataObject) -> None:
    """Google's messages and its description read any event of ours whole: nothing unknown, nothing lost."""
    body = sent("google", data.draw(events(kind)))
    if body is None:
        return
    ours, theirs = _loss(body)

    assert ours == theirs
    assert [] == _faults(body)


def test_full_requests_are_read() -> None:
    """So are events of which everything is known, at every place."""
    bodies = [body for event in samples() if (body := sent("google", event)) is not None]

    assert len(bodies) == 81
    assert [] == [one for body in bodies for one in _faults(body)]
    assert [] == [pair for pair in map(_loss, bodies) if pair[0] != pair[1]]


@pytest.mark.parametrize("name", sorted(NEWER))
def test_messages_lag_behind(name: str) -> None:
    """What the table calls newer is described, and the messages do not know it; when they do, the row goes."""
    event = {"eventTimestamp": "2026-11-21T08:00:00Z", "adIdentifiers": {name: "x"}}

    assert [] == _faults({"events": [event]})
    with pytest.raises(ParseError):
        ParseDict({"events": [event]}, IngestEventsRequest.pb(IngestEventsRequest()))


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("eventSource", "STORE"),
        ("eventSource", "EVENT_SOURCE_UNSPECIFIED"),
        ("conversionValue", "129.90"),
        ("eventTimestamp", "2026-11-21 08:00"),
        ("orderId", "A-1"),
    ],
)
def test_faults_would_be_seen(place: str, value: str) -> None:
    """A name, a word or a type that Google does not have is found."""
    body = sent("google", next(samples()))
    assert body is not None
    body["events"][0][place] = value

    assert [] != _faults(body)


def test_words_for_places_are_googles() -> None:
    """Every word for where it happened is one of the description's."""
    words = DESCRIPTION["schemas"]["Event"]["properties"]["eventSource"]["enum"]

    assert set() == set(EVENT_SOURCES.values()) - set(words)


def test_reasons_of_errors_are_googles() -> None:
    """Every reason that decides what becomes of an event or a lane is one that Google can give."""
    named = {*google_faults.CONFIGURATION, google_faults.TOO_NEW, google_replies.TOO_MANY, google_replies.NO_KEYS}

    assert set() == (named | google_status.UNKNOWN_REQUESTS) - REASONS - GENERAL


def test_reasons_of_the_final_word_are_googles() -> None:
    """Every reason of the final word that is read, patterns among them, is one that Google can give."""
    fates = (google_status.AGAIN, google_status.DONE, google_status.COUNTED, google_status.EXPIRED)
    named = {name for names in (*fates, google_status.REFUSED) for name in names}

    assert set() == {name for name in named if not fnmatch.filter(FATES, name)}

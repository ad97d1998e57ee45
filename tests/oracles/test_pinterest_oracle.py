"""Pinterest's own models: our requests are read by its generated client, and come back the same.

The client was made from description 5.14.0, our sender from 5.23.0: what it lacks is in the table of differences.
The models let unknown names pass, so names are looked up in the models' own lists.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from contract_events import events
from differences import MODELS
from hypothesis import given, settings
from hypothesis import strategies as st
from openapi_generated.pinterest_client.api_client import ApiClient
from openapi_generated.pinterest_client.configuration import Configuration
from openapi_generated.pinterest_client.exceptions import ApiTypeError, ApiValueError
from openapi_generated.pinterest_client.model.conversion_events import ConversionEvents
from openapi_generated.pinterest_client.model.conversion_events_data import ConversionEventsData
from openapi_generated.pinterest_client.model_utils import OpenApiModel, validate_and_convert_types
from oracles import samples, sent

from pipeline.core.contract import Kind
from pipeline.edge.schema_files import KINDS
from pipeline.platforms.pinterest import ACTION_SOURCES, APP_SOURCES, EVENT_NAMES

# What the models do not have yet: names of fields, and names of events.
NEWER = {row.place for row in MODELS if row.model == "Pinterest models"}
# Every field with a list of words has them in its text only.
TEXT = str(ConversionEventsData.__init__.__doc__)
WORDS = {
    field: set(re.findall("<code>([a-z_]+)</code>", text))
    for field, text in re.findall(r"^ +(event_name|action_source) \(str\): (.*)$", TEXT, re.MULTILINE)
}


def _model(body: Mapping[str, Any]) -> OpenApiModel:
    """Read a body as the client reads JSON; raises for a wrong type, and where something required is missing."""
    # The client puts its models into the lists that it reads.
    given = copy.deepcopy(body)
    model: OpenApiModel = validate_and_convert_types(
        given, (ConversionEvents,), ["body"], spec_property_naming=True, _check_type=True, configuration=Configuration()
    )
    return model


def _unknown(model: OpenApiModel) -> Iterator[str]:
    """Yield the names that a body has and the models have not."""
    for name in model.to_dict():
        if name not in model.openapi_types:
            yield name
        value = model[name]
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, OpenApiModel):
                yield from _unknown(one)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_every_request_is_read(kind: Kind, data: st.DataObject) -> None:
    """Pinterest's models read any event of ours and give it back unchanged."""
    body = sent("pinterest", data.draw(events(kind)))
    if body is None:
        return
    model = _model(body)

    assert body == ApiClient.sanitize_for_serialization(model)
    assert set() == set(_unknown(model)) - NEWER


def test_full_requests_are_read() -> None:
    """So are events of which everything is known, at every place."""
    bodies = [body for event in samples() if (body := sent("pinterest", event)) is not None]
    models = [_model(body) for body in bodies]

    assert len(bodies) == 81
    assert bodies == [ApiClient.sanitize_for_serialization(model) for model in models]
    assert {"predicted_ltv"} == {name for model in models for name in _unknown(model)}


def test_events_are_pinterests() -> None:
    """Every name of an event is one of the nine of the models, or is in the table as newer."""
    assert len(WORDS["event_name"]) == 9
    assert NEWER - {"predicted_ltv"} == set(EVENT_NAMES.values()) - WORDS["event_name"]


def test_places_are_pinterests() -> None:
    """Every word for where it happened is one of the models'."""
    assert WORDS["action_source"] == {*ACTION_SOURCES.values(), *APP_SOURCES.values()}


@pytest.mark.parametrize(
    ("section", "name", "value"),
    [
        ("custom_data", "value", 129.9),
        ("custom_data", "content_ids", "SKU-1"),
        ("custom_data", "num_items", "3"),
        ("user_data", "ph", "4420"),
        ("user_data", "client_ip_address", ["203.0.113.7"]),
    ],
)
def test_wrong_types_would_be_seen(section: str, name: str, value: object) -> None:
    """A value of another type than the models' is refused by them."""
    body = sent("pinterest", next(samples()))
    assert body is not None
    body["data"][0][section][name] = value

    with pytest.raises((ApiTypeError, ApiValueError)):
        _model(body)


def test_missing_keys_would_be_seen() -> None:
    """Keys that are not enough for Pinterest are refused by its models."""
    body = sent("pinterest", next(samples()))
    assert body is not None
    body["data"][0]["user_data"] = {"ph": body["data"][0]["user_data"]["ph"]}

    with pytest.raises(ApiValueError):
        _model(body)


def test_unknown_names_would_be_seen() -> None:
    """A name that no model has is found, in a section too."""
    body = sent("pinterest", next(samples()))
    assert body is not None
    body["data"][0]["advertiser_tracking_enabled"] = True
    body["data"][0]["custom_data"]["contents"][0]["price"] = "1"

    assert {"advertiser_tracking_enabled", "price"} == set(_unknown(_model(body)))

"""What is said of an event is what the worker would do with it, on every platform."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import pytest
from avro_events import CONTRACT
from contract_events import document, events
from everywhere import targets
from hypothesis import given, settings
from hypothesis import strategies as st
from meta_events import event_of

from pipeline.commands.account import Target
from pipeline.commands.explain_source import Found
from pipeline.commands.explain_told import tell
from pipeline.core.avro.jsonform import to_json
from pipeline.core.contract import Kind
from pipeline.core.explanation import Row
from pipeline.core.identify import identify
from pipeline.core.model import Event, Refusal, Shaped, Skipped
from pipeline.core.normalize.digest import ready_or_built_hash
from pipeline.core.reason import Reason
from pipeline.core.veil import outline, outlined, personal
from pipeline.edge.schema_files import KINDS
from pipeline.platforms import PLATFORMS
from pipeline.platforms.common import country_of, day_of

TARGETS = {target.destination.platform: target for target in targets()}
ON_EACH = pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
ANY_EVENT = st.sampled_from(KINDS).flatmap(events)
DAY = 86_400.0


def dropped(rows: tuple[Row, ...]) -> list[str]:
    """Return the names of keys for which some value was there and unusable."""
    return list(dict.fromkeys(row.key for row in rows for one in row.readings if one.becomes == "unusable"))


def test_every_platform_is_here() -> None:
    """The tests below speak of every platform that the destinations file may name."""
    assert set(PLATFORMS) == set(TARGETS)


@settings(deadline=None)
@given(event=ANY_EVENT)
def test_rows_are_what_is_identified(event: Event) -> None:
    """Whatever the event, the rows say of each key what `identify` gives, in its order, and what it drops."""
    for target in TARGETS.values():
        found = identify(event.body, target.way.platform.keys(event), country_of(event), day_of(event))
        rows = target.rows(event)

        assert list(found.keys.items()) == [(row.key, row.sent) for row in rows if row.sent is not None]
        assert list(found.dropped) == dropped(rows)


@settings(deadline=None)
@given(event=ANY_EVENT, ahead=st.floats(-100 * DAY, 100 * DAY))
def test_outcome_is_the_platforms(event: Event, ahead: float) -> None:
    """Routed and consented to, an event is shaped as the platform shapes it; age and size are judged at the moment."""
    for target in TARGETS.values():
        account = target.account(event, event.time + ahead)
        found = target.way.platform.shape(event)
        match account.outcome:
            case "send":
                assert found == account.shaped
            case "skip":
                nobody = account.reason is Reason.NO_MATCH_KEY and event.kind == "activity"
                assert nobody or isinstance(found, Skipped) or account.consent in {"denied", "unknown_skipped"}
            case "refuse":
                timely = account.reason in {Reason.EXPIRED, Reason.FUTURE, Reason.OVERSIZE}
                assert isinstance(found, Shaped) if timely else found == Refusal(account.reason, account.detail)


@settings(deadline=None)
@given(event=ANY_EVENT)
def test_every_key_that_is_sent_has_a_row(event: Event) -> None:
    """A key of the payload is explained by a row, or is made of rows that are; what is left out is neither."""
    for target in TARGETS.values():
        shaped = target.way.platform.shape(event)
        if not isinstance(shaped, Shaped):
            continue
        rows, composed = target.rows(event), target.kind.composed
        sent = {row.key for row in rows if row.outcome == "sent"}
        parts = {part for whole in composed.keys() & set(shaped.match_keys) for part in composed[whole]}
        left_out = {row.key for row in rows if target.left_out(row, shaped.match_keys)}

        assert set(shaped.match_keys) <= sent | composed.keys()
        assert left_out == sent - set(shaped.match_keys) - parts


@pytest.mark.parametrize("kind", KINDS)
@ON_EACH
def test_improvements_can_be_followed(target: Target, kind: Kind) -> None:
    """Each improvement names fields of the contract, and raises the estimate."""
    event = event_of(document(kind, {"customer.country": None}))
    fields = {field.name for field in CONTRACT.schemas[kind].fields}
    fields |= {f"customer.{name}" for name in event.body["customer"]} | {
        f"touch.{name}" for name in event.body["touch"]
    }
    named = target.improvements(event, target.rows(event), ())

    assert [] == [one for one in named if not one.sources or one.gain <= 0]
    assert set() == {source for one in named for source in one.sources} - fields


def test_part_of_an_address_is_named() -> None:
    """Google's address counts whole; what is named is what is lacking."""
    event = event_of(document("order", {"customer.last_name": None, "touch.gclid": None}))
    target = TARGETS["google"]
    rows = target.rows(event)
    found = {one.key: one.sources for one in target.improvements(event, rows, ("emailAddress",))}

    assert ("customer.last_name",) == found["address"]
    assert {"gclid", "wbraid", "gbraid"} <= found.keys()
    assert "leadId" not in found


def test_left_out_of_the_payload() -> None:
    """Google takes one click id: a second one is usable, and left out."""
    event = event_of(document("order", {"touch.wbraid": "Abc-123"}))
    target = TARGETS["google"]
    account = target.account(event, event.time)
    assert account.shaped is not None

    assert ["wbraid"] == [row.key for row in target.rows(event) if target.left_out(row, account.shaped.match_keys)]


@settings(deadline=None)
@given(event=ANY_EVENT)
def test_masked_tells_nothing_personal(event: Event) -> None:
    """Whatever the event says of its customer, nothing of eight characters and more is told of it, but for hashes."""
    told = tell(Found("here", event), list(TARGETS.values()), CONTRACT, now=event.time, unmasked=False)
    schema = CONTRACT.schemas[event.kind]
    readings = [one for each in told.destinations for key in each.keys for one in key.readings]
    shown = [
        told.decoded,
        [[one.raw, one.normalized, one.sent] for one in readings],
        [each.payload.content for each in told.destinations if each.payload],
    ]
    said = "\n".join(leaf for leaf in leaves(shown) if ready_or_built_hash(leaf) is None).lower()
    # What a field that is not personal has as well may be shown for that.
    said_anyway = "\n".join(leaves(outlined(cast("dict[str, object]", to_json(event.body, schema)), schema))).lower()
    raws = {raw.strip().lower() for raw in personal(event.body, schema) if ready_or_built_hash(raw) is None}

    assert [] == [
        raw for raw in raws if len(raw) >= 8 and raw != outline(raw) and raw in said and raw not in said_anyway
    ]


def leaves(value: object) -> Iterator[str]:
    """Yield every text and number in a document, without the names of fields."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for inner in value:
            yield from leaves(inner)
    else:
        yield str(value)

"""Meta's funnel: activities are sent under Meta's names, with what was looked at or looked for."""

from __future__ import annotations

import orjson
import pytest
from meta_events import CONVERSATIONS, NOW, activity, refusal, sent, shape

from pipeline.core.contract import EVENTS_OF
from pipeline.core.model import Shaped, Skipped
from pipeline.core.reason import Reason
from pipeline.platforms.meta import EVENT_NAMES, MetaOptions
from pipeline.sandbox.meta_event import check_event


@pytest.mark.parametrize("name", [name for name in EVENTS_OF["activity"] if name != "custom"])
def test_each_activity_has_its_name(name: str) -> None:
    """Every activity goes under the name of Meta's own standard event, and the sandbox takes it."""
    document = sent(activity({"name": name.upper(), "event_id": None}))

    assert EVENT_NAMES[name] == document["event_name"]
    assert f"{name}:V-501" == document["event_id"]
    assert check_event(document, NOW) is None


def test_what_was_looked_at() -> None:
    """The products, the search and the predicted value go along."""
    custom = sent(activity({"name": "SEARCH", "query": "wool scarf"}))["custom_data"]

    assert ("wool scarf", 240.0, 39.8, "GBP", ["SKU-1"], "product") == tuple(
        custom[key] for key in ("search_string", "predicted_ltv", "value", "currency", "content_ids", "content_type")
    )


def test_custom_activity_keeps_its_own_name() -> None:
    """A custom activity is sent under the name that its producer gave it; a destination may set another."""
    event = activity({"name": "CUSTOM", "custom_name": "Configured car"})

    assert "Configured car" == sent(event)["event_name"]
    assert "Config" == sent(event, MetaOptions(event_names={"custom": "Config"}))["event_name"]


@pytest.mark.parametrize("name", ["Purchase", "purchase", "Add To Cart", "page-view"])
def test_custom_activity_does_not_pose_as_a_standard_event(name: str) -> None:
    """A custom activity under the name of a standard event would count as one, and is refused."""
    reason, detail = refusal(shape(activity({"name": "CUSTOM", "custom_name": name})))

    assert (Reason.INVALID_EVENT, True) == (reason, "custom_name" in detail)
    assert name not in detail


@pytest.mark.parametrize(
    "name",
    ["Add To Wishlist", "DONATE", "customize_product", "FindLocation", "LeadSubmitted", "OrderShipped", "LostLead"],
)
def test_custom_activity_does_not_pose_as_any_event_of_metas(name: str) -> None:
    """Events of Meta's that the worker never sends are no names for a custom activity either."""
    assert Reason.INVALID_EVENT is refusal(shape(activity({"name": "CUSTOM", "custom_name": name})))[0]


def test_name_that_does_not_leave() -> None:
    """Where a destination names custom activities, their own name says nothing and is no fault."""
    event = activity({"name": "CUSTOM", "custom_name": "Purchase"})

    assert "Config" == sent(event, MetaOptions(event_names={"custom": "Config"}))["event_name"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [("OrderShipped", "OrderShipped"), ("CartAbandoned", "CartAbandoned"), ("Quiz", None), ("", None)],
)
@pytest.mark.parametrize("own", ["Jane Doe 42", "OrderShipped", "Purchase"])
def test_custom_activity_in_a_conversation(own: str, name: str, expected: str | None) -> None:
    """In a conversation a custom activity is skipped, unless the destination gives it a name of Meta's closed list."""
    event = activity(
        {
            "name": "CUSTOM",
            "custom_name": own,
            "action_source": "MESSAGING",
            "messaging": CONVERSATIONS["WHATSAPP"],
        }
    )
    found = shape(event, MetaOptions(event_names={"custom": name} if name else {}))

    assert (Skipped(Reason.NO_PLATFORM_EVENT) if expected is None else expected) == (
        found.event_name if isinstance(found, Shaped) else found
    )


@pytest.mark.parametrize(("given", "expected"), [("240.00", 240.0), ("0", 0.0), ("-0.01", None), (None, None)])
def test_predicted_value(given: str | None, expected: float | None) -> None:
    """What a customer may be worth is told unless it is below zero."""
    assert expected == sent(activity({"predicted_value": given}))["custom_data"].get("predicted_ltv")


@pytest.mark.parametrize(
    ("given", "expected"), [(" wool scarf\n", "wool scarf"), ("  ", None), ("", None), (None, None)]
)
def test_search(given: str | None, expected: str | None) -> None:
    """What was searched for leaves without the space around it, and not at all if it is blank."""
    assert expected == sent(activity({"query": given}))["custom_data"].get("search_string")


def test_conversations_take_few_activities() -> None:
    """Business messaging has a closed list of names: what is not on it is skipped."""
    event = activity(
        {
            "name": "PAGE_VIEW",
            "action_source": "MESSAGING",
            "messaging": {"channel": "WHATSAPP", "whatsapp_business_account_id": "1", "ctwa_clid": "c"},
        }
    )

    assert Skipped(Reason.NO_PLATFORM_EVENT) == shape(event)


def test_same_activity_same_bytes() -> None:
    """The same activity gives the same bytes."""
    assert orjson.dumps(sent(activity())) == orjson.dumps(sent(activity()))

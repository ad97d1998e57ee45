"""What Meta requires of an event beside its keys, by where it happened: CRM, app, conversation."""

from __future__ import annotations

from typing import Any

import pytest
from meta_events import APP, CONVERSATIONS, lead, order, refusal, sent, shape

from pipeline.core.model import Skipped
from pipeline.core.reason import Reason
from pipeline.platforms.meta import MetaOptions
from pipeline.platforms.meta_parts import ALLOWED_IN_MESSAGING
from pipeline.sandbox.meta_event import MESSAGING_NAMES


@pytest.mark.parametrize("state", ["SUBMITTED", "QUALIFIED", "CONVERTED", "LOST"])
def test_c31_crm_lead(state: str) -> None:
    """Every stage of a CRM lead says that it comes from a CRM, and from which."""
    document = sent(lead({"action_source": "SYSTEM", "state": state}))

    assert ("crm", "HubSpot", "system_generated") == (
        document["custom_data"]["event_source"],
        document["custom_data"]["lead_event_source"],
        document["action_source"],
    )


@pytest.mark.parametrize("given", [None, "", "  "])
def test_c31_crm_without_a_name(given: str | None) -> None:
    """A lead from a CRM without the CRM's name would never count, and is refused."""
    assert Reason.INVALID_EVENT is refusal(shape(lead({"action_source": "SYSTEM", "crm": given})))[0]


@pytest.mark.parametrize("given", [[], ["a2", "", "", "", "15"], ["i2", "p", "1", "1.0", "26.1", *[""] * 11]])
def test_c32_extinfo_has_sixteen_texts(given: list[str]) -> None:
    """The device facts are sixteen texts, none of them null."""
    extinfo = sent(order({"action_source": "APP", "app": APP | {"extinfo": given}}))["app_data"]["extinfo"]

    assert (16, {str}, given) == (len(extinfo), {type(item) for item in extinfo}, extinfo[: len(given)])


@pytest.mark.parametrize(
    "app",
    [
        None,
        APP | {"extinfo": ["a2", "", "", "", "15", *[""] * 12]},
        APP | {"extinfo": ["ios", "", "", "", "15"]},
        APP | {"extinfo": ["i2", "com.example.shop"]},
        APP | {"extinfo": ["i2", "", "", "", " "]},
        APP | {"os_version": None},
    ],
    ids=["no app", "seventeen", "unknown system", "short", "blank version", "no version"],
)
def test_c32_app_facts_are_required(app: object) -> None:
    """An app event without the facts that Meta requires of a device is refused."""
    assert Reason.INVALID_EVENT is refusal(shape(order({"action_source": "APP", "app": app})))[0]


@pytest.mark.parametrize(("allowed", "flag"), [(True, 1), (False, 0)])
def test_c32_tracking_flags(allowed: bool, flag: int) -> None:
    """Both tracking flags follow the person's choice."""
    app_data = sent(order({"action_source": "APP", "app": APP | {"tracking_allowed": allowed}}))["app_data"]

    assert (flag, flag) == (app_data["advertiser_tracking_enabled"], app_data["application_tracking_enabled"])


@pytest.mark.parametrize("channel", CONVERSATIONS)
def test_c33_conversation(channel: str) -> None:
    """A conversation is named with its channel, and its ids leave clear."""
    document = sent(order({"action_source": "MESSAGING", "messaging": CONVERSATIONS[channel]}))
    ids = {value for name, value in CONVERSATIONS[channel].items() if name != "channel"}

    assert (channel.lower(), set()) == (document["messaging_channel"], ids - set(map(str, _texts(document))))


@pytest.mark.parametrize(
    ("channel", "missing"), [(name, field) for name, ids in CONVERSATIONS.items() for field in list(ids)[1:]]
)
def test_c33_conversation_without_its_ids(channel: str, missing: str) -> None:
    """A conversation without an id that its channel needs is refused, with the channel's name."""
    ids = {name: value for name, value in CONVERSATIONS[channel].items() if name != missing}
    reason, detail = refusal(shape(order({"action_source": "MESSAGING", "messaging": ids})))

    assert (Reason.INVALID_EVENT, channel) == (reason, detail.partition(" ")[0])


def test_c33_no_conversation() -> None:
    """A messaging event without its conversation is refused."""
    assert Reason.INVALID_EVENT is refusal(shape(order({"action_source": "MESSAGING"})))[0]


def test_c33_no_name_in_messaging() -> None:
    """A lead stage for which business messaging has no name is skipped."""
    event = lead({"action_source": "MESSAGING", "state": "CONVERTED", "messaging": CONVERSATIONS["WHATSAPP"]})

    assert Skipped(Reason.NO_PLATFORM_EVENT) == shape(event)


def test_c33_names_not_allowed() -> None:
    """A name outside of the closed list of business messaging is refused."""
    event = lead({"action_source": "MESSAGING", "state": "SUBMITTED", "messaging": CONVERSATIONS["WHATSAPP"]})
    reason, detail = refusal(shape(event, MetaOptions(event_names={"lead_submitted": "Lead"})))

    assert (Reason.INVALID_EVENT, "Meta takes no") == (reason, detail[:13])


def test_c33_names() -> None:
    """A lead is called LeadSubmitted in a conversation; the closed list is the one that the sandbox has of its own."""
    event = lead({"action_source": "MESSAGING", "messaging": CONVERSATIONS["MESSENGER"]})

    assert ("LeadSubmitted", MESSAGING_NAMES) == (sent(event)["event_name"], ALLOWED_IN_MESSAGING)


def test_channel_only_in_conversations() -> None:
    """An event that did not happen in a conversation names no channel."""
    assert "messaging_channel" not in sent(order({"messaging": CONVERSATIONS["WHATSAPP"]}))


def _texts(document: Any) -> list[object]:  # noqa: ANN401 - any JSON
    """Return every single value in a JSON document."""
    if isinstance(document, dict):
        return [text for value in document.values() for text in _texts(value)]
    if isinstance(document, list):
        return [text for value in document for text in _texts(value)]
    return [document]

"""Where our payloads differ from what others make of the same event, on purpose.

Two tables of docs/normalization.md, which `tests/oracles/test_differences.py` holds against these; the oracles let pass
what stands here and nothing else.
"""

from __future__ import annotations

from typing import Final, NamedTuple

LEFT_OUT: Final = "left out"


class Model(NamedTuple):
    """A place in a payload that a vendor's model does not have, or has in another form."""

    model: str
    place: str
    ours: str
    theirs: str
    why: str
    source: str


MODELS: Final = (
    Model(
        "Meta SDK",
        "currency",
        "`EUR`",
        "`eur`",
        "Meta's pages show both cases, most of their samples capitals",
        "page on custom data",
    ),
    Model(
        "Meta SDK",
        "lists",
        "without doubles, sorted",
        "without doubles, in any order",
        "the same event gives the same bytes in every process",
        "ours; Meta documents no order",
    ),
    Model(
        "Meta SDK",
        "customer_segmentation",
        "a field of `custom_data`",
        "no field of its own, but any custom property",
        "the page has the field",
        "page on custom data",
    ),
    Model(
        "Meta SDK",
        "event_source",
        "a field of `custom_data`",
        "no field of its own, but any custom property",
        "without both a CRM's lead never counts",
        "page on CRM integration, step 3",
    ),
    Model(
        "Meta SDK",
        "lead_event_source",
        "a field of `custom_data`",
        "no field of its own, but any custom property",
        "without both a CRM's lead never counts",
        "page on CRM integration, step 3",
    ),
    Model(
        "Meta SDK",
        "page_scoped_user_id",
        "a key of `user_data`",
        "no such key",
        "its channel of business messaging needs it",
        "page on business messaging",
    ),
    Model(
        "Meta SDK",
        "ig_account_id",
        "a key of `user_data`",
        "no such key",
        "its channel of business messaging needs it",
        "page on business messaging",
    ),
    Model(
        "Meta SDK",
        "ig_sid",
        "a key of `user_data`",
        "no such key",
        "its channel of business messaging needs it",
        "page on business messaging",
    ),
    Model(
        "Meta SDK",
        "whatsapp_business_account_id",
        "a key of `user_data`",
        "no such key",
        "its channel of business messaging needs it",
        "page on business messaging",
    ),
    Model(
        "Meta SDK",
        "messaging_channel: messenger",
        "sent",
        "knows `whatsapp` only",
        "the page has all three channels",
        "page on business messaging",
    ),
    Model(
        "Meta SDK",
        "messaging_channel: instagram",
        "sent",
        "knows `whatsapp` only",
        "the page has all three channels",
        "page on business messaging",
    ),
    Model(
        "Google messages",
        "leadId",
        "sent with leads",
        "not there yet",
        "the API has it since v1.9, and the package is one release older",
        "the API's description, revision 20261106",
    ),
    Model(
        "Pinterest models",
        "predicted_ltv",
        "sent as text with activities that have one",
        "not there yet",
        "the API description has it",
        "API description 5.23.0, while the models are of 5.14.0",
    ),
    Model(
        "Pinterest models",
        "view_content",
        "sent as a name of an event",
        "not among their nine names",
        "the API description has it; the models take any text",
        "API description 5.23.0",
    ),
    Model(
        "Pinterest models",
        "initiate_checkout",
        "sent as a name of an event",
        "not among their nine names",
        "the API description has it; the models take any text",
        "API description 5.23.0",
    ),
    Model(
        "Pinterest models",
        "add_payment_info",
        "sent as a name of an event",
        "not among their nine names",
        "the API description has it; the models take any text",
        "API description 5.23.0",
    ),
    Model(
        "Pinterest models",
        "subscribe",
        "sent as a name of an event",
        "not among their nine names",
        "the API description has it; the models take any text",
        "API description 5.23.0",
    ),
    Model(
        "Pinterest models",
        "submit_application",
        "sent as a name of an event",
        "not among their nine names",
        "the page on conversions has it; the models take any text",
        "page on conversions, which the API description does not follow",
    ),
    Model(
        "Pinterest models",
        "start_trial",
        "sent as a name of an event",
        "not among their nine names",
        "the page on conversions has it; the models take any text",
        "page on conversions, which the API description does not follow",
    ),
    Model(
        "Pinterest models",
        "contact",
        "sent as a name of an event",
        "not among their nine names",
        "the page on conversions has it; the models take any text",
        "page on conversions, which the API description does not follow",
    ),
    Model(
        "Pinterest models",
        "schedule",
        "sent as a name of an event",
        "not among their nine names",
        "the page on conversions has it; the models take any text",
        "page on conversions, which the API description does not follow",
    ),
)

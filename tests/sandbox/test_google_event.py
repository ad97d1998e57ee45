"""Google's rules for one event."""

from __future__ import annotations

import pytest
from google_calls import EVENT, NOW, changed, digest

from pipeline.sandbox.google_event import event_rule, warnings

BASE64 = "UJ6TMBm7KFoTSpM0uLtnnf950M4CPVKa9L10TUe0/Yo="
EMAIL = "userData.userIdentifiers.0.emailAddress"
ADDRESS = "userData.userIdentifiers.1.address"
IDENTIFIER = "e.user_data.user_identifiers[0]"
PLACE = "e.user_data.user_identifiers[1].address"
CART = {"merchantId": "7", "couponCodes": ["A"], "items": [{"itemId": "1", "quantity": "2", "unitPrice": 3.5}]}


def flaws(event: object, encoding: str = "HEX") -> list[tuple[str, str]]:
    """Return place and reason of everything that is wrong with an event."""
    return [(flaw.path, flaw.reason) for flaw in event_rule(encoding, {"main"}, NOW)(event, "e")]


def test_valid_event() -> None:
    """A complete order is taken."""
    assert [] == flaws(EVENT)


@pytest.mark.parametrize("value", [None, 1, "event", []])
def test_not_an_object(value: object) -> None:
    """An event that is no object is refused."""
    assert [("e", "INVALID_FORMAT")] == flaws(value)


@pytest.mark.parametrize(
    ("field", "path"),
    [("eventTimestamp", "e.event_timestamp"), ("transactionId", "e.transaction_id")],
)
def test_required_fields(field: str, path: str) -> None:
    """Every event needs a time and a transaction id."""
    assert [(path, "REQUIRED_FIELD_MISSING")] == flaws(changed(EVENT, field, ...))


def test_no_source() -> None:
    """An action that adds to a tag is told of no place."""
    assert [] == flaws(changed(EVENT, "eventSource", ...))


def test_transaction_id_that_looks_like_a_hash() -> None:
    """An order may be numbered as its shop likes, also with 64 hexadecimal digits."""
    assert [] == flaws(changed(EVENT, "transactionId", digest("ORD-1")))


@pytest.mark.parametrize(
    "value",
    [
        "2026-11-21T12:05:00Z",
        "2026-11-21T13:59:00+02:00",
        "2026-11-21T11:59:00.123456789Z",
        "2026-11-21T05:59:00-06:00",
    ],
)
def test_times(value: str) -> None:
    """A time is RFC 3339 with Z or an offset, at most five minutes ahead."""
    assert [] == flaws(changed(EVENT, "eventTimestamp", value))


@pytest.mark.parametrize(
    "value",
    [
        "2026-11-21T11:59:00",
        "2026-11-21 11:59:00Z",
        "2026-11-21T11:59Z",
        "2026-02-30T11:59:00Z",
        "2026-11-21T12:05:01Z",
        "2026-11-21T12:05:00.5Z",
        1_795_262_340,
        None,
    ],
)
def test_wrong_times(value: object) -> None:
    """A time without zone, one that does not exist and one in the future are refused."""
    assert [("e.event_timestamp", "EVENT_TIME_INVALID")] == flaws(changed(EVENT, "eventTimestamp", value))


@pytest.mark.parametrize(
    ("place", "value", "path", "reason"),
    [
        ("eventSource", "WEBSITE", "e.event_source", "INVALID_ENUM_VALUE"),
        ("transactionId", " ", "e.transaction_id", "INVALID_FORMAT"),
        ("transactionId", "ORD-1 ", "e.transaction_id", "INVALID_FORMAT"),
        ("transactionId", 17, "e.transaction_id", "INVALID_FORMAT"),
        ("transactionId", "dana@example.com", "e.transaction_id", "INVALID_FORMAT"),
        ("conversionValue", -1, "e.conversion_value", "INVALID_NUMBER_FORMAT"),
        ("conversionValue", "49.9", "e.conversion_value", "INVALID_NUMBER_FORMAT"),
        ("conversionValue", True, "e.conversion_value", "INVALID_NUMBER_FORMAT"),
        ("conversionValue", ..., "e.conversion_value", "REQUIRED_FIELD_MISSING"),
        ("currency", ..., "e.currency", "REQUIRED_FIELD_MISSING"),
        ("currency", "eur", "e.currency", "INVALID_CURRENCY_CODE"),
        ("currency", "XXY", "e.currency", "INVALID_CURRENCY_CODE"),
        ("conversionCount", 0, "e.conversion_count", "INVALID_NUMBER_FORMAT"),
        ("consent", "GRANTED", "e.consent", "INVALID_FORMAT"),
        ("consent.adUserData", "GRANTED", "e.consent.ad_user_data", "INVALID_ENUM_VALUE"),
        ("consent.adStorage", "CONSENT_GRANTED", "e.consent", "INVALID_FORMAT"),
        ("userProperties.customerType", "OLD", "e.user_properties.customer_type", "INVALID_ENUM_VALUE"),
        ("userProperties.customerValueBucket", "low", "e.user_properties.customer_value_bucket", "INVALID_ENUM_VALUE"),
        ("customVariables", [{"variable": "v"}], "e.custom_variables[0].value", "REQUIRED_FIELD_MISSING"),
        ("customVariables", [], "e.custom_variables", "REQUIRED_FIELD_MISSING"),
        ("destinationReferences", ["other"], "e.destination_references[0]", "INVALID_DESTINATION"),
        ("lastUpdatedTimestamp", "now", "e.last_updated_timestamp", "INVALID_FORMAT"),
        ("eventName", "purchase", "e", "INVALID_FORMAT"),
        ("clientId", "1.2", "e", "INVALID_FORMAT"),
        ("thirdPartyUserData", {}, "e", "INVALID_FORMAT"),
        ("transaction_id", "ORD-1", "e", "INVALID_FORMAT"),
        ("eventDeviceInfo.ipAddress", "203.0.113.7:80", "e.event_device_info.ip_address", "INVALID_FORMAT"),
        ("eventDeviceInfo.ipAddress", digest("203.0.113.7"), "e.event_device_info.ip_address", "INVALID_FORMAT"),
        ("eventDeviceInfo.userAgent", digest("Mozilla"), "e.event_device_info.user_agent", "INVALID_FORMAT"),
        ("eventDeviceInfo.screenWidth", "900", "e.event_device_info.screen_width", "INVALID_FORMAT"),
        ("eventDeviceInfo.os", "Linux", "e.event_device_info", "INVALID_FORMAT"),
        ("adIdentifiers.gclid", "", "e.ad_identifiers.gclid", "INVALID_FORMAT"),
        ("adIdentifiers.gclid", "GCL.1795.Cj0KCQ", "e.ad_identifiers.gclid", "INVALID_FORMAT"),
        ("adIdentifiers.gclid", digest("Cj0KCQ"), "e.ad_identifiers.gclid", "INVALID_FORMAT"),
        ("adIdentifiers.wbraid", "Cx0", "e.ad_identifiers", "INVALID_EVENT"),
        ("adIdentifiers.fbclid", "Cx0", "e.ad_identifiers", "INVALID_FORMAT"),
        ("adIdentifiers.dclid", "Cx0", "e.ad_identifiers.dclid", "INVALID_AD_IDENTIFIER_FOR_ACCOUNT"),
        ("adIdentifiers.ppid", "p", "e.ad_identifiers.ppid", "INVALID_AD_IDENTIFIER_FOR_ACCOUNT"),
        ("cartData", {**CART, "couponCodes": []}, "e.cart_data.coupon_codes", "REQUIRED_FIELD_MISSING"),
        ("cartData", {**CART, "transactionDiscount": "1"}, "e.cart_data.transaction_discount", "INVALID_NUMBER_FORMAT"),
        ("cartData", {"items": [{"quantity": 0}]}, "e.cart_data.items[0].quantity", "INVALID_NUMBER_FORMAT"),
        ("cartData", {"items": [{"quantity": 1.5}]}, "e.cart_data.items[0].quantity", "INVALID_NUMBER_FORMAT"),
        ("cartData", {"items": [{"unitPrice": "3"}]}, "e.cart_data.items[0].unit_price", "INVALID_NUMBER_FORMAT"),
        ("cartData", {"id": "7"}, "e.cart_data", "INVALID_FORMAT"),
    ],
)
def test_wrong_fields(place: str, value: object, path: str, reason: str) -> None:
    """A field that is unknown, of the wrong type or of the wrong form is named with its reason."""
    assert [(path, reason)] == flaws(changed(EVENT, place, value))


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("conversionValue", 0),
        ("conversionValue", 4500),
        ("conversionCount", 2.5),
        ("destinationReferences", ["main"]),
        ("destinationReferences", []),
        ("cartData", CART),
        ("cartData", {"items": [{"itemId": "1", "quantity": 2, "additionalItemParameters": []}]}),
        ("userProperties", {"customerType": "NEW", "customerValueBucket": "HIGH"}),
        ("customVariables", [{"variable": "v", "value": "x", "destinationReferences": ["main"]}]),
        ("eventDeviceInfo", {"ipAddress": "2001:db8::7", "userAgent": "Mozilla/5.0", "screenWidth": 900}),
        ("adIdentifiers", {"wbraid": "Cx0_-"}),
        ("adIdentifiers", {"gclid": "Cx0", "leadId": "l-1", "landingPageDeviceInfo": {"userAgent": "Mozilla"}}),
        ("consent", {"adUserData": "CONSENT_STATUS_UNSPECIFIED"}),
        ("consent", ...),
        (ADDRESS + ".postalCode", "94045-1234"),
    ],
)
def test_allowed_fields(place: str, value: object) -> None:
    """Every documented field is taken in its documented form."""
    assert [] == flaws(changed(EVENT, place, value))


@pytest.mark.parametrize(
    ("place", "value", "path", "reason"),
    [
        (EMAIL, "alexz@example.com", IDENTIFIER, "INVALID_HEX_ENCODING"),
        (EMAIL, digest("a").upper(), IDENTIFIER, "INVALID_HEX_ENCODING"),
        (EMAIL, BASE64, IDENTIFIER, "INVALID_HEX_ENCODING"),
        (EMAIL, None, IDENTIFIER, "INVALID_HEX_ENCODING"),
        (EMAIL, digest("a")[:62], IDENTIFIER, "INVALID_SHA256_FORMAT"),
        (EMAIL, digest(""), IDENTIFIER, "INVALID_SHA256_FORMAT"),
        (EMAIL, digest("null"), IDENTIFIER, "INVALID_SHA256_FORMAT"),
        ("userData.userIdentifiers.0.phoneNumber", digest("+1"), IDENTIFIER, "INVALID_FORMAT"),
        ("userData.userIdentifiers.0", {}, IDENTIFIER, "INVALID_FORMAT"),
        ("userData.userIdentifiers.0", {"email": digest("a")}, IDENTIFIER, "INVALID_FORMAT"),
        ("userData.userIdentifiers.0", digest("a"), IDENTIFIER, "INVALID_FORMAT"),
        ("userData.userIdentifiers", [], "e.user_data.user_identifiers", "REQUIRED_FIELD_MISSING"),
        ("userData.userIdentifiers", ..., "e.user_data.user_identifiers", "REQUIRED_FIELD_MISSING"),
        ("userData.emails", [], "e.user_data", "INVALID_FORMAT"),
        (ADDRESS + ".givenName", "dana", PLACE + ".given_name", "INVALID_HEX_ENCODING"),
        (ADDRESS + ".familyName", ..., PLACE + ".family_name", "REQUIRED_FIELD_MISSING"),
        (ADDRESS + ".regionCode", "us", PLACE + ".region_code", "INVALID_FORMAT"),
        (ADDRESS + ".regionCode", digest("US"), PLACE + ".region_code", "INVALID_FORMAT"),
        (ADDRESS + ".postalCode", digest("94045"), PLACE + ".postal_code", "INVALID_POSTAL_CODE"),
        (ADDRESS + ".postalCode", " 94045", PLACE + ".postal_code", "INVALID_POSTAL_CODE"),
        (ADDRESS + ".postalCode", "9404", PLACE + ".postal_code", "INVALID_POSTAL_CODE"),
        (ADDRESS + ".postalCode", ..., PLACE + ".postal_code", "REQUIRED_FIELD_MISSING"),
        (ADDRESS + ".city", "mountain view", PLACE, "INVALID_FORMAT"),
    ],
)
def test_user_data(place: str, value: object, path: str, reason: str) -> None:
    """Names, mail and phone are SHA-256, region and postal code are clear, and an address is whole."""
    assert [(path, reason)] == flaws(changed(EVENT, place, value))


@pytest.mark.parametrize(
    ("code", "reasons"), [("SW1A 1AA", []), (" SW1A 1AA", ["INVALID_POSTAL_CODE"]), ("", ["INVALID_POSTAL_CODE"])]
)
def test_postal_codes_elsewhere(code: str, reasons: list[str]) -> None:
    """Outside the United States a postal code is any text without spaces around it."""
    event = changed(changed(EVENT, ADDRESS + ".regionCode", "GB"), ADDRESS + ".postalCode", code)

    assert reasons == [reason for _, reason in flaws(event)]


@pytest.mark.parametrize(
    ("value", "reasons"),
    [
        (BASE64, []),
        (digest("a"), ["INVALID_SHA256_FORMAT"]),
        (BASE64.rstrip("="), ["INVALID_BASE64_ENCODING"]),
        (BASE64 + "\n", ["INVALID_BASE64_ENCODING"]),
        (BASE64.replace("/", "_"), ["INVALID_BASE64_ENCODING"]),
        ("47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=", ["INVALID_SHA256_FORMAT"]),
    ],
)
def test_base64(value: str, reasons: list[str]) -> None:
    """With BASE64, a hash is 32 bytes in padded standard Base64, and not that of nothing."""
    event = changed(changed(EVENT, "userData.userIdentifiers.1", ...), EMAIL, value)

    assert reasons == [reason for _, reason in flaws(event, "BASE64")]


def test_identifier_limit() -> None:
    """An event has at most ten identifiers."""
    many = [{"phoneNumber": digest(str(number))} for number in range(11)]
    path = "e.user_data.user_identifiers"

    assert [] == flaws(changed(EVENT, "userData.userIdentifiers", many[:10]))
    assert [(path, "TOO_MANY_USER_IDENTIFIERS")] == flaws(changed(EVENT, "userData.userIdentifiers", many))


@pytest.mark.parametrize(
    ("given", "reasons"),
    [
        ({}, ["NO_IDENTIFIERS_PROVIDED"]),
        ({"adIdentifiers": {"leadId": "l-1"}}, ["NO_IDENTIFIERS_PROVIDED"]),
        ({"eventDeviceInfo": {"userAgent": "Mozilla"}}, ["NO_IDENTIFIERS_PROVIDED"]),
        ({"adIdentifiers": {"gbraid": "Cx0"}}, []),
        ({"adIdentifiers": {"sessionAttributes": "abc"}}, []),
        ({"adIdentifiers": {"landingPageDeviceInfo": {"ipAddress": "203.0.113.7"}}}, []),
        ({"eventDeviceInfo": {"ipAddress": "203.0.113.7"}}, []),
        ({"userData": EVENT["userData"]}, []),
    ],
)
def test_identified(given: dict[str, object], reasons: list[str]) -> None:
    """An event needs a click id, an IP address, session attributes or user data."""
    event = changed(changed(EVENT, "adIdentifiers", ...), "userData", ...)

    assert reasons == [reason for _, reason in flaws({**event, **given})]


def test_all_flaws_are_listed() -> None:
    """Everything that is wrong with an event is listed, not only the first."""
    event = changed(changed(EVENT, "currency", "euro"), EMAIL, "a@example.com")

    assert 2 == len(flaws(event))


@pytest.mark.parametrize(("click", "warned"), [("gclid", []), ("gbraid", ["e.cart_data"]), ("wbraid", ["e.cart_data"])])
def test_cart_warning(click: str, warned: list[str]) -> None:
    """A cart beside a gbraid or wbraid is ignored, and the sender is told."""
    event = {**EVENT, "adIdentifiers": {click: "Cx0"}, "cartData": CART}

    assert warned == [flaw.path for flaw in warnings(event, "e")]
    assert [] == flaws(event)

"""What differs between platforms in the laws that hold for every one of them: a small table for each platform.

Each destination is set up for every place and event, and with every option that adds to a payload.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson
from contract_events import document
from google_events import SECRETS, google, options
from hypothesis import strategies as st
from meta_events import APP, CONVERSATIONS, Changes, meta
from pinterest_events import pinterest
from snapchat_events import snapchat
from tiktok_events import tiktok

from pipeline.core.contract import EVENTS_OF
from pipeline.core.match_key import MatchKey
from pipeline.core.model import Accepted, Batch, Blamed, Doubt, Halt, Later, Mixed, Reply, Shaped
from pipeline.platforms import meta as meta_module
from pipeline.platforms import pinterest as pinterest_module
from pipeline.platforms import snapchat as snapchat_module
from pipeline.platforms import tiktok as tiktok_module
from pipeline.platforms.base import Platform
from pipeline.platforms.common import TAKEN_BACK
from pipeline.platforms.google_keys import GOOGLE_KEYS
from pipeline.platforms.google_options import Cart
from pipeline.platforms.meta_keys import META_KEYS
from pipeline.platforms.pinterest_keys import PINTEREST_KEYS
from pipeline.platforms.snapchat_keys import SNAPCHAT_KEYS
from pipeline.platforms.tiktok_keys import TIKTOK_KEYS
from pipeline.sandbox.contract import Call
from pipeline.sandbox.controls import Controls
from pipeline.sandbox.google import INGEST
from pipeline.sandbox.google import Google as GoogleSandbox
from pipeline.sandbox.google_outcome import GoogleKnobs
from pipeline.sandbox.meta_event import check_event as check_meta
from pipeline.sandbox.pinterest_event import check_event as check_pinterest
from pipeline.sandbox.pinterest_schema import check_events as check_pinterest_schema
from pipeline.sandbox.snapchat_event import check_event as check_snapchat
from pipeline.sandbox.tiktok_event import check_event as check_tiktok

Sent = Mapping[str, Any]
Values = st.SearchStrategy[Any]

DEVICE: Final = APP | {"app_name": "Example Shop", "vendor_id": "3F2504E0-4F89-11D3-9A0C-0305E82C3301"}
LISTS: Final = ("emails", "phones", "external_ids")


@dataclass(frozen=True, slots=True)
class Law:
    """One platform in the words of the laws."""

    platform: Platform
    keys: Sequence[MatchKey]
    # What the platform wants as it is: fields of the contract by their paths.
    clear: frozenset[str]
    # What the sandbox, which shares no code with the sender, finds wrong with an event at that time, or None.
    flaw: Callable[[Shaped, float], object]
    # The values of a payload that stand for people by their hash.
    hashes: Callable[[Sent], Iterator[object]]
    # The event's name, its time in whole seconds where it is sent so, and its match keys, as the payload has them.
    told: Callable[[Sent], tuple[str | None, int | None, list[str]]]
    # Names that no custom activity may take.
    standard: frozenset[str]
    # What an answer is made of beside anything: values for any place, and the form of an answer.
    words: Sequence[object]
    answer: Callable[[Values], Values]
    verdicts: tuple[type, ...]
    accepting: range = range(200, 201)
    # The lists of a customer whose order changes nothing.
    lists: Sequence[str] = LISTS
    # Changes of the sample order, each of which makes it refused.
    kept_back: Sequence[Changes] = ({"touch": {}},)
    # The statuses of answers that may take some of a batch and refuse others; those of success where none are given.
    mixing: frozenset[int] | None = None
    # Suspects beyond the batch are left to the splitting, which passes them over.
    names_within_batch: bool = True

    @property
    def name(self) -> str:
        """The platform's name in the destinations file."""
        return self.platform.destination.platform


def in_user_data(keys: Sequence[MatchKey], section: str) -> Callable[[Sent], Iterator[object]]:
    """Return how the hashes of a section are found, lists or single values."""
    hashed = {key.name for key in keys if key.form.value.startswith("hashed")}

    def find(sent: Sent) -> Iterator[object]:
        for name, value in sent[section].items():
            if name in hashed:
                yield from value if isinstance(value, list) else [value]

    return find


def as_named(sent: Sent) -> tuple[str | None, int | None, list[str]]:
    """Return what an event says of itself where the vendor follows Meta's form."""
    return sent["event_name"], sent["event_time"], list(sent["user_data"])


def _touch(names: str) -> set[str]:
    return {f"touch.{name}" for name in names.split()}


def _optional(**parts: Values) -> Values:
    return st.fixed_dictionaries({}, optional=parts)


def _either(values: Values, *likely: object) -> Values:
    return st.sampled_from(likely) | values


# Meta.
def _meta_answer(values: Values) -> Values:
    keys = "code error_subcode is_transient error_user_msg message fbtrace_id error_data".split()
    error = st.dictionaries(st.sampled_from(keys), values)
    return _optional(error=error | values, events_received=st.integers(0, 5) | values, fbtrace_id=values)


META: Final = Law(
    platform=meta(),
    keys=META_KEYS,
    clear=frozenset(
        {
            "customer.facebook_login_id",
            *_touch("url referrer client_ip client_ipv6 user_agent fbc fbp fbclid"),
            *(f"app.{name}" for name in "advertising_id anonymous_id extinfo".split()),
            *(f"messaging.{name}" for name in "page_scoped_user_id instagram_user_id ctwa_clid".split()),
            "meta_lead_id",
            "query",
        }
    ),
    flaw=lambda found, now: check_meta(orjson.loads(found.payload), now),
    hashes=in_user_data(META_KEYS, "user_data"),
    told=as_named,
    standard=meta_module.STANDARD_EVENTS,
    words=(100, 190, 4),
    answer=_meta_answer,
    verdicts=(Accepted, Mixed, Doubt, Later, Halt),
    names_within_batch=False,
)


# TikTok.
def _tiktok_flaw(found: Shaped, now: float) -> object:
    return check_tiktok(found.group.partition(":")[0], orjson.loads(found.payload), now)


def _tiktok_told(sent: Sent) -> tuple[str | None, int | None, list[str]]:
    # The lead's id stands with the lead, and what the person answered to Apple is no key.
    keys = [name for name in sent["user"] if name != "att_status"]
    return sent["event"], sent["event_time"], [*keys, *(["lead_id"] if "lead_id" in sent.get("lead", {}) else [])]


def _tiktok_answer(values: Values) -> Values:
    return _optional(
        code=_either(values, 0, 20001, 40002, 40050, 40100, 40105, 50000),
        message=_either(values, "data.3.user", "event_source_id", "Batch.9999.x"),
        request_id=values,
        data=values,
    )


TIKTOK: Final = Law(
    platform=tiktok(),
    keys=TIKTOK_KEYS,
    clear=frozenset(
        {
            *(f"customer.{name}" for name in "city region country".split()),
            *_touch("url referrer client_ip client_ipv6 user_agent language ttclid ttp"),
            "app.vendor_id",
            "tiktok_lead_id",
            "query",
        }
    ),
    flaw=_tiktok_flaw,
    hashes=in_user_data(TIKTOK_KEYS, "user"),
    told=_tiktok_told,
    standard=tiktok_module.STANDARD_EVENTS,
    words=(0, 40002),
    answer=_tiktok_answer,
    verdicts=(Accepted, Mixed, Doubt, Later, Halt),
    # A code decides, whatever the status of its answer.
    mixing=frozenset(range(100, 500)),
    kept_back=({"customer.phones": [], "customer.external_ids": [], "touch": {}},),
)


# Pinterest.
def _pinterest_flaw(found: Shaped, now: float) -> object:
    sent = orjson.loads(found.payload)
    return check_pinterest_schema([sent]) or check_pinterest(sent, now)


def _pinterest_report(values: Values) -> dict[str, Values]:
    row = st.fixed_dictionaries(
        {"status": _either(values, "processed", "failed")},
        optional={"error_message": _either(values, "Invalid em parameter."), "warning_message": values},
    )
    return {
        "num_events_received": st.integers(0, 5) | values,
        "num_events_processed": st.integers(0, 5) | values,
        "events": st.lists(row, max_size=5) | values,
    }


def _pinterest_answer(values: Values) -> Values:
    report = _pinterest_report(values)
    return _optional(
        **report,
        code=_either(values, 2, 8, 29, 953, 4196, 4197),
        message=values,
        details=_optional(**report) | values,
    )


PINTEREST: Final = Law(
    platform=pinterest(),
    keys=PINTEREST_KEYS,
    clear=frozenset({*_touch("url client_ip client_ipv6 user_agent language epik"), "query"}),
    flaw=_pinterest_flaw,
    hashes=in_user_data(PINTEREST_KEYS, "user_data"),
    told=as_named,
    standard=pinterest_module.STANDARD_EVENTS,
    words=("failed",),
    answer=_pinterest_answer,
    verdicts=(Accepted, Mixed, Doubt, Later, Halt),
    mixing=frozenset({200, 422}),
)


# Snapchat.
def _snapchat_answer(values: Values) -> Values:
    word = _either(values, "VALID", "INVALID", "FAILED")
    errors = _optional(codes=st.lists(values, max_size=2) | values) | values
    log = st.fixed_dictionaries({"event": values, "status": word, "errors": errors})
    record = st.fixed_dictionaries({"record_indexes": st.lists(values, max_size=3) | values})
    return _optional(
        status=word,
        reason=_either(values, "bad token", "no"),
        event=values,
        errors=errors,
        event_logs=st.lists(log | values, max_size=3) | values,
        error_records=st.lists(record | values, max_size=3) | values,
    )


SNAPCHAT: Final = Law(
    platform=snapchat(),
    keys=SNAPCHAT_KEYS,
    clear=frozenset(
        {
            *_touch("url client_ip client_ipv6 user_agent sc_click_id sc_cookie1"),
            *(f"app.{name}" for name in "advertising_id vendor_id extinfo".split()),
            "snap_lead_id",
            "query",
        }
    ),
    flaw=lambda found, now: check_snapchat(orjson.loads(found.payload), now),
    hashes=in_user_data(SNAPCHAT_KEYS, "user_data"),
    told=as_named,
    standard=snapchat_module.STANDARD_EVENTS,
    words=(0, 1, "1"),
    answer=_snapchat_answer,
    verdicts=(Accepted, Mixed, Blamed, Doubt, Later, Halt),
    accepting=range(200, 300),
    # Of several ids one is sent: the first.
    lists=("emails", "phones"),
    kept_back=({"customer.phones": [], "touch": {"url": "https://shop.example"}},),
)


# Google.
def _google_flaw(found: Shaped, now: float) -> object:
    sender = GOOGLE.platform
    request = sender.request(Batch([found.payload], found.group), SECRETS)
    call = Call(1, request.method, {}, {}, request.headers, body=request.body, route=INGEST)
    answer = GoogleSandbox(Controls(), GoogleKnobs()).judge(call, now).reply
    verdict = sender.read(Reply(answer.status, answer.headers, answer.body), 1)
    return None if isinstance(verdict, Accepted) else verdict


def _google_hashes(sent: Sent) -> Iterator[object]:
    for one in sent.get("userData", {}).get("userIdentifiers", ()):
        for name, value in {**one, **one.get("address", {})}.items():
            if name in {"emailAddress", "phoneNumber", "givenName", "familyName"}:
                yield value


def _google_told(sent: Sent) -> tuple[str | None, int | None, list[str]]:
    # The name is the conversion action's, which the request tells, and the time has milliseconds.
    people = dict.fromkeys(name for one in sent.get("userData", {}).get("userIdentifiers", ()) for name in one)
    return None, None, [*people, *sent.get("adIdentifiers", ()), *sent.get("eventDeviceInfo", ())]


def _google_answer(values: Values) -> Values:
    violation = st.dictionaries(st.sampled_from(["field", "reason", "description"]), values)
    detail = st.dictionaries(st.sampled_from(["reason", "requestId", "retryDelay", "metadata"]), values) | (
        _optional(fieldViolations=st.lists(violation, max_size=3) | values)
    )
    error = _optional(status=values, details=st.lists(detail, max_size=3) | values)
    return _optional(error=error | values, requestId=values, fieldWarnings=st.lists(violation, max_size=3) | values)


_ACTIONS: Final = {
    name: str(number)
    for number, name in enumerate((name for names in EVENTS_OF.values() for name in names), 1)
    if name not in TAKEN_BACK
}
GOOGLE: Final = Law(
    platform=google(options(conversion_actions=_ACTIONS, send_ip=True, cart=Cart("4711", "GB", "en"))),
    keys=GOOGLE_KEYS,
    clear=frozenset(
        {
            "customer.country",
            "customer.postal_code",
            *_touch("client_ip client_ipv6 user_agent gclid wbraid gbraid gad_session_attributes"),
            "google_lead_id",
        }
    ),
    flaw=_google_flaw,
    hashes=_google_hashes,
    told=_google_told,
    standard=frozenset(),
    words=(
        *("INVALID_ARGUMENT", "RESOURCE_EXHAUSTED", "INVALID_FORMAT", "events.events[0]", "destinations[0]"),
        *("IngestionMutateRequestsPerDayPerProject", "r-1"),
    ),
    answer=_google_answer,
    verdicts=(Accepted, Blamed, Doubt, Later, Halt),
    kept_back=({"customer.phones": [], "customer.country": None, "touch": {}},),
)

LAWS: Final[Mapping[str, Law]] = {law.name: law for law in (META, TIKTOK, PINTEREST, SNAPCHAT, GOOGLE)}


def anywhere(kind: Any, source: str, changes: Changes) -> dict[str, object]:  # noqa: ANN401 - a Kind, see `document`
    """Return the sample of a kind, with every section, as if it had happened at that place."""
    return document(kind, {"action_source": source, "app": DEVICE, "messaging": CONVERSATIONS["WHATSAPP"], **changes})

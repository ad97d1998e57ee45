"""Pinterest's verdict on a whole call, and what a sender sees of it over HTTP."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import orjson
import pytest
from aiohttp import ClientSession

from pipeline.sandbox.config import SandboxConfig
from pipeline.sandbox.contract import Call, Failure, Reply, Verdict
from pipeline.sandbox.controls import Access, Controls, Rejection, Usage
from pipeline.sandbox.faults import RateLimit, ShortCount, Token
from pipeline.sandbox.pinterest import Pinterest
from pipeline.sandbox.server import Sandbox, running_sandbox

Event = dict[str, object]
MakeCall = Callable[..., Call]

PATH = {"version": "v5", "dataset": "549755885175"}
DAY = 86_400


@pytest.fixture
def event(now: float) -> Event:
    """Return the least that Pinterest takes."""
    return {
        "event_name": "lead",
        "action_source": "offline",
        "event_time": int(now),
        "event_id": "lead-1",
        "user_data": {"em": [hashlib.sha256(b"person@example.com").hexdigest()]},
    }


@pytest.fixture
def ask(make_call: MakeCall, now: float) -> Callable[..., Verdict]:
    """Return a function that has events judged; keyword arguments replace parts of the call."""

    def judge(events: object, controls: Controls | None = None, **parts: object) -> Verdict:
        call = make_call({"data": events}, **{"path": PATH, **parts})
        return Pinterest(controls or Controls()).judge(call, now)

    return judge


Ask = Callable[..., Verdict]


def body(reply: Reply) -> dict[str, object]:
    """Return the JSON object of a reply."""
    document: dict[str, object] = orjson.loads(reply.body)
    return document


def seen(verdict: Verdict) -> tuple[int, str]:
    """Return the HTTP status and the label of a verdict."""
    return verdict.reply.status, verdict.label


def test_processed(ask: Ask, event: Event) -> None:
    """A request whose events are all valid is answered with a row for each."""
    verdict = ask([event, event | {"event_id": "lead-2"}])
    row = {"status": "processed", "error_message": "", "warning_message": ""}

    assert {"num_events_received": 2, "num_events_processed": 2, "events": [row, row]} == body(verdict.reply)
    assert ["lead-1", "lead-2"] == [one.event_id for one in verdict.accepted]
    assert ("ok", PATH["dataset"], 2, 2) == (verdict.label, verdict.dataset, verdict.received, verdict.taken)


def test_partly_failed(ask: Ask, event: Event) -> None:
    """One invalid event fails alone, in the order of the request, and the others are kept."""
    verdict = ask([event, event | {"event_time": 1, "event_id": "old"}, event | {"event_id": "lead-2"}])
    document = body(verdict.reply)
    details = document["details"]
    assert isinstance(details, dict)

    assert ((422, "953"), 953) == (seen(verdict), document["code"])
    assert (3, 2) == (details["num_events_received"], details["num_events_processed"])
    assert ["processed", "failed", "processed"] == [row["status"] for row in details["events"]]
    assert ["lead-1", "lead-2"] == [one.event_id for one in verdict.accepted]
    assert (2, 1) == (verdict.taken, len(verdict.refused))


def test_all_failed(ask: Ask, event: Event) -> None:
    """A request without a valid event keeps nothing."""
    verdict = ask([event | {"event_time": 1}])

    assert ((422, "953"), 0, []) == (seen(verdict), verdict.taken, list(verdict.accepted))


def test_schema_refuses_all(ask: Ask, event: Event) -> None:
    """One event outside the schema refuses the whole request, and only the unexpected key is told."""
    verdict = ask([event, event | {"custom_data": {"category_name": "shirts"}}])
    told = "Invalid request: Additional properties are not allowed ('category_name' was unexpected)"

    assert {"code": 4196, "message": told} == body(verdict.reply)
    assert ((400, "4196"), [], 2, 2) == (seen(verdict), list(verdict.accepted), verdict.received, len(verdict.refused))


@pytest.mark.parametrize(
    "spoiled",
    [
        {"event_id": 10_977},
        {"event_time": 1_097_710_977},
        {"event_time": 10_977_109_770},
        {"event_name": "x10977"},
        {"event_source_url": "10977"},
        {"user_data": {"em": ["x10977@example.com"]}},
        {"user_data": {"em": "x10977@example.com"}},
        {"custom_data": {"value": 10_977.5}},
        {"custom_data": {"value": "10977 EUR"}},
        {"x10977@example.com": 1},
        {"language": "x10977"},
    ],
)
def test_values_stay_unsaid(ask: Ask, event: Event, spoiled: Event) -> None:
    """No answer repeats a value that was sent."""
    reply = ask([event | spoiled]).reply

    assert (True, False) == (reply.status in (400, 422), b"10977" in reply.body)


@pytest.mark.parametrize(
    ("parts", "status", "label"),
    [
        ({"path": PATH | {"version": "v3"}}, 404, "404"),
        ({"path": PATH | {"version": "v6"}}, 404, "404"),
        ({"method": "GET"}, 405, "405"),
        ({"method": "PUT"}, 405, "405"),
        ({"path": PATH | {"dataset": "act_1"}}, 400, "4196"),
        ({"path": PATH | {"dataset": "1" * 19}}, 400, "4196"),
        ({"path": PATH | {"dataset": "1" * 18}}, 200, "ok"),
        ({"query": {"test": "True"}}, 400, "4196"),
        ({"query": {"test": ""}}, 400, "4196"),
        ({"query": {"access_token": "good"}}, 400, "4196"),
        ({"query": {"test": "false"}}, 200, "ok"),
        ({"headers": {"Content-Type": "text/plain", "Authorization": "Bearer good"}}, 400, "4196"),
        ({"headers": {"Content-Type": "application/json; charset=utf-8", "Authorization": "Bearer x"}}, 200, "ok"),
        ({"headers": {"Content-Type": "multipart/form-data", "Authorization": "Bearer good"}}, 400, "4196"),
        ({"body": b"{"}, 400, "4196"),
        ({"body": b""}, 400, "4196"),
        ({"body": b'{"data":[]}'}, 400, "4196"),
        ({"body": b" " * (2 * 1024 * 1024 + 1)}, 400, "4196"),
    ],
)
def test_requests(ask: Ask, event: Event, parts: dict[str, object], status: int, label: str) -> None:
    """Path, method, account, query, media type and body each have their form."""
    assert (status, label) == seen(ask([event], **parts))


def test_body_limit(ask: Ask, make_call: MakeCall, event: Event) -> None:
    """A body of exactly 2 MiB is taken, and one more byte is too large."""
    whole = make_call({"data": [event]}).body.ljust(2 * 1024 * 1024)

    assert ["ok", "4196"] == [ask([], body=text).label for text in (whole, whole + b" ")]


@pytest.mark.parametrize(
    ("header", "status"),
    [
        ("Bearer good", 200),
        ("Bearer other", 401),
        ("Bearer old", 401),
        ("Bearer gone", 401),
        ("Bearer ", 401),
        ("Basic good", 401),
        ("bearer good", 401),
        ("good", 401),
    ],
)
def test_tokens(ask: Ask, event: Event, header: str, status: int) -> None:
    """A token that is missing, unknown, expired or revoked is 401 with code 2."""
    access = Access(frozenset(["good"]), frozenset(["old"]), frozenset(["gone"]))
    headers = {"Content-Type": "application/json", "Authorization": header}
    verdict = ask([event], Controls(access), headers=headers)

    assert (status, "ok" if status == 200 else "2") == seen(verdict)
    assert status == 200 or {"code": 2, "message": "Authentication failed."} == body(verdict.reply)


@pytest.mark.parametrize(("account", "seen_as"), [(PATH["dataset"], (200, "ok")), ("999", (403, "29"))])
def test_accounts(ask: Ask, event: Event, account: str, seen_as: tuple[int, str]) -> None:
    """An ad account that the token may not use is 403 with code 29."""
    controls = Controls(Access(datasets=frozenset([PATH["dataset"]])))

    assert seen_as == seen(ask([event], controls, path=PATH | {"dataset": account}))


def test_thousand_events(ask: Ask, event: Event) -> None:
    """A thousand events fit in one request, and one more does not."""
    events = [event | {"event_id": str(number)} for number in range(1001)]

    assert [1000, 0] == [ask(some).taken for some in (events[:1000], events)]


@pytest.mark.parametrize(("code", "status"), [(100, 422), (953, 422), (200, 200)])
def test_rejections(ask: Ask, event: Event, code: int, status: int) -> None:
    """An event that only the platform refuses fails in a 422, or in a 200 if the rule says so."""
    controls = Controls(rejections=[Rejection("poison-*", code)])
    verdict = ask([event, event | {"event_id": "poison-7"}], controls)
    document = body(verdict.reply)
    report = document if status == 200 else document["details"]
    assert isinstance(report, dict)

    assert ((status, "953"), 1) == (seen(verdict), report["num_events_processed"])
    assert ["processed", "failed"] == [row["status"] for row in report["events"]]
    assert ["lead-1"] == [one.event_id for one in verdict.accepted]
    assert b"poison" not in verdict.reply.body


def test_worst_status_wins(ask: Ask, event: Event) -> None:
    """A failure by the rules makes a 422 of a rejection that asked for 200."""
    controls = Controls(rejections=[Rejection("poison-*", 200)])
    events = [event | {"event_id": "poison-7"}, event | {"event_time": 1}]

    assert (422, "953") == seen(ask(events, controls))


def test_sender_fault(ask: Ask, event: Event) -> None:
    """The hash of nothing is flagged in the verdict and spares the other events."""
    verdict = ask([event, event | {"user_data": {"em": [hashlib.sha256(b"").hexdigest()]}}])

    assert ("hash_of_empty", 1) == (verdict.sender_fault, verdict.taken)


def test_warning(ask: Ask, event: Event) -> None:
    """A name that only the guide knows is processed with a warning."""
    verdict = ask([event | {"event_name": "submit_application"}])
    row = {"status": "processed", "error_message": "", "warning_message": "The event_name is not a standard one"}

    assert ([row], {"event_name_not_in_spec": 1}) == (body(verdict.reply)["events"], verdict.notices)


def test_notices(ask: Ask, event: Event, now: float) -> None:
    """Late events are counted, those that failed are not, and the answer says nothing of it."""
    late = event | {"action_source": "app_ios", "app_id": "x", "event_time": int(now) - 3_601}
    verdict = ask([late, late | {"event_name": "Lead"}, event])

    assert {"late_as_offline": 1} == verdict.notices
    assert b"late" not in verdict.reply.body


@pytest.mark.parametrize(("query", "code"), [({"test": "true"}, "test"), ({"test": "false"}, None), ({}, None)])
def test_test_mode(ask: Ask, event: Event, query: dict[str, str], code: str | None) -> None:
    """`test=true` marks the verdict, and the answer is the same."""
    live = ask([event])
    verdict = ask([event], query=query)

    assert (code, live.reply) == (verdict.test_event_code, verdict.reply)


@pytest.mark.parametrize(
    ("changes", "same"),
    [
        ({"event_time": 1_799_999_000}, True),
        ({"event_id": "lead-2"}, False),
        ({"event_name": "signup"}, False),
    ],
)
def test_identity(ask: Ask, event: Event, changes: Event, same: object) -> None:
    """An event is known again by ad account, name and id."""
    first, second = (ask([one]).accepted[0].key for one in (event, event | changes))

    assert same is (first == second)


def test_identity_of_accounts(ask: Ask, event: Event) -> None:
    """The same event in another ad account is another event."""
    first, second = (ask([event], path=PATH | {"dataset": name}).accepted[0].key for name in ("1", "2"))

    assert first != second


@pytest.mark.parametrize(("source", "window"), [("web", DAY), ("app_ios", DAY), ("app_android", DAY), ("offline", 0)])
def test_window(ask: Ask, event: Event, source: str, window: int) -> None:
    """A duplicate is known for 24 hours, an offline event never."""
    assert window == ask([event | {"action_source": source}]).accepted[0].window_s


def test_fast(ask: Ask) -> None:
    """In fast mode events are counted and neither checked nor listed."""
    verdict = ask([{}, {}], Controls(fast=True), query={"test": "true"})

    assert ("ok", 2, 0, "test") == (verdict.label, verdict.taken, len(verdict.accepted), verdict.test_event_code)
    assert 2 == body(verdict.reply)["num_events_processed"]


@pytest.mark.parametrize(("missing", "kept"), [(1, 1), (2, 0), (5, 0)])
@pytest.mark.parametrize("fast", [True, False])
def test_shortened(make_call: MakeCall, event: Event, missing: int, kept: int, fast: object, now: float) -> None:
    """A short count lists fewer events than were received, and the verdict keeps no more."""
    pinterest = Pinterest(Controls(fast=bool(fast)))
    call = make_call({"data": [event, event | {"event_id": "lead-2"}]}, path=PATH)
    verdict = pinterest.shortened(call, pinterest.judge(call, now), missing)
    report = body(verdict.reply)
    rows = report["events"]
    assert isinstance(rows, list)

    assert (2, kept, kept) == (report["num_events_received"], report["num_events_processed"], len(rows))
    assert (kept, 0 if fast else kept, 0 if fast else 2 - kept) == (
        verdict.taken,
        len(verdict.accepted),
        len(verdict.refused),
    )


def test_shortened_notices(make_call: MakeCall, event: Event, now: float) -> None:
    """A short count notes nothing, for what it dropped was not taken."""
    pinterest = Pinterest(Controls())
    call = make_call({"data": [event | {"event_name": "contact"}]}, path=PATH)

    assert {} == pinterest.shortened(call, pinterest.judge(call, now), 1).notices


@pytest.mark.parametrize(
    ("failure", "status"),
    [
        (Failure(2), 401),
        (Failure(29), 403),
        (Failure(8), 429),
        (Failure(953), 422),
        (Failure(4196), 400),
        (Failure(4197), 503),
        (Failure(1), 400),
        (Failure(1, status=500), 500),
    ],
)
def test_failures(make_call: MakeCall, failure: Failure, status: int) -> None:
    """An injected failure has its code's HTTP status and Pinterest's two fields."""
    reply = Pinterest(Controls()).failure(make_call(path=PATH), failure)
    document = body(reply)

    assert (status, failure.code) == (reply.status, document["code"])
    assert {"code", "message"} | ({"details"} if failure.code == 953 else set()) == document.keys()


def test_failure_text(make_call: MakeCall) -> None:
    """An injected failure may bring its own text and a wait."""
    reply = Pinterest(Controls()).failure(make_call(path=PATH), Failure(8, message="slow down", retry_after=9))

    assert ("slow down", "9") == (body(reply)["message"], reply.headers["Retry-After"])


@pytest.mark.parametrize(
    ("code", "usage", "remaining", "reset"),
    [
        (8, Usage(reset_seconds=7), "0", "7"),
        (2, Usage(reset_seconds=7, call_count=40), "60", "1"),
        (2, Usage(limit_used=100), "0", "1"),
    ],
)
def test_rate_limit_headers(make_call: MakeCall, code: int, usage: Usage, remaining: str, reset: str) -> None:
    """The limit is a structured list; what remains and the reset follow the usage."""
    headers = Pinterest(Controls(usage=usage)).failure(make_call(path=PATH), Failure(code)).headers

    assert headers["x-ratelimit-limit"].startswith("100, 100;w=1;name=")
    assert (remaining, reset) == (headers["x-ratelimit-remaining"], headers["x-ratelimit-reset"])


def test_malformed_headers(ask: Ask, event: Event) -> None:
    """Rate-limit headers may be nonsense."""
    headers = ask([event], Controls(usage=Usage(malformed=True))).reply.headers

    assert {";;not a number"} == set(headers.values())


async def post(client: ClientSession, sandbox: Sandbox, *events: Event, query: str = "") -> tuple[int, object]:
    """Send events over HTTP as a sender would; return the status and the document."""
    url = f"{sandbox.url}/v5/ad_accounts/549755885175/events{query}"
    async with client.post(url, json={"data": events}, headers={"Authorization": "Bearer good"}) as response:
        return response.status, await response.json()


@pytest.mark.asyncio
async def test_journal(client: ClientSession, sandbox: Sandbox, event: Event) -> None:
    """Over HTTP, what was processed is in the journal, and a failed event counts its attempts."""
    web = event | {"action_source": "web", "event_source_url": "https://shop.example"}
    statuses = [
        (await post(client, sandbox, web, web | {"event_id": "lead-2", "event_name": "Lead"}))[0],
        (await post(client, sandbox, web, web | {"event_id": "lead-2"}))[0],
    ]
    entries = [(one.platform, one.dataset, one.event_id, one.duplicate) for one in sandbox.journal.entries]

    assert [422, 200] == statuses
    assert [
        ("pinterest", "549755885175", "lead-1", False),
        ("pinterest", "549755885175", "lead-1", True),
        ("pinterest", "549755885175", "lead-2", False),
    ] == entries
    assert (2, 1, {"953": 1}) == (sandbox.stats.accepted, sandbox.stats.duplicates, sandbox.stats.refused)


@pytest.mark.asyncio
async def test_attempts(client: ClientSession, sandbox: Sandbox, event: Event) -> None:
    """An event that failed, or whose request was refused, has arrived all the same."""
    await post(client, sandbox, event | {"event_time": 1})
    await post(client, sandbox, event, event | {"sku": 1, "event_id": "lead-2"})
    await post(client, sandbox, event)

    assert [("lead-1", 3)] == [(one.event_id, one.attempt) for one in sandbox.journal.entries]


@pytest.mark.asyncio
async def test_offline_twice(client: ClientSession, sandbox: Sandbox, event: Event) -> None:
    """An offline event that is sent again counts twice."""
    await post(client, sandbox, event)
    await post(client, sandbox, event)

    assert (2, 0) == (sandbox.stats.accepted, sandbox.stats.duplicates)


@pytest.mark.asyncio
async def test_test_events(client: ClientSession, sandbox: Sandbox, event: Event) -> None:
    """A test event is listed apart."""
    await post(client, sandbox, event, query="?test=true")

    assert ([], ["test"]) == (
        sandbox.journal.entries,
        [one.test_event_code for one in sandbox.journal.test_entries],
    )


@pytest.mark.asyncio
async def test_wrong_paths(client: ClientSession, sandbox: Sandbox) -> None:
    """A path of another version answers 404 in Pinterest's shape."""
    async with client.post(f"{sandbox.url}/v4/ad_accounts/1/events", json={}) as response:
        assert (404, {"code": 404, "message": "Not found."}) == (response.status, await response.json())


@pytest.mark.asyncio
async def test_faults(client: ClientSession, event: Event, now: float) -> None:
    """A revoked token, a throttle and a short count come in Pinterest's own words."""
    async with running_sandbox(SandboxConfig(), now=lambda: now) as sandbox:
        sandbox.faults.add(Token(), count=1)
        sandbox.faults.add(RateLimit(per_second=1.0), count=1)
        sandbox.faults.add(ShortCount(), count=1)
        answers = [await post(client, sandbox, event) for _ in range(3)]

    assert [401, 429, 200] == [status for status, _ in answers]
    assert ["2", "8", "short_count"] == list(sandbox.stats.refused)
    assert {"num_events_received": 1, "num_events_processed": 0, "events": []} == answers[2][1]

"""`explain`: an event step by step, for people and machines, with customer data hidden unless it is asked for."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from avro_events import CONTRACT
from click.testing import CliRunner, Result
from contract_events import document, personal
from everywhere import YAML
from meta_events import APP, CONVERSATIONS

from pipeline.cli import main
from pipeline.config.environment import variables
from pipeline.core.avro.schema import Array
from pipeline.core.contract import Kind
from pipeline.core.veil import outline
from pipeline.edge.schema_files import KINDS
from pipeline.exits import Exit

ORDER = document("order")
NOTHING: dict[str, str | None] = dict.fromkeys(variables())
MARK = "qzvxwkjy"
# Values that the rules of these fields take, and how each would show.
TAKEN = {
    "emails": (f"{MARK}@{MARK}.example", [MARK]),
    "phones": ("+442079461234", ["2079461234"]),
    "birth_date": ("1987-06-25", ["1987-06-25", "19870625"]),
    "gender": ("female", ["female"]),
    "country": ("Liechtenstein", ["liechtenstein"]),
    "region": ("Kalifornia", ["kalifornia"]),
    "facebook_login_id": ("10223344556677887", ["10223344556677887"]),
    "url": (f"https://shop.example/{MARK}?a=1", [MARK]),
    "referrer": (f"https://shop.example/{MARK}", [MARK]),
    "client_ip": ("203.0.113.77, 10.0.0.1", ["203.0.113.77"]),
    "client_ipv6": ("2001:db8::77", ["2001:db8::77"]),
    "language": ("tlh-KX", ["tlh-kx"]),
    "fbc": ("fb.1.1554763741205.Qzvxwkjy", [MARK]),
    "fbp": ("fb.1.1558571054389.7098115397", ["7098115397"]),
    "advertising_id": ("cdda802e-fb9c-47ad-9866-0794d394c917", ["0794d394c917"]),
    "vendor_id": ("3f2504e0-4f89-11d3-9a0c-0305e82c3307", ["0305e82c3307"]),
    "extinfo": (MARK, [MARK]),
    "page_scoped_user_id": ("9988776655443327", ["9988776655443327"]),
    "instagram_user_id": ("9876543210123457", ["9876543210123457"]),
    "meta_lead_id": ("525645896321547", ["525645896321547"]),
    "tiktok_lead_id": ("7123456789012345677", ["7123456789012345677"]),
}
PERSONAL = [(kind, path, node) for kind in KINDS for path, node in personal(CONTRACT.schemas[kind])]


class Desk:
    """A folder with the destinations of all platforms, and the command."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.destinations = folder / "destinations.yaml"
        self.destinations.write_text(YAML)

    def explain(self, given: object, *args: str, now: str = "event", color: bool = False, **env: str) -> Result:
        """Explain what is on standard input."""
        text = given if isinstance(given, str | bytes) else json.dumps(given)
        settings = NOTHING | {"NO_COLOR": None, "CAPI_DESTINATIONS_FILE": str(self.destinations)} | env
        words = ["explain", *(("--now", now) if now else ()), *args]
        return CliRunner().invoke(main, words, input=text, env=settings, color=color)

    def json(self, given: object, *args: str) -> dict[str, Any]:
        """Return the first event of the JSON document."""
        result = self.explain(given, "--json", *args)
        assert Exit.OK == result.exit_code, result.output
        event: dict[str, Any] = json.loads(result.stdout)["events"][0]
        return event


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A desk of the test's own."""
    return Desk(tmp_path)


def test_page_has_every_step(desk: Desk) -> None:
    """The page goes through every step, from what was decoded to what would raise the estimate."""
    result = desk.explain(document("order", {"customer.phones": []}), "--destination", "to-google")
    headings = [line.strip() for line in result.stdout.splitlines() if re.fullmatch(r" {0,2}[a-z][^:]*", line)]

    assert Exit.OK == result.exit_code
    assert ["decoded", "validated", "match keys", "payload", "match quality"] == [
        one for one in headings if "   " not in one
    ]
    assert "to-google (google, live): would be sent" in result.stdout
    assert "    emailAddress from customer.emails: a list of one: text of 23 characters" in result.stdout
    assert '      raw           "aaaa.aaaaaa@aaaaaaa.aaa"' in result.stdout
    assert "      SHA-256       36b6ba19fa24aaedb4237b818ec4e6ef149a8bc75917a3e303ed6bf345dbd8e7" in result.stdout


def test_page_fits(desk: Desk) -> None:
    """No line of a masked page is wider than 100 columns, and none has a colour when no terminal reads it."""
    lines = desk.explain(ORDER).stdout.splitlines()

    assert [] == [line for line in lines if len(line) > 100 or "\x1b" in line]


@pytest.mark.parametrize(("environ", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False), ({"NO_COLOR": ""}, True)])
def test_no_color_is_heeded(environ: dict[str, str], *, coloured: bool, desk: Desk) -> None:
    """A terminal gets colours, unless NO_COLOR says that it should not."""
    shown = desk.explain(ORDER, color=True, **environ).stdout

    assert coloured is ("\x1b[" in shown)


@pytest.mark.parametrize("form", ["page", "--json"])
@pytest.mark.parametrize(("kind", "path", "node"), PERSONAL, ids=lambda value: str(value)[:40])
def test_masked_has_no_raw_value(kind: Kind, path: str, node: object, form: str, desk: Desk) -> None:
    """A value of a field that the contract marks as personal is nowhere, on any platform and in any form."""
    value, traces = TAKEN.get(path.rpartition(".")[2], (MARK.upper(), [MARK]))
    source = "APP" if path.startswith("app.") else "MESSAGING" if path.startswith("messaging.") else "WEBSITE"
    sections = {"app": APP, "messaging": CONVERSATIONS["WHATSAPP"], "action_source": source}
    given = document(kind, {**sections, path: [value] if isinstance(node, Array) else value})
    shown = desk.explain(given, *(() if form == "page" else (form,)))

    assert Exit.OK == shown.exit_code
    assert [] == [trace for trace in traces if trace in shown.output.lower()]


def test_unmasked_shows_everything(desk: Desk) -> None:
    """Asked for, the values are shown as they are, and standard error says so."""
    result = desk.explain(ORDER, "--unmasked")

    assert 'raw           "jane.obrien@example.com"' in result.stdout
    assert '"client_ip_address": "2001:db8::7"' in result.stdout
    assert "Customer data is shown as it is: --unmasked.\n" == result.stderr


def test_json_has_the_exact_payload(desk: Desk) -> None:
    """Unmasked, the payload in the document is the one of the line for machines."""
    line = json.loads(desk.explain(json.dumps(ORDER), "--ndjson", "--destination", "to-meta").stdout)
    (told,) = desk.json(ORDER, "--unmasked", "--destination", "to-meta")["destinations"]

    assert line["payload"] == told["payload"]["content"]
    assert (line["quality"], line["match_keys"]) == (told["payload"]["quality"], told["payload"]["match_keys"])


def test_masked_payload_keeps_what_is_no_customer(desk: Desk) -> None:
    """In a masked payload the event, the shop's ids, amounts and hashes are as they would be sent."""
    (told,) = desk.json(ORDER, "--destination", "to-meta")["destinations"]
    payload = told["payload"]["content"]

    assert ("Purchase", "order_placed:A-1001", 129.9, "SKU-1") == (
        payload["event_name"],
        payload["event_id"],
        payload["custom_data"]["value"],
        payload["custom_data"]["content_ids"][0],
    )
    assert re.fullmatch("[0-9a-f]{64}", payload["user_data"]["em"][0])
    assert outline("2001:db8::7") == payload["user_data"]["client_ip_address"]


def test_rule_and_result_of_each_key(desk: Desk) -> None:
    """Machines get each row of the table: what was there, the rule, and what became of it."""
    given = document("order", {"customer.phones": ["123"], "touch.fbc": None})
    (told,) = desk.json(given, "--destination", "to-meta")["destinations"]
    rows = {(key["key"], key["source"]): key for key in told["keys"]}

    assert ("unusable", "phone") == (rows["ph", "customer.phones"]["outcome"], rows["ph", "customer.phones"]["rule"])
    assert ("sent", "fbc_from_click") == (rows["fbc", "touch.fbclid"]["outcome"], rows["fbc", "touch.fbclid"]["rule"])
    assert (
        "not read: touch.client_ipv6 gave client_ip_address" == rows["client_ip_address", "touch.client_ip"]["remark"]
    )
    assert ["ph: there was a value that cannot be used"] == told["warnings"]


def test_faults_are_the_explanation(desk: Desk) -> None:
    """An event with faults is explained by its faults, and the command did what it was asked to."""
    result = desk.explain(ORDER | {"state": "x", "value": "y"})

    assert Exit.OK == result.exit_code
    assert "not valid" in result.stdout
    assert ["state", "value"] == re.findall(r"^    (state|value): is", result.stdout, re.MULTILINE)


@pytest.mark.parametrize(
    ("given", "args", "code", "said"),
    [
        ("not json", (), Exit.FAILURE, "line 1, column"),
        (ORDER, ("--destination", "elsewhere"), Exit.USAGE, "no destination elsewhere; known are to-meta"),
        (ORDER, ("--destinations", "/no/such/file"), Exit.USAGE, "CAPI_DESTINATIONS_FILE"),
        (ORDER, ("orders:0:7", "--ndjson"), Exit.USAGE, "--ndjson reads events from a file or standard input"),
        (ORDER, ("orders:0:7",), Exit.USAGE, "CAPI_KAFKA_BOOTSTRAP_SERVERS: is not set"),
        (ORDER, ("/no/such/event.json",), Exit.USAGE, "is no topic:partition:offset, and no file"),
        (ORDER, ("--now", "2026-11-21T08:00:00"), Exit.USAGE, "has no offset from UTC"),
        (ORDER, ("--now", "1763712000000"), Exit.USAGE, "were they milliseconds?"),
        (ORDER, ("--now", "nan"), Exit.USAGE, "is no time"),
        (ORDER, ("--now", "soon"), Exit.USAGE, "write ISO 8601"),
    ],
    ids=["text", "name", "no file", "both", "no brokers", "source", "naive", "milliseconds", "nan", "word"],
)
def test_ends_as_documented(given: object, args: tuple[str, ...], code: Exit, said: str, desk: Desk) -> None:
    """What cannot be explained ends with one line of why, and the code of the table."""
    result = desk.explain(given, *args, now="")

    assert (code, "", True) == (result.exit_code, result.stdout, said in " ".join(result.stderr.split()))


@pytest.mark.parametrize("now", ["2025-11-21T09:00:00+01:00", "1763712000"])
def test_now_is_what_it_is_said_to_be(now: str, desk: Desk) -> None:
    """A fixed moment decides on age, and is written on the page; without one the sample is long too old."""
    fixed = desk.explain(ORDER, "--destination", "to-meta", now=now).stdout
    today = desk.explain(ORDER, "--destination", "to-meta", now="").stdout

    assert "happened      2025-11-21T08:00:00Z (0 seconds ago)" in fixed
    assert "to-meta (meta, live): would be sent" in fixed
    assert "to-meta (meta, live): refused, expired" in today


def test_off_is_left_out_until_named(desk: Desk) -> None:
    """A destination that is off is asked only by its name, and then as if it were live."""
    desk.destinations.write_text(YAML.replace("platform: meta, mode: live", 'platform: meta, mode: "off"'))
    others = [one["destination"] for one in desk.json(ORDER)["destinations"]]
    (told,) = desk.json(ORDER, "--destination", "to-meta")["destinations"]

    assert ["to-tiktok", "to-pinterest", "to-snapchat", "to-google"] == others
    assert ("send", ["the destination's mode is off: no conversion is counted"]) == (told["outcome"], told["warnings"])


def test_all_off_is_a_usage_error(desk: Desk) -> None:
    """With nobody to ask, nothing is said to be well."""
    desk.destinations.write_text(YAML.replace("mode: live", 'mode: "off"'))

    assert Exit.USAGE == desk.explain(ORDER).exit_code


def test_no_match_key_says_what_would_do(desk: Desk) -> None:
    """An event that nobody can be matched by is told what would raise the estimate from nothing."""
    given = document("order", {"customer": {}, "touch": {"url": "https://shop.example", "user_agent": "x"}})
    (told,) = desk.json(given, "--destination", "to-meta")["destinations"]

    assert ("refuse", "no_match_key") == (told["outcome"], told["reason"])
    assert {"key": "em", "gain": 3.0, "sources": ["customer.emails"]} in told["improvements"]


def test_white_space_can_be_seen(desk: Desk) -> None:
    """What a rule took away is seen: a raw value is written with all of its white space, in quotes."""
    page = desk.explain(document("order", {"customer.first_name": " Jane  Ann "}), "--unmasked").stdout

    assert 'raw           " Jane  Ann "' in page
    assert 'normalized    "janeann"' in page


def test_terminal_obeys_nothing(desk: Desk) -> None:
    """Control characters of an event are written as escapes, masked or not."""
    given = ORDER | {"store": "\x1b[2Juk\u202e", "producer": "a\nb"}
    result = desk.explain(given, "--unmasked")

    assert "\\u001b[2Juk\\u202e" in result.stdout
    assert {"\n"} >= {char for char in result.stdout if not char.isprintable()}


def test_several_events_have_a_page_each(desk: Desk) -> None:
    """A list, or one a line, is explained one after the other."""
    result = desk.explain([ORDER, document("lead")], "--destination", "to-meta")

    assert ["event 1: order_placed", "event 2: lead_submitted"] == re.findall(r"^event.*", result.stdout, re.MULTILINE)


def test_lines_from_a_file(desk: Desk, tmp_path: Path) -> None:
    """Lines for machines come from a file as well, and refusals are no failure of the command."""
    file = tmp_path / "events.ndjson"
    file.write_text(json.dumps(ORDER) + "\nnot json\n")
    result = desk.explain("", "--ndjson", str(file))
    told = [json.loads(line) for line in result.stdout.splitlines()]

    assert (Exit.OK, [1, 1, 1, 1, 1, 2]) == (result.exit_code, [one["line"] for one in told])
    assert "undecodable" == told[-1]["reason"]


def test_line_is_there_before_the_next_event(desk: Desk) -> None:
    """Whoever writes one event may read its lines before writing the next."""
    command = [sys.executable, "-m", "pipeline", "explain", "--ndjson", "--destination", "to-meta"]
    command += ["--destinations", str(desk.destinations)]
    # Python may have been told not to buffer, which would hide what is tested.
    environ = {**os.environ, "PYTHONUNBUFFERED": ""}
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environ) as running:
        assert running.stdin is not None
        assert running.stdout is not None
        for number in (1, 2):
            running.stdin.write(json.dumps(ORDER) + "\n")
            running.stdin.flush()

            assert number == json.loads(running.stdout.readline())["line"]

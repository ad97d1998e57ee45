"""The runbook names what the code has, and everything that calls for a person is in it."""

from __future__ import annotations

import ast
import dataclasses
import importlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import aiohttp
import click
import pytest
from confluent_kafka import KafkaError

from pipeline.cli import main
from pipeline.config.destination_entry import ConsentEntry, Entry, LimitsEntry
from pipeline.config.environment import variables
from pipeline.core import reason, signals
from pipeline.core.breaker import State
from pipeline.core.consent import DECISIONS
from pipeline.core.ledger import Page
from pipeline.core.letter import Undertaker, letter_headers
from pipeline.core.model import DeadLetter, Record, Refusal
from pipeline.core.reason import Reason
from pipeline.core.status import LaneStatus, Status, unready_reasons
from pipeline.edge.logs import ALLOWED
from pipeline.edge.metrics import METRICS
from pipeline.edge.schema_files import KINDS, schema_texts
from pipeline.edge.telemetry import NO_DESTINATION, RANKS, Telemetry
from pipeline.edge.wording import event_name, words_of
from pipeline.exits import Exit
from pipeline.platforms import PLATFORMS
from pipeline.platforms.meta import MetaOptions

PAGE = (Path(__file__).parents[2] / "docs" / "runbook.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", PAGE, re.DOTALL)
SPANS = re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", PAGE, flags=re.DOTALL))
CODE = [*SPANS, *(text for _, text in BLOCKS)]
LINES = [json.loads(line) for language, text in BLOCKS if language == "json" for line in text.splitlines()]
SIGNALS = {
    event_name(kind): kind
    for kind in vars(signals).values()
    if isinstance(kind, type) and issubclass(kind, signals.Signal) and kind is not signals.Signal
}
FIELDS = {name: {field.name for field in dataclasses.fields(kind)} for name, kind in SIGNALS.items()}  # type: ignore[arg-type]
METRIC_LABELS = {metric.name: {*metric.labels, "le"} for metric in METRICS}
SEVERITIES = frozenset({"page", "ticket"})
# Words of others, of /readyz, and of labels that have no list of their own.
OTHERS = frozenset("job reasons holds lanes ok failed none latest increase up library librdkafka".split())
# What Prometheus and its client bring along.
FOREIGN_METRICS = frozenset({"up", "process_start_time_seconds"})
FOREIGN_LABELS = frozenset({"job", "instance", "le"})


def headings(level: int, text: str = PAGE) -> list[str]:
    """Return the headings of a level; lines of code blocks do not count."""
    plain = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    return re.findall(rf"^#{{{level}}} (.+)$", plain, re.MULTILINE)


def chapter(name: str) -> str:
    """Return the text below a heading of the second level."""
    return re.split(r"^## ", PAGE.split(f"\n## {name}\n")[1], flags=re.MULTILINE)[0]


def groups_of_the_page() -> dict[str, list[str]]:
    """Return the reasons of the page by group."""
    parts = re.split(r"^### ", chapter("Reasons"), flags=re.MULTILINE)[1:]
    return {part.partition(":")[0].lower(): headings(4, part) for part in parts}


def groups_of_the_code() -> dict[str, list[str]]:
    """Return the reasons of the closed list by the group that its comments name."""
    groups: dict[str, list[str]] = {}
    for line in Path(reason.__file__).read_text(encoding="utf-8").splitlines():
        if group := re.match(r"\s+# -- (\w+):", line):
            groups[group[1]] = []
        elif word := re.match(r'\s+[A-Z_]+ = "(\w+)"', line):
            groups[list(groups)[-1]].append(word[1])
    return groups


def anchor(heading: str) -> str:
    """Return how a link names a heading of words."""
    return heading.lower().replace(" ", "-")


def alerts() -> dict[str, str]:
    """Return the text of each alert by its name."""
    parts = re.split(r"^### ", chapter("What to alert on"), flags=re.MULTILINE)[1:]
    return {part.partition("\n")[0]: part for part in parts}


def points(entry: str) -> list[str]:
    """Return the points of an entry, in their order."""
    return re.findall(r"^- \*\*([\w ]+):\*\*", entry, re.MULTILINE)


def matchers(text: str) -> Iterator[tuple[str, str, str]]:
    """Give metric, label and value of everything that a text asks of our metrics' labels."""
    for metric, labels in re.findall(r"\b(capi_\w+)\{([^}]*)\}", text):
        found = re.findall(r'(\w+)(=|!=|=~|!~)"([^"]*)"', labels)
        # Whatever was not understood would not be held against anything.
        assert labels == ",".join(f'{label}{sign}"{values}"' for label, sign, values in found)
        for label, sign, values in found:
            for value in values.split("|") if "~" in sign else [values]:
                yield metric, label, value


class Silence:
    """A log that keeps nothing."""

    def log(self, level: int, event: str, **fields: object) -> None:
        """Forget a line."""


def counted(metric: str, label: str, *told: signals.Signal) -> set[str]:
    """Return the values that a label takes when these signals are told."""
    telemetry = Telemetry(Silence(), worker="w", version="1", level="critical")
    for signal in told:
        telemetry.tell(signal)
    samples = [sample for family in telemetry.registry.collect() for sample in family.samples]
    return {sample.labels[label] for sample in samples if sample.name == metric}


GROUP_OF_REASONS = {
    "capi_events_skipped_total": "skipped",
    "capi_events_refused_total": "refused",
    "capi_lane_waits_total": "later",
    "capi_lane_halted": "halt",
    "capi_intake_paused": "hold",
}
LABEL_VALUES = {
    ("capi_lane_state", "state"): set(get_args(signals.LaneState)),
    ("capi_breaker_state", "state"): set(State),
    ("capi_requests_total", "outcome"): set(get_args(signals.RequestOutcome)),
    ("capi_consent_decisions_total", "decision"): set(DECISIONS),
    ("capi_status_requests_total", "outcome"): set(get_args(signals.StatusOutcome)),
    ("capi_followed_events_total", "fate"): set(get_args(signals.Fate)),
    ("capi_commits_total", "outcome"): counted(
        "capi_commits_total",
        "outcome",
        signals.Committed({}),
        signals.CommitFailed("", fenced=False),
        signals.CommitFailed("", fenced=True),
    ),
    ("capi_rebalances_total", "event"): counted(
        "capi_rebalances_total",
        "event",
        signals.Assigned((), 0),
        signals.Revoked((), 0, 0, 0.0),
        signals.Lost((), 0, 0, ""),
    ),
}


def values_of(metric: str, label: str) -> set[str]:
    """Return every value that a label of a metric can have. Raises KeyError for labels that have no closed list."""
    match label:
        case "reason":
            return set(groups_of_the_code()[GROUP_OF_REASONS[metric]])
        case "destination":
            return {NO_DESTINATION}
        case _:
            return LABEL_VALUES[metric, label]


def names_in(schema: object) -> Iterator[str]:
    """Give every name in an Avro schema."""
    if isinstance(schema, dict):
        yield from [schema["name"]] if "name" in schema else []
        schema = list(schema.values())
    if isinstance(schema, list):
        for item in schema:
            yield from names_in(item)


def known_words() -> frozenset[str]:
    """Return every word that the page may show as the code's."""
    status = Status("w", "1", draining=True, lanes={"d": LaneStatus("halted", Reason.BLOCKED)})
    lists = (
        get_args(signals.LaneState),
        get_args(signals.RequestOutcome),
        get_args(signals.Fate),
        get_args(signals.Level),
        State,
        Reason,
    )
    models = (
        *Entry.model_fields,
        *LimitsEntry.model_fields,
        *ConsentEntry.model_fields,
        *(field.name for field in dataclasses.fields(MetaOptions)),
    )
    contract = {name for kind in KINDS for name in names_in(json.loads(schema_texts()[kind].text))}
    signal_words = {*SIGNALS, *(field for fields in FIELDS.values() for field in fields)}
    labels = {label for metric in METRICS for label in metric.labels}
    words = {str(word) for words in lists for word in words}
    keys = {key for kind in PLATFORMS.values() for key in kind.weights}
    return (
        OTHERS
        | keys
        | SEVERITIES
        | ALLOWED
        | words
        | signal_words
        | labels
        | contract
        | {
            *models,
            *unready_reasons(status),
            "bundled",
        }
    )


def header_names() -> set[str]:
    """Return the names of all headers of ours that a letter can have."""
    refusal = Refusal(Reason.REJECTED, "why", code="1", subcode="2", http_status=400, trace_id="t")
    record = Record("t", 0, 1, b"", b"", (), 1)
    letter = DeadLetter(record, Page("t", 0, 1), "d", "meta", refusal, "e", "s")
    return {name for name, _ in letter_headers(letter, undertaker=Undertaker("g", "1"), now=0.0)}


def test_every_reason_has_its_heading() -> None:
    """The chapter of the reasons is the closed list: same words, same groups, same order, nothing else."""
    assert groups_of_the_code() == groups_of_the_page()
    assert [str(word) for word in Reason] == [word for words in groups_of_the_page().values() for word in words]


@pytest.mark.parametrize("word", list(Reason))
def test_every_reason_says_what_to_do(word: Reason) -> None:
    """A reason tells what to do, how it is seen, and whether a replay helps."""
    entry = chapter("Reasons").split(f"\n#### {word}\n")[1].split("\n#")[0]

    assert ["Do", "See", "Replay"] == points(entry)


def test_every_exit_code_has_its_row() -> None:
    """The table of exit codes has each code once."""
    assert [int(code) for code in Exit] == [
        int(code) for code in re.findall(r"^\| (\d) ", chapter("Exit codes"), re.MULTILINE)
    ]


def test_every_unready_state_has_its_heading() -> None:
    """What only /readyz says is explained too."""
    status = Status("w", "1", draining=True, lanes={"d": LaneStatus("halted", Reason.BLOCKED)})

    assert set(unready_reasons(status)) <= set(headings(3, chapter("States of the worker")))


@pytest.mark.parametrize("state", headings(3, chapter("States of the worker")))
def test_every_state_says_what_to_do(state: str) -> None:
    """A state tells what to do, how it is seen, and what is at risk."""
    entry = chapter("States of the worker").split(f"### {state}\n")[1].split("\n### ")[0]

    assert ["Do", "See", "At risk"] == points(entry)


def test_every_state_is_found_from_its_symptom() -> None:
    """The tables near the top lead to each state."""
    top = chapter("What do I see, where do I look")

    assert [] == [name for name in headings(3, chapter("States of the worker")) if f"(#{anchor(name)})" not in top]


def test_every_grave_line_of_the_log_has_its_row() -> None:
    """Each event that can be a warning or graver leads to a page, and so do the lines of libraries."""
    table = PAGE.split("| `event` |")[1].split("\n\n")[0]
    rows = re.findall(r"^\| (`\w+`(?:, `\w+`)*)[^|]*\| .*\]\(#", table, re.MULTILINE)
    grave = {name for name, kind in SIGNALS.items() if RANKS[kind.usual] >= RANKS["warning"]}

    assert sorted({*grave, "library"}) == sorted(name for row in rows for name in re.findall(r"`(\w+)`", row))


def test_alerts_have_names_of_their_own() -> None:
    """The names are those of a PrometheusRule, none stands for two alerts, and the text mentions no other."""
    named = headings(3, chapter("What to alert on"))

    assert named == list(alerts())
    assert [] == [name for name in named if not re.fullmatch(r"Capi(?:[A-Z][a-z]+)+", name)]
    assert {span for span in SPANS if re.fullmatch(r"Capi[A-Z]\w+", span)} <= set(named)


@pytest.mark.parametrize("alert", alerts())
def test_every_alert_has_its_parts(alert: str) -> None:
    """An alert has one expression, a severity with a time, what it means, where to look, and a page that says more."""
    entry = alerts()[alert]
    severity = re.search(r"^- \*\*Severity:\*\* (\w+), (?:at once|after \d+ minutes?)\b", entry, re.MULTILINE)

    assert ["promql"] == re.findall(r"^```(\w+)$", entry, re.MULTILINE)
    assert ["Severity", "Means", "Look", "Do"] == points(entry)
    assert severity is not None
    assert severity[1] in SEVERITIES
    assert re.search(r"^- \*\*Do:\*\* .*\]\(#", entry, re.MULTILINE)


@pytest.mark.parametrize("expression", [text for language, text in BLOCKS if language == "promql"])
def test_expressions_read_what_exists(expression: str) -> None:
    """An expression selects metrics that exist, and groups by labels that one of them has."""
    bare = re.sub(r"\{[^}]*\}|\[[^\]]*\]", "", expression)
    groups = re.findall(r"\b(?:by|on)\s*\(([^)]*)\)", bare)
    bare = re.sub(r"\b(?:by|on)\s*\([^)]*\)", "", bare)
    words = {"and", "unless", "or", "sum", "max", "min", "group_left"}
    selected = set(re.findall(r"\b[a-z_]\w*\b(?!\s*\()", bare)) - words
    families = {re.sub(r"_(bucket|sum|count)$", "", name) for name in selected}

    assert families
    assert families <= METRIC_LABELS.keys() | FOREIGN_METRICS
    labels = {label for family in families for label in METRIC_LABELS.get(family, ())} | FOREIGN_LABELS
    assert {label.strip() for group in groups for label in group.split(",")} <= labels
    assert expression.count("(") == expression.count(")")


def test_metrics_exist() -> None:
    """Every metric is one of the table."""
    named = {name for text in CODE for name in re.findall(r"\bcapi_\w+", text)}

    assert set() == {name for name in named if re.sub(r"_(bucket|sum|count)$", "", name) not in METRIC_LABELS}


def test_labels_exist() -> None:
    """Every label is one that its metric has, with a value that it can have there."""
    asked = {matcher for text in CODE for matcher in matchers(text)}

    assert asked
    assert set() == {(metric, label) for metric, label, _ in asked if label not in METRIC_LABELS[metric]}
    assert set() == {(metric, label, value) for metric, label, value in asked if value not in values_of(metric, label)}


def test_errors_of_others_exist() -> None:
    """The names of errors are those of Kafka's client and of the HTTP client."""
    of_kafka = {span for span in SPANS if re.fullmatch(r"(?!CAPI)(?:_[A-Z]+|_?[A-Z]+(?:_[A-Z]+)+)", span)}
    of_http = {span for span in SPANS if re.fullmatch(r"[A-Z]\w+Error", span)} - {"KafkaError"}

    assert of_kafka
    assert of_http
    assert set() == {name for name in of_kafka if not hasattr(KafkaError, name)}
    assert set() == {name for name in of_http if not hasattr(aiohttp, name)}


def test_log_lines_are_real() -> None:
    """Every quoted line is an event of the log with the fields and the level that it has."""
    for line in LINES:
        kind = SIGNALS[line["event"]]
        more = line.keys() - FIELDS[line["event"]] - {"timestamp", "level", "event", "suppressed"}

        assert set() == more, line
        assert line["level"] in {kind.usual, "info", "error", "critical"}
        assert line.get("reason") in {None, *Reason}


def test_log_line_is_written_as_quoted() -> None:
    """The first quoted line is what its signal says today."""
    refused = signals.Refused("meta-eu", Reason.INVALID_EVENT, 1, "a Purchase needs value and currency")
    quoted = {name: value for name, value in LINES[0].items() if name not in {"timestamp", "level", "event"}}

    assert quoted == words_of(refused)


def test_words_exist() -> None:
    """Every single word in code type is a word of the code: an event, a field, a reason, a state, a key."""
    words = {span for span in SPANS if re.fullmatch(r"[a-z]+(_[a-z]+)*", span)}

    assert set() == {word for word in words - known_words() if not word.startswith("capi_")}


def test_settings_exist() -> None:
    """Every variable is a setting, or that of a secret."""
    named = {name for text in CODE for name in re.findall(r"\bCAPI_[A-Z_]+", text)}

    assert named
    assert set() == named - set(variables()) - {"CAPI_SECRETS_DIR", "CAPI_SECRET_"}


def test_headers_exist() -> None:
    """Every header of a dead letter is in the table, and no other."""
    named = {name for span in SPANS for name in re.findall(r"__dlq\.errors\.[a-z.]+", span)}

    assert header_names() == named


def test_commands_exist() -> None:
    """Every command line can be called, with its options."""
    for line in re.findall(r"capi-pipeline ([^`\n]+)", "\n".join(CODE)):
        words = line.split()
        command: click.Command | None = main
        while isinstance(command, click.Group) and words:
            command = command.get_command(click.Context(command), words.pop(0))

        assert command is not None, line
        options = {option for param in command.params for option in param.opts}
        assert {word for word in words if word.startswith("--")} <= options, line


@pytest.mark.parametrize("script", [text for language, text in BLOCKS if language == "python"])
def test_scripts_import_what_exists(script: str) -> None:
    """A script of the page is Python, and finds what it imports."""
    for node in ast.walk(ast.parse(script)):
        if isinstance(node, ast.ImportFrom):
            module = importlib.import_module(node.module or "")

            assert [] == [name.name for name in node.names if not hasattr(module, name.name)]

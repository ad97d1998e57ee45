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

import click
import pytest

from pipeline.cli import main
from pipeline.config.destination_entry import Entry, LimitsEntry
from pipeline.config.environment import variables
from pipeline.core import reason, signals
from pipeline.core.breaker import State
from pipeline.core.ledger import Page
from pipeline.core.letter import Undertaker, letter_headers
from pipeline.core.model import DeadLetter, Record, Refusal
from pipeline.core.reason import Reason
from pipeline.core.status import LaneStatus, Status, unready_reasons
from pipeline.edge.metrics import METRICS
from pipeline.edge.schema_files import KINDS, schema_texts
from pipeline.edge.wording import event_name, words_of
from pipeline.exits import Exit
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
# Words of others, of a line of the log, of /readyz, and of labels that have no list of their own.
OTHERS = frozenset("job event suppressed reasons holds lanes ok failed none latest increase".split())


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
    lists = (get_args(signals.LaneState), get_args(signals.RequestOutcome), get_args(signals.Level), State, Reason)
    models = (
        *Entry.model_fields,
        *LimitsEntry.model_fields,
        *(field.name for field in dataclasses.fields(MetaOptions)),
    )
    contract = {name for kind in KINDS for name in names_in(json.loads(schema_texts()[kind].text))}
    signal_words = {*SIGNALS, *(field for fields in FIELDS.values() for field in fields)}
    labels = {label for metric in METRICS for label in metric.labels}
    words = {str(word) for words in lists for word in words}
    return OTHERS | words | signal_words | labels | contract | {*models, *unready_reasons(status), "bundled"}


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
    """A reason tells how it is seen, what to do, and whether a replay helps."""
    entry = chapter("Reasons").split(f"\n#### {word}\n")[1].split("\n#")[0]

    assert ["See", "Do", "Replay"] == re.findall(r"^- \*\*(\w+):\*\*", entry, re.MULTILINE)


def test_every_exit_code_has_its_row() -> None:
    """The table of exit codes has each code once."""
    assert [int(code) for code in Exit] == [
        int(code) for code in re.findall(r"^\| (\d) ", chapter("Exit codes"), re.MULTILINE)
    ]


def test_every_unready_state_has_its_heading() -> None:
    """What only /readyz says is explained too."""
    status = Status("w", "1", draining=True, lanes={"d": LaneStatus("halted", Reason.BLOCKED)})

    assert set(unready_reasons(status)) <= set(headings(3, chapter("States of the worker")))


def test_metrics_exist() -> None:
    """Every metric is one of the table, with labels that it has, and reasons that exist."""
    for text in CODE:
        for name, labels in re.findall(r"\b(capi_\w+)(?:\{([^}]*)\})?", text):
            family = re.sub(r"_(bucket|sum|count)$", "", name)
            pairs = re.findall(r'(\w+)!?="(\w+)"', labels)

            assert family in METRIC_LABELS, name
            assert {label for label, _ in pairs} <= METRIC_LABELS[family], text
            assert {value for label, value in pairs if label == "reason"} <= set(Reason), text


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

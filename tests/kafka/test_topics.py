"""`topics` and `check` against a real broker."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Protocol

import pytest
from click.testing import CliRunner
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]

from pipeline.cli import main
from pipeline.commands.check import Finding, check
from pipeline.commands.topics import HEADROOM_BYTES
from pipeline.edge.admin import Admin
from pipeline.exits import Exit
from pipeline.platforms import PLATFORMS

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "destinations.yaml"
Environ = dict[str, str]


class MakeTopic(Protocol):
    """The kit's maker of topics."""

    def __call__(self, partitions: int = 1, config: dict[str, str] | None = None) -> str:
        """Return the name of a new topic."""


@pytest.fixture
def environ(bootstrap_servers: str) -> Environ:
    """Settings with topics of their own that do not exist yet."""
    name = f"test-{uuid.uuid4().hex[:12]}"
    return {
        "CAPI_KAFKA_BOOTSTRAP_SERVERS": bootstrap_servers,
        "CAPI_DESTINATIONS_FILE": str(EXAMPLE),
        "CAPI_SOURCE_TOPICS": f"{name}.orders=order,{name}.leads=lead",
        "CAPI_DEAD_LETTERS_TOPIC": f"{name}.dead",
        "CAPI_WORKER_NAME": name,
        "CAPI_SECRET_META_EU_TOKEN": "x",
        "CAPI_SECRET_META_US_TOKEN": "x",
    }


def invoke(environ: Environ, *args: str) -> tuple[int, list[str]]:
    """Call `topics` and return exit code and lines."""
    result = CliRunner().invoke(main, ["topics", *args], env=environ)
    return result.exit_code, result.output.splitlines()


def problems(environ: Environ) -> list[Finding]:
    """Return everything that `check` finds wrong."""
    return [finding for finding in check(environ, PLATFORMS, offline=False) if not finding.good]


def test_apply_makes_what_plan_says_and_check_is_content(environ: Environ) -> None:
    """Plan finds three topics to create, apply creates them, then nothing is left to do or to find."""
    planned = invoke(environ, "plan", "--all")
    applied = invoke(environ, "apply", "--all")
    again = invoke(environ, "plan", "--all"), invoke(environ, "apply", "--all")

    assert (Exit.FOUND, 3, Exit.OK, 3) == (planned[0], len(planned[1]), applied[0], len(applied[1]))
    assert ((Exit.OK, ["nothing to do"]), (Exit.OK, ["nothing to do"])) == again
    assert [] == problems(environ)


def test_the_dead_letter_topic_fits_its_sources(environ: Environ, make_topic: MakeTopic) -> None:
    """It is as wide as the widest source and takes its largest record with headers, counting time from the burial."""
    small, wide = make_topic(2), make_topic(5, {"max.message.bytes": "2000000"})
    environ["CAPI_SOURCE_TOPICS"] = f"{small}=order,{wide}=lead"
    invoke(environ, "apply")
    admin = Admin({"bootstrap.servers": environ["CAPI_KAFKA_BOOTSTRAP_SERVERS"]})
    name = environ["CAPI_DEAD_LETTERS_TOPIC"]
    config = admin.topic_configs([name])[name]

    assert (5, str(2_000_000 + HEADROOM_BYTES), "delete", "LogAppendTime") == (
        admin.topics()[name].partitions,
        config["max.message.bytes"],
        config["cleanup.policy"],
        config["message.timestamp.type"],
    )


def test_topics_for_what_is_decided_later(environ: Environ) -> None:
    """Topics for receipts and replays are planned, made as wide as the dead letters', and found good."""
    name = environ["CAPI_WORKER_NAME"]
    environ |= {"CAPI_RECEIPTS_TOPIC": f"{name}.receipts", "CAPI_REPLAY_TOPIC": f"{name}.replay"}
    missing = [finding.part for finding in problems(environ)]
    applied = invoke(environ, "apply", "--all")
    topics = Admin({"bootstrap.servers": environ["CAPI_KAFKA_BOOTSTRAP_SERVERS"]}).topics()

    assert (["topics"] * 5, (Exit.OK, 5), []) == (missing, (applied[0], len(applied[1])), problems(environ))
    assert 1 == len({topics[f"{name}.{each}"].partitions for each in ("dead", "receipts", "replay")})


def test_check_names_every_missing_topic(environ: Environ) -> None:
    """Both sources and the dead-letter topic are missed at once."""
    assert ["topics"] * 3 == [finding.part for finding in problems(environ)]


def test_check_finds_an_unsafe_dead_letter_topic(environ: Environ, admin: AdminClient, make_topic: MakeTopic) -> None:
    """Compaction, short retention, small records and the wrong clock would each lose letters."""
    environ["CAPI_SOURCE_TOPICS"] = f"{make_topic(1)}=order"
    config = {"cleanup.policy": "compact", "retention.ms": "60000", "max.message.bytes": "1000"}
    name = environ["CAPI_DEAD_LETTERS_TOPIC"]
    admin.create_topics([NewTopic(name, 1, config=config)])[name].result()
    said = [finding.text.partition(name)[2].split(":")[0].strip() for finding in problems(environ)]

    assert [
        "is compacted",
        f"max.message.bytes is below {1_048_588 + HEADROOM_BYTES}",
        "keeps letters for less than 14 days",
        "counts retention from the record's own time",
    ] == said


def test_nothing_that_exists_is_changed(environ: Environ, make_topic: MakeTopic) -> None:
    """A dead-letter topic that is there is left as it is."""
    environ["CAPI_SOURCE_TOPICS"] = f"{make_topic(3)}=order"
    environ["CAPI_DEAD_LETTERS_TOPIC"] = make_topic(1, {"retention.ms": "60000"})

    assert (Exit.OK, ["nothing to do"]) == invoke(environ, "apply")


def test_a_broker_that_is_not_there(environ: Environ) -> None:
    """`check` says that the broker does not answer, and still looks at the rest."""
    environ["CAPI_KAFKA_BOOTSTRAP_SERVERS"] = "127.0.0.1:1"
    parts = [(finding.part, finding.good) for finding in check(environ, PLATFORMS, offline=False)]

    assert [("kafka", False), ("registry", True)] == parts[-2:]

"""Apache Kafka as it lies on disk: fetched once with Maven and formatted once, then only read.

Formatting runs a JVM of its own, so its result is kept too: the feature levels in it (`group.version=1`, which
switches KIP-848 on, among them) are the same for every node, and a new node copies them in no time.
"""

from __future__ import annotations

import base64
import shutil
import subprocess
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from java_artifacts import FetchError, Java, cache_root, fetch_once, require_java, run_maven

KAFKA_VERSION = "4.3.1"
CLUSTER_ID = "Y2FwaS1waXBlbGluZS10ZQ"  # any 16 bytes in URL-safe base64; the nodes of a cluster share it
FORMAT_SECONDS = 60.0
# slf4j-simple is the binding: Kafka 4.3 is compiled against slf4j-api 1.7.36, and the two must be of one line.
POM = f"""\
<project>
  <modelVersion>4.0.0</modelVersion>
  <groupId>capi-pipeline.tests</groupId>
  <artifactId>kafka-broker</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>
    <dependency>
      <groupId>org.apache.kafka</groupId>
      <artifactId>kafka_2.13</artifactId>
      <version>{KAFKA_VERSION}</version>
    </dependency>
    <dependency>
      <groupId>org.slf4j</groupId>
      <artifactId>slf4j-simple</artifactId>
      <version>1.7.36</version>
    </dependency>
  </dependencies>
</project>
"""


@dataclass(frozen=True, slots=True)
class KafkaDistribution:
    """A fetched Kafka: its folder, and the Java that runs it."""

    folder: Path
    java: Java

    @property
    def archive(self) -> Path:
        """Where the class-data archive goes; one archive fits one build of Java."""
        return self.folder / f"java-{self.java.version}.jsa"

    def arguments(self, main_class: str, *arguments: str) -> list[str]:
        """Return the JVM arguments that run a class of Kafka.

        The jars are named one by one: an archive fits one class path, in one order.
        """
        jars = sorted(str(jar) for jar in (self.folder / "libs").glob("*.jar"))
        return ["-cp", ":".join(jars), main_class, *arguments]

    def format(self, data: Path, node_id: int) -> None:
        """Make the empty data folder of a new node, as `kafka-storage format` would."""
        data.mkdir()
        shutil.copy(self.folder / "formatted" / "bootstrap.checkpoint", data)
        directory_id = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        meta = {
            "version": "1",
            "cluster.id": CLUSTER_ID,
            "node.id": str(node_id),
            "directory.id": directory_id,
        }
        write_properties(data / "meta.properties", meta)


def write_properties(path: Path, settings: Mapping[str, str]) -> None:
    """Write a Java properties file; the values must not need escapes."""
    path.write_text("".join(f"{key}={value}\n" for key, value in settings.items()), encoding="utf-8")


def fetch_kafka() -> KafkaDistribution:
    """Return Kafka, fetched if it is not in the cache yet. Raises ToolMissingError or FetchError."""
    java = require_java()
    folder = cache_root() / "kafka" / KAFKA_VERSION
    fetch_once(folder, lambda empty: _download(KafkaDistribution(empty, java)))
    return KafkaDistribution(folder, java)


def _download(distribution: KafkaDistribution) -> None:
    folder = distribution.folder
    (folder / "pom.xml").write_text(POM, encoding="utf-8")
    run_maven(folder, "copy-dependencies", ["-DincludeScope=runtime", f"-DoutputDirectory={folder / 'libs'}"])
    settings = folder / "format.properties"
    only_what_formatting_reads = {
        "process.roles": "broker,controller",
        "node.id": "1",
        "controller.quorum.voters": "1@127.0.0.1:1",
        "controller.listener.names": "CONTROLLER",
        "listeners": "PLAINTEXT://127.0.0.1:2,CONTROLLER://127.0.0.1:1",
        "log.dirs": str(folder / "formatted"),
    }
    write_properties(settings, only_what_formatting_reads)
    arguments = distribution.arguments(
        "kafka.tools.StorageTool", "format", "--cluster-id", CLUSTER_ID, "--config", str(settings)
    )
    finished = subprocess.run(
        [distribution.java.executable, *arguments],
        capture_output=True,
        text=True,
        timeout=FORMAT_SECONDS,
        check=False,
    )
    if finished.returncode:
        raise FetchError(f"Kafka {KAFKA_VERSION} could not format a data folder:\n{finished.stderr[-2000:]}")
    settings.unlink()

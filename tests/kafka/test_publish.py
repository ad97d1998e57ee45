"""What `publish` sends to a real broker is what the worker reads."""

from __future__ import annotations

import pytest
from avro_events import CONTRACT, READERS
from confluent_kafka import Consumer, TopicPartition
from conftest_types import MakeTopic
from registry_contract import client

from pipeline.core.decode import Reader, compile_reader, decode
from pipeline.core.model import Event, Record
from pipeline.core.wire import lookup, schema_ref
from pipeline.edge.schema_files import sample
from pipeline.publish import PublishError, check, encode, read_events, schema_ids, send

"""An event becomes Avro bytes: for `publish`, the demo and tests. The worker itself only reads."""

from __future__ import annotations

import io
from collections.abc import Mapping

import fastavro
import orjson
from fastavro.types import Schema

from pipeline.core.avro.schema import SchemaText


class Encoder:
    """Writes events of one of our own schemas; parsed once, used from one thread."""

    def __init__(self, text: SchemaText) -> None:
        self._schema: Schema = fastavro.parse_schema(orjson.loads(text.text))

    def encode(self, event: Mapping[str, object]) -> bytes:
        """Return `event` (with every field, as `jsonform.from_json` gives it) as bare Avro.

        Raises ValueError or TypeError when it is not what the schema says: a bug of the caller.
        """
        out = io.BytesIO()
        fastavro.schemaless_writer(out, self._schema, dict(event))
        return out.getvalue()

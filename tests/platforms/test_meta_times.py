"""When a Meta event may go: from when it happened until it is too old, by the clock of whoever asks."""

from __future__ import annotations

import pytest
from avro_events import READERS
from meta_events import DAY, WHEN, Changes, encoder, lead_json, meta, order, order_json, read, shape
from meta_events import record_of as recorded

from pipeline.core.decode import Reader, SchemaRef
from pipeline.core.jsonform import from_json
from pipeline.core.ledger import Ledger
from pipeline.core.model import Refusal, Shaped
from pipeline.core.reason import Reason
from pipeline.flow.prepare import Prepared, Preparer

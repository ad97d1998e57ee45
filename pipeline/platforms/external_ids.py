"""The external id, which has to leave here as the browser's pixel or tag of the same account sends it."""

from __future__ import annotations

from typing import Literal

from pipeline.core.match_key import Plain
from pipeline.core.normalize.identifier import external_id, external_id_as_written

ExternalIds = Literal["folded", "as-written"]
"""What the pixel sends as `external_id`: without white space and in lower case, or as the shop wrote it."""


def rule_of(external_ids: ExternalIds) -> Plain:
    """Return the rule that does to an id what the pixel does."""
    return Plain(external_id if external_ids == "folded" else external_id_as_written)

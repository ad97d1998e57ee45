"""What a destination accepted lately, so that the same record is not sent twice.

Kafka delivers again after a rebalance and producers retry; the platform would drop the copy, this spares the request.
It is a memory, not a promise: it is bounded, and a restart empties it.
What a platform is sent follows from the record's bytes and its schema, so these are compared: of one record all
destinations share the hash. An event with the same id in other bytes is not a copy: it goes, and the platform decides.
"""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.core.model import Delivery

REMEMBERED = 50_000


class Recent:
    """Two generations of ids with the hash of their bytes: the older one is forgotten when the younger is full."""

    def __init__(self, most: int = REMEMBERED) -> None:
        self._half = most // 2
        self._young: dict[str, int] = {}
        self._old: dict[str, int] = {}

    def copies(self, deliveries: Sequence[Delivery]) -> list[Delivery]:
        """Return those whose very record was accepted under their id."""
        young, old = self._young, self._old
        known = [item for item in deliveries if item.event_id in young or item.event_id in old]
        return [item for item in known if _print(item) == young.get(item.event_id, old.get(item.event_id))]

    def accepted(self, deliveries: Sequence[Delivery]) -> None:
        """Remember deliveries that the platform accepted."""
        self._young.update({item.event_id: _print(item) for item in deliveries})
        if len(self._young) >= self._half:
            self._old, self._young = self._young, {}


def _print(delivery: Delivery) -> int:
    return hash((delivery.record.value, delivery.schema_id))

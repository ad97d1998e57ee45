"""What a destination accepted lately, so that the same event with the same bytes is not sent twice.

Kafka delivers again after a rebalance and producers retry; the platform would drop the copy, this spares the request.
It is a memory, not a promise: it is bounded, and a restart empties it.
An event with the same id and other bytes is not a copy: it goes, and the platform decides.
"""

from __future__ import annotations

from pipeline.core.model import Delivery

REMEMBERED = 50_000


class Recent:
    """Two generations of ids with the hash of their bytes: the older one is forgotten when the younger is full."""

    def __init__(self, most: int = REMEMBERED) -> None:
        self._half = most // 2
        self._young: dict[str, int] = {}
        self._old: dict[str, int] = {}

    def seen(self, delivery: Delivery) -> bool:
        """Whether the same bytes were accepted under this id."""
        known = self._young.get(delivery.event_id)
        if known is None:
            known = self._old.get(delivery.event_id)
        return known is not None and known == hash(delivery.shaped.payload)

    def accepted(self, delivery: Delivery) -> None:
        """Remember a delivery that the platform accepted."""
        self._young[delivery.event_id] = hash(delivery.shaped.payload)
        if len(self._young) >= self._half:
            self._old, self._young = self._young, {}

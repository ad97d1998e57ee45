"""Every scenario there is: importing the plays enters them into the catalogue."""

from __future__ import annotations

import play_brokers
import play_groups
import play_insides
import play_kills
import play_platform
import play_records
from catalogue import SCENARIOS, Scenario

_PLAYS = (play_kills, play_groups, play_brokers, play_records, play_platform, play_insides)


def in_order() -> list[Scenario]:
    """Return all scenarios by the number of their fault."""
    return sorted(SCENARIOS.values(), key=lambda one: (one.number, one.name))

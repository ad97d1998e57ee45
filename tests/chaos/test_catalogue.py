"""The scenarios and the platforms that they are played on."""

from __future__ import annotations

from collections import Counter

import play_kills
import play_platform
from lanes import LANES, META
from plays import in_order


def test_the_short_run_visits_every_platform() -> None:
    """Beside what it plays on Meta it plays one scenario on each other platform."""
    visited = Counter(name for one in in_order() for name in one.lanes)

    assert dict.fromkeys((lane.platform for lane in LANES if lane is not META), 1) == visited


def test_what_speaks_to_the_platform_can_be_played_on_any() -> None:
    """Kills and troubles of the platform are played on any lane, or on all of them at once."""
    speaking = [one for one in in_order() if one.play.__module__ in (play_kills.__name__, play_platform.__name__)]

    assert len(speaking) >= 14
    assert [] == [one.name for one in speaking if not one.any_lane and not one.everybody]

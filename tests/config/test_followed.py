"""What the settings must say for a destination whose platform decides later."""

from __future__ import annotations

from dataclasses import replace

import pytest
from toy import destination

from pipeline.config.environment import read_settings
from pipeline.config.followed import following_faults
from pipeline.core.destination import Mode
from pipeline.platforms import PLATFORMS

PLAIN = {"CAPI_KAFKA_BOOTSTRAP_SERVERS": "kafka:9092"}
BOTH = {"CAPI_RECEIPTS_TOPIC": "receipts", "CAPI_REPLAY_TOPIC": "replay"}


@pytest.mark.parametrize(
    ("platform", "mode", "more", "missing"),
    [
        ("google", "live", {}, ["CAPI_RECEIPTS_TOPIC", "CAPI_REPLAY_TOPIC"]),
        ("google", "live", {"CAPI_REPLAY_TOPIC": "replay"}, ["CAPI_RECEIPTS_TOPIC"]),
        ("google", "live", BOTH, []),
        ("google", "test", {}, []),
        ("google", "off", {}, []),
        ("meta", "live", {}, []),
    ],
)
def test_both_topics_are_needed(platform: str, mode: Mode, more: dict[str, str], missing: list[str]) -> None:
    """A live destination that is followed needs both topics; any other needs none."""
    settings = read_settings(PLAIN | more)
    one = replace(destination("mine"), platform=platform, mode=mode)
    faults = list(following_faults(settings, [one], PLATFORMS))

    assert missing == [fault.where for fault in faults]
    assert all("mine" in fault.problem and fault.where in fault.fix for fault in faults)

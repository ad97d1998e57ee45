"""The plugins of the suite: fixtures that more than one folder uses."""

from __future__ import annotations

pytest_plugins = ["kafka_fixtures"]

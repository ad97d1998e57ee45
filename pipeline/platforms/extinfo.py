"""`extinfo`: the device facts of an app event, which Meta and Snapchat want in one form of sixteen places."""

from __future__ import annotations

from typing import Final

from pipeline.core.contract import App

ITEMS: Final = 16
# The first place: which system it is.
_SYSTEMS: Final = ("a2", "i2")


def given_of(app: App) -> list[str]:
    """Return the device facts as they were given, or as many as the app's own fields make; no place is filled up."""
    return app["extinfo"] or [
        "a2" if app["os"] == "ANDROID" else "i2",
        app["app_id"] or "",
        app["app_version"] or "",
        app["app_version"] or "",
        app["os_version"] or "",
    ]


def fault_of(given: list[str]) -> str | None:
    """Return what is wrong with device facts, or None. Never holds a value."""
    if len(given) > ITEMS:
        return f"app.extinfo has more than {ITEMS} items"
    return None if given[0] in _SYSTEMS else "app.extinfo must begin with a2 (Android) or i2 (iOS)"


def filled(app: App) -> list[str]:
    """Return all sixteen places; an unknown one is empty text, never null."""
    given = given_of(app)
    return [*given, *[""] * (ITEMS - len(given))]

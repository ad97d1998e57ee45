"""How grave a signal is, where that depends on what it holds."""

from __future__ import annotations

from pipeline.core.reason import Reason
from pipeline.core.signals.base import Level, Signal
from pipeline.core.signals.worker import IntakePaused, KafkaTrouble


def level_of(signal: Signal) -> Level:
    """Return how grave `signal` is: its usual level, but where that depends on what it holds."""
    match signal:
        case KafkaTrouble(fatal=True):
            return "error"
        case IntakePaused(reason=Reason.BACKPRESSURE):  # part of a normal day
            return "info"
        case IntakePaused(
            reason=Reason.BUDGET_SPENT | Reason.DEAD_LETTERS_DOWN | Reason.RECEIPTS_DOWN
        ):  # lasts until a person acts
            return "error"
        case _:
            return signal.usual

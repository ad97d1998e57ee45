"""What the demo's screen says, as it is read on a terminal of 80 columns."""

from __future__ import annotations

import pytest

from pipeline.demo.screen import Screen


def test_next_steps_fit_80_columns(capsys: pytest.CaptureFixture[str]) -> None:
    """Each command stands alone on its line, its note on the next, and no note is wider than 80 columns."""
    Screen().next_steps()
    lines = [line.rstrip() for line in capsys.readouterr().out.splitlines()][2:]
    commands, notes = lines[::2], lines[1::2]

    assert (6, 6) == (len(commands), len(notes))
    assert commands[0].endswith(" -m pipeline demo --keep")
    assert all(" -m pipeline " in command and ":" not in command for command in commands)
    assert all(note.startswith("     ") and " -m pipeline " not in note and len(note) <= 80 for note in notes)

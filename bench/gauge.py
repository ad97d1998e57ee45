"""What a process has cost so far: CPU time of all its threads, and the most memory it ever held."""

from __future__ import annotations

import os
import resource
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_TICKS: Final = os.sysconf("SC_CLK_TCK")
# proc_pid_stat(5): fields 14 and 15, counted from behind the name, which may hold anything.
_USER, _SYSTEM = 11, 12


@dataclass(frozen=True, slots=True)
class Run:
    """One contender's run: CPU seconds from the first record to the last commit, Unix times, peak memory."""

    cpu_seconds: float
    began_at: float
    peak_bytes: int


def own_cpu_seconds() -> float:
    """Return user and system time of this process, all threads, no children."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def cpu_seconds(pid: int) -> float:
    """Return user and system time of a process, all threads, in steps of the kernel's tick (10 ms)."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[_USER]) + int(fields[_SYSTEM])) / _TICKS


def peak_bytes(pid: int | None = None) -> int:
    """Return the high-water mark of resident memory of a process, or of this one."""
    text = Path(f"/proc/{pid or 'self'}/status").read_text(encoding="utf-8")
    line = next(line for line in text.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024

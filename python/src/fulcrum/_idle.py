"""The priority below every other."""

from __future__ import annotations

import os


def run_when_idle() -> None:
    """Gives this process, with all its threads, the system's policy for work that only runs while
    nothing else wants to: whoever else wakes has the processor at once. Taking it needs no rights;
    going back does, so it stays until the process ends. Raises OSError where it cannot be."""
    for thread in os.listdir("/proc/self/task"):
        os.sched_setscheduler(int(thread), os.SCHED_IDLE, os.sched_param(0))

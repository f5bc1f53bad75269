"""Timing several forms of the same thing in one process, in turns."""

import statistics
import time
from collections.abc import Callable
from typing import Any

WARM_UP = 2


def in_turns(actions: dict[str, tuple[Callable[[], Any], ...]], repeats: int) -> list[dict[str, float]]:
    """The median milliseconds of each form, for each phase.

    Args:
        actions: For each form what it does in each phase; returns when it is done.
        repeats: Timed calls of each, behind two that are not counted.
    """
    phases = []
    for index in range(len(next(iter(actions.values())))):
        times: dict[str, list[float]] = {form: [] for form in actions}
        for turn in range(repeats + WARM_UP):
            for form, phase_actions in actions.items():
                start = time.perf_counter()
                phase_actions[index]()
                if turn >= WARM_UP:
                    times[form].append(1000 * (time.perf_counter() - start))
        phases.append({form: round(statistics.median(values), 1) for form, values in times.items()})
    return phases

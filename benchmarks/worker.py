"""The side of a measured process: obeys commands line by line. Used under both Python environments."""

import json
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass
class Contestant:
    """Something to time: its two actions, each of which returns when its result is there."""

    inference: Callable[[], Any]
    step: Callable[[], Any]
    parameters: int
    imported: float  # peak memory in megabytes once everything was imported
    versions: dict[str, str]


def peak_megabytes() -> float:
    """The high-water mark of this process's resident memory."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def obey(contestant: Contestant) -> None:
    """Times an action for every line of standard input and answers on standard output, until the input ends."""
    answer(parameters=contestant.parameters, imported=contestant.imported, versions=contestant.versions)
    for line in sys.stdin:
        action = {"inference": contestant.inference, "step": contestant.step}[line.strip()]
        start = time.perf_counter()
        action()
        answer(seconds=time.perf_counter() - start, peak=peak_megabytes())


def answer(**fields: Any) -> None:
    """Writes one answer; its mark tells it from what libraries print."""
    print("@" + json.dumps(fields), flush=True)

"""A match between this package and its peer: fresh processes, timed in turns."""

import contextlib
import json
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.cases import KERAS_HUB, LAYER_PHASES, PHASES, Case
from benchmarks.environment import REPOSITORY
from benchmarks.ours import MODES

FORMATS = ("channels_first", "channels_last")
WARM_UP = 2


@dataclass
class Measurement:
    """One phase of one case: what each contestant took. Lower is better."""

    case: str
    phase: str
    unit: str
    batch: int
    size: str
    backend: str
    ours: dict[str, float]  # by mode
    peer: dict[str, float]  # by memory format or mode
    peer_name: str
    load: float  # processes that wanted to run when the match began: above 1 something else was running too
    versions: dict[str, str] = field(default_factory=dict)

    def ratio(self, mode: str | None = None) -> float:
        """The peer's best over ours (in one mode, or our best): >= 1 is not slower, not larger."""
        ours = min(self.ours.values()) if mode is None else self.ours[mode]
        return min(self.peer.values()) / ours


class Process:
    """A measured process and the last answer that it gave."""

    def __init__(self, command: list[str], environment: dict[str, str]):
        self.errors = tempfile.TemporaryFile("w+")
        self.name = " ".join(command[1:3])
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            text=True,
            cwd=REPOSITORY,
            env={**os.environ, **environment},
        )
        self.times: list[float] = []
        self.peak = 0.0
        self.hello = self.answer()

    def answer(self) -> dict[str, Any]:
        """The next answer; raises `RuntimeError` with what the process wrote if it ended."""
        for line in self.process.stdout:
            if line.startswith("@"):
                return json.loads(line[1:])
        status = self.process.wait()
        self.errors.seek(0)
        raise RuntimeError(f"The process `{self.name}` ended with status {status}:\n{self.errors.read()[-3000:]}")

    def run(self, action: str) -> None:
        """Has the process run one action."""
        with contextlib.suppress(BrokenPipeError):  # `answer` says what became of the process
            self.process.stdin.write(action + "\n")
            self.process.stdin.flush()
        answer = self.answer()
        self.times.append(answer["seconds"])
        self.peak = answer["peak"]

    def close(self) -> None:
        """Ends the process."""
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()
        self.errors.close()


def play(
    case: Case, *, python: Path, peers_python: Path, backend: str, repeats: int, threads: int = 2
) -> list[Measurement]:
    """Measures one case: all contestants take turns, so that what disturbs the machine disturbs all alike.

    Args:
        case: What to measure.
        python: Interpreter that has this package.
        peers_python: Interpreter that has the peers.
        backend: Keras backend of this package's side.
        repeats: Timed calls of each contestant; `WARM_UP` calls before them do not count.
        threads: Threads of each process; the processes never work at the same time.

    Returns:
        The `MEASURES` of the first phase, then of the second.
    """
    load = round(os.getloadavg()[0], 1)
    environment = {"OMP_NUM_THREADS": str(threads), "KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"}
    description = json.dumps(asdict(case))
    ours = {
        mode: Process([str(python), "-m", "benchmarks.ours", description, mode, str(threads)], environment)
        for mode in MODES[backend]
    }
    peer = {
        mode: Process([str(peers_python), "-m", "benchmarks.peers", description, mode, str(threads)], environment)
        for mode in peer_modes(case)
    }
    everyone = [*ours.values(), *peer.values()]
    try:
        check_parameters(case, everyone)
        versions = {**ours[MODES[backend][0]].hello["versions"], **next(iter(peer.values())).hello["versions"]}
        results = []
        for action, phase in zip(("inference", "step"), LAYER_PHASES if case.layer else PHASES, strict=True):
            for process in everyone:
                for _ in range(WARM_UP):
                    process.run(action)
                process.times.clear()
            for _ in range(repeats):
                for process in everyone:
                    process.run(action)
            for measured, unit, of in MEASURES:
                results.append(
                    Measurement(
                        case=case.name,
                        phase=phase + measured,
                        unit=unit,
                        batch=case.batch,
                        size=f"{case.height}x{case.width}",
                        backend=backend,
                        ours={mode: round(of(process), 1) for mode, process in ours.items()},
                        peer={mode: round(of(process), 1) for mode, process in peer.items()},
                        peer_name=case.peer,
                        load=load,
                        versions=versions,
                    )
                )
        return results
    finally:
        for process in everyone:
            process.close()


def medians_in_turns(actions: dict[str, Callable[[], Any]], repeats: int, warm_up: int) -> dict[str, float]:
    """The median milliseconds of actions of this process, which take turns.

    Args:
        actions: By name.
        repeats: Timed calls of each.
        warm_up: Calls of each before them.
    """
    times: dict[str, list[float]] = {name: [] for name in actions}
    for turn in range(repeats + warm_up):
        for name, action in actions.items():
            start = time.perf_counter()
            action()
            if turn >= warm_up:
                times[name].append(1000 * (time.perf_counter() - start))
    return {name: round(statistics.median(values), 1) for name, values in times.items()}


def peer_modes(case: Case) -> tuple[str, ...]:
    """The ways in which the peer is run; its best counts."""
    return MODES["tensorflow"] if case.peer == KERAS_HUB else FORMATS


def median_milliseconds(process: Process) -> float:
    """The median of the timed calls."""
    return 1e3 * statistics.median(process.times)


def peak(process: Process) -> float:
    """Peak memory in megabytes."""
    return process.peak


def peak_above_imports(process: Process) -> float:
    """Peak memory in megabytes without what importing the framework takes (TensorFlow's imports are the larger)."""
    return process.peak - process.hello["imported"]


# What follows the phase's name, the unit, and the number.
MEASURES = (
    ("", "ms", median_milliseconds),
    (", peak memory", "MB", peak),
    (", peak memory above imports", "MB", peak_above_imports),
)


def check_parameters(case: Case, everyone: list[Process]) -> None:
    """Raises `RuntimeError` if two sides that should be the same network are not."""
    counts = {process.hello["parameters"] for process in everyone}
    if case.same_parameters and len(counts) > 1:
        raise RuntimeError(f"The two sides of {case.name} differ in parameters: {sorted(counts)}")

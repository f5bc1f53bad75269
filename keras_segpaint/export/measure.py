"""What a LiteRT file takes on this machine: time, memory, and which operators take it."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from keras_segpaint.export.operators import cut, operator_names
from keras_segpaint.extras import require

__all__ = ["Benchmark", "Latency", "OperatorTime", "TensorSummary", "benchmark"]

_WARM_UP = 2
_FEWEST_RUNS = 5
_FEWEST_RUNS_OF_AN_OPERATOR = 3


@dataclass(frozen=True)
class TensorSummary:
    """An input or output of a LiteRT file.

    Args:
        name: Its name in the file.
        dtype: Such as `"float32"` or `"uint8"`.
        shape: Its extents.
        scales: What an integer's step is worth, one for each channel or one for all; empty if it is not quantised.
        zero_points: The integers that stand for zero.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    scales: tuple[float, ...] = ()
    zero_points: tuple[int, ...] = ()

    def __str__(self) -> str:
        text = f"{self.dtype} {' x '.join(map(str, self.shape))}"
        if len(self.scales) == 1:
            return f"{text}, scale {self.scales[0]:.6g}, zero point {self.zero_points[0]}"
        return f"{text}, {len(self.scales)} scales" if self.scales else text


@dataclass(frozen=True)
class Latency:
    """Times of one image in milliseconds, of a process of its own with a number of threads.

    Args:
        threads: CPU threads.
        runs: How many were timed.
        minimum: The fastest run.
        p50: The median.
        p90: Nine of ten were not slower.
        p99: Of a hundred 99 were not slower.
        mean: The mean.
        peak_bytes: By how much the process's resident memory grew at most, from before the file was opened to after the
            last run; the file's own pages count.
    """

    threads: int
    runs: int
    minimum: float
    p50: float
    p90: float
    p99: float
    mean: float
    peak_bytes: int


@dataclass(frozen=True)
class OperatorTime:
    """All operators of one kind.

    Args:
        kind: Such as `"CONV_2D"`.
        count: How many there are in the file.
        delegated: How many of them XNNPACK runs.
        milliseconds: What they take together, each run alone; `None` if one of them cannot run alone.
    """

    kind: str
    count: int
    delegated: int
    milliseconds: float | None


@dataclass(frozen=True)
class Benchmark:
    """The result of `benchmark`.

    Args:
        path: The file.
        size_bytes: Its size.
        inputs: Its inputs.
        outputs: Its outputs.
        latencies: One for each number of threads.
        partitions: How many operators each partition has that XNNPACK runs as one node.
        operators: By kind, the slowest first; empty if that was not asked for. With the first number of threads.
    """

    path: Path
    size_bytes: int
    inputs: tuple[TensorSummary, ...]
    outputs: tuple[TensorSummary, ...]
    latencies: tuple[Latency, ...]
    partitions: tuple[int, ...]
    operators: tuple[OperatorTime, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """All of it as JSON can hold it."""
        return {**asdict(self), "path": str(self.path)}


def benchmark(
    path: str | os.PathLike,
    threads: Sequence[int] = (1,),
    runs: int | None = None,
    seconds: float = 3.0,
    operators: bool = True,
) -> Benchmark:
    """Times a LiteRT file on random inputs, in a fresh process for each number of threads.

    The interpreter hands what it can to XNNPACK, which runs a partition of many operators as one node and tells nobody
    what each of them took; the Python interpreter has no profiler either. So the time of an operator is that of a file
    with this operator alone, with the same constants, sizes and threads. Their sum is not the time of the whole: alone an
    operator finds its input in the cache or not, and nothing is fused with its neighbours. The shares say where
    the time goes.

    Args:
        path: A `.tflite` file.
        threads: Numbers of CPU threads, each >= 1. Defaults to one thread.
        runs: How many runs to time, an integer >= 1. Defaults to as many as fit into `seconds`, at least five.
        seconds: How long to time with each number of threads. Defaults to `3`.
        operators: Boolean, also time each operator alone, which takes about as long again. Defaults to `True`.

    Returns:
        A `Benchmark`.

    Raises:
        FileNotFoundError: If there is no such file.
        ImportError: If `ai-edge-litert` is not installed.
        RuntimeError: If the process that measures dies.
        ValueError: If the file is no LiteRT model that can be run, or a number is out of range.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     file = Path(folder, "enet.tflite")
        ...     _ = file.write_bytes(b"what to_litert writes")
        ...     benchmark(file, threads=(1, 2), seconds=1)
        Traceback (most recent call last):
        ...
        ValueError: ...enet.tflite is not a LiteRT model that can be run: The model is not a valid Flatbuffer buffer
    """
    path = Path(path)
    _check(path, threads, runs, seconds)
    measured = [_measure([_job(path, count, seconds, runs, _FEWEST_RUNS, _WARM_UP)])[0] for count in threads]
    for answer in measured:
        if "error" in answer:
            raise ValueError(f"{path} is not a LiteRT model that can be run: {answer['error']}")
    first = measured[0]
    return Benchmark(
        path,
        path.stat().st_size,
        tuple(map(_summary, first["inputs"])),
        tuple(map(_summary, first["outputs"])),
        tuple(_latency(count, answer) for count, answer in zip(threads, measured, strict=True)),
        tuple(len(partition) for partition in first["partitions"]),
        _operator_times(path, threads[0], seconds, first["partitions"]) if operators else (),
    )


def _check(path: Path, threads: Sequence[int], runs: int | None, seconds: float) -> None:
    if not path.is_file():
        raise FileNotFoundError(2, "No such file", str(path))
    if path.suffix != ".tflite":
        raise ValueError(f"`path` must be a .tflite file, as `to_litert` writes. Received: {path}")
    if not threads or any(count < 1 for count in threads):
        raise ValueError(f"`threads` must be one or more integers >= 1. Received: threads={threads}")
    if runs is not None and runs < 1:
        raise ValueError(f"`runs` must be an integer >= 1 or None. Received: runs={runs}")
    if not seconds > 0:
        raise ValueError(f"`seconds` must be a number > 0. Received: seconds={seconds}")
    require("ai_edge_litert.interpreter", "export", "Measuring a LiteRT file")


def _job(path: Path, threads: int, seconds: float, runs: int | None, at_least: int, warm_up: int) -> dict[str, Any]:
    return dict(path=str(path), threads=threads, seconds=seconds, runs=runs, at_least=at_least, warm_up=warm_up)


def _measure(jobs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Runs `_measure.py` on files, one after the other, in one process."""
    with tempfile.TemporaryDirectory() as folder:
        description, result = Path(folder, "jobs.json"), Path(folder, "result.json")
        description.write_text(json.dumps({"jobs": jobs, "result": str(result)}), encoding="utf-8")
        script = Path(__file__).with_name("_measure.py")
        # Without -P this folder's modules would come before the installed ones of the same name.
        command = [sys.executable, "-P", str(script), str(description)]
        # A user of this package may have it, and LiteRT, on a path of this process alone.
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            tail = "\n".join(done.stderr.strip().splitlines()[-8:])
            names = ", ".join(sorted({Path(job["path"]).name for job in jobs}))
            raise RuntimeError(f"The process that measures {names} ended with exit code {done.returncode}:\n{tail}")
        return json.loads(result.read_text(encoding="utf-8"))


def _latency(threads: int, answer: dict[str, Any]) -> Latency:
    times = np.asarray(answer["milliseconds"])
    p50, p90, p99 = (float(value) for value in np.percentile(times, (50, 90, 99)))
    return Latency(threads, len(times), float(times.min()), p50, p90, p99, float(times.mean()), answer["peak_bytes"])


def _summary(tensor: dict[str, Any]) -> TensorSummary:
    return TensorSummary(
        tensor["name"],
        tensor["dtype"],
        tuple(tensor["shape"]),
        tuple(tensor["scales"]),
        tuple(tensor["zero_points"]),
    )


def _operator_times(path: Path, threads: int, seconds: float, partitions: list[list[int]]) -> tuple[OperatorTime, ...]:
    content = path.read_bytes()
    names = operator_names(content)
    delegated = {position for partition in partitions for position in partition}
    alone: dict[str, list[float | None]] = {}
    with tempfile.TemporaryDirectory() as folder:
        cuts = cut(content, Path(folder))
        files = [one.path for one in cuts if one.path is not None]
        each = seconds / max(len(files), 1)
        answers = iter(_measure([_job(file, threads, each, None, _FEWEST_RUNS_OF_AN_OPERATOR, 1) for file in files]))
        for one in cuts:
            answer: dict[str, Any] = {} if one.path is None else next(answers)
            # Without times it needs what only the whole file has.
            times = answer.get("milliseconds")
            alone.setdefault(one.kind, []).append(len(one.positions) * float(np.median(times)) if times else None)
    result = []
    for kind in dict.fromkeys(names):
        positions = [position for position, name in enumerate(names) if name == kind]
        # A kind without any is computed of constants when the file is loaded, and takes nothing afterwards.
        parts = alone.get(kind, [])
        total = None if None in parts else sum(part for part in parts if part is not None)
        result.append(OperatorTime(kind, len(positions), len(delegated.intersection(positions)), total))
    return tuple(sorted(result, key=lambda time: -1 if time.milliseconds is None else time.milliseconds, reverse=True))

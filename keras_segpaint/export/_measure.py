"""`python -P .../_measure.py JOB`: times LiteRT files in a process that holds nothing else.

It runs as a file, not as a module of the package, whose import would bring Keras and its memory along.
"""

import json
import resource
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter


def measure(path: str, threads: int, seconds: float, runs: int | None, at_least: int, warm_up: int) -> dict[str, Any]:
    """What one file takes, with inputs drawn at random: milliseconds of each run, peak bytes, tensors, partitions."""
    before = _resident("VmRSS")
    interpreter = Interpreter(model_path=path, num_threads=threads)
    interpreter.allocate_tensors()
    rng = np.random.default_rng(0)
    for tensor in interpreter.get_input_details():
        interpreter.set_tensor(tensor["index"], _drawn(rng, tuple(tensor["shape"]), np.dtype(tensor["dtype"])))
    for _ in range(warm_up):
        interpreter.invoke()
    times: list[float] = []
    began = time.perf_counter()
    while len(times) < (runs or at_least) or (runs is None and time.perf_counter() - began < seconds):
        start = time.perf_counter()
        interpreter.invoke()
        times.append(1000 * (time.perf_counter() - start))
    return {
        "milliseconds": times,
        "peak_bytes": max(_resident("VmHWM") - before, 0),
        "inputs": [_summary(tensor) for tensor in interpreter.get_input_details()],
        "outputs": [_summary(tensor) for tensor in interpreter.get_output_details()],
        "partitions": _partitions(interpreter),
    }


def _drawn(rng: np.random.Generator, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    if dtype.kind == "f":
        return rng.random(shape, np.float32).astype(dtype)
    if dtype.itemsize == 1 and dtype.kind in "iu":
        limits = np.iinfo(dtype)
        return rng.integers(limits.min, limits.max + 1, shape).astype(dtype)
    # Wider integers are positions or sizes, of which only zero is sure to be one.
    return np.zeros(shape, dtype)


def _summary(tensor: dict[str, Any]) -> dict[str, Any]:
    quantization = tensor["quantization_parameters"]
    return {
        "name": tensor["name"],
        "dtype": np.dtype(tensor["dtype"]).name,
        "shape": [int(extent) for extent in tensor["shape"]],
        "scales": [float(scale) for scale in quantization["scales"]],
        "zero_points": [int(point) for point in quantization["zero_points"]],
    }


def _partitions(interpreter: Interpreter) -> list[list[int]]:
    """The operators that each delegated partition runs, by their positions in the file."""
    # The interpreter lists the file's operators and, behind them, one node for each partition.
    nodes = interpreter._get_ops_details()
    operators = [node for node in nodes if node["op_name"] != "DELEGATE"]
    producer = {int(tensor): node for node in operators for tensor in node["outputs"]}
    found = []
    for partition in nodes[len(operators) :]:
        given = {int(tensor) for tensor in partition["inputs"]}
        wanted = [int(tensor) for tensor in partition["outputs"]]
        inside: set[int] = set()
        while wanted:
            tensor = wanted.pop()
            if tensor in given or tensor not in producer or (node := producer[tensor])["index"] in inside:
                continue
            inside.add(node["index"])
            wanted += [int(before) for before in node["inputs"]]
        found.append(sorted(inside))
    return found


def _resident(field: str) -> int:
    """`VmRSS`, the memory that this process holds now, or `VmHWM`, the most that it ever held, in bytes."""
    status = Path("/proc/self/status")
    if status.exists():
        (line,) = (line for line in status.read_text().splitlines() if line.startswith(f"{field}:"))
        return 1024 * int(line.split()[1])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak


def _main(job: Path) -> int:
    description = json.loads(job.read_text(encoding="utf-8"))
    results: list[dict[str, Any]] = []
    for arguments in description["jobs"]:
        try:
            results.append(measure(**arguments))
        except (ValueError, RuntimeError) as error:
            results.append({"error": str(error)})
    Path(description["result"]).write_text(json.dumps(results), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(_main(Path(sys.argv[1])))

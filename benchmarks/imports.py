"""What importing this package costs on top of importing Keras."""

import os
import statistics
import subprocess
from pathlib import Path

from benchmarks.environment import REPOSITORY
from benchmarks.match import Measurement

LIMIT = 300.0  # milliseconds
CODE = "import time, keras; start = time.perf_counter(); {}; print('@', time.perf_counter() - start)"
ROOMS = "models, layers, losses, metrics, data, training, inference, export, viz"
STATEMENTS = {
    "package": "import keras_segpaint",
    "every room": f"from keras_segpaint import {ROOMS}",
}


def measure(python: Path, backend: str, repeats: int) -> Measurement:
    """Times the imports in fresh processes that have imported Keras; the peer's column is the limit."""
    environment = {**os.environ, "KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"}
    load = round(os.getloadavg()[0], 1)
    times: dict[str, list[float]] = {name: [] for name in STATEMENTS}
    for repeat in range(repeats + 1):
        for name, statement in STATEMENTS.items():
            output = subprocess.run(
                [str(python), "-c", CODE.format(statement)],
                check=True,
                capture_output=True,
                text=True,
                cwd=REPOSITORY,
                env=environment,
            ).stdout
            # The first import writes byte code.
            if repeat:
                times[name].append(1e3 * float(output.rsplit("@", 1)[1]))
    return Measurement(
        case="import",
        phase="after keras",
        unit="ms",
        batch=0,
        size="",
        backend=backend,
        ours={name: round(statistics.median(values), 1) for name, values in times.items()},
        peer={"limit": LIMIT},
        peer_name="limit",
        load=load,
    )

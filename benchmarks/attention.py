"""Attention among the positions of a map against plain PyTorch: `python -m benchmarks attention`.

Time and peak memory, forward and with the gradient, at the features that DANet and CCNet attend to: 97x97 positions of 512
channels. The peer is the layer as one would write it in PyTorch, which holds the weights of all pairs of positions.
"""

import argparse
import importlib.util
import json
import math
import os
import sys
from collections.abc import Sequence
from typing import Any

from benchmarks.environment import peers_python
from benchmarks.match import MEASURES, WARM_UP, Measurement, Process
from benchmarks.ours import MODES, limit_threads, on_jax, on_tensorflow, on_torch, versions
from benchmarks.report import append, table
from benchmarks.worker import Contestant, obey, peak_megabytes

# Those whose peers stand in `benchmarks.peers.attention`.
LAYERS = ("NonLocalBlock", "SelfAttention2D", "PositionAttention", "CrissCrossAttention")


def main(arguments: Sequence[str] | None = None) -> list[Measurement]:
    """Measures, prints the table and, if told to, keeps it."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks attention",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--layers", default=",".join(LAYERS), help=f"comma-separated, of {', '.join(LAYERS)}")
    parser.add_argument("--backend", choices=sorted(MODES), default="tensorflow")
    parser.add_argument("--side", type=int, default=97, help="height and width (default: 97)")
    parser.add_argument("--channels", type=int, default=512, help="default: 512")
    parser.add_argument("--repeats", type=int, default=5, help="timed calls of each (default: 5)")
    parser.add_argument("--threads", type=int, default=2, help="default: 2")
    parser.add_argument("--save", action="store_true", help="append the rows to benchmarks/results.csv")
    options = parser.parse_args(arguments)
    names = options.layers.split(",")
    unknown = [name for name in names if name not in LAYERS]
    if unknown:
        parser.error(f"argument --layers: no such layer: {', '.join(unknown)} (choose from {', '.join(LAYERS)})")
    results: list[Measurement] = []
    for name in names:
        print(f"{name} ...", file=sys.stderr, flush=True)
        measured = measure(name, options.side, options.channels, options.backend, options.repeats, options.threads)
        print(table(measured) + "\n", flush=True)
        if options.save:
            append(measured)
        results += measured
    return results


def measure(name: str, side: int, channels: int, backend: str, repeats: int, threads: int) -> list[Measurement]:
    """One layer and its peer, in turns, each in a process of its own."""
    load = round(os.getloadavg()[0], 1)
    environment = {"OMP_NUM_THREADS": str(threads), "KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"}
    case = json.dumps([name, side, channels, threads])
    mode = MODES[backend][0]
    ours = Process([sys.executable, "-m", "benchmarks.attention", case], environment)
    # The peers need PyTorch alone.
    python = sys.executable if importlib.util.find_spec("torch") else str(peers_python())
    peer = Process([python, "-m", "benchmarks.peers.attention", case], environment)
    try:
        if ours.hello["parameters"] != peer.hello["parameters"]:
            raise RuntimeError(f"The two sides of {name} differ in parameters")
        results = []
        for action, phase in (("inference", "forward"), ("step", "forward + backward")):
            for process in (ours, peer):
                for _ in range(WARM_UP):
                    process.run(action)
                process.times.clear()
            for _ in range(repeats):
                for process in (ours, peer):
                    process.run(action)
            for measured, unit, of in MEASURES:
                results.append(
                    Measurement(
                        case=name,
                        phase=phase + measured,
                        unit=unit,
                        batch=1,
                        size=f"{side}x{side}x{channels}",
                        backend=backend,
                        ours={mode: round(of(ours), 1)},
                        peer={"channels_first": round(of(peer), 1)},
                        peer_name="plain PyTorch",
                        load=load,
                        versions={**ours.hello["versions"], **peer.hello["versions"]},
                    )
                )
        return results
    finally:
        for process in (ours, peer):
            process.close()


def contestant(name: str, side: int, channels: int, threads: int) -> Contestant:
    """The layer of this package on the backend that this process has."""
    import numpy as np

    backend = os.environ["KERAS_BACKEND"]
    limit_threads(backend, threads)
    from keras_segpaint import layers

    imported = peak_megabytes()
    layer = getattr(layers, name)(data_format="channels_last")
    layer.build((1, side, side, channels))
    array = np.random.default_rng(0).standard_normal((1, side, side, channels), "float32")
    timers: dict[str, Any] = {"tensorflow": on_tensorflow, "jax": on_jax, "torch": on_torch}
    forward, step = timers[backend](layer, array, MODES[backend][0])
    parameters = sum(math.prod(weight.shape) for weight in layer.trainable_weights)
    return Contestant(forward, step, parameters, imported, versions(backend))


if __name__ == "__main__":
    obey(contestant(*json.loads(sys.argv[1])))

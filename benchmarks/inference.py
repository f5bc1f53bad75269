"""`inference.Segmenter` against the bare network: `python -m benchmarks inference`.

An image in overlapping tiles, in turns: once through `Segmenter`, which cuts, converts, blends and classifies, and once through
`predict_on_batch` of the network alone, given the same tiles as ready batches. Then the peak memory of a process that
segments an image of 10,000 x 10,000 pixels.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from benchmarks.match import Measurement, medians_in_turns
from benchmarks.ours import limit_threads, versions
from benchmarks.report import append, table

CLASSES, TILE, BATCH = 11, 512, 4
SIDE = 1664  # four tiles of 512 that share a quarter, on each side
LARGE = 10_000
BOUND = 1000  # MiB that the large image may take
NETWORKS: dict[str, dict[str, Any]] = {"ENet": {}, "DeepLabV3Plus": {"backbone": "mobilenet_v2"}}
MODES: dict[str, dict[str, Any]] = {"blend": {}, "overlap_tile": {"mode": "overlap_tile", "margin": 64}}


def main(arguments: Sequence[str] | None = None) -> None:
    """Measures, prints the table and, if told to, keeps it."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks inference",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--backend", choices=("tensorflow", "jax", "torch"), default="tensorflow")
    parser.add_argument("--networks", nargs="+", choices=sorted(NETWORKS), default=list(NETWORKS))
    parser.add_argument("--repeats", type=int, default=7, help="timed calls of each (default: 7)")
    parser.add_argument("--threads", type=int, default=2, help="default: 2")
    parser.add_argument("--memory", action="store_true", help="the peak memory of the large image, nothing else")
    parser.add_argument("--no-memory", action="store_true", help="all but the peak memory of the large image")
    parser.add_argument("--save", action="store_true", help="append the rows to benchmarks/results.csv")
    options = parser.parse_args(arguments)
    os.environ["KERAS_BACKEND"] = options.backend
    os.environ["OMP_NUM_THREADS"] = str(options.threads)
    if options.memory:
        limit_threads(options.backend, options.threads)
        print(*large_image())
        return
    if not options.no_memory:
        # While this process is small: a new process inherits the peak of the one that starts it.
        command = [sys.executable, "-m", "benchmarks.inference", "--backend", options.backend, "--memory"]
        command += ["--threads", str(options.threads)]
        seconds, peak = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()[-2:]
        print(f"ENet, {CLASSES} classes, {LARGE} x {LARGE} pixels: peak {peak} MB of the process, {seconds} s\n")
    limit_threads(options.backend, options.threads)
    measured = []
    for name in options.networks:
        measured += speed(name, options.backend, options.repeats)
        print(table(measured[-len(MODES) :]) + "\n", flush=True)
    print("A ratio of 0.91 is 10 % more time than the bare network takes; images/s are tiles a second.")
    if options.save:
        append(measured)


def speed(name: str, backend: str, repeats: int) -> list[Measurement]:
    """A row for each way to tile."""
    from keras_segpaint import inference

    network = build(name)
    image = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE, 3), np.uint8)
    rows = []
    for mode, arguments in MODES.items():
        segmenter = inference.Segmenter(network, tile=(TILE, TILE), batch_size=BATCH, **arguments)
        shapes: list[tuple[int, ...]] = []
        watched(network, shapes, lambda segmenter=segmenter: segmenter(image))
        batches = [np.random.default_rng(0).random(shape, np.float32) for shape in shapes]
        actions = {
            "segmenter": lambda segmenter=segmenter: segmenter(image),
            "bare": lambda batches=batches: [network.predict_on_batch(batch) for batch in batches],
        }
        load = round(os.getloadavg()[0], 1)
        medians = medians_in_turns(actions, repeats, warm_up=1)
        rows.append(
            Measurement(
                case=f"segmenter, {name}",
                phase=mode,
                unit="ms",
                batch=sum(shape[0] for shape in shapes),
                size=f"{shapes[0][1]}x{shapes[0][2]}",
                backend=backend,
                ours={"graph": medians["segmenter"]},
                peer={"predict_on_batch": medians["bare"]},
                peer_name="the bare network",
                load=load,
                versions=versions(backend),
            )
        )
    return rows


def watched(network: Any, shapes: list[tuple[int, ...]], action: Any) -> None:
    """Runs an action and notes the shapes of the batches that reach the network."""
    predict = network.predict_on_batch

    def noting(batch: Any) -> Any:
        shapes.append(batch.shape)
        return predict(batch)

    network.predict_on_batch = noting
    try:
        action()
    finally:
        del network.predict_on_batch


def large_image() -> tuple[float, int]:
    """Seconds and the process's peak in megabytes."""
    from benchmarks.worker import peak_megabytes
    from keras_segpaint import inference

    patch = np.random.default_rng(0).integers(0, 256, (500, 500, 3), np.uint8)
    image = np.tile(patch, (LARGE // 500, LARGE // 500, 1))
    segmenter = inference.Segmenter(build("ENet"), max_memory=BOUND, batch_size=BATCH)
    start = time.perf_counter()
    segmenter(image)
    return round(time.perf_counter() - start, 1), round(peak_megabytes())


def build(name: str) -> Any:
    """A network with random weights."""
    from keras_segpaint import models

    return getattr(models, name)(CLASSES, data_format="channels_last", **NETWORKS[name])


if __name__ == "__main__":
    main()

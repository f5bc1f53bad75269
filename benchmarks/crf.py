"""The dense CRF: `python -m benchmarks crf`.

Time of an image of 500x375 pixels with 21 classes and 10 iterations, with DeepLab's two pairwise terms; the same at a
quarter and at four times the pixels; and the memory above what the process had before.
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

HEIGHT, WIDTH, CLASSES, ITERATIONS = 375, 500, 21, 10
SCALES = (0.5, 1.0, 2.0)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks crf", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--image", type=Path, help="a photograph, which is resized (default: a drawn image)")
    parser.add_argument("--repeats", type=int, default=7, help="timed calls at each size (default: 7)")
    parser.add_argument("--threads", type=int, default=2, help="default: 2")
    parser.add_argument("--memory", action="store_true", help="the peak memory, nothing else")
    options = parser.parse_args(arguments)
    # Keras is imported with the package; no backend computes anything here.
    os.environ.setdefault("KERAS_BACKEND", "torch")
    if options.memory:
        print(f"{peak_above_inputs(options.image, options.threads):.0f}")
        return
    # While this process is small: a new process inherits the peak of the one that starts it.
    command = [sys.executable, "-m", "benchmarks.crf", "--memory", "--threads", str(options.threads)]
    command += ["--image", str(options.image)] if options.image else []
    peak = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()[-1]
    print(f"{'pixels':>12}  {'best ms':>8}  {'median':>8}  {'setup':>8}  {'lattice':>8}  {'us/pixel':>8}")
    for scale in SCALES:
        print(row(options.image, scale, options.repeats, options.threads), flush=True)
    print(f"{WIDTH}x{HEIGHT} needs {peak} MB above its inputs. Load: {os.getloadavg()[0]:.1f}")


def row(path: Path | None, scale: float, repeats: int, threads: int) -> str:
    """The measurement at one size."""
    from keras_segpaint.inference import BilateralPairwise, DenseCRF, GaussianPairwise

    pairwise = [GaussianPairwise(sxy=3, compat=3), BilateralPairwise(sxy=60, srgb=10, compat=5)]
    probabilities, image = inputs(path, scale)
    whole, setup = [], []
    for turn in range(repeats + 1):
        start = time.perf_counter()
        crf = DenseCRF(image, threads)
        crf(probabilities, pairwise, 0)
        middle = time.perf_counter()
        DenseCRF(image, threads)(probabilities, pairwise, ITERATIONS)
        if turn:
            setup.append(1000 * (middle - start))
            whole.append(1000 * (time.perf_counter() - middle))
    points = sum(lattice.size for lattice in crf.lattices.values())
    height, width = image.shape[:2]
    return (
        f"{f'{width}x{height}':>12}  {min(whole):8.0f}  {statistics.median(whole):8.0f}  {min(setup):8.0f}  {points:8}  "
        f"{1000 * min(whole) / (height * width):8.2f}"
    )


def inputs(path: Path | None, scale: float) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities and image."""
    import cv2

    size = (int(WIDTH * scale), int(HEIGHT * scale))
    photograph = drawn_image() if path is None else cv2.imread(str(path))
    if photograph is None:
        raise SystemExit(f"--image: {path} cannot be read as an image")
    image = cv2.resize(np.ascontiguousarray(photograph[..., ::-1]), size, interpolation=cv2.INTER_AREA)
    coarse = np.random.default_rng(0).normal(scale=3, size=(CLASSES, 12, 16)).astype(np.float32)
    logits = np.stack([cv2.resize(scores, size, interpolation=cv2.INTER_LINEAR) for scores in coarse], axis=-1)
    probabilities = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return probabilities / probabilities.sum(axis=-1, keepdims=True), image


def drawn_image() -> np.ndarray:
    """Shaded discs on a shaded ground with a grain, twice the size: as many colours as a photograph has."""
    random = np.random.default_rng(1)
    rows, columns = np.mgrid[: 2 * HEIGHT, : 2 * WIDTH].astype(np.float32)
    image = np.stack([rows / 6, columns / 8, 90 + 0 * rows], axis=-1)
    for _ in range(60):
        row, column, radius = random.uniform(0, 2 * HEIGHT), random.uniform(0, 2 * WIDTH), random.uniform(20, 160)
        inside = (rows - row) ** 2 + (columns - column) ** 2 < radius**2
        shade = 0.6 + 0.4 * (columns[inside] - column) / radius
        image[inside] = random.uniform(20, 250, 3).astype(np.float32) * shade[:, None]
    return np.clip(image + random.normal(scale=6, size=image.shape), 0, 255).astype(np.uint8)


def peak_above_inputs(path: Path | None, threads: int) -> float:
    """Megabytes by which the process's peak in the CRF is above what it holds before."""
    from benchmarks.worker import peak_megabytes
    from keras_segpaint.inference import dense_crf

    probabilities, image = inputs(path, 1.0)
    # What is resident, not the peak so far: to make the inputs took memory that was given back.
    before = int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 2**20
    dense_crf(probabilities, image, iterations=ITERATIONS, threads=threads)
    return peak_megabytes() - before


if __name__ == "__main__":
    main()

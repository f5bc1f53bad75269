"""SPADE as it is computed here against three convolutions of planes: `python -m benchmarks synthesis`.

The peer is the form of the paper's code, of one-hot planes, with gamma and beta from a convolution each. Here the first
convolution looks up its rows by the labels, and gamma and beta have one kernel.

The layer at 128x128 features of 256 channels and 151 planes, and the whole generator, both as `predict_on_batch` and
`train_on_batch` run them: on one backend, in one process, in turns, from the same weights.
"""

import argparse
import contextlib
import functools
import os
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from benchmarks.match import Measurement, medians_in_turns
from benchmarks.ours import MODES, limit_threads, versions
from benchmarks.report import append, table

LABELS = 150
ROWS = ("layer", "generator")


def main(arguments: Sequence[str] | None = None) -> list[Measurement]:
    """Measures, prints the table and, if told to, keeps it."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks synthesis",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--rows", default=",".join(ROWS), help=f"comma-separated, of {', '.join(ROWS)}")
    parser.add_argument("--backend", choices=sorted(MODES), default="tensorflow")
    parser.add_argument("--side", type=int, default=128, help="height and width of features and image (default: 128)")
    parser.add_argument("--channels", type=int, default=256, help="of the layer's features (default: 256)")
    parser.add_argument("--filters", type=int, default=32, help="`base_filters` of the generator (default: 32)")
    parser.add_argument("--repeats", type=int, default=5, help="timed calls of each (default: 5)")
    parser.add_argument("--threads", type=int, default=2, help="default: 2")
    parser.add_argument("--save", action="store_true", help="append the rows to benchmarks/results.csv")
    options = parser.parse_args(arguments)
    names = options.rows.split(",")
    unknown = [name for name in names if name not in ROWS]
    if unknown:
        parser.error(f"argument --rows: no such row: {', '.join(unknown)} (choose from {', '.join(ROWS)})")
    os.environ["KERAS_BACKEND"] = options.backend
    os.environ["OMP_NUM_THREADS"] = str(options.threads)
    limit_threads(options.backend, options.threads)
    results: list[Measurement] = []
    for name in names:
        width = options.channels if name == "layer" else options.filters
        results += measure(name, options.side, width, options.backend, options.repeats)
    print(table(results))
    if options.save:
        append(results)
    return results


def measure(name: str, side: int, width: int, backend: str, repeats: int) -> list[Measurement]:
    """One row for prediction and one for a step of training."""
    load = round(os.getloadavg()[0], 1)
    rng = np.random.default_rng(0)
    labels = rng.integers(0, LABELS, (1, side, side)).astype("int32")
    make = layer if name == "layer" else generator
    inputs: Any = [rng.standard_normal((1, side, side, width), "float32"), labels] if name == "layer" else labels
    models = {ours: make(side, width) for ours in (True, False)}
    models[False].set_weights(models[True].get_weights())
    target = rng.standard_normal((1, *models[True].output.shape[1:]), "float32")

    def predict(ours: bool) -> None:
        with form(ours):
            models[ours].predict_on_batch(inputs)

    def train(ours: bool) -> None:
        with form(ours):
            models[ours].train_on_batch(inputs, target)

    forms = {"ours": True, "planes": False}
    medians = {
        phase: medians_in_turns(
            {title: functools.partial(act, ours) for title, ours in forms.items()}, repeats, warm_up=2
        )
        for phase, act in (("forward", predict), ("training step", train))
    }
    return [
        Measurement(
            case="spade" if name == "layer" else "spade_generator",
            phase=phase,
            unit="ms",
            batch=1,
            size=f"{side}x{side}x{width}",
            backend=backend,
            ours={MODES[backend][0]: of_phase["ours"]},
            peer={"planes": of_phase["planes"]},
            peer_name="three convolutions of planes",
            load=load,
            versions=versions(backend),
        )
        for phase, of_phase in medians.items()
    ]


def layer(side: int, channels: int) -> Any:
    """One normalisation, ready to be trained."""
    import keras

    from keras_segpaint.layers import SPADE

    inputs = [keras.Input((side, side, channels)), keras.Input((side, side), dtype="int32")]
    model = keras.Model(inputs, SPADE(LABELS, data_format="channels_last")(*inputs))
    model.compile("sgd", "mse")
    return model


def generator(side: int, filters: int) -> Any:
    """SPADE's generator, ready to be trained."""
    from keras_segpaint import models

    model = models.SPADEGenerator(
        LABELS, base_filters=filters, input_shape=(side, side, 3), data_format="channels_last"
    )
    model.compile("adam", "mae")
    return model


@contextlib.contextmanager
def form(ours: bool) -> Iterator[None]:
    """What is computed, or traced, in it is computed as this package does or as the peer."""
    from keras_segpaint.layers import spade

    own, many = spade.SPADE.modulate, spade.MANY_PLANES
    if not ours:
        spade.SPADE.modulate, spade.MANY_PLANES = three_convolutions, 10**9
    try:
        yield
    finally:
        spade.SPADE.modulate, spade.MANY_PLANES = own, many


def three_convolutions(spade: Any, inputs: Any, planes: Any, training: bool | None = None) -> Any:
    """`SPADE.modulate` with a convolution of planes, one for gamma and another for beta."""
    from keras import ops

    hidden = spade.shared(planes)
    kernels, biases = (ops.split(weight, 2, axis=-1) for weight in (spade.modulation.kernel, spade.modulation.bias))
    gamma, beta = (
        ops.conv(hidden, ops.cast(kernel, hidden.dtype), padding="same", data_format="channels_last")
        + ops.cast(bias, hidden.dtype)
        for kernel, bias in zip(kernels, biases, strict=True)
    )
    return spade.normalize(inputs, training) * (1.0 + gamma) + beta

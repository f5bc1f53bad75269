"""Layers of inpainting networks against what they replace: `python -m benchmarks inpainting`.

Contextual attention against two other forms of it, of the same result: convolutions whose kernels are the patches of
one image at a time, as the original computes it, and batched products of matrices of patches. The partial convolution
against the plain one of the same size. All on one backend, in one process, in turns.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from benchmarks.match import Measurement, medians_in_turns
from benchmarks.ours import limit_threads, on_jax, on_tensorflow, on_torch, versions
from benchmarks.report import append, table

BATCH, SIDE, CHANNELS = 4, 64, 96  # of 256x256 images
LARGE = 256  # side of the features of a 1024x1024 image
FILTERS = 96


def main(arguments: Sequence[str] | None = None) -> None:
    """Measures, prints the table and, if told to, keeps it."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks inpainting",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--backend", choices=("tensorflow", "jax", "torch"), default="tensorflow")
    parser.add_argument("--repeats", type=int, default=15, help="timed calls of each (default: 15)")
    parser.add_argument("--threads", type=int, default=2, help="default: 2")
    parser.add_argument("--memory", action="store_true", help="the peak memory at a 1024x1024 image, nothing else")
    parser.add_argument("--save", action="store_true", help="append the rows to benchmarks/results.csv")
    options = parser.parse_args(arguments)
    os.environ["KERAS_BACKEND"] = options.backend
    os.environ["OMP_NUM_THREADS"] = str(options.threads)
    if options.memory:
        limit_threads(options.backend, options.threads)
        print(f"{peak_above_inputs():.0f}")
        return
    # While this process is small: a new process inherits the peak of the one that starts it.
    command = [sys.executable, "-m", "benchmarks.inpainting", "--backend", options.backend, "--memory"]
    command += ["--threads", str(options.threads)]
    peak = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()[-1]
    limit_threads(options.backend, options.threads)
    measured = [*attention(options.backend, options.repeats), *partial_convolution(options.backend, options.repeats)]
    print(table(measured))
    print(f"Contextual attention of a 1024x1024 image ({LARGE}x{LARGE}x{CHANNELS}) needs {peak} MB at its peak.")
    if options.save:
        append(measured)


def attention(backend: str, repeats: int) -> list[Measurement]:
    """Contextual attention in its three forms."""
    from keras_segpaint.layers import ContextualAttention

    hole = square_hole(SIDE)
    layer = ContextualAttention(data_format="channels_last")
    forms = {
        "ours": lambda x: layer(x, x, hole),
        "convolution per image": lambda x: per_image(x, hole),
        "batched matrix product": lambda x: batched(x, hole),
    }
    size = f"{SIDE}x{SIDE}x{CHANNELS}"
    return compare("contextual_attention", forms, (BATCH, SIDE, SIDE, CHANNELS), size, backend, repeats)


def partial_convolution(backend: str, repeats: int) -> list[Measurement]:
    """The partial convolution and the plain one."""
    import keras

    from keras_segpaint.layers import PartialConv2D

    hole = square_hole(SIDE)
    partial = PartialConv2D(FILTERS, 3, data_format="channels_last")
    plain = keras.layers.Conv2D(FILTERS, 3, padding="same", data_format="channels_last")
    forms = {"ours": lambda x: partial(x, hole)[0], "plain convolution": plain}
    size = f"{SIDE}x{SIDE}x{CHANNELS}"
    return compare("partial_conv", forms, (BATCH, SIDE, SIDE, CHANNELS), size, backend, repeats)


def compare(
    name: str, forms: dict[str, Callable[[Any], Any]], shape: tuple[int, ...], size: str, backend: str, repeats: int
) -> list[Measurement]:
    """Times all forms in turns; one row for each of the others and each phase."""
    import keras

    array = (np.random.default_rng(0).standard_normal(shape) * 0.2).astype("float32")
    timers = {"tensorflow": on_tensorflow, "jax": on_jax, "torch": on_torch}
    for function in forms.values():
        function(keras.ops.convert_to_tensor(array))  # builds the layers
    actions = {form: timers[backend](function, array, "graph") for form, function in forms.items()}
    load = round(os.getloadavg()[0], 1)
    rows = []
    for index, phase in enumerate(("forward", "forward + backward")):
        medians = medians_in_turns({form: pair[index] for form, pair in actions.items()}, repeats, warm_up=2)
        for peer in list(forms)[1:]:
            rows.append(
                Measurement(
                    case=name,
                    phase=phase,
                    unit="ms",
                    batch=shape[0],
                    size=size,
                    backend=backend,
                    ours={"graph": medians["ours"]},
                    peer={peer: medians[peer]},
                    peer_name="keras operations" if name == "contextual_attention" else "keras.layers.Conv2D",
                    load=load,
                    versions=versions(backend),
                )
            )
    return rows


def peak_above_inputs() -> float:
    """Megabytes by which the attention of a large image raises the process's peak."""
    import keras

    from benchmarks.worker import peak_megabytes
    from keras_segpaint.layers import ContextualAttention

    settings: dict[str, Any] = dict(batch_size=1, dtype="float32")
    inputs = [keras.Input((LARGE, LARGE, channels), **settings) for channels in (CHANNELS, 1)]
    layer = ContextualAttention(data_format="channels_last")
    model = keras.Model(inputs, layer(inputs[0], inputs[0], inputs[1]))
    array = (np.random.default_rng(0).standard_normal((1, LARGE, LARGE, CHANNELS)) * 0.2).astype("float32")
    hole = square_hole(LARGE)
    before = peak_megabytes()
    model.predict_on_batch([array, hole])
    return peak_megabytes() - before


def square_hole(side: int) -> np.ndarray:
    """A hole mask with a square hole of half the side."""
    mask = np.zeros((1, side, side, 1), "float32")
    mask[:, side // 4 : -side // 4, side // 4 : -side // 4] = 1
    return mask


def known_patches(hole: np.ndarray) -> Any:
    """1 for each patch of the halved map that touches no hole: `(1, 1, positions)`."""
    from keras import ops

    small = ops.convert_to_tensor(hole[:, ::2, ::2])
    return ops.reshape(1.0 - ops.max_pool(small, 3, 1, padding="same"), (1, 1, -1))


def patches(x: Any, size: int, stride: int) -> Any:
    """All patches of a batch, `(batch, positions, size * size * channels)`, zeros around the map."""
    from keras import ops

    batch, height, width, channels = x.shape
    rows, columns = height // stride, width // stride
    before = (size - stride) // 2
    x = ops.pad(x, ((0, 0), (before, size), (before, size), (0, 0)))
    # Slices: `ops.image.extract_patches` is a convolution with an identity, and several times as slow.
    cut = [
        x[:, i : i + rows * stride : stride, j : j + columns * stride : stride]
        for i in range(size)
        for j in range(size)
    ]
    return ops.reshape(ops.stack(cut, axis=3), (batch, rows * columns, size * size * channels))


def fuse(scores: Any, height: int, width: int) -> Any:
    """Two convolutions of the matrix of all scores with the identity, the second with its positions column by column."""
    from keras import ops

    identity = ops.reshape(ops.eye(3), (3, 3, 1, 1))
    positions = height * width
    for rows, columns in ((height, width), (width, height)):
        scores = ops.reshape(scores, (-1, positions, positions, 1))
        scores = ops.conv(scores, identity, padding="same", data_format="channels_last")
        scores = ops.transpose(ops.reshape(scores, (-1, rows, columns, rows, columns)), (0, 2, 1, 4, 3))
    return ops.reshape(scores, (-1, positions, positions))


def weights_of(scores: Any, known: Any) -> Any:
    """The softmax over the patches, with the published masking."""
    from keras import ops

    return ops.softmax(scores * known * 10.0, axis=-1) * known


def inverse_norms(keys: Any) -> Any:
    """One over the norm of each patch."""
    from keras import ops

    return ops.rsqrt(ops.maximum(ops.sum(ops.square(keys), axis=-1, keepdims=True), 1e-8))


def per_image(x: Any, hole: np.ndarray) -> Any:
    """Attention with the patches of one image as kernels of convolutions."""
    from keras import ops

    known = known_patches(hole)
    batch, height, width, channels = x.shape
    rows, columns = height // 2, width // 2
    results = []
    for index in range(batch):
        image = x[index : index + 1]
        small = image[:, ::2, ::2]
        keys = patches(small, 3, 1)[0]
        kernels = ops.transpose(ops.reshape(keys * inverse_norms(keys), (-1, 3, 3, channels)), (1, 2, 3, 0))
        scores = ops.conv(small, kernels, padding="same", data_format="channels_last")
        attention = weights_of(fuse(scores, rows, columns), known)
        attention = ops.reshape(attention, (1, rows, columns, rows * columns))
        raw = ops.transpose(ops.reshape(patches(image, 4, 2)[0], (-1, 4, 4, channels)), (1, 2, 3, 0))
        results.append(ops.conv_transpose(attention, raw, strides=2, padding="same", data_format="channels_last") / 4.0)
    return ops.concatenate(results, axis=0)


def batched(x: Any, hole: np.ndarray) -> Any:
    """Attention with matrices of patches."""
    from keras import ops

    batch, height, width, channels = x.shape
    rows, columns = height // 2, width // 2
    keys = patches(x[:, ::2, ::2], 3, 1)
    scores = ops.matmul(keys, ops.transpose(keys * inverse_norms(keys), (0, 2, 1)))
    attention = weights_of(fuse(scores, rows, columns), known_patches(hole))
    pasted = ops.matmul(attention, patches(x, 4, 2))
    pasted = ops.reshape(pasted, (batch, rows, columns, 2, 2, 2, 2, channels))
    canvas = None
    for i in range(2):
        for j in range(2):
            part = ops.reshape(
                ops.transpose(pasted[:, :, :, i, :, j], (0, 1, 3, 2, 4, 5)), (batch, height, width, channels)
            )
            part = ops.pad(part, ((0, 0), (2 * i, 2 - 2 * i), (2 * j, 2 - 2 * j), (0, 0)))
            canvas = part if canvas is None else canvas + part
    return canvas[:, 1:-1, 1:-1] / 4.0


if __name__ == "__main__":
    main()

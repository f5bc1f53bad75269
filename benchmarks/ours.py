"""This package in a process of its own: `python -m benchmarks.ours CASE_AS_JSON MODE`."""

import importlib.metadata
import json
import math
import os
import sys
from typing import Any

from benchmarks.cases import Case
from benchmarks.worker import Contestant, obey, peak_megabytes

# How one backend can run a model. On TensorFlow Keras compiles with XLA only where told to when there is no GPU.
MODES = {"tensorflow": ("graph", "xla"), "jax": ("xla",), "torch": ("eager",)}


def main() -> None:
    """Builds the case and waits for commands."""
    case, mode, threads = Case(**json.loads(sys.argv[1])), sys.argv[2], int(sys.argv[3])
    backend = os.environ["KERAS_BACKEND"]
    limit_threads(backend, threads)
    obey(layer(case, backend, mode) if case.layer else model(case, backend, mode))


def limit_threads(backend: str, threads: int) -> None:
    """Gives the backend as many threads as the peer has."""
    if backend == "tensorflow":
        import tensorflow as tf

        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(threads)
    elif backend == "torch":
        import torch

        torch.set_num_threads(threads)


def model(case: Case, backend: str, mode: str) -> Contestant:
    """A network under `compile`, as `fit` and `predict` run it."""
    from keras_segpaint import losses, models

    imported = peak_megabytes()
    network = getattr(models, case.model)(
        case.channels, input_shape=(case.height, case.width, 3), data_format="channels_last", **case.arguments
    )
    loss = losses.SparseCrossentropy(ignore_class=255, data_format="channels_last")
    return compiled(case, network, loss, mode, imported, versions(backend))


def compiled(
    case: Case, network: Any, loss: Any, mode: str, imported: float, versions: dict[str, str], **kwargs: Any
) -> Contestant:
    """A Keras network on the case's images, labels with an ignored class; `kwargs` are more arguments of `compile`."""
    import keras
    import numpy as np

    network.compile(keras.optimizers.Adam(1e-4), loss, jit_compile=mode == "xla", **kwargs)
    rng = np.random.default_rng(0)
    x = rng.random((case.batch, case.height, case.width, 3), dtype="float32")
    y = rng.integers(0, case.channels, (case.batch, case.height, case.width)).astype("int32")
    y[:, :8] = 255
    return Contestant(
        inference=lambda: network.predict_on_batch(x),
        step=lambda: network.train_on_batch(x, y),
        parameters=sum(math.prod(variable.shape) for variable in network.trainable_variables),
        imported=imported,
        versions=versions,
    )


def layer(case: Case, backend: str, mode: str) -> Contestant:
    """Argmax pooling and unpooling of tensors that the backend holds already."""
    import numpy as np

    from keras_segpaint.layers import MaxPoolingWithArgmax2D, MaxUnpooling2D

    imported = peak_megabytes()
    pool = MaxPoolingWithArgmax2D(2, data_format="channels_last")
    unpool = MaxUnpooling2D(2, data_format="channels_last")
    array = np.random.default_rng(0).standard_normal((case.batch, case.height, case.width, case.channels), "float32")

    def forward(x: Any) -> Any:
        pooled, positions = pool(x)
        return unpool(pooled, positions, like=x)

    run, gradient = {"tensorflow": on_tensorflow, "jax": on_jax, "torch": on_torch}[backend](forward, array, mode)
    return Contestant(run, gradient, 0, imported, versions(backend))


def on_tensorflow(forward: Any, array: Any, mode: str) -> Any:
    """`forward`, and `forward` with its gradient, as functions without arguments."""
    import tensorflow as tf

    x = tf.constant(array)

    def both(x: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = forward(x)
        return y, tape.gradient(y, x, output_gradients=x)

    run, run_both = (tf.function(function, jit_compile=mode == "xla") for function in (forward, both))
    # The first elements are fetched so that nothing is left running.
    return lambda: run(x)[0, 0, 0, 0].numpy(), lambda: run_both(x)[1][0, 0, 0, 0].numpy()


def on_jax(forward: Any, array: Any, mode: str) -> Any:
    """As `on_tensorflow`."""
    import jax

    x = jax.numpy.asarray(array)

    def both(x: Any) -> Any:
        y, pull = jax.vjp(forward, x)
        return y, pull(x)[0]

    run, run_both = jax.jit(forward), jax.jit(both)
    return lambda: jax.block_until_ready(run(x)), lambda: jax.block_until_ready(run_both(x))


def on_torch(forward: Any, array: Any, mode: str) -> Any:
    """As `on_tensorflow`."""
    import torch

    x = torch.from_numpy(array)
    leaf = x.clone().requires_grad_()

    def run() -> Any:
        with torch.inference_mode():
            return forward(x)

    return run, lambda: torch.autograd.grad(forward(leaf), leaf, x)


def versions(backend: str) -> dict[str, str]:
    """The versions of what takes part."""
    import keras

    import keras_segpaint

    package = {"tensorflow": ("tensorflow-cpu", "tensorflow"), "jax": ("jax",), "torch": ("torch",)}[backend]
    found = {"keras_segpaint": keras_segpaint.__version__, "keras": keras.__version__}
    for name in package:
        try:
            found[backend] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


if __name__ == "__main__":
    main()

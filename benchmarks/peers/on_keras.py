"""Peers in Keras, on the TensorFlow backend."""

import importlib
import importlib.metadata
import os

import numpy as np

from benchmarks.cases import Case
from benchmarks.worker import Contestant, peak_megabytes

os.environ["KERAS_BACKEND"] = "tensorflow"


def contestant(case: Case, mode: str, threads: int) -> Contestant:
    """The case's peer under `compile`, as a graph or by XLA."""
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    import keras

    module = importlib.import_module(f"benchmarks.peers.{case.name}")
    imported = peak_megabytes()
    network = module.build(case.channels, (case.height, case.width, 3))
    network.compile(
        keras.optimizers.Adam(1e-4),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=255),
        metrics=[],
        jit_compile=mode == "xla",
    )
    rng = np.random.default_rng(0)
    x = rng.random((case.batch, case.height, case.width, 3), dtype="float32")
    y = rng.integers(0, case.channels, (case.batch, case.height, case.width)).astype("int32")
    y[:, :8] = 255
    return Contestant(
        inference=lambda: network.predict_on_batch(x),
        step=lambda: network.train_on_batch(x, y),
        parameters=sum(int(np.prod(variable.shape)) for variable in network.trainable_variables),
        imported=imported,
        versions={case.peer: importlib.metadata.version(case.peer)},
    )

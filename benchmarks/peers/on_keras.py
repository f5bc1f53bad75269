"""Peers in Keras, on the TensorFlow backend."""

import importlib
import importlib.metadata
import os

from benchmarks.cases import Case
from benchmarks.ours import compiled, limit_threads
from benchmarks.worker import Contestant, peak_megabytes

os.environ["KERAS_BACKEND"] = "tensorflow"


def contestant(case: Case, mode: str, threads: int) -> Contestant:
    """The case's peer under `compile`, as a graph or by XLA."""
    limit_threads("tensorflow", threads)
    import keras

    module = importlib.import_module(f"benchmarks.peers.{case.name}")
    imported = peak_megabytes()
    network = module.build(case.channels, (case.height, case.width, 3))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=255)
    # Without metrics, which KerasHub would choose for itself.
    peer = {case.peer: importlib.metadata.version(case.peer)}
    return compiled(case, network, loss, mode, imported, peer, metrics=[])

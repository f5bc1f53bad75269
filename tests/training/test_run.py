"""Runs: what they write, what they refuse, and that a killed one ends as if nothing had happened."""

import csv
import errno
import json
import math
import os
import signal
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import ops

from keras_segpaint import models, training
from keras_segpaint.data import DataError, SegmentationDataset
from keras_segpaint.training import checkpoint as checkpoints
from keras_segpaint.training import stage
from keras_segpaint.training.segmentation_stage import SegmentationStage
from keras_segpaint.training.weights import copy_weights

REPOSITORY = Path(__file__).resolve().parents[2]


class Stop(keras.callbacks.Callback):
    """Raises in the middle of an epoch (from 0)."""

    def __init__(self, epoch: int, error: BaseException):
        super().__init__()
        self.epoch = epoch
        self.error = error
        self._now = -1

    def on_epoch_begin(self, epoch, logs=None):
        self._now = epoch

    def on_train_batch_end(self, batch, logs=None):
        if self._now == self.epoch and batch == 0:
            raise self.error


def weights(path: Path) -> list[np.ndarray]:
    return keras.saving.load_model(path, compile=False).get_weights()


def largest_difference(first: Path, second: Path) -> float:
    return max(float(np.abs(a - b).max()) for a, b in zip(weights(first), weights(second), strict=True))


def test_a_run_learns_and_writes_its_folder(straight):
    result = straight
    folder = result.last_path.parent.parent
    assert result.last_path == folder / "checkpoints" / "last.keras"
    assert sorted(path.name for path in result.last_path.parent.iterdir()) == ["best.keras", "last.keras"]
    history = result.history
    assert len(history["loss"]) == 3 and history["loss"][-1] < 0.9 * history["loss"][0]
    with open(folder / "history.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["epoch"]) for row in rows] == [1, 2, 3]
    assert [float(row["val_mean_iou"]) for row in rows] == pytest.approx(history["val_mean_iou"])
    # The best checkpoint is the one with the highest validation score, and the scores are that checkpoint's.
    assert result.scores.mean_iou == pytest.approx(max(history["val_mean_iou"]), abs=1e-6)
    assert result.confusion.sum() == 4 * 32 * 31
    record = json.loads((folder / "config.json").read_text())
    assert record["class_names"] == ["ground", "lower", "upper"]
    assert record["recipe"]["epochs"] == 3 and record["recipe"]["crop_size"] == [32, 32]
    assert len(record["class_weights"]["full"]) == 3
    assert result.skipped == []
    assert (folder / "tensorboard").is_dir()


def test_an_interrupted_run_ends_with_the_weights_of_an_uninterrupted_one(run, straight, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "stopped", callbacks=[Stop(2, KeyboardInterrupt())])
    kept = checkpoints.read_state(tmp_path / "stopped" / "checkpoints" / "last.keras")
    assert kept.epochs_done == 2
    resumed = run(tmp_path / "stopped", resume=True)
    assert largest_difference(straight.last_path, resumed.last_path) <= 1e-6
    assert largest_difference(straight.best_path, resumed.best_path) <= 1e-6
    assert resumed.history.keys() == straight.history.keys()
    for name, values in straight.history.items():
        assert resumed.history[name] == pytest.approx(values, abs=1e-5), name
    assert (tmp_path / "stopped" / "history.csv").read_text().count("\n") == 4


def test_a_killed_process_is_resumed_exactly(run, straight, tmp_path):
    script = f"""
import importlib.util, os, signal
import tests.conftest
import keras
spec = importlib.util.spec_from_file_location("blobs", {str(Path(__file__).with_name("conftest.py"))!r})
blobs = importlib.util.module_from_spec(spec)
spec.loader.exec_module(blobs)
from keras_segpaint import models, training
models.ENet = blobs.TinyNet
class Kill(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch
    def on_train_batch_end(self, batch, logs=None):
        if self.epoch == 1 and batch == 0:
            os.kill(os.getpid(), signal.SIGKILL)
config = training.TrainConfig.from_dict(blobs.SETTINGS)
data = dict(train_data=blobs.Blobs(8), val_data=blobs.Blobs(4, first=100))
training.train(config, {str(tmp_path / "killed")!r}, callbacks=[Kill()], verbose=0, **data)
"""
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(REPOSITORY), os.environ.get("PYTHONPATH", "")])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert checkpoints.read_state(tmp_path / "killed" / "checkpoints" / "last.keras").epochs_done == 1
    resumed = run(tmp_path / "killed", resume=True)
    assert largest_difference(straight.last_path, resumed.last_path) <= 1e-6
    assert resumed.history["val_mean_iou"] == pytest.approx(straight.history["val_mean_iou"], abs=1e-5)


def test_a_kill_before_the_first_checkpoint_starts_anew(run, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "run", changes={"epochs": 1}, callbacks=[Stop(0, KeyboardInterrupt())])
    assert len(run(tmp_path / "run", changes={"epochs": 1}, resume=True).history["loss"]) == 1


def test_a_finished_run_can_go_on(run, tmp_path):
    constant = {"recipe": {"schedule": {"name": "constant"}, "optimizer": {"name": "adam", "learning_rate": 0.02}}}
    first = run(tmp_path / "run", changes={"epochs": 1, **constant})
    again = run(tmp_path / "run", changes={"epochs": 1, **constant}, resume=True)
    assert again.history == first.history
    longer = run(tmp_path / "run", changes={"epochs": 2, **constant}, resume=True)
    assert longer.history["loss"][:1] == first.history["loss"] and len(longer.history["loss"]) == 2


def test_what_a_folder_allows(run, tmp_path):
    with pytest.raises(ValueError, match="Start it without resume"):
        run(tmp_path / "run", resume=True)
    run(tmp_path / "run", changes={"epochs": 1})
    with pytest.raises(ValueError, match="resume=True"):
        run(tmp_path / "run", changes={"epochs": 1})
    with pytest.raises(ValueError, match="seed: 0 before, 1 now"):
        run(tmp_path / "run", changes={"epochs": 1, "seed": 1}, resume=True)
    (tmp_path / "run" / "checkpoints" / "last.keras").write_bytes(b"damaged")
    with pytest.raises(training.CheckpointError, match="not a checkpoint"):
        run(tmp_path / "run", changes={"epochs": 1}, resume=True)


def test_the_data_is_checked_before_anything_is_written(run, tmp_path, monkeypatch):
    monkeypatch.setattr(SegmentationDataset, "_problem", lambda self, index: f"file {index} is bad")
    with pytest.raises(DataError, match="file 0 is bad"):
        run(tmp_path / "run")
    assert not (tmp_path / "run").exists()
    with pytest.raises(ValueError, match="together"):
        run(tmp_path / "run", val_data=None)
    with pytest.raises(ValueError, match="must name a data set"):
        run(tmp_path / "run", train_data=None, val_data=None)


def test_a_full_disk_leaves_the_former_checkpoint(run, straight, tmp_path, monkeypatch):
    save = keras.Model.save
    calls = []

    def fails_the_second_time(self, path, **kwargs):
        calls.append(path)
        save(self, path, **kwargs)
        if len(calls) == 2:
            with open(path, "rb+") as file:
                file.truncate(1000)
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(keras.Model, "save", fails_the_second_time)
    with pytest.raises(training.CheckpointError, match="No space left on device.*epoch before is intact") as caught:
        run(tmp_path / "run")
    folder = tmp_path / "run" / "checkpoints"
    assert caught.value.errno == errno.ENOSPC and caught.value.filename == str(folder / "last.keras")
    assert sorted(path.name for path in folder.iterdir()) == ["best.keras", "last.keras"]
    assert checkpoints.read_state(folder / "last.keras").epochs_done == 1
    monkeypatch.setattr(keras.Model, "save", save)
    resumed = run(tmp_path / "run", resume=True)
    assert largest_difference(straight.last_path, resumed.last_path) <= 1e-6


def test_a_loss_that_is_not_finite_ends_the_run_and_keeps_the_last_good_epoch(run, tmp_path):
    class Poison(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 1:
                kernel = self.model.get_layer("full_classifier").kernel
                kernel.assign(np.full(kernel.shape, np.nan, "float32"))

    with pytest.raises(training.TrainingError, match="epoch 2.*learning rate below 0.02"):
        run(tmp_path / "run", callbacks=[Poison()])
    last = tmp_path / "run" / "checkpoints" / "last.keras"
    assert checkpoints.read_state(last).epochs_done == 1
    assert all(np.isfinite(value).all() for value in weights(last))


def test_mixed_float16_resumes_exactly(run, tmp_path):
    changes = {"mixed_precision": "mixed_float16", "epochs": 2}
    straight = run(tmp_path / "straight", changes=changes)
    assert all(math.isfinite(value) for values in straight.history.values() for value in values)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "run", changes=changes, callbacks=[Stop(1, KeyboardInterrupt())])
    resumed = run(tmp_path / "run", changes=changes, resume=True)
    assert largest_difference(straight.last_path, resumed.last_path) <= 1e-6


def test_mixed_bfloat16_and_channels_first(run, tmp_path):
    args = {"data_format": "channels_first"}
    changes = {"epochs": 1, "model_args": args, "mixed_precision": "mixed_bfloat16"}
    result = run(tmp_path / "run", changes=changes)
    assert all(math.isfinite(values[0]) for values in result.history.values())
    assert result.confusion.shape == (3, 3) and result.confusion.sum() == 4 * 32 * 31


def test_an_unpadded_unet_gets_its_labels_cropped(blobs, tmp_path):
    config = training.TrainConfig("UNet", size=(204, 188), model_args={"base_filters": 2, "padding": "valid"})
    unpadded = SegmentationStage(
        folder=tmp_path,
        config=config,
        recipe=config.resolve(),
        class_weights=None,
        train_data=blobs(2),
        val_data=blobs(1),
    )
    model = unpadded.build()
    batches, _ = unpadded.batches(model, training=False)
    images, labels = batches[0]
    logits = model.compute_output_shape(images.shape)
    assert labels.shape == (1, 20, 4) == (1, *(logits[1:3] if model.data_format == "channels_last" else logits[2:]))


def test_two_stages(run, tmp_path, monkeypatch):
    changes = {"epochs": 2, "two_stage": True}
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "run", changes=changes, callbacks=[Stop(1, KeyboardInterrupt())])
    assert not (tmp_path / "run" / "checkpoints").exists()
    copied = []
    original = stage.copy_weights
    monkeypatch.setattr(stage, "copy_weights", lambda *args, **kwargs: copied.extend(original(*args, **kwargs)))
    result = run(tmp_path / "run", changes=changes, resume=True)
    encoder = tmp_path / "run" / "encoder" / "checkpoints"
    assert checkpoints.read_state(encoder / "last.keras").epochs_done == 2
    assert keras.saving.load_model(encoder / "best.keras").get_config()["stage"] == "encoder"
    assert copied == ["encoder", "encoder_bn"]
    assert result.confusion.sum() == 4 * 32 * 31
    record = json.loads((tmp_path / "run" / "config.json").read_text())
    # 1 / ln(1.02 + p) reaches further than 1 / ln(1.2 + p).
    assert max(record["class_weights"]["full"]) > max(record["class_weights"]["encoder"])


def test_weights_for_another_number_of_classes(tmp_path):
    path = tmp_path / "three.keras"
    models.UNet(3, base_filters=1).save(path)
    with pytest.raises(ValueError, match="weights for 3 classes, the model has 4"):
        training.load_weights(models.UNet(4, base_filters=1), path)
    same = models.UNet(3, base_filters=1)
    training.load_weights(same, path)
    for a, b in zip(same.get_weights(), weights(path), strict=True):
        np.testing.assert_array_equal(a, b)
    with pytest.raises(ValueError, match="does not hold the weights of this model"):
        training.load_weights(models.UNet(3, base_filters=2), path)
    with pytest.raises(FileNotFoundError):
        training.load_weights(same, tmp_path / "missing.keras")


def test_a_run_starts_from_the_weights_of_another(run, straight, tmp_path):
    settings = {"epochs": 1, "recipe": {"optimizer": {"learning_rate": 1e-8}}}
    result = run(tmp_path / "run", changes={**settings, "initial_weights": str(straight.best_path)})
    kernels = [
        keras.saving.load_model(path, compile=False).trainable_weights
        for path in (result.best_path, straight.best_path)
    ]
    for own, other in zip(*kernels, strict=True):
        np.testing.assert_allclose(ops.convert_to_numpy(own), ops.convert_to_numpy(other), atol=1e-6)


def test_weights_to_start_from_that_cannot_be_used(run, tmp_path):
    with pytest.raises(FileNotFoundError):
        run(tmp_path / "run", changes={"initial_weights": str(tmp_path / "missing.keras")})
    (tmp_path / "notes.keras").write_text("none")
    with pytest.raises(ValueError, match="notes.keras is not a model"):
        run(tmp_path / "run", changes={"initial_weights": str(tmp_path / "notes.keras")})
    assert not (tmp_path / "run").exists()


def test_weights_for_other_classes_are_copied_up_to_the_last_layer():
    three, four = models.UNet(3, base_filters=1), models.UNet(4, base_filters=1)
    with pytest.raises(ValueError, match="shape"):
        copy_weights(three, four)
    copied = copy_weights(three, four, skip_mismatch=True)
    weighted = [layer.name for layer in four.layers if layer.weights]
    assert copied == weighted[:-1]
    with pytest.raises(ValueError, match="No layer of unet"):
        copy_weights(three, models.UNet(3, base_filters=2, name="wider"), skip_mismatch=True)

"""A tiny data set and run settings that train in seconds."""

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from keras_segpaint import models, training
from keras_segpaint.data import Example, SegmentationDataset
from keras_segpaint.layers.factory import LayerFactory
from keras_segpaint.models.segmentation.base import (
    SegmentationModel,
    float32_logits,
    image_input,
    standardize_arguments,
)


class Blobs(SegmentationDataset):
    """Bright squares on noise: class 1 is the square, class 2 its upper half; the left column is ignored."""

    def __init__(self, count: int, first: int = 0):
        super().__init__("blobs", ["ground", "lower", "upper"])
        self.count = count
        self.first = first

    def __len__(self) -> int:
        return self.count

    def _load(self, index: int) -> Example:
        rng = np.random.default_rng(self.first + index)
        image = rng.integers(0, 100, (32, 32, 3), np.uint8)
        mask = np.zeros((32, 32), np.uint8)
        y, x = rng.integers(4, 16, 2)
        image[y : y + 12, x : x + 12, 0] += 120
        image[y : y + 6, x : x + 12, 1] += 120
        mask[y : y + 12, x : x + 12] = 1
        mask[y : y + 6, x : x + 12] = 2
        mask[:, 0] = 255
        return Example(image, mask, f"blob {self.first + index}")


@keras.saving.register_keras_serializable(package="test")
class TinyNet(SegmentationModel):
    """Stands in for ENet: compiles in a moment, has both stages, and everything random that a network can have."""

    paper = "none"

    def __init__(self, num_classes, *, input_shape, stage="full", data_format=None, dtype=None, name="tiny"):
        input_shape, data_format, policy = standardize_arguments(num_classes, input_shape, data_format, dtype)
        build = LayerFactory(data_format, policy)
        image = image_input(input_shape, data_format)
        x = build.conv(8, 3, name="encoder")(image)
        x = build.relu()(build.batch_norm(name="encoder_bn")(x))
        x = keras.layers.SpatialDropout2D(0.2, data_format=data_format, dtype=policy)(x)
        x = keras.layers.Dropout(0.3, dtype=policy)(x)
        if stage == "encoder":
            x = keras.layers.AveragePooling2D(8, padding="same", data_format=data_format, dtype=policy)(x)
        x = build.conv(num_classes, 1 if stage == "encoder" else 3, name=f"{stage}_classifier")(x)
        arguments = dict(num_classes=num_classes, input_shape=input_shape, stage=stage, data_format=data_format)
        super().__init__(image, float32_logits(x), arguments=arguments | {"dtype": policy.name}, name=name)


# Everything that a resumed run could lose: dropout, shuffling, augmentation, a schedule, Adam's moments.
SETTINGS = dict(
    model="ENet",
    size=(32, 32),
    epochs=3,
    batch_size=4,
    recipe={
        "optimizer": {"name": "adam", "learning_rate": 0.02},
        "schedule": {"name": "poly"},
        "augmentation": [{"name": "RandomFlip"}, {"name": "ColorJitter", "brightness": 0.2}],
        "class_weights": "enet",
        "weight_decay": 1e-4,
    },
)


@pytest.fixture(scope="module", autouse=True)
def tiny_enet():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(models, "ENet", TinyNet)
        yield


@pytest.fixture(scope="module")
def blobs() -> type[Blobs]:
    return Blobs


@pytest.fixture(scope="module")
def run(tiny_enet):
    """Trains on eight images and validates on four; keyword arguments other than `changes` go to `train`."""

    def start(folder: Path, *, changes: dict[str, Any] | None = None, **arguments: Any) -> training.RunResult:
        config = training.TrainConfig.from_dict(SETTINGS | (changes or {}))
        data = {"train_data": Blobs(8), "val_data": Blobs(4, first=100)} | arguments
        return training.train(config, folder, verbose=0, **data)

    return start


@pytest.fixture(scope="module")
def straight(run, tmp_path_factory):
    """A run that nothing interrupts."""
    return run(tmp_path_factory.mktemp("straight") / "run")

"""`segpaint demo` from end to end, with a smaller network and smaller images."""

import re
from pathlib import Path

import keras
import numpy as np
import pytest

from keras_segpaint.cli import demo
from keras_segpaint.data import BrainTemplate
from keras_segpaint.export import LiteRTModel


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="the demo runs on TensorFlow")
def test_demo(segpaint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    # A network without pooling positions: between equal values in the black surroundings, rounding decides on those.
    monkeypatch.setattr(demo, "NETWORK", "UNet")
    monkeypatch.setattr(demo, "ARGUMENTS", {"base_filters": 2})
    monkeypatch.setattr(demo, "PIXELS_PER_MM", 1)
    monkeypatch.setattr(demo, "SIZE", (192, 160))
    monkeypatch.setattr(demo, "REPEATS", 1)
    monkeypatch.setattr(
        demo, "RECIPE", {**demo.RECIPE, "augmentation": [{"name": "RandomFlip"}], "class_weights": None}
    )
    result = segpaint("demo", "--out", tmp_path / "report", "--epochs", 1)
    assert result.exit_code == 0, result.output

    printed = dict(re.findall(r"^(mean IoU, .*?|largest difference|per image, .*?) {2,}(.*)$", result.stdout, re.M))
    by_keras, by_file = (float(printed[f"mean IoU, {name}"]) for name in ("Keras model", "exported file"))
    assert 0.05 < by_keras < 1
    assert by_file == pytest.approx(by_keras, abs=1e-3)
    assert float(printed["largest difference"]) < 1e-4
    assert printed["per image, exported file"].endswith(" ms")
    for name in BrainTemplate("test").class_names:
        assert name in result.stdout

    page = (tmp_path / "report" / "index.html").read_text()
    assert f"{by_file:.4f}" in page
    assert "data:image/png;base64," in page
    assert "http" not in page.replace("http-equiv", "")
    file = LiteRTModel(tmp_path / "report" / "model.tflite")
    assert file(np.zeros((1, 192, 160, 1), np.float32)).shape == (1, 192, 160, 4)
    model = keras.saving.load_model(tmp_path / "report" / "model.keras", compile=False)
    assert model.num_classes == 4


def test_recipe_is_one_that_training_understands():
    from keras_segpaint import training

    config = training.TrainConfig(demo.NETWORK, "brain", size=demo.SIZE, model_args=demo.ARGUMENTS, recipe=demo.RECIPE)
    recipe = config.resolve()
    assert training.build_augmentation(recipe, demo.SIZE)
    assert training.build_optimizer(recipe, steps_per_epoch=10) is not None

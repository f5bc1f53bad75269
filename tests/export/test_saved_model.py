"""SavedModels: written, loaded, compared."""

import subprocess
import sys

import keras
import numpy as np
import pytest
from keras import layers

from keras_segpaint import export
from keras_segpaint.models import PConvUNet

pytest.importorskip("tensorflow")


@pytest.fixture
def model() -> keras.Model:
    keras.utils.set_random_seed(3)
    image = keras.Input((None, None, 3))
    x = layers.Conv2D(8, 3, padding="same", data_format="channels_last")(image)
    x = layers.BatchNormalization(moving_mean_initializer="random_normal")(x)
    model = keras.Model(image, layers.Conv2D(5, 1, data_format="channels_last")(x), name="small")
    model.data_format = "channels_last"
    return model


def test_sizes_may_stay_free(tmp_path, model):
    pictures = np.random.default_rng(1).integers(0, 256, (2, 12, 17, 3), np.uint8)
    path = tmp_path / "new" / "model"
    first = export.to_saved_model(model, path, images=pictures)
    assert first.input_shape == (1, None, None, 3)
    assert first.max_difference < 1e-5 and first.equal_argmax == 1.0 and first.images == 2
    assert "Conv2D" in first.operators
    assert first.size_bytes == sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
    assert [item.name for item in path.parent.iterdir()] == ["model"]


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="the same code after the hand-over")
def test_an_export_is_replaced(tmp_path, model):
    path = tmp_path / "model"
    export.to_saved_model(model, path, check=False)
    second = export.to_saved_model(model, path, input_shape=(16, 16, 3), check=False)
    assert second.input_shape == (1, 16, 16, 3) and second.equal_argmax is None
    assert [item.name for item in tmp_path.iterdir()] == ["model"]


def test_a_folder_of_something_else_is_not_replaced(tmp_path, model):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(FileExistsError, match="no SavedModel"):
        export.to_saved_model(model, tmp_path)
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="the same file after the hand-over")
def test_the_signature_runs_in_a_process_without_keras(tmp_path):
    """TensorFlow imports Keras by itself where there is one, so that there may be none."""
    model = PConvUNet(levels=4, base_filters=2, data_format="channels_first")
    export.to_saved_model(model, tmp_path / "fill", input_shape=(32, 48, 4), check=False)
    planes = np.random.default_rng(2).random((1, 32, 48, 4)).astype("float32")
    planes[..., 3] = planes[..., 3] < 0.2
    np.save(tmp_path / "planes.npy", planes)
    script = """
import sys
sys.modules.update(keras=None, keras_segpaint=None)  # Neither can be imported.
import numpy as np
import tensorflow as tf
loaded = tf.saved_model.load("fill")
signature = loaded.signatures["serving_default"]
(name,) = signature.structured_input_signature[1]
(filled,) = signature(**{name: tf.constant(np.load("planes.npy"))}).values()
np.save("filled.npy", filled.numpy())
assert not [name for name, module in sys.modules.items() if module and name.partition(".")[0] in ("keras", "keras_segpaint")]
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    image, hole = planes[..., :3].transpose(0, 3, 1, 2), planes[..., 3:].transpose(0, 3, 1, 2)
    made = np.asarray(model.predict_on_batch([image * 2 - 1, hole])) / 2 + 0.5
    expected = image * (1 - hole) + made.clip(0, 1) * hole
    np.testing.assert_allclose(np.load(tmp_path / "filled.npy"), expected.transpose(0, 2, 3, 1), atol=1e-5)

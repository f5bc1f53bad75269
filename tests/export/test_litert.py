"""LiteRT files: what they compute, what they contain, and what is refused."""

import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers

from keras_segpaint import export
from keras_segpaint.models import DeepFillV2, ENet, PConvUNet

pytest.importorskip("tensorflow")
pytest.importorskip("ai_edge_litert")

in_process = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="the conversion is the same; the tests that run cover the hand-over"
)


def small_model(data_format: str = "channels_last", dtype: str = "float32", size=(None, None)) -> keras.Model:
    keras.utils.set_random_seed(3)
    shape = (*size, 3) if data_format == "channels_last" else (3, *size)
    options = dict(padding="same", data_format=data_format, dtype=dtype)
    axis = -1 if data_format == "channels_last" else 1
    image = keras.Input(shape)
    x = layers.Conv2D(8, 3, activation="relu", **options)(image)
    x = layers.BatchNormalization(axis, moving_mean_initializer="random_normal", dtype=dtype)(x)
    x = layers.Conv2D(5, 1, **options)(x)
    model = keras.Model(image, layers.Activation("linear", dtype="float32")(x), name="small")
    model.data_format = data_format
    return model


def images(count: int, height: int, width: int) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (count, height, width, 3), np.uint8)


@in_process
def test_enet_on_given_images(tmp_path, capfd):
    model = ENet(4, data_format="channels_last")
    pictures = images(2, 45, 60)
    report = export.to_litert(model, tmp_path / "new" / "enet.tflite", input_shape=(45, 60, 3), images=pictures)
    assert report.path == tmp_path / "new" / "enet.tflite"
    assert (report.format, report.images, report.input_shape) == ("litert", 2, (1, 45, 60, 3))
    assert report.size_bytes == report.path.stat().st_size > 363_000 * 4
    assert {"CONV_2D", "TRANSPOSE_CONV", "PRELU"} <= set(report.operators)
    expected = np.asarray(model.predict_on_batch(pictures.astype("float32") / 255))
    # The logits of an untrained ENet run into the thousands.
    tolerance = 1e-5 * np.abs(expected).max()
    assert 0 <= report.max_difference < tolerance
    assert report.equal_argmax > 0.999
    assert 0 < report.milliseconds < 10_000
    runner = export.LiteRTModel(report.path)
    np.testing.assert_allclose(runner(pictures), expected, atol=tolerance)
    assert list(report.path.parent.iterdir()) == [report.path]
    assert capfd.readouterr().err == ""
    assert "2 images" in str(report)


@in_process
def test_filling_in_both_data_formats_and_half_precision(tmp_path):
    keras.utils.set_random_seed(4)
    arguments = dict(levels=4, base_filters=2, input_shape=(32, 40, 3))
    last = PConvUNet(**arguments, data_format="channels_last")
    first = PConvUNet(**arguments, data_format="channels_first", dtype="mixed_bfloat16")
    rng = np.random.default_rng(4)
    # Biases and statistics of zero leave little to see.
    last.set_weights([abs(w + rng.normal(0, 0.02, w.shape)) if w.ndim == 1 else w for w in last.get_weights()])
    first.set_weights(last.get_weights())
    planes = np.zeros((1, 32, 40, 4), np.uint8)
    planes[..., :3] = images(1, 32, 40)
    planes[:, 8:20, 8:24, 3] = 255
    filled = []
    for name, model in (("last", last), ("first", first)):
        report = export.to_litert(model, tmp_path / f"{name}.tflite", input_shape=(32, 40, 4), images=planes)
        assert report.max_difference < 1e-5 and report.equal_argmax is None
        assert "equal class" not in str(report) and "1 image largest" in str(report)
        filled.append(export.LiteRTModel(report.path)(planes))
    np.testing.assert_allclose(filled[0], filled[1], atol=1e-5)
    known = planes[..., 3] == 0
    assert filled[0][~known].std() > 0.01
    np.testing.assert_allclose(filled[0][known], planes[known][:, :3] / 255, atol=1e-6)
    with pytest.raises(ValueError, match="fit the model"):
        export.to_litert(last, tmp_path / "wrong.tflite", input_shape=(32, 40, 3))


@in_process
def test_filling_as_saved_model(tmp_path):
    model = DeepFillV2(4, both_stages=True, data_format="channels_last")
    report = export.to_saved_model(model, tmp_path / "fill", input_shape=(32, 40, 4))
    assert report.max_difference < 1e-5 and report.input_shape == (1, 32, 40, 4)


@pytest.mark.parametrize(
    ("data_format", "dtype"),
    [
        ("channels_last", "mixed_float16"),
        pytest.param("channels_last", "mixed_bfloat16", marks=in_process),
        pytest.param("channels_first", "float32", marks=in_process),
    ],
)
def test_any_precision_and_data_format_gives_a_float32_file_with_channels_last(tmp_path, data_format, dtype):
    model = small_model(data_format, dtype)
    report = export.to_litert(model, tmp_path / "small.tflite", input_shape=(16, 24, 3))
    assert report.input_shape == (1, 16, 24, 3)
    assert report.max_difference < 1e-5
    pictures = images(1, 16, 24).astype("float32") / 255
    own = pictures if data_format == "channels_last" else pictures.transpose(0, 3, 1, 2)
    expected = np.asarray(model.predict_on_batch(own))
    expected = expected if data_format == "channels_last" else expected.transpose(0, 2, 3, 1)
    np.testing.assert_allclose(
        export.LiteRTModel(report.path)(pictures), expected, atol=1e-5 if dtype == "float32" else 0.05
    )


def test_an_operator_that_is_not_built_in_is_named_and_nothing_is_written(tmp_path):
    image = keras.Input((8, 8, 3))
    model = keras.Model(image, keras.ops.argmax(layers.Conv2D(2, 3)(image), -1), name="flex")
    with pytest.raises(export.ExportError, match="flex cannot be converted to LiteRT: BitwiseAnd is no built-in"):
        export.to_litert(model, tmp_path / "flex.tflite")
    assert list(tmp_path.iterdir()) == []


@in_process
def test_a_file_that_disagrees_is_refused_and_the_former_one_stays(tmp_path, monkeypatch):
    from keras_segpaint.export import litert

    path = tmp_path / "small.tflite"
    path.write_bytes(b"former")
    wrong = np.zeros((1, 16, 16, 5), "float32") + np.arange(5)
    wrong[:, ::2, :, 0] = 5
    monkeypatch.setattr(litert.LiteRTModel, "__call__", lambda runner, images: wrong)
    with pytest.raises(export.ExportError, match="disagrees with the Keras model"):
        export.to_litert(small_model(size=(16, 16)), path)
    wrong[..., 0] = -1
    with pytest.raises(export.ExportError, match="gives class 4 everywhere"):
        export.to_litert(small_model(size=(16, 16)), path)
    assert path.read_bytes() == b"former"
    assert list(tmp_path.iterdir()) == [path]


def test_a_size_that_the_network_does_not_take(tmp_path):
    model = DeepFillV2(cnum=4)
    for write in (export.to_litert, export.to_saved_model):
        with pytest.raises(ValueError, match="multiples of 8 for DeepFillV2. Received: 32x30"):
            write(model, tmp_path / "fill.tflite", input_shape=(32, 30, 4))
    assert list(tmp_path.iterdir()) == []


@in_process
def test_without_a_check(tmp_path):
    report = export.to_litert(small_model(size=(8, 8)), tmp_path / "small.tflite", check=False)
    assert report.max_difference is None and report.milliseconds is None
    assert "CONV_2D" in report.operators
    assert str(report).endswith("not checked")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "positive integers"),
        ({"input_shape": (8, 8)}, "positive integers"),
        ({"input_shape": (8, 8, 1)}, "built for"),
        ({"input_shape": (8, 8, 3), "images": np.zeros((1, 9, 8, 3), np.uint8)}, "Resize"),
    ],
)
def test_shapes_are_checked_first(tmp_path, arguments, message):
    with pytest.raises(ValueError, match=message):
        export.to_litert(small_model(), tmp_path / "small.tflite", **arguments)
    assert list(tmp_path.iterdir()) == []


def test_the_runner_refuses_what_is_no_model(tmp_path):
    (tmp_path / "text.tflite").write_text("no model")
    with pytest.raises(ValueError, match="text.tflite is not a LiteRT model"):
        export.LiteRTModel(tmp_path / "text.tflite")
    with pytest.raises(FileNotFoundError):
        export.LiteRTModel(tmp_path / "missing.tflite")


@in_process
def test_the_runner_refuses_images_of_another_size(tmp_path):
    export.to_litert(small_model(size=(8, 8)), tmp_path / "small.tflite", check=False)
    with pytest.raises(ValueError, match=r"\(batch, 8, 8, 3\)"):
        export.LiteRTModel(tmp_path / "small.tflite")(np.zeros((1, 8, 9, 3), np.uint8))


@in_process
def test_in_a_process_without_torch(tmp_path):
    model_file = tmp_path / "small.keras"
    small_model(size=(8, 8)).save(model_file)
    script = f"""
import importlib.abc, sys
class NoTorch(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name.partition(".")[0] in ("torch", "jax"):
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, NoTorch())
import keras
from keras_segpaint import export
report = export.to_litert(keras.saving.load_model({str(model_file)!r}), {str(tmp_path / "small.tflite")!r})
print(report.equal_argmax)
"""
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        env={**os.environ, "KERAS_BACKEND": "tensorflow", "PYTHONPATH": str(root)},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) == 1.0


def test_a_network_from_label_maps_is_refused(tmp_path):
    from keras_segpaint.models import SPADEGenerator

    with pytest.raises(export.ExportError, match="makes images from label maps"):
        export.to_litert(SPADEGenerator(3, base_filters=1, hidden=4), tmp_path / "made.tflite", input_shape=(32, 32, 3))

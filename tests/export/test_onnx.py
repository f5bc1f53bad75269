"""ONNX files: what they compute, what they contain, and what is refused."""

import keras
import numpy as np
import pytest

from keras_segpaint import export
from keras_segpaint.layers import MaxPoolingWithArgmax2D, MaxUnpooling2D
from keras_segpaint.models import DeepFillV2, DeepLabV3Plus, ENet, PConvUNet, UNet

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

BACKEND = keras.backend.backend()
on_tensorflow = pytest.mark.skipif(BACKEND != "tensorflow", reason="written by TensorFlow, in this process or another")
# A process of TensorFlow starts in half a minute; one such test covers the hand-over.
natively = pytest.mark.skipif(BACKEND == "jax", reason="JAX hands over to TensorFlow")


def vary(model: keras.Model) -> keras.Model:
    """Biases and statistics at their initial values leave little to see."""
    rng = np.random.default_rng(4)
    model.set_weights([abs(w + rng.normal(0, 0.02, w.shape)) if w.ndim == 1 else w for w in model.get_weights()])
    return model


def images(count: int, height: int, width: int) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (count, height, width, 3), np.uint8)


@natively
def test_segmentation_with_channels_first(tmp_path, capfd):
    model = vary(UNet(3, base_filters=2, data_format="channels_first", dtype="mixed_bfloat16"))
    pictures = images(2, 32, 48)
    report = export.to_onnx(model, tmp_path / "new" / "unet.onnx", input_shape=(32, 48, 3), images=pictures)
    assert (report.format, report.opset, report.images, report.input_shape) == ("onnx", 18, 2, (1, 32, 48, 3))
    assert report.max_difference < 1e-5 and report.equal_argmax > 0.999
    assert {"Conv", "ConvTranspose", "MaxPool"} <= set(report.operators)
    assert report.size_bytes == report.path.stat().st_size
    assert "onnx of opset 18" in str(report)
    assert list(report.path.parent.iterdir()) == [report.path]
    file = onnx.load(report.path)
    assert ([value.name for value in file.graph.input], [value.name for value in file.graph.output]) == (
        ["image"],
        ["logits"],
    )
    exact = model.rebuilt(dtype="float32")
    expected = np.asarray(exact.predict_on_batch(pictures.transpose(0, 3, 1, 2).astype("float32") / 255))
    runner = export.ONNXModel(report.path, threads=1)
    assert runner.input_shape == (1, 32, 48, 3)
    np.testing.assert_allclose(runner(pictures), expected.transpose(0, 2, 3, 1), atol=1e-5)
    with pytest.raises(ValueError, match=r"\(batch, 32, 48, 3\), that of unet.onnx"):
        runner(images(1, 32, 47))
    # On PyTorch Keras imports TensorFlow where it clones a model, which says so.
    assert BACKEND != "tensorflow" or capfd.readouterr().err == ""


@natively
def test_filling(tmp_path):
    model = vary(PConvUNet(levels=4, base_filters=2, data_format="channels_last"))
    planes = np.zeros((1, 32, 48, 4), np.uint8)
    planes[..., :3] = images(1, 32, 48)
    planes[:, 8:20, 8:24, 3] = 255
    report = export.to_onnx(model, tmp_path / "fill.onnx", input_shape=(32, 48, 4), images=planes)
    assert report.max_difference < 1e-5 and report.equal_argmax is None
    filled = export.ONNXModel(report.path)(planes)
    known = planes[..., 3] == 0
    np.testing.assert_allclose(filled[known], planes[known][:, :3] / 255, atol=1e-6)
    assert filled[~known].std() > 0.01
    file = onnx.load(report.path)
    assert (file.graph.input[0].name, file.graph.output[0].name) == ("image_and_mask", "filled")
    modes = {attribute.s for node in file.graph.node for attribute in node.attribute if node.op_type == "Resize"}
    assert b"tf_half_pixel_for_nn" not in modes


NETWORKS = {
    # Positions of maxima, their inverse and PReLU.
    "ENet": lambda: ENet(3, data_format="channels_last"),
    # Depthwise convolutions with a dilation rate, and a pyramid.
    "DeepLabV3Plus": lambda: DeepLabV3Plus(
        3,
        backbone="mobilenet_v2",
        backbone_options={"alpha": 0.1, "top": False},
        rates=(1, 2),
        separable=True,
        aspp_filters=4,
        decoder_filters=4,
        data_format="channels_last",
    ),
    # Gated convolutions and contextual attention.
    "DeepFillV2": lambda: DeepFillV2(4, data_format="channels_last"),
}


@natively
@pytest.mark.parametrize("name", NETWORKS)
def test_the_networks_of_phones(name, tmp_path):
    model = vary(NETWORKS[name]())
    planes = 4 if name == "DeepFillV2" else 3
    pictures = np.random.default_rng(1).integers(0, 256, (2, 32, 48, planes), np.uint8)
    if planes == 4:
        pictures[..., 3] = 0
        pictures[:, 8:20, 8:24, 3] = 255
    report = export.to_onnx(model, tmp_path / "model.onnx", input_shape=(32, 48, planes), images=pictures)
    result = export.ONNXModel(report.path)(pictures)
    assert report.max_difference < 1e-5 * max(np.abs(result).max(), 1) and result.std() > 0.01
    if planes == 3:
        expected = np.asarray(keras.ops.convert_to_numpy(model(pictures.astype("float32") / 255, training=False)))
        np.testing.assert_allclose(result, expected, atol=1e-5 * np.abs(expected).max())
        assert report.equal_argmax > 0.999


def test_free_sizes(tmp_path):
    """On PyTorch and JAX this is the hand-over to TensorFlow."""
    model = vary(UNet(2, base_filters=2, data_format="channels_last"))
    report = export.to_onnx(model, tmp_path / "unet.onnx", opset=15)
    assert report.input_shape == (1, None, None, 3) and report.opset == 15
    runner = export.ONNXModel(report.path)
    assert runner.input_shape == (1, None, None, 3)
    for size in ((48, 32), (33, 71)):
        pictures = images(1, *size)
        expected = np.asarray(model.predict_on_batch(pictures.astype("float32") / 255))
        np.testing.assert_allclose(runner(pictures), expected, atol=1e-5)


@on_tensorflow
def test_layers_that_tensorflow_compiles_and_normalisation_to_given_values(tmp_path):
    """Function calls and TensorFlow's own tensors are nothing that a file may hold."""
    # Odd sizes are padded with negative infinity, which a selection has to survive.
    image = keras.Input((15, 21, 3))
    normalize = keras.layers.Normalization(axis=-1, mean=(0.1, 0.2, 0.3), variance=(1.0, 2.0, 3.0))
    x = keras.layers.Conv2D(4, 3, padding="same", data_format="channels_last")(normalize(image))
    pooled, positions = MaxPoolingWithArgmax2D(2, padding="same", data_format="channels_last")(x)
    model = keras.Model(
        image, MaxUnpooling2D(2, padding="same", data_format="channels_last")(pooled, positions, like=x), name="small"
    )
    report = export.to_onnx(model, tmp_path / "small.onnx")
    assert report.max_difference < 1e-6 and report.equal_argmax > 0.999
    assert "Where" in report.operators
    assert not isinstance(normalize.mean, np.ndarray)


@on_tensorflow
def test_an_operator_without_counterpart_is_named_and_nothing_is_written(tmp_path):
    image = keras.Input((8, 8, 3))
    model = keras.Model(image, keras.ops.fft2((image, image))[0], name="transform")
    with pytest.raises(export.ExportError, match="no counterpart of .*FFT2D"):
        export.to_onnx(model, tmp_path / "transform.onnx")
    assert list(tmp_path.iterdir()) == []


@on_tensorflow
def test_a_file_that_disagrees_is_refused_and_the_former_one_stays(tmp_path, monkeypatch):
    from keras_segpaint.export import onnx as room

    path = tmp_path / "small.onnx"
    path.write_bytes(b"former")
    image = keras.Input((16, 16, 3))
    model = keras.Model(image, keras.layers.Conv2D(5, 1, data_format="channels_last")(image), name="small")
    wrong = np.zeros((1, 16, 16, 5), "float32") + np.arange(5)
    monkeypatch.setattr(room.ONNXModel, "__call__", lambda runner, images: wrong)
    with pytest.raises(export.ExportError, match="disagrees with the Keras model"):
        export.to_onnx(model, path)
    assert path.read_bytes() == b"former"
    assert list(tmp_path.iterdir()) == [path]


def test_what_does_not_fit_is_refused_first(tmp_path, monkeypatch):
    model = UNet(2, base_filters=2)
    with pytest.raises(ValueError, match="`opset` must be one of 13, .*18. Received: opset=25"):
        export.to_onnx(model, tmp_path / "unet.onnx", opset=25)
    with pytest.raises(ValueError, match="fit the model"):
        export.to_onnx(model, tmp_path / "unet.onnx", input_shape=(16, 16, 4))
    (tmp_path / "text.onnx").write_text("no model")
    with pytest.raises(ValueError, match="text.onnx is not an ONNX model"):
        export.ONNXModel(tmp_path / "text.onnx")
    with pytest.raises(FileNotFoundError):
        export.ONNXModel(tmp_path / "missing.onnx")


@pytest.mark.skipif(BACKEND == "tensorflow", reason="TensorFlow is there")
def test_without_tensorflow(tmp_path, monkeypatch):
    from keras_segpaint.export import onnx as room

    monkeypatch.setattr(room.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(export.ExportError, match=f"On the backend {BACKEND} .*keras_segpaint.tensorflow,onnx"):
        export.to_onnx(UNet(2, base_filters=2), tmp_path / "unet.onnx")

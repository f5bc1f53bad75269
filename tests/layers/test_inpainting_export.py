"""The layers of inpainting networks become LiteRT files of built-in operators that compute the same."""

import keras
import numpy as np
import pytest

from keras_segpaint import layers, models

tensorflow = pytest.importorskip("tensorflow")
litert = pytest.importorskip("ai_edge_litert.interpreter")
pytestmark = pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="the conversion runs in TensorFlow")

LAST = {"data_format": "channels_last"}


def run_litert(model, folder, arrays):
    """The outputs of the model as a file without any but built-in operators, and the file's size in bytes."""
    signature = [[keras.InputSpec(shape=array.shape, dtype="float32") for array in arrays]]
    model.export(folder, format="tf_saved_model", input_signature=signature, verbose=False)
    converter = tensorflow.lite.TFLiteConverter.from_saved_model(str(folder))
    converter.target_spec.supported_ops = [tensorflow.lite.OpsSet.TFLITE_BUILTINS]
    content = converter.convert()
    interpreter = litert.Interpreter(model_content=content)
    interpreter.allocate_tensors()
    shapes = {tuple(detail["shape"]): detail["index"] for detail in interpreter.get_input_details()}
    for array in arrays:
        interpreter.set_tensor(shapes[array.shape], array)
    interpreter.invoke()
    return interpreter.get_tensor(interpreter.get_output_details()[0]["index"]), len(content)


class SelfAttention(layers.ContextualAttention):
    """Contextual attention of a map to itself, which DeepFill uses."""

    def call(self, inputs, hole_mask):
        return super().call(inputs, inputs, hole_mask)

    def compute_output_spec(self, inputs, hole_mask):
        return super().compute_output_spec(inputs, inputs, hole_mask)


class SelfShift(layers.FeatureShift):
    """The shift of a map to itself."""

    def call(self, inputs, hole_mask):
        return super().call(inputs, inputs, hole_mask)

    def compute_output_spec(self, inputs, hole_mask):
        return super().compute_output_spec(inputs, inputs, hole_mask)


CASES = {
    "attention": lambda: SelfAttention(**LAST),
    "attention_corners": lambda: SelfAttention(downsampling="corners", **LAST),
    "attention_exclude": lambda: SelfAttention(stride=2, fuse=False, masking="exclude", **LAST),
    "partial": lambda: layers.PartialConv2D(4, 3, strides=2, **LAST),
    "shift": lambda: SelfShift(**LAST),
    "gated": lambda: layers.GatedConv2D(4, strides=2, **LAST),
    "gated_same": lambda: layers.GatedConv2D(4, strides=2, padding="same", **LAST),
    "points": lambda: layers.Resize((7, 31), half_pixel_centers=False, **LAST),
    "nearest_points": lambda: layers.Resize((7, 31), interpolation="nearest", align_corners=True, **LAST),
    "gated_upsampling": lambda: layers.GatedConv2D(4, upsampling=2, **LAST),
}


@pytest.mark.parametrize("name", CASES)
def test_built_in_operators_only(name, tmp_path, rng):
    layer = CASES[name]()
    x = rng.normal(size=(1, 16, 24, 8)).astype("float32")
    hole = np.zeros((1, 16, 24, 1), "float32")
    hole[:, 4:10, 8:16] = 1
    masked = "hole_mask" in layer.call.__code__.co_varnames
    arrays = [x, hole] if masked else [x]
    inputs = [keras.Input(array.shape[1:], batch_size=1) for array in arrays]
    outputs = layer(*inputs)
    model = keras.Model(inputs, outputs[0] if isinstance(outputs, tuple) else outputs)
    output, size = run_litert(model, tmp_path / "model", arrays)
    np.testing.assert_allclose(output, model.predict_on_batch(arrays), rtol=1e-4, atol=1e-5)
    assert size < 60_000


@pytest.mark.parametrize(
    "build",
    [
        lambda: models.DeepFillV2(4, input_shape=(32, 40, 3), **LAST),
        lambda: models.DeepFillV2(4, variant="tensorflow", input_shape=(32, 40, 3), **LAST),
        lambda: models.PConvUNet(4, base_filters=2, input_shape=(32, 40, 3), **LAST),
    ],
    ids=["DeepFillV2", "DeepFillV2-tensorflow", "PConvUNet"],
)
def test_networks(build, tmp_path, rng):
    model = build()
    image = rng.uniform(-1, 1, (1, 32, 40, 3)).astype("float32")
    hole = np.zeros((1, 32, 40, 1), "float32")
    hole[:, 8:20, 8:24] = 1
    output, _ = run_litert(model, tmp_path / "model", [image, hole])
    np.testing.assert_allclose(output, model.predict_on_batch([image, hole]), rtol=1e-4, atol=1e-5)

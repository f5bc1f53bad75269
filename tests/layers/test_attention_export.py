"""Attention layers as LiteRT files of built-in operators."""

import keras
import pytest

from keras_segpaint import export, layers

BUILDS = {
    "cbam": layers.ConvBlockAttention,
    "eca": layers.EfficientChannelAttention,
    "non_local": lambda **kw: layers.NonLocalBlock(subsample=True, **kw),
    "non_local_dot": lambda **kw: layers.NonLocalBlock("dot_product", **kw),
    "residual": layers.ResidualAttention,
    "se": layers.SqueezeExcitation,
    "self": lambda **kw: layers.SelfAttention2D(gamma_initializer="ones", **kw),
    "sk": lambda **kw: layers.SelectiveKernel(groups=2, **kw),
    "transformer": layers.SpatialTransformer,
}


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="exports from TensorFlow")
@pytest.mark.parametrize("name", sorted(BUILDS))
def test_litert(name, tmp_path):
    pytest.importorskip("ai_edge_litert")
    keras.utils.set_random_seed(1)
    image = keras.Input((None, None, 3))
    x = keras.layers.Conv2D(16, 3, padding="same", data_format="channels_last")(image)
    model = keras.Model(image, BUILDS[name](data_format="channels_last")(x))
    model.data_format = "channels_last"
    report = export.to_litert(model, tmp_path / "layer.tflite", input_shape=(13, 18, 3))
    assert report.max_difference < 1e-5

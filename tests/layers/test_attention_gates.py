"""Gates of channels and positions compute what the reference implementations compute, from the same weights."""

import numpy as np
import pytest
from keras import ops

from keras_segpaint import layers
from tests.layers.published import assign, check_outputs

NAMES = {
    "squeeze_excite": {"fc.0": "squeeze", "fc.2": "excite"},
    "eca": {"conv": "conv"},
    "cbam": {
        "ChannelGate.mlp.1": "channel_gate.hidden",
        "ChannelGate.mlp.3": "channel_gate.score",
        "SpatialGate.spatial.conv": "spatial_gate.conv",
        "SpatialGate.spatial.bn": "spatial_gate.norm",
    },
}

CASES = {
    ("squeeze_excite", "r16"): lambda f: layers.SqueezeExcitation(use_bias=False, data_format=f),
    ("squeeze_excite", "r4"): lambda f: layers.SqueezeExcitation(4, use_bias=False, data_format=f),
    ("eca", "k3"): lambda f: layers.EfficientChannelAttention(3, data_format=f),
    ("eca", "k5"): lambda f: layers.EfficientChannelAttention(5, data_format=f),
    ("cbam", "default"): lambda f: layers.ConvBlockAttention(data_format=f),
    ("cbam", "r4"): lambda f: layers.ConvBlockAttention(4, data_format=f),
    ("cbam", "no_spatial"): lambda f: layers.ConvBlockAttention(8, spatial=False, data_format=f),
    ("cbam", "avg_only"): lambda f: layers.ConvBlockAttention(8, poolings=("average",), data_format=f),
}


@pytest.mark.parametrize(("fixture", "case"), sorted(CASES))
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_reference_outputs(fixture_arrays, fixture, case, data_format):
    check_outputs(fixture_arrays(fixture), case, CASES[fixture, case](data_format), NAMES[fixture])


@pytest.mark.parametrize("case", ["default", "r4"])
def test_parts_of_cbam_stand_alone(fixture_arrays, case):
    reference = fixture_arrays("cbam")
    x = reference.arrays[f"{case}.x"]
    whole = CASES["cbam", case]("channels_first")
    whole.build(x.shape)
    assign(whole, reference, case, NAMES["cbam"])
    gate = layers.ChannelGate(whole.ratio, data_format="channels_first")
    positions = layers.SpatialGate(data_format="channels_first")
    for part, source in ((gate, whole.channel_gate), (positions, whole.spatial_gate)):
        part.build(x.shape)
        part.set_weights(source.get_weights())
    between = gate(x)
    expected = reference.arrays[f"{case}.after_channel_gate"]
    np.testing.assert_allclose(ops.convert_to_numpy(between), expected, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(
        ops.convert_to_numpy(positions(between)), reference.arrays[f"{case}.y"], rtol=1e-5, atol=1e-5
    )


@pytest.mark.parametrize(
    ("build", "counts"),
    [
        (layers.SqueezeExcitation, (580, 2184, 8464, 33312)),
        (lambda **kw: layers.SqueezeExcitation(use_bias=False, **kw), (512, 2048, 8192, 32768)),
        (layers.EfficientChannelAttention, (3, 5, 5, 5)),
        (layers.ConvBlockAttention, (680, 2284, 8564, 33412)),
        (layers.SelectiveKernel, (8896, 22336, 63040, 199744)),
        (layers.NonLocalBlock, (8480, 33344, 132224, 526592)),
    ],
)
def test_parameter_counts_of_the_table(build, counts):
    for channels, expected in zip((64, 128, 256, 512), counts, strict=True):
        layer = build(data_format="channels_last")
        layer.build((None, None, None, channels))
        assert sum(int(np.prod(weight.shape)) for weight in layer.trainable_weights) == expected


@pytest.mark.parametrize(
    "layer", [layers.SqueezeExcitation, layers.EfficientChannelAttention, layers.ConvBlockAttention]
)
def test_means_survive_sums_beyond_float16(layer):
    x = np.full((1, 32, 32, 16), 100.0, "float32")
    y = ops.convert_to_numpy(layer(data_format="channels_last", dtype="mixed_float16")(x))
    assert np.isfinite(y).all() and (y >= 0).all() and (y <= 100).all()
    half, full = (layer(data_format="channels_last", dtype=dtype) for dtype in ("mixed_float16", "float32"))
    full.build(x.shape)
    half.build(x.shape)
    half.set_weights(full.get_weights())
    # A saturated gate would hide an infinite mean: weights of hundredths leave it open.
    for weight in full.trainable_weights:
        weight.assign(weight * 0.01)
    half.set_weights(full.get_weights())
    np.testing.assert_allclose(ops.convert_to_numpy(half(x)), ops.convert_to_numpy(full(x)), rtol=1e-2)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: layers.SqueezeExcitation(0), "`ratio` must be"),
        (lambda: layers.EfficientChannelAttention(4), "`kernel_size` must be"),
        (lambda: layers.ChannelGate(ratio=1.5), "`ratio` must be"),
        (lambda: layers.ChannelGate(poolings=("avg",)), "`poolings` must be"),
        (lambda: layers.ConvBlockAttention(poolings=()), "`poolings` must be"),
        (lambda: layers.SpatialGate(2), "`kernel_size` must be"),
        (lambda: layers.SelectiveKernel(1), "`branches` must be"),
        (lambda: layers.SelectiveKernel(strides=0), "`strides` must be"),
        (lambda: layers.NonLocalBlock("concatenation"), "`mode` must be"),
        (lambda: layers.NonLocalBlock(inner_channels=0), "`inner_channels` must be"),
        (lambda: layers.NonLocalBlock(max_attention_elements=0), "`max_attention_elements` must be"),
        (lambda: layers.SelfAttention2D(0), "`reduction` must be"),
        (lambda: layers.SelfAttention2D(value_reduction=0), "`value_reduction` must be"),
        (lambda: layers.ResidualAttention(trunk_units=0), "`trunk_units` must be"),
        (lambda: layers.ResidualAttention(levels=0), "`levels` must be"),
        (lambda: layers.SpatialTransformer(localization="dense"), "`localization` must be"),
        (lambda: layers.SpatialTransformer(size=(0, 3)), "`size` must be"),
    ],
)
def test_errors(build, message):
    with pytest.raises(ValueError, match=message):
        build()

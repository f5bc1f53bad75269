"""RefineNet, DANet, CCNet, G-FRNet and Attention to Scale: training heads, variants, and what their blocks mean."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_segpaint import models
from tests.conformance.cases import can_train, fill_weights, images

WIDE = {
    "DANet": dict(backbone="resnet18", base_filters=4),
    "CCNet": dict(backbone="resnet18", base_filters=4),
    "GFRNet": dict(base_filters=4),
    "RefineNet": dict(backbone="resnet18", base_filters=4, filters=4),
    "AttentionToScale": dict(
        model="UNet", model_arguments={"base_filters": 2}, scales=(1.0, 0.75), attention_filters=4
    ),
}
# Arguments, and the size of each training head for images of 16 x 24.
SUPERVISED = {
    "DANet": ({}, {"position": (16, 24), "channel": (16, 24)}),
    "CCNet": ({}, {"auxiliary": (16, 24)}),
    "GFRNet-labels": (
        {"supervise": "labels"},
        {"stage1": (1, 1), "stage2": (1, 2), "stage3": (2, 3), "stage4": (4, 6), "stage5": (8, 12)},
    ),
    "GFRNet-predictions": ({"supervise": "predictions"}, {f"stage{stage}": (16, 24) for stage in range(1, 6)}),
    "AttentionToScale": ({}, {"scale_1.0": (16, 24), "scale_0.75": (12, 18)}),
}


def build(name, **kwargs):
    name = name.partition("-")[0]
    return getattr(models, name)(3, **WIDE[name], data_format="channels_last", **kwargs)


@pytest.mark.parametrize("name", sorted(SUPERVISED))
def test_training_heads(name):
    arguments, heads = SUPERVISED[name]
    keras.utils.set_random_seed(0)
    model = build(name, supervised=True, **arguments)
    x = images((2, 16, 24, 3))
    y = np.random.default_rng(0).integers(0, 3, (2, 16, 24)).astype("int32")
    outputs = model(x)
    assert {key: tuple(output.shape) for key, output in outputs.items()} == {
        "logits": (2, 16, 24, 3),
        **{key: (2, *size, 3) for key, size in heads.items()},
    }
    assert all(keras.backend.standardize_dtype(output.dtype) == "float32" for output in outputs.values())
    weight = 0.4 if name == "CCNet" else 1.0
    assert model.supervision == dict.fromkeys(heads, weight)
    model.compile(
        keras.optimizers.Adam(1e-2),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        run_eagerly=keras.backend.backend() != "jax",
    )
    before = [ops.convert_to_numpy(variable).copy() for variable in model.trainable_weights]
    history = model.fit(x, y, epochs=2, batch_size=2, verbose=0)
    assert np.isfinite(history.history["loss"]).all()
    for variable, old in zip(model.trainable_weights, before, strict=True):
        change = np.abs(ops.convert_to_numpy(variable) - old).max()
        assert change > 0 or not can_train(variable.path), f"{variable.path} was not trained"
    predictor = model.predictor()
    assert isinstance(predictor, type(model)) and not predictor.supervision
    np.testing.assert_allclose(
        ops.convert_to_numpy(predictor(x, training=False)),
        ops.convert_to_numpy(model(x, training=False)["logits"]),
        atol=1e-5,
    )


def test_variants_of_refine_net_differ_in_their_pools():
    counts = {
        variant: models.RefineNet(3, **WIDE["RefineNet"], variant=variant).count_params()
        for variant in ("paper", "code")
    }
    # Two more 3x3 convolutions in four chains, the deepest of twice the width.
    assert counts["code"] - counts["paper"] == 2 * 9 * (3 * 4 * 4 + 8 * 8)
    model = models.RefineNet(3, **WIDE["RefineNet"], pools=3, conv_first=True)
    pools = model.get_layer("refine1_pools")
    assert (pools.pools, pools.conv_first) == (3, True)


def test_refine_net_starts_with_small_logits():
    """Without normalisation in the decoder each sum would double the power of the features."""
    keras.utils.set_random_seed(0)
    model = models.RefineNet(3, backbone="resnet18", filters=16)
    logits = ops.convert_to_numpy(model(images((1, 32, 48, 3)), training=True))
    assert 0.01 < logits.std() < 3


def test_frozen_normalisation_trains_on_a_batch_of_one():
    model = build("RefineNet", normalization="frozen_batch")
    norms = [layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)]
    assert norms and not any(layer.trainable_weights for layer in norms)
    model.compile(
        "sgd",
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        run_eagerly=keras.backend.backend() != "jax",
    )
    loss = model.train_on_batch(images((1, 16, 24, 3)), np.zeros((1, 16, 24), "int32"))
    assert np.isfinite(float(loss))


def test_multi_grid_names_the_rates_of_the_last_stage():
    model = models.DANet(3, backbone="resnet50", base_filters=2, multi_grid=(4, 8, 16))
    rates = [model.get_layer(f"stage4_block{block}_2_conv").dilation_rate[0] for block in (1, 2, 3)]
    assert rates == [4, 8, 16]
    plain = models.DANet(3, backbone="resnet50", base_filters=2)
    assert [plain.get_layer(f"stage4_block{block}_2_conv").dilation_rate[0] for block in (1, 2, 3)] == [2, 4, 4]


def test_recurrence_shares_its_weights():
    once, thrice = (build("CCNet", recurrence=times) for times in (1, 3))
    assert once.count_params() == thrice.count_params()
    for model in (once, thrice):
        fill_weights(model)
    x = images((1, 16, 24, 3))
    difference = ops.convert_to_numpy(once(x, training=False)) - ops.convert_to_numpy(thrice(x, training=False))
    assert np.abs(difference).max() > 1e-4


def wrapped_scores(model, x, scales):
    """The scores of the wrapped network for each scale, at the size of the images."""
    size = x.shape[1:3]
    scores = []
    for scale in scales:
        image = x if scale == 1 else ops.image.resize(x, [int(extent * scale) for extent in size])
        scores.append(ops.convert_to_numpy(ops.image.resize(model(image, training=False), size)))
    return np.stack(scores)


@pytest.mark.parametrize("fusion", ["attention", "average", "max"])
def test_scales_share_a_network_and_are_fused(fusion):
    unet = models.UNet(3, base_filters=2, data_format="channels_last")
    fill_weights(unet)
    scales = (1.0, 0.75, 0.5)
    model = models.AttentionToScale(
        3, model=unet, scales=scales, fusion=fusion, attention_filters=4, data_format="channels_last"
    )
    x = images((2, 16, 24, 3), seed=3)
    scores = wrapped_scores(unet, x, scales)
    if fusion == "attention":
        weights = model.scale_weights(x)
        assert weights.shape == (2, 16, 24, 3)
        np.testing.assert_allclose(weights.sum(-1), 1.0, rtol=1e-5)
        expected = np.einsum("sbhwc,bhws->bhwc", scores, weights)
    else:
        expected = scores.mean(0) if fusion == "average" else scores.max(0)
        assert model.count_params() == unet.count_params()
        with pytest.raises(ValueError, match="scale_weights"):
            model.scale_weights(x)
    np.testing.assert_allclose(ops.convert_to_numpy(model(x, training=False)), expected, rtol=1e-4, atol=1e-4)


def test_a_wrapped_model_is_copied_and_saved(tmp_path):
    unet = models.UNet(3, base_filters=2, data_format="channels_last", name="inner")
    model = models.AttentionToScale(
        3, model=unet, features="down4_relu2", attention_filters=4, data_format="channels_last"
    )
    assert model.get_layer("down0_conv1") is not unet.get_layer("down0_conv1")
    fill_weights(model)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    assert loaded.get_config() == model.get_config()
    x = images((1, 9, 13, 3))
    np.testing.assert_allclose(
        ops.convert_to_numpy(loaded(x, training=False)), ops.convert_to_numpy(model(x, training=False)), atol=1e-5
    )


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: build("RefineNet", variant="thesis"), "`variant` must be"),
        (lambda: build("DANet", multi_grid=(2, 4)), "`multi_grid` must be"),
        (lambda: build("CCNet", recurrence=0), "`recurrence` must be"),
        (lambda: build("GFRNet", supervise="both"), "`supervise` must be"),
        (lambda: build("AttentionToScale", fusion="sum"), "`fusion` must be"),
        (lambda: models.AttentionToScale(3, model="UNet", scales=(1.0, 1.0)), "`scales` must be"),
        (lambda: models.AttentionToScale(3, model="Unet"), "`model` must be"),
        (lambda: models.AttentionToScale(3, model=models.UNet(2, base_filters=1)), "num_classes=3"),
        (lambda: models.AttentionToScale(3, model=build("GFRNet", supervised=True)), "no training heads"),
        (lambda: models.AttentionToScale(3, model=keras.Sequential([keras.Input((None, None, 3))])), "segmentation"),
        (
            lambda: models.AttentionToScale(3, model=models.UNet(3, base_filters=1), model_arguments={"dropout": 0.1}),
            "name of a class",
        ),
    ],
)
def test_errors(make, message):
    with pytest.raises(ValueError, match=message):
        make()

"""Losses of filled images: reference values, gradients through `fit`, saving."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_segpaint import losses, metrics
from keras_segpaint.layers import IdentityInitializer

LAST = dict(data_format="channels_last")


def feature_model(data_format="channels_last"):
    """Two feature maps that are easy to compute by hand: the image doubled, and its mean over 2 x 2 pixels."""
    shape = (None, None, 3) if data_format == "channels_last" else (3, None, None)
    image = keras.Input(shape)
    pooled = keras.layers.AveragePooling2D(2, data_format=data_format)(image)
    return keras.Model(image, [keras.layers.Rescaling(2.0)(image), pooled])


def numpy_features(image):
    height, width = image.shape[1:3]
    blocks = image.reshape(len(image), height // 2, 2, width // 2, 2, 3)
    return [2 * image, blocks.mean(axis=(2, 4))]


def numpy_gram(features):
    flat = features.reshape(len(features), -1, features.shape[-1]).astype("float64")
    return np.einsum("bnc,bnd->bcd", flat, flat) / flat[0].size


@pytest.fixture
def batch(rng):
    y_true = rng.uniform(-1, 1, (2, 6, 8, 3)).astype("float32")
    y_pred = rng.uniform(-1, 1, (2, 6, 8, 3)).astype("float32")
    mask = np.zeros((2, 6, 8, 1), "float32")
    mask[0, 1:4, 2:6] = 1
    mask[1, :, 5:] = 1
    return y_true, y_pred, mask


def test_gan_losses_equal_the_reference(fixture_arrays):
    arrays = fixture_arrays("deepfillv2_losses").arrays
    critic = losses.hinge_critic_loss(arrays["pos"], arrays["neg"])
    assert float(critic) == pytest.approx(float(arrays["hinge_d"]), rel=1e-6)
    assert float(losses.generator_loss(arrays["neg"])) == pytest.approx(float(arrays["hinge_g"]), rel=1e-6)
    wasserstein = losses.wasserstein_critic_loss(arrays["pos"], arrays["neg"])
    assert float(wasserstein) == pytest.approx(arrays["neg"].mean() - arrays["pos"].mean(), rel=1e-6)


def test_gram_matrix_and_distances_equal_the_reference(fixture_arrays):
    arrays = fixture_arrays("gram_matrix").arrays
    a, b = (arrays[name].transpose(0, 2, 3, 1) for name in "ab")
    for name, features in (("gram_a", a), ("gram_b", b)):
        np.testing.assert_allclose(ops.convert_to_numpy(losses.gram_matrix(features)), arrays[name], atol=1e-7)
    image = keras.Input((None, None, 6))
    identity = keras.Model(image, keras.layers.Rescaling(1.0)(image))
    style = losses.StyleLoss(identity, value_range=(0, 1), **LAST)(a, b)
    assert float(style) == pytest.approx(float(arrays["style_l1"]), rel=1e-5)
    perceptual = losses.PerceptualLoss(identity, value_range=(0, 1), **LAST)(a, b)
    assert float(perceptual) == pytest.approx(float(arrays["feature_l1"]), rel=1e-5)


def test_spatial_discount_equals_the_reference(fixture_arrays):
    arrays = fixture_arrays("spatial_discount").arrays
    weights = losses.spatial_discount(arrays["mask"][None, ..., None], 0.99)
    np.testing.assert_allclose(ops.convert_to_numpy(weights)[0, ..., 0], arrays["gamma_pow_chessboard"], atol=1e-6)
    rectangle = losses.rectangle_discount((12, 17), 0.99)
    np.testing.assert_allclose(rectangle, arrays["rect_reference"], atol=1e-6)


def test_spatial_discount_where_nothing_is_known():
    weights = ops.convert_to_numpy(losses.spatial_discount(np.ones((1, 3, 5, 1)), 0.9))
    np.testing.assert_allclose(weights, 0.9**5, rtol=1e-6)
    assert ops.convert_to_numpy(losses.spatial_discount(np.zeros((1, 3, 5, 1)), 0.9)).max() == 0


def test_total_variation_equals_the_reference(fixture_arrays):
    arrays = fixture_arrays("image_metrics").arrays
    expected = arrays["tv_mean_dy_dx"].sum()
    assert float(losses.total_variation(arrays["b"])) == pytest.approx(expected, rel=1e-5)
    everywhere = np.ones((2, 40, 52, 1), "float32")
    in_region = losses.HoleTotalVariation(**LAST)(arrays["a"], arrays["b"], everywhere)
    assert float(in_region) == pytest.approx(expected, rel=1e-5)


def test_masked_l1_equals_the_reference(fixture_arrays):
    arrays = fixture_arrays("image_metrics").arrays
    for index in range(2):
        arguments = [arrays[name][index : index + 1] for name in ("a", "b", "hole_mask")]
        for region, key in (("hole", "l1_hole_only"), ("valid", "l1_valid_only"), ("image", "mae")):
            loss = losses.MaskedL1(region, average="region", **LAST)
            assert float(loss(*arguments)) == pytest.approx(arrays[key][index], rel=1e-5)
    parts = [float(losses.MaskedL1(region, **LAST)(*arguments)) for region in ("hole", "valid")]
    assert sum(parts) == pytest.approx(arrays["mae"][1], rel=1e-5)


def test_total_variation_counts_pairs_of_the_grown_hole():
    image = np.zeros((1, 5, 5, 1), "float32")
    image[0, 2, 2] = 1
    mask = (image > 0).astype("float32")
    # Four of the 20 vertical and 20 horizontal pairs differ, two of each direction.
    assert float(losses.HoleTotalVariation(**LAST)(image * 0, image, mask)) == pytest.approx(2 / 20 + 2 / 20)
    ramp = np.tile(np.arange(5, dtype="float32").reshape(1, 1, 5, 1), (1, 5, 1, 1))
    # In the 3 x 3 pixels of the grown hole there are 6 horizontal pairs, and the network's output is the truth.
    assert float(losses.HoleTotalVariation(**LAST)(ramp, ramp, mask)) == pytest.approx(6 / 20)


def test_structural_similarity_equals_the_reference_and_the_metric(fixture_arrays):
    arrays = fixture_arrays("image_metrics").arrays
    a, b, mask = (arrays[name] for name in ("a", "b", "hole_mask"))
    whole = losses.StructuralSimilarityLoss("image", (0, 1), **LAST)
    everywhere = np.ones_like(mask)
    assert float(whole(a, b, everywhere)) == pytest.approx(1 - arrays["ssim_gaussian11"].mean(), rel=1e-4)
    for index in range(2):
        one = slice(index, index + 1)
        metric = metrics.SSIM("hole", value_range=(0, 1), **LAST)
        metric.update_state(a[one], b[one], mask[one])
        loss = losses.StructuralSimilarityLoss("hole", (0, 1), **LAST)
        assert float(loss(a[one], b[one], mask[one])) == pytest.approx(1 - float(metric.result()), rel=1e-4)
        first = losses.StructuralSimilarityLoss("hole", (0, 1), data_format="channels_first")
        planes = [array[one].transpose(0, 3, 1, 2) for array in (a, b, mask)]
        assert float(first(*planes)) == pytest.approx(1 - float(metric.result()), rel=1e-4)
    assert float(loss(a, b, np.zeros_like(mask))) == 0


def test_structural_similarity_trains(rng):
    """A convolution that starts far from the identity comes nearer to it, known pixels or not, also in half precision."""
    truth = rng.uniform(-1, 1, (2, 20, 24, 3)).astype("float32")
    mask = np.zeros((2, 20, 24, 1), "float32")
    mask[:, 6:16, 8:20] = 1
    loss = losses.StructuralSimilarityLoss(**LAST)
    again = losses.StructuralSimilarityLoss.from_config(loss.get_config())
    half = [ops.convert_to_tensor(array.astype("float16")) for array in (truth, truth * 0.5, mask)]
    assert float(again(*half)) == pytest.approx(float(loss(truth, truth * 0.5, mask[..., 0])), rel=5e-3)
    image = keras.Input((20, 24, 3))
    conv = keras.layers.Conv2D(3, 1, **LAST, kernel_initializer=IdentityInitializer(0.0))
    model = keras.Model(image, conv(image))
    model.compile(keras.optimizers.SGD(0.5), loss)
    logged = [
        model.fit(truth[..., ::-1], truth, sample_weight=mask, batch_size=2, verbose=0).history["loss"][0]
        for _ in range(4)
    ]
    assert logged[0] == pytest.approx(float(loss(truth, truth[..., ::-1], mask)), rel=1e-3)
    assert np.all(np.diff(logged) < 0)


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_the_six_terms(batch, data_format):
    y_true, y_pred, mask = batch
    loss = losses.PartialConvolutionLoss(feature_model(data_format), data_format=data_format)
    first = data_format == "channels_first"
    arguments = [array.transpose(0, 3, 1, 2) if first else array for array in batch]
    terms = {name: float(term) for name, term in loss.terms(*arguments).items()}

    truth, output = (y_true + 1) / 2, (y_pred + 1) / 2
    composed = np.where(mask > 0, output, truth)
    of_truth, of_output, of_composed = (numpy_features(image) for image in (truth, output, composed))

    def distance(a, b):
        return sum(np.abs(x - y).mean() for x, y in zip(a, b, strict=True))

    grams = [list(map(numpy_gram, features)) for features in (of_truth, of_output, of_composed)]
    grown = np.array([[[max(m[max(i - 1, 0) : i + 2, max(j - 1, 0) : j + 2, 0].ravel()) for j in range(8)]
                       for i in range(6)] for m in mask])[..., None]  # fmt: skip
    vertical = np.abs(np.diff(composed, axis=1)) * grown[:, 1:] * grown[:, :-1]
    horizontal = np.abs(np.diff(composed, axis=2)) * grown[:, :, 1:] * grown[:, :, :-1]
    expected = {
        "valid": (np.abs(truth - output) * (1 - mask)).mean(),
        "hole": (np.abs(truth - output) * mask).mean(),
        "perceptual": distance(of_truth, of_output) + distance(of_truth, of_composed),
        "style_output": distance(grams[0], grams[1]),
        "style_composite": distance(grams[0], grams[2]),
        "total_variation": vertical.mean() + horizontal.mean(),
    }
    assert terms == pytest.approx(expected, rel=1e-4)
    weighted = (
        terms["valid"]
        + 6 * terms["hole"]
        + 0.05 * terms["perceptual"]
        + 120 * (terms["style_output"] + terms["style_composite"])
        + 0.1 * terms["total_variation"]
    )
    assert float(loss(*arguments)) == pytest.approx(weighted, rel=1e-5)
    only = losses.PartialConvolutionLoss(
        loss.features, {"style_output": 0, "style_composite": 0}, data_format=data_format
    )
    style = 120 * (terms["style_output"] + terms["style_composite"])
    assert float(only(*arguments)) == pytest.approx(weighted - style, rel=1e-4)
    for part, names in (
        (losses.PerceptualLoss, ["perceptual"]),
        (losses.StyleLoss, ["style_output", "style_composite"]),
    ):
        alone = part(loss.features, data_format=data_format)(*arguments)
        assert float(alone) == pytest.approx(sum(terms[name] for name in names), rel=1e-5)


def every_loss(features):
    return [
        losses.MaskedL1("hole", "region", **LAST),
        losses.MaskedL1("valid", **LAST),
        losses.SpatiallyDiscountedL1(0.9, **LAST),
        losses.HoleTotalVariation(**LAST),
        losses.PerceptualLoss(features, **LAST),
        losses.StyleLoss(features, **LAST),
        losses.PartialConvolutionLoss(features, **LAST),
    ]


def test_fit_hands_the_mask_over(batch):
    """The logged loss is the one of the mask, and a step lowers it."""
    y_true, y_pred, mask = batch
    for loss in (losses.MaskedL1(**LAST), losses.SpatiallyDiscountedL1(0.9, **LAST), every_loss(feature_model())[-1]):
        image = keras.Input((6, 8, 3))
        model = keras.Model(
            image, keras.layers.Conv2D(3, 1, **LAST, kernel_initializer=IdentityInitializer(0.0))(image)
        )
        model.compile(keras.optimizers.SGD(1e-3), loss)
        logged = [
            model.fit(y_pred, y_true, sample_weight=mask, batch_size=2, verbose=0).history["loss"][0] for _ in range(2)
        ]
        assert logged[0] == pytest.approx(float(loss(y_true, y_pred, mask)), rel=1e-4), loss.name
        assert logged[1] < logged[0], loss.name


def test_unknown_sizes(batch):
    """TensorFlow may know no size but the channels'."""
    if keras.backend.backend() != "tensorflow":
        pytest.skip("only TensorFlow has tensors of unknown size")
    import tensorflow as tf

    specs = [tf.TensorSpec((None, None, None, channels), tf.float32) for channels in (3, 3, 1)]
    for loss in every_loss(feature_model()):
        value = tf.function(loss, input_signature=specs, autograph=False)(*batch)
        assert float(value) == pytest.approx(float(loss(*batch)), rel=1e-5), loss.name


def test_float16_images(batch):
    y_true, y_pred, mask = batch
    half = [ops.convert_to_tensor(array.astype("float16")) for array in batch]
    for loss in every_loss(feature_model()):
        value = loss(*half)
        assert keras.backend.standardize_dtype(value.dtype) == "float32"
        assert float(value) == pytest.approx(float(loss(y_true, y_pred, mask)), rel=5e-3)


def test_masks_of_three_axes(batch):
    y_true, y_pred, mask = batch
    for loss in every_loss(feature_model()):
        flat = loss(y_true, y_pred, mask[..., 0])
        assert float(flat) == pytest.approx(float(loss(y_true, y_pred, mask)), rel=1e-6)


def test_configs(batch):
    features = feature_model()
    for loss in every_loss(features):
        again = type(loss).from_config(loss.get_config())
        assert again.get_config() == loss.get_config()
        if "features" in loss.get_config():
            with pytest.raises(ValueError, match="has no feature network. Assign one"):
                again(*batch)
            again.features = features
        assert float(again(*batch)) == pytest.approx(float(loss(*batch)), rel=1e-6)


def test_a_compiled_model_is_saved(batch, tmp_path):
    y_true, y_pred, mask = batch
    features = feature_model()
    model = keras.Sequential([keras.Input((6, 8, 3)), keras.layers.Conv2D(3, 1, **LAST)])
    model.compile("sgd", losses.PartialConvolutionLoss(features, **LAST))
    before = model.evaluate(y_pred, y_true, sample_weight=mask, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    loaded.loss.features = features
    assert loaded.evaluate(y_pred, y_true, sample_weight=mask, verbose=0) == pytest.approx(before, rel=1e-5)


def test_caffe_preprocessing(rng):
    image = keras.Input((None, None, 3))
    same = keras.Model(image, keras.layers.Conv2D(3, 1, **LAST, kernel_initializer=IdentityInitializer(0.0))(image))
    network = losses.feature_network(same, [same.layers[-1].name], data_format="channels_last")
    assert not network.trainable_weights and len(network.weights) == 2
    x = rng.random((1, 6, 8, 3)).astype("float32")
    wanted = (x[..., ::-1] * 255 - np.array([103.939, 116.779, 123.68], "float32")) / 57.63
    (out,) = losses.features.as_list(network(x))
    np.testing.assert_allclose(ops.convert_to_numpy(out), wanted, rtol=1e-4, atol=1e-4)


def test_torch_preprocessing():
    image = keras.Input((None, None, 3))
    same = keras.Model(image, keras.layers.Rescaling(1.0, name="same")(image))
    network = losses.feature_network(same, ["same"], "torch", "channels_last")
    out = ops.convert_to_numpy(network(np.full((1, 1, 1, 3), 0.5, "float32")))
    np.testing.assert_allclose(out.ravel(), [0.015 / 0.229, 0.044 / 0.224, 0.094 / 0.225], rtol=1e-4)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: losses.MaskedL1("outside"), "`region`"),
        (lambda: losses.MaskedL1(average="mean"), "`average`"),
        (lambda: losses.SpatiallyDiscountedL1(gamma=1.5), "`gamma` must be in"),
        (lambda: losses.StructuralSimilarityLoss("outside"), "`region`"),
        (lambda: losses.StructuralSimilarityLoss(value_range=(1, 0)), "`value_range`"),
        (
            lambda: losses.StructuralSimilarityLoss(**LAST)(*[np.zeros((1, 9, 16, 3))] * 2, np.ones((1, 9, 16))),
            "at least 11",
        ),
        (lambda: losses.PerceptualLoss(None, value_range=(1, 0)), "`value_range`"),
        (lambda: losses.PartialConvolutionLoss(None, {"holes": 1.0}), "Received: holes"),
        (lambda: losses.feature_network(feature_model(), [], "imagenet"), "`preprocessing`"),
        (lambda: losses.MaskedL1(**LAST)(np.zeros((1, 4, 4, 3)), np.zeros((1, 4, 4, 3))), "needs the mask"),
        (lambda: losses.MaskedL1(**LAST)(*[np.zeros((1, n, 4, 3)) for n in (4, 5)], np.zeros((1, 4, 4))), "same shape"),
        (
            lambda: losses.MaskedL1(**LAST)(*[np.zeros((1, 4, 4, 3))] * 2, np.zeros((1, 4, 5, 1))),
            r"mask of shape \(1, 4, 5, 1\)",
        ),
        (lambda: losses.MaskedL1(**LAST)(*[np.zeros((1, 4, 4, 3))] * 2, np.zeros((1, 4, 4, 3))), "the mask of holes"),
    ],
)
def test_wrong_arguments(make, message):
    with pytest.raises(ValueError, match=f"(?i){message}"):
        make()

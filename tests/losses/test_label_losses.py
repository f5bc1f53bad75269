"""Every loss of label maps: reference values, one logit and several, and what happens at the edges."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_segpaint import data
from keras_segpaint.losses import (
    MCC,
    BoundaryWeightedCrossentropy,
    Dice,
    Focal,
    FocalTversky,
    Jaccard,
    LovaszSoftmax,
    OHEMCrossentropy,
    SparseCrossentropy,
    Tversky,
)
from keras_segpaint.ops.gradients import input_gradient

LAST = dict(data_format="channels_last")
ALL = [
    SparseCrossentropy(class_weights=[0.5, 2.0], **LAST),
    Dice(**LAST),
    Jaccard(**LAST),
    Tversky(0.3, 0.7, **LAST),
    FocalTversky(**LAST),
    Focal(0.5, **LAST),
    Focal(2.0, 0.25, normalized=True, class_weights=[1.0, 2.0], activation="sigmoid", name="focal_sigmoid", **LAST),
    LovaszSoftmax(**LAST),
    LovaszSoftmax(per_image=True, classes="all", name="lovasz_all", **LAST),
    OHEMCrossentropy(min_kept=3, **LAST),
    BoundaryWeightedCrossentropy(sigma=1.0, **LAST),
    MCC(**LAST),
]
every_loss = pytest.mark.parametrize("loss", ALL, ids=lambda loss: loss.name)
channels = pytest.mark.parametrize("channels", [1, 2])


@pytest.fixture(scope="module")
def values(fixture_arrays):
    return fixture_arrays("segmentation_losses").arrays


REFERENCES = [
    (SparseCrossentropy(), "bce.mean", "binary"),
    (Dice(), "dice.binary", "binary"),
    (Dice(), "dice.binary_ignore", "binary_ignore"),
    (Jaccard(), "jaccard.multiclass", "several"),
    (Jaccard(smooth=1.0), "jaccard.multiclass_smooth1", "several"),
    (Jaccard(log=True), "jaccard.multiclass_log", "several"),
    (Jaccard(classes=[0, 2]), "jaccard.multiclass_classes_0_2", "several"),
    (Jaccard(), "jaccard.binary", "binary"),
    *[
        (Tversky(alpha, beta), f"tversky.{kind}_alpha{alpha}_beta{beta}_gamma1.0", group)
        for alpha, beta in ((0.5, 0.5), (0.3, 0.7), (0.7, 0.3))
        for kind, group in (("multiclass", "several"), ("binary", "binary"))
    ],
    (Tversky(), "tversky.multiclass_ignore_alpha0.3_beta0.7", "several_ignore"),
    (FocalTversky(), "tversky.multiclass_alpha0.3_beta0.7_gamma0.75", "several"),
    (FocalTversky(), "tversky.binary_alpha0.3_beta0.7_gamma0.75", "binary"),
    *[
        (Focal(gamma, alpha, activation="sigmoid"), f"focal.{kind}gamma{gamma}", group)
        for gamma in (0.0, 1.0, 2.0)
        for kind, alpha, group in (
            ("multiclass_", None, "several"),
            ("multiclass_ignore_", None, "several_ignore"),
            ("binary_", None, "binary"),
            ("binary_alpha0.25_", 0.25, "binary"),
            ("binary_ignore_alpha0.25_", 0.25, "binary_ignore"),
        )
    ],
    *[
        (Focal(gamma), f"softmax_focal.{kind}_gamma{gamma}", group)
        for gamma in (1.0, 2.0)
        for kind, group in (("all", "several"), ("mean_valid", "several_ignore"))
    ],
    (Focal(2.0), "softmax_focal.weighted_mean_valid_gamma2.0", "several_ignore_weighted"),
    (LovaszSoftmax(), "lovasz.multiclass", "several"),
    (LovaszSoftmax(per_image=True), "lovasz.multiclass_per_image", "several"),
    (LovaszSoftmax(), "lovasz.multiclass_ignore", "several_ignore"),
    (LovaszSoftmax(per_image=True), "lovasz.multiclass_ignore_per_image", "several_ignore"),
    (LovaszSoftmax(), "lovasz.binary", "binary"),
    (LovaszSoftmax(per_image=True), "lovasz.binary_per_image", "binary"),
    (LovaszSoftmax(), "lovasz.binary_ignore", "binary_ignore"),
    (OHEMCrossentropy(threshold=0.0, min_kept=100), "ohem.top100", "several_ignore"),
    (OHEMCrossentropy(threshold=0.0, min_kept=0.25), "ohem.top25percent_of_valid", "several_ignore"),
    (MCC(), "mcc.binary", "binary"),
]


@pytest.mark.parametrize(("loss", "key", "group"), REFERENCES, ids=[key for _, key, _ in REFERENCES])
def test_equal_to_the_reference(loss, key, group, values):
    if group.endswith("weighted"):
        loss.class_weights = values["class_weight"].tolist()
    prefix, suffix = ("bin_" if "binary" in group else ""), ("_ignore" if "ignore" in group else "")
    logits, labels = values[prefix + "logits"], values[prefix + "y" + suffix]
    if prefix:
        labels = labels[:, 0]
    for data_format in ("channels_last", "channels_first"):
        loss.data_format = data_format
        y_pred = logits if data_format == "channels_first" else logits.transpose(0, 2, 3, 1)
        for y_true in (labels, labels[..., None].astype("uint8")):
            assert float(loss(y_true, y_pred)) == pytest.approx(float(values[key]), rel=1e-5)


def test_reference_values_of_another_divisor(values):
    """The reference divides by all pixels where this package divides by those that count, or by their weights."""
    logits, labels, ignored = (np.moveaxis(values[key], 1, -1) for key in ("bin_logits", "bin_y", "bin_y_ignore"))
    counted = (ignored != 255).sum()
    soft = float(SparseCrossentropy(**LAST)(ignored, logits)) * counted / ignored.size
    assert soft == pytest.approx(float(values["smp_soft_bce.ignore"]), rel=1e-5)
    weighted = float(SparseCrossentropy(class_weights=[1.0, 3.0], **LAST)(labels, logits))
    weighted *= (labels.size + 2 * labels.sum()) / labels.size
    assert weighted == pytest.approx(float(values["bce.pos_weight3"]), rel=1e-5)
    normalized = float(Focal(2.0, normalized=True, **LAST)(labels, logits)) / labels.size
    assert normalized == pytest.approx(float(values["focal.binary_normalized"]), rel=1e-5)


def random_batch(rng, channels, shape=(2, 4, 5)):
    logits = rng.normal(size=(*shape, channels)).astype("float32")
    labels = rng.integers(0, max(channels, 2), shape)
    return labels, logits


@every_loss
@channels
def test_ignored_pixels_play_no_role(loss, channels, rng):
    """Neither their logits nor which label marks them, in the value and the gradient."""
    labels, logits = random_batch(rng, channels)
    labels[0, 1], labels[1, :, 2] = 255, 255
    value, gradient = value_and_gradient(loss, labels, logits)
    assert np.abs(gradient[labels == 255]).max() == 0
    assert np.abs(gradient[labels != 255]).max() > 0
    others = np.where((labels == 255)[..., None], 50.0, logits)
    assert float(loss(labels, others)) == pytest.approx(value, rel=1e-5)
    other = type(loss).from_config({**loss.get_config(), "ignore_class": 7})
    assert float(other(np.where(labels == 255, 7, labels), logits)) == pytest.approx(value, rel=1e-6)


@every_loss
@channels
def test_everything_ignored(loss, channels, rng):
    labels, logits = random_batch(rng, channels)
    value, gradient = value_and_gradient(loss, np.full_like(labels, 255), logits)
    assert value == 0
    np.testing.assert_array_equal(gradient, 0)


@every_loss
@channels
def test_sure_and_right(loss, channels, rng):
    """Also in half precision, whose largest numbers these nearly are."""
    labels, _ = random_batch(rng, channels)
    logits = np.where(np.arange(2) == labels[..., None], 6e4, -6e4).astype("float16")[..., 2 - channels :]
    value, gradient = value_and_gradient(loss, labels, logits)
    assert value == pytest.approx(0, abs=2e-6)
    np.testing.assert_allclose(gradient, 0, atol=1e-6)
    wrong, gradient = value_and_gradient(loss, 1 - labels, logits)
    assert wrong > 0.6 and np.isfinite(wrong) and np.isfinite(gradient).all()


# Of labels without class 1: what a sure and wrong prediction of class 1 everywhere costs.
ABSENT = {
    "sparse_crossentropy": (40.0, 40.0),
    "dice": (0.0, 0.5),
    "jaccard": (0.0, 0.5),
    "tversky": (0.0, 0.5),
    "focal_tversky": (0.0, 0.5**0.75),
    "focal": (40.0, 40.0),
    # `alpha` weighs an answer of 1 by 0.25, one of 0 by 0.75.
    "focal_sigmoid": (40 * 0.75, (20 * 0.75 + 20 * 0.25) / 2),
    "lovasz_softmax": (41.0, 1.0),
    "lovasz_all": (41.0, 1.0),
    "ohem_crossentropy": (40.0, 40.0),
    "boundary_weighted_crossentropy": (40.0, 40.0),
    "mcc": (0.0, 0.0),
}


@every_loss
@channels
def test_a_class_that_is_absent(loss, channels):
    labels = np.zeros((1, 3, 4), "int32")
    logits = np.full((1, 3, 4, 1), 40.0, "float32")
    if channels == 2:
        logits = np.concatenate([-logits, logits], -1) / 2
    value, gradient = value_and_gradient(loss, labels, logits)
    expected = ABSENT[loss.name][channels - 1]
    assert value == pytest.approx(expected, rel=1e-4, abs=1e-6)
    assert np.isfinite(gradient).all()


@every_loss
@channels
def test_pixel_weights_count_pixels(loss, channels, rng):
    """A weight of 0 is a pixel ignored; weights of 2 everywhere change no mean."""
    labels, logits = random_batch(rng, channels, (1, 4, 6))
    weights = np.ones(labels.shape, "float32")
    weights[:, 3] = 0.0
    masked = np.where(weights == 0, 255, labels)
    if isinstance(loss, BoundaryWeightedCrossentropy):
        # The boundaries are those of the label map, weights or not.
        labels[:, 2:] = 0
        masked = np.where(weights == 0, 255, labels)
    expected = float(loss(masked, logits))
    assert float(loss(labels, logits, sample_weight=weights)) == pytest.approx(expected, rel=1e-5)
    assert float(loss(labels, logits, sample_weight=2 * weights[..., None])) == pytest.approx(expected, rel=1e-5)


@every_loss
def test_train_and_save(loss, tmp_path, rng):
    """Under plain `fit` the loss falls, and a saved model has the same."""
    model = keras.Sequential([keras.Input((4, 5, 3)), keras.layers.Conv2D(2, 1, **LAST)])
    model.layers[-1].kernel.assign(np.zeros((1, 1, 3, 2)))
    model.compile(keras.optimizers.SGD(0.1), loss)
    x = rng.random((4, 4, 5, 3), dtype="float32")
    y = (x[..., 0] > 0.5).astype("int32")
    y[0, 0] = 255
    history = model.fit(x, y, batch_size=2, epochs=4, shuffle=False, verbose=0).history["loss"]
    assert np.isfinite(history).all() and history[-1] < history[0]
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    assert loaded.loss.get_config() == loss.get_config()
    logits = model.predict(x, verbose=0)
    np.testing.assert_allclose(loaded.predict(x, verbose=0), logits, rtol=1e-6)
    assert float(loaded.loss(y, logits)) == pytest.approx(float(loss(y, logits)), rel=1e-6)


def test_boundary_weights_are_those_of_the_distance(rng):
    from scipy import ndimage

    labels = np.kron(rng.integers(0, 3, (2, 3, 4)), np.ones((4, 5), int))
    labels[0, 2:5, 3:9] = 255
    loss = BoundaryWeightedCrossentropy(w0=4.0, sigma=1.5, **LAST)
    expected = np.ones(labels.shape)
    for image, weights in zip(labels, expected, strict=True):
        boundary = np.zeros(image.shape, bool)
        for shift in ((0, 1), (0, -1), (1, 0), (-1, 0)):
            other = np.pad(image, 1, constant_values=255)[
                1 + shift[0] : 1 + shift[0] + image.shape[0], 1 + shift[1] : 1 + shift[1] + image.shape[1]
            ]
            boundary |= (other != image) & (other != 255) & (image != 255)
        distance = ndimage.distance_transform_edt(~boundary)
        weights += np.where(distance <= 4, 4.0 * np.exp(-(distance**2) / 4.5), 0)
    weights = ops.convert_to_numpy(loss.weight_map(labels))
    np.testing.assert_allclose(weights, expected, rtol=1e-5)
    logits = rng.normal(size=(*labels.shape, 3)).astype("float32")
    plain = SparseCrossentropy(**LAST)(labels, logits, sample_weight=weights)
    assert float(loss(labels, logits)) == pytest.approx(float(plain), rel=1e-5)


def test_u_net_border_maps_under_fit(rng):
    """The call that the docstring of `SparseCrossentropy` states."""
    instances = np.zeros((2, 6, 9), "int32")
    instances[:, 1:5, 1:4], instances[:, 1:5, 5:8] = 1, 2
    maps = np.stack([data.border_weight_map(image) for image in instances])
    labels = (instances > 0).astype("int32")
    model = keras.Sequential([keras.Input((6, 9, 3)), keras.layers.Conv2D(1, 1, **LAST)])
    images = rng.random((2, 6, 9, 3), dtype="float32")
    logit = model.predict(images, verbose=0)[..., 0]
    crossentropy = np.log1p(np.exp(np.where(labels == 1, -logit, logit)))
    model.compile("sgd", SparseCrossentropy(**LAST))
    history = model.fit(images, labels, sample_weight=maps, verbose=0).history
    assert maps.max() > 5
    assert history["loss"][0] == pytest.approx((crossentropy * maps).sum() / maps.sum(), rel=1e-5)


def test_errors():
    labels, logits = np.zeros((1, 2, 2), "int32"), np.zeros((1, 2, 2, 3), "float32")
    for build, argument in (
        (lambda: Tversky(alpha=-1.0), "`alpha`"),
        (lambda: FocalTversky(gamma=0.0), "`gamma`"),
        (lambda: Jaccard(smooth=-1.0), "`smooth`"),
        (lambda: Focal(gamma=-1.0), "`gamma`"),
        (lambda: Focal(alpha=2.0), "`alpha`"),
        (lambda: Focal(activation="tanh"), "`activation`"),
        (lambda: Focal(alpha=0.25, **LAST)(labels, logits), "`alpha`.*class_weights"),
        (lambda: LovaszSoftmax(classes="some"), "`classes`"),
        (lambda: OHEMCrossentropy(threshold=1.5), "`threshold`"),
        (lambda: OHEMCrossentropy(min_kept=0), "`min_kept`"),
        (lambda: OHEMCrossentropy(min_kept=1.5), "`min_kept`"),
        (lambda: OHEMCrossentropy(class_weights=[1.0], **LAST)(labels, logits), "`class_weights`"),
        (lambda: BoundaryWeightedCrossentropy(sigma=0.0), "`sigma`"),
        (lambda: MCC(**LAST)(np.zeros((1, 2, 3)), logits), "same height and width"),
    ):
        with pytest.raises(ValueError, match=argument):
            build()


def value_and_gradient(loss, labels, logits):
    tensor = ops.convert_to_tensor(logits)
    value = float(loss(labels, tensor))
    gradient = input_gradient(lambda x: loss(labels, x), tensor)
    return value, ops.convert_to_numpy(ops.cast(gradient, "float32"))

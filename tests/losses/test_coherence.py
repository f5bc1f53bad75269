"""Losses of coherence: their formulas over all pairs, one pair at a time, and what they are for."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_segpaint import losses

LAST = dict(data_format="channels_last")


@pytest.fixture
def case(rng):
    """Two images of 3 x 4 cells, their fills, masks, and labels; of class 2 nothing is known in the second image."""
    y_true = rng.uniform(-1, 1, (2, 12, 16, 3)).astype("float32")
    y_pred = rng.uniform(-1, 1, (2, 12, 16, 3)).astype("float32")
    mask = np.zeros((2, 12, 16, 1), "float32")
    mask[0, 3:7, 5:14] = 1
    mask[1, :, 6:] = 1
    labels = np.repeat(np.repeat(rng.integers(0, 3, (2, 3, 4)), 4, axis=1), 4, axis=2)
    labels[1, :, :4] = 0
    labels[1, 4:, 4:] = 2
    return y_true, y_pred, mask, labels


def cells_of(images):
    blocks = images.reshape(len(images), 3, 4, 4, 4, -1).transpose(0, 1, 3, 2, 4, 5)
    return blocks.reshape(len(images), 12, 16, -1).astype("float64")


def expected_structure(y_true, filled, holes, labels):
    terms = {True: [], False: []}
    for true, made, hole, label in zip(y_true, filled, holes, labels, strict=True):
        for i in range(12):
            for j in range(12):
                if hole[i]:
                    affinity = [np.exp(-8 * np.mean((x[i].mean(0) - x[j].mean(0)) ** 2)) for x in (true, made)]
                    terms[bool(label[i] == label[j])].append(abs(affinity[0] - affinity[1]))
    return terms


def expected_texture(y_true, filled, holes, labels):
    values = []
    for true, made, hole, label in zip(y_true, filled, holes, labels, strict=True):
        for i in np.flatnonzero(hole):
            near = [
                np.exp(-16 * np.mean((made[i] - true[j]) ** 2))
                for j in range(12)
                if not hole[j] and label[i] == label[j]
            ]
            if near:
                values.append(-np.log(np.mean(near)) / 16)
    return np.mean(values)


@pytest.mark.parametrize("with_labels", [True, False])
def test_coherence_is_that_of_all_pairs(case, with_labels):
    y_true, y_pred, mask, labels = case
    filled = cells_of(np.where(mask > 0, y_pred, y_true))
    holes = cells_of(mask).max((2, 3)) > 0
    classes = cells_of(labels[..., None])[:, :, 0, 0] if with_labels else np.zeros((2, 12))
    given = labels if with_labels else None
    terms = expected_structure(cells_of(y_true), filled, holes, classes)
    structure = np.mean(terms[True]) if not with_labels else (np.mean(terms[True]) + np.mean(terms[False])) / 2
    loss = losses.StructureCoherence(cell=4, **LAST)
    assert float(loss(y_true, y_pred, mask, given)) == pytest.approx(structure, rel=1e-4)
    texture = expected_texture(cells_of(y_true), filled, holes, classes)
    loss = losses.TextureCoherence(cell=4, **LAST)
    assert float(loss(y_true, y_pred, mask, given)) == pytest.approx(texture, rel=1e-3)


@pytest.mark.parametrize("name", ["StructureCoherence", "TextureCoherence"])
def test_both_formats_saving_and_nothing_to_compare(case, name):
    y_true, y_pred, mask, labels = case
    loss = getattr(losses, name)(cell=4, sharpness=3.0, **LAST)
    again = keras.losses.deserialize(keras.losses.serialize(loss))
    value = float(loss(y_true, y_pred, mask, labels))
    assert float(again(y_true, y_pred, mask, labels)) == pytest.approx(value)
    first = getattr(losses, name)(cell=4, sharpness=3.0, data_format="channels_first")
    moved = [x.transpose(0, 3, 1, 2) for x in (y_true, y_pred, mask, labels[..., None])]
    assert float(first(*moved)) == pytest.approx(value, rel=1e-5)
    # No hole, or no known pixel to compare with.
    assert float(loss(y_true, y_pred, 0 * mask, labels)) == 0
    assert np.isfinite(float(loss(y_true, y_pred, np.ones_like(mask), labels)))
    # A size that cells do not divide, and an image that is one.
    assert np.isfinite(float(loss(y_true[:, :11], y_pred[:, :11], mask[:, :11], labels[:, :11])))


def test_what_coherence_is_for(rng):
    """A hole of class 1 is better filled with what class 1 looks like, and ends where its class ends."""
    labels = np.zeros((1, 32, 32), "int32")
    labels[:, :, 16:] = 1
    truth = np.where(labels[..., None] == 1, 0.6, -0.6) + rng.normal(0, 0.05, (1, 32, 32, 3))
    truth = truth.astype("float32")
    mask = np.zeros((1, 32, 32, 1), "float32")
    mask[:, 8:24, 16:28] = 1
    wrong = -truth
    for loss in (losses.StructureCoherence(cell=4, **LAST), losses.TextureCoherence(cell=4, **LAST)):
        values = [float(loss(truth, fill, mask, labels)) for fill in (truth, 0.5 * truth, wrong)]
        assert values[0] < values[1] < values[2]
    # Without labels a texture of the other class is one like any other.
    texture = losses.TextureCoherence(cell=4, **LAST)
    assert float(texture(truth, wrong, mask)) < 0.2 * float(texture(truth, wrong, mask, labels))


@pytest.mark.parametrize("name", ["StructureCoherence", "TextureCoherence"])
def test_following_the_gradient_makes_fills_cohere(case, name):
    y_true, _, mask, labels = case
    source = keras.layers.Embedding(1, 12 * 16 * 3, embeddings_initializer="zeros")
    index = keras.Input((1,))
    model = keras.Model(index, ops.reshape(source(index), (-1, 12, 16, 3)))
    loss = getattr(losses, name)(cell=4, **LAST)
    model.compile(keras.optimizers.Adam(0.1), lambda y, image: loss(y, image, mask[:1], labels[:1]), run_eagerly=True)
    history = model.fit(np.zeros((1, 1)), y_true[:1], epochs=15, verbose=0).history["loss"]
    assert np.isfinite(history).all() and history[-1] < 0.9 * history[0]


def test_coherence_checks_its_arguments(case):
    y_true, y_pred, mask, _ = case
    with pytest.raises(ValueError, match="`cell`"):
        losses.TextureCoherence(cell=0)
    with pytest.raises(ValueError, match="`sharpness`"):
        losses.StructureCoherence(sharpness=0)
    with pytest.raises(ValueError, match="needs the mask"):
        losses.StructureCoherence(**LAST)(y_true, y_pred)
    with pytest.raises(ValueError, match="Give a larger `cell`"):
        zeros = np.zeros((1, 80, 80, 3), "float32")
        losses.TextureCoherence(cell=1, **LAST)(zeros, zeros, zeros[..., :1])

"""The shift layer against a search position by position."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_segpaint.layers import FeatureShift


def test_each_hole_position_takes_the_most_similar_known_one(rng):
    decoder, encoder = (rng.normal(size=(2, 4, 5, 6)).astype("float32") for _ in range(2))
    hole = (rng.random((2, 4, 5, 1)) < 0.4).astype("float32")
    output = ops.convert_to_numpy(FeatureShift(data_format="channels_last")(decoder, encoder, hole))
    expected = np.zeros_like(encoder)
    for sample, y, x in zip(*np.nonzero(hole[..., 0]), strict=True):
        known = encoder[sample][hole[sample, :, :, 0] == 0]
        cosine = known @ decoder[sample, y, x] / np.linalg.norm(known, axis=-1)
        expected[sample, y, x] = known[cosine.argmax()]
    np.testing.assert_allclose(output, expected, rtol=1e-6)
    assert expected.any()


def test_without_known_positions_there_is_nothing_to_copy(rng):
    x = rng.normal(size=(1, 3, 3, 2)).astype("float32")
    output = FeatureShift(data_format="channels_last")(x, x, np.ones((1, 3, 3, 1), "float32"))
    assert not ops.convert_to_numpy(output).any()


@pytest.mark.filterwarnings("ignore:Gradients do not exist for variables .'own/kernel':UserWarning")
def test_the_choice_has_no_gradient_and_the_copy_has():
    shape = (3, 4, 2)
    inputs = [keras.Input(shape), keras.Input((3, 4, 1))]
    convs = [keras.layers.Conv2D(2, 1, use_bias=False, data_format="channels_last", name=n) for n in ("own", "other")]
    output = FeatureShift(data_format="channels_last")(convs[0](inputs[0]), convs[1](inputs[0]), inputs[1])
    model = keras.Model(inputs, output)
    model.compile("sgd", "mse", run_eagerly=keras.backend.backend() == "tensorflow")
    before = [conv.get_weights()[0].copy() for conv in convs]
    hole = np.zeros((1, 3, 4, 1), "float32")
    hole[:, 1, 1:3] = 1
    image = np.random.default_rng(0).random((1, *shape), dtype="float32")
    model.fit([image, hole], np.ones((1, *shape), "float32"), verbose=0)
    np.testing.assert_array_equal(convs[0].get_weights()[0], before[0])
    assert np.abs(convs[1].get_weights()[0] - before[1]).max() > 0

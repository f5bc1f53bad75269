"""Pooling with positions and unpooling, against PyTorch."""

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import ops

from keras_segpaint.layers import MaxPoolingWithArgmax2D, MaxUnpooling2D

torch = pytest.importorskip("torch")


def pool_and_unpool(x: np.ndarray, y: np.ndarray | None, **kwargs):
    """Pooled values, positions and the unpooled map of `y` (or of the pooled values), channels last."""
    kwargs.setdefault("data_format", "channels_last")
    pooled, positions = MaxPoolingWithArgmax2D(**kwargs)(x)
    values = pooled if y is None else y
    unpooled = MaxUnpooling2D(**kwargs)(values, positions, like=x)
    return tuple(ops.convert_to_numpy(array) for array in (pooled, positions, unpooled))


def torch_pool_and_unpool(x: np.ndarray, y: np.ndarray | None, window, strides, padding):
    tensor = torch.from_numpy(x.transpose(0, 3, 1, 2).copy())
    pooled, positions = torch.nn.functional.max_pool2d(tensor, window, strides, padding, return_indices=True)
    values = pooled if y is None else torch.from_numpy(y.transpose(0, 3, 1, 2).copy())
    unpooled = torch.nn.functional.max_unpool2d(
        values, positions, window, strides, padding, output_size=tensor.shape[2:]
    )
    return tuple(array.numpy().transpose(0, 2, 3, 1) for array in (pooled, positions, unpooled))


@settings(max_examples=16, deadline=None, derandomize=True)
@given(
    height=st.integers(4, 11),
    width=st.integers(4, 11),
    window=st.sampled_from([(2, 2, 0), (3, 2, 1), (3, 3, 0), (3, 1, 1), (2, 1, 0), ((2, 3), (2, 3), 0), (4, 2, 2)]),
    data_format=st.sampled_from(["channels_last", "channels_first"]),
    seed=st.integers(0, 10**6),
)
def test_equal_to_pytorch(height, width, window, data_format, seed):
    pool_size, strides, padding = window
    generator = np.random.default_rng(seed)
    # Few distinct values, so that ties are common.
    x = generator.integers(-2, 3, (2, height, width, 3)).astype("float32")
    expected = torch_pool_and_unpool(x, None, pool_size, strides, padding)
    y = generator.normal(size=expected[0].shape).astype("float32")
    expected = torch_pool_and_unpool(x, y, pool_size, strides, padding)
    if data_format == "channels_first":
        x, y = np.moveaxis(x, -1, 1), np.moveaxis(y, -1, 1)
    actual = pool_and_unpool(
        x, y, pool_size=pool_size, strides=strides, padding=padding or "valid", data_format=data_format
    )
    for ours, theirs in zip(actual, expected, strict=True):
        ours = np.moveaxis(ours, 1, -1) if data_format == "channels_first" else ours
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize(("window", "strides", "padding"), [(2, 2, 0), (3, 2, 1)])
def test_gradient_is_that_of_pytorch(window, strides, padding, rng):
    x = rng.integers(-2, 3, (2, 7, 8, 3)).astype("float32")
    shape = torch_pool_and_unpool(x, None, window, strides, padding)[0].shape
    y = rng.normal(size=shape).astype("float32")
    weight_map = rng.normal(size=x.shape).astype("float32")
    weight_pool = rng.normal(size=shape).astype("float32")

    tensor = torch.from_numpy(x.transpose(0, 3, 1, 2).copy()).requires_grad_()
    values = torch.from_numpy(y.transpose(0, 3, 1, 2).copy()).requires_grad_()
    pooled, positions = torch.nn.functional.max_pool2d(tensor, window, strides, padding, return_indices=True)
    unpooled = torch.nn.functional.max_unpool2d(
        values, positions, window, strides, padding, output_size=tensor.shape[2:]
    )
    (pooled * torch.from_numpy(weight_pool.transpose(0, 3, 1, 2).copy())).sum().backward()
    (unpooled * torch.from_numpy(weight_map.transpose(0, 3, 1, 2).copy())).sum().backward()

    class Objective(keras.Model):
        """Holds x and y as weights, so that one step of gradient descent shows both gradients."""

        def __init__(self):
            super().__init__()
            self.x = self.add_weight(name="x", shape=x.shape, initializer="zeros")
            self.y = self.add_weight(name="y", shape=y.shape, initializer="zeros")
            kwargs = dict(pool_size=window, strides=strides, padding=padding or "valid", data_format="channels_last")
            self.pool, self.unpool = MaxPoolingWithArgmax2D(**kwargs), MaxUnpooling2D(**kwargs)

        def call(self, inputs):
            x = ops.convert_to_tensor(self.x)
            pooled, positions = self.pool(x)
            unpooled = self.unpool(ops.convert_to_tensor(self.y), positions, like=x)
            total = ops.sum(ops.multiply(pooled, weight_pool)) + ops.sum(ops.multiply(unpooled, weight_map))
            return ops.reshape(total, (1, 1)) + 0.0 * inputs

    model = Objective()
    model(np.zeros((1, 1), "float32"))
    model.x.assign(x)
    model.y.assign(y)
    model.compile(keras.optimizers.SGD(1.0), loss=lambda y_true, y_pred: ops.sum(y_pred))
    model.fit(np.zeros((1, 1), "float32"), np.zeros((1, 1), "float32"), epochs=1, verbose=0)
    for before, after, reference in ((x, model.x, tensor.grad), (y, model.y, values.grad)):
        gradient = before - ops.convert_to_numpy(after)
        np.testing.assert_allclose(gradient, reference.numpy().transpose(0, 2, 3, 1), atol=1e-5)


def test_first_of_equal_values_wins():
    x = np.ones((1, 4, 4, 1), "float32")
    _, positions, unpooled = pool_and_unpool(x, None, pool_size=2)
    assert positions[0, :, :, 0].tolist() == [[0, 2], [8, 10]]
    assert unpooled[0, :, :, 0].tolist() == [[1, 0, 1, 0], [0, 0, 0, 0], [1, 0, 1, 0], [0, 0, 0, 0]]


def test_same_padding_rounds_up():
    x = np.arange(15, dtype="float32").reshape(1, 3, 5, 1)
    pooled, positions, unpooled = pool_and_unpool(x, None, pool_size=2, padding="same")
    assert pooled[0, :, :, 0].tolist() == [[6, 8, 9], [11, 13, 14]]
    assert positions[0, :, :, 0].tolist() == [[6, 8, 9], [11, 13, 14]]
    kept = np.where(np.isin(x, [6, 8, 9, 11, 13, 14]), x, 0)
    np.testing.assert_array_equal(unpooled, kept)


def test_bad_arguments():
    with pytest.raises(ValueError, match="`pool_size` must be an integer >= 1.*Received: pool_size=0"):
        MaxPoolingWithArgmax2D(0)
    with pytest.raises(ValueError, match="`padding` must be .*Received: padding=2"):
        MaxPoolingWithArgmax2D(3, padding=2)
    with pytest.raises(ValueError, match="`data_format`"):
        MaxUnpooling2D(2, data_format="last")
    with pytest.raises(ValueError, match="same shape"):
        MaxUnpooling2D(2)(np.zeros((1, 2, 2, 1), "float32"), np.zeros((1, 2, 3, 1), "int32"))

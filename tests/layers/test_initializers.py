"""Kernels that start as bilinear upsampling and as the identity."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_segpaint.layers import BilinearInitializer, GatedConv2D, GatedInitializer, IdentityInitializer, Resize


@pytest.mark.parametrize("factor", [2, 8, 16])
def test_bilinear_kernel_continues_a_ramp(factor):
    size = 6
    grid = np.stack(np.meshgrid(np.arange(size), np.arange(size), indexing="ij"), axis=-1)[None].astype("float32")
    upsample = keras.layers.Conv2DTranspose(
        2,
        2 * factor,
        strides=factor,
        padding="same",
        use_bias=False,
        kernel_initializer=BilinearInitializer(),
        data_format="channels_last",
    )
    output = ops.convert_to_numpy(upsample(grid))
    assert output.shape == (1, size * factor, size * factor, 2)
    position = (np.arange(size * factor) + 0.5) / factor - 0.5
    ramps = np.stack(np.meshgrid(position, position, indexing="ij"), axis=-1)
    inside = slice(factor, -factor)
    np.testing.assert_allclose(output[0, inside, inside], ramps[inside, inside], atol=1e-5)
    resized = ops.convert_to_numpy(Resize(scale=factor, data_format="channels_last")(grid))
    np.testing.assert_allclose(output[0, inside, inside], resized[0, inside, inside], atol=1e-5)


def test_bilinear_kernel_of_odd_size_keeps_its_middle():
    kernel = ops.convert_to_numpy(BilinearInitializer()((3, 3, 2, 2)))
    np.testing.assert_allclose(kernel[:, :, 1, 1], np.outer([0.5, 1, 0.5], [0.5, 1, 0.5]))
    assert not kernel[:, :, 0, 1].any()


def test_bilinear_kernel_needs_as_many_outputs_as_inputs():
    with pytest.raises(ValueError, match=r"shape=\(4, 4, 3, 2\)"):
        BilinearInitializer()((4, 4, 3, 2))


def test_identity_noise_is_a_part_of_the_centre_tap():
    kernel = ops.convert_to_numpy(IdentityInitializer(stddev=0.1, seed=1)((3, 3, 8, 32)))
    clean = ops.convert_to_numpy(IdentityInitializer(stddev=0.0)((3, 3, 8, 32)))
    assert clean[1, 1].sum() == pytest.approx(8)  # a quarter to each of four channels, for eight inputs
    assert (kernel - clean).std() == pytest.approx(0.1 * 0.25, rel=0.1)


@pytest.mark.parametrize("shape", [(2, 3, 4, 4), (3, 4, 4)])
def test_identity_needs_a_centre(shape):
    with pytest.raises(ValueError, match="shape="):
        IdentityInitializer()(shape)


def test_gated_convolutions_in_a_row_neither_fade_nor_burst(rng):
    keras.utils.set_random_seed(3)
    x = rng.normal(size=(1, 16, 16, 32)).astype("float32")
    for _ in range(12):
        x = GatedConv2D(32, data_format="channels_last")(x)
    # With He's initialisation a hundredth is left.
    assert 0.3 < ops.convert_to_numpy(x).std() < 3


def test_gated_kernel_in_halves():
    kernel = ops.convert_to_numpy(GatedInitializer(scale=4.0, seed=1)((3, 3, 16, 64)))
    assert kernel[..., :32].std() == pytest.approx((4 / 144) ** 0.5, rel=0.05)
    assert kernel[..., 32:].std() == pytest.approx((1 / 144) ** 0.5, rel=0.05)
    again = ops.convert_to_numpy(GatedInitializer(scale=4.0, seed=1)((3, 3, 16, 64)))
    np.testing.assert_array_equal(kernel, again)


@pytest.mark.parametrize(("scale", "shape"), [(0, (3, 3, 4, 4)), (6, (3, 3, 4, 3)), (6, (3, 3, 4))])
def test_gated_kernel_of_another_kind(scale, shape):
    with pytest.raises(ValueError, match="must be"):
        GatedInitializer(scale)(shape)

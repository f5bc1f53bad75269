"""Selective kernels: the reference's outputs, and the paper's form against PyTorch's operations."""

import numpy as np
import pytest
from keras import ops

from keras_segpaint.layers import SelectiveKernel
from tests.conformance.cases import fill_weights
from tests.layers.published import check_outputs

PORT = dict(dilated=False, conv_bias=True, fuse_norm=False)
CASES = {
    "a": dict(branches=2, groups=4, ratio=4, min_units=8),
    "m3": dict(branches=3, groups=3, ratio=2, min_units=4),
    "stride2": dict(branches=2, groups=8, ratio=2, min_units=32, strides=2),
}


@pytest.mark.parametrize("case", sorted(CASES))
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_reference_outputs(fixture_arrays, case, data_format):
    layer = SelectiveKernel(**CASES[case], **PORT, data_format=data_format)
    names = {"fc": "fuse"}
    for index in range(layer.branches):
        names |= {f"convs.{index}.0": f"convs.{index}", f"convs.{index}.1": f"norms.{index}"}
        names[f"fcs.{index}"] = f"select.{index}"
    check_outputs(fixture_arrays("selective_kernel"), case, layer, names)


@pytest.mark.parametrize("strides", [1, 2])
@pytest.mark.parametrize("size", [(1, 1), (7, 10)])
def test_the_form_of_the_paper(strides, size, rng):
    torch = pytest.importorskip("torch")
    x = rng.normal(size=(2, *size, 8)).astype("float32")
    layer = SelectiveKernel(groups=2, min_units=4, strides=strides, data_format="channels_last")
    layer.build(x.shape)
    fill_weights(layer)

    def weights(part):
        return [torch.from_numpy(np.array(value)) for value in part.get_weights()]

    def normalized(x, part):
        gamma, beta, mean, variance = weights(part)
        return torch.relu(torch.nn.functional.batch_norm(x, mean, variance, gamma, beta, eps=1e-5))

    image = torch.from_numpy(x.transpose(0, 3, 1, 2).copy())
    branches = []
    for index, (conv, norm) in enumerate(zip(layer.convs, layer.norms, strict=True), start=1):
        (kernel,) = weights(conv)
        y = torch.nn.functional.conv2d(
            image, kernel.permute(3, 2, 0, 1), stride=strides, padding=index, dilation=index, groups=2
        )
        branches.append(normalized(y, norm))
    squeezed = normalized(sum(branches).mean((2, 3)) @ weights(layer.fuse)[0], layer.fuse_bn)
    scores = torch.stack([squeezed @ kernel + bias for kernel, bias in map(weights, layer.select)])
    shares = torch.softmax(scores, 0)[..., None, None]
    expected = sum(share * branch for share, branch in zip(shares, branches, strict=True))
    np.testing.assert_allclose(ops.convert_to_numpy(layer(x)).transpose(0, 3, 1, 2), expected, rtol=1e-4, atol=1e-5)


def test_groups_that_do_not_divide_the_channels():
    layer = SelectiveKernel(groups=32, data_format="channels_last")
    layer.build((None, None, None, 24))
    assert layer.convs[0].groups == 8

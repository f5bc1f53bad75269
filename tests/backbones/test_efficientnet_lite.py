"""EfficientNet-Lite from its authors' weights, in PyTorch's names and in timm's, and from timm's own."""

import re

import numpy as np
import pytest

from keras_segpaint import convert
from keras_segpaint.backbones import EfficientNetLite
from keras_segpaint.backbones.layouts import timm_module, torch_module
from tests.backbones.states import LAST, close, output, pretrained_file, save, state_of
from tests.conformance.cases import images

# Blocks of each of the seven groups of the paper's table, their kernels and strides.
GROUPS = {
    "efficientnet_lite0": (1, 2, 2, 3, 3, 4, 1),
    "efficientnet_lite1": (1, 3, 3, 4, 4, 5, 1),
    "efficientnet_lite2": (1, 3, 3, 4, 4, 5, 1),
    "efficientnet_lite3": (1, 3, 3, 5, 5, 6, 1),
    "efficientnet_lite4": (1, 4, 4, 6, 6, 8, 1),
}
KERNELS, STRIDES = (3, 3, 5, 3, 5, 5, 3), (1, 2, 2, 2, 1, 2, 1)


def torch_efficientnet_lite(state, x, groups, timm, symmetric, torch, outside=0.0):
    """The network in PyTorch's functions, from a state dictionary of either kind; `outside` is around the image."""
    functional = torch.nn.functional
    epsilon = 1e-5 if symmetric else 1e-3

    def unit(x, conv, bn, kernel, stride=1, depthwise=False, activate=True, value=0.0):
        if symmetric:
            pads = [kernel // 2] * 4
        else:
            pads = []
            for size in (x.shape[3], x.shape[2]):
                total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
                pads += [total // 2, total - total // 2]
        weight = state[f"{conv}.weight"]
        assert weight.shape[2:] == (kernel, kernel)
        x = functional.pad(x - value, pads) + value
        x = functional.conv2d(x, weight, stride=stride, groups=x.shape[1] if depthwise else 1)
        keys = ("running_mean", "running_var", "weight", "bias")
        x = functional.batch_norm(x, *(state[f"{bn}.{key}"] for key in keys), eps=epsilon)
        return functional.relu6(x) if activate else x

    x = unit(x, *(("conv_stem", "bn1") if timm else ("_conv_stem", "_bn0")), 3, 2, value=outside)
    number = 0
    for group, (repeats, kernel, first_stride) in enumerate(zip(groups, KERNELS, STRIDES, strict=True)):
        for index in range(repeats):
            stride = first_stride if index == 0 else 1
            if timm:
                start = f"blocks.{group}.{index}."
                convs = ("conv_dw", "conv_pw") if group == 0 else ("conv_pw", "conv_dw", "conv_pwl")
                names = [(start + conv, f"{start}bn{place}") for place, conv in enumerate(convs, start=1)]
            else:
                start = f"_blocks.{number}._"
                kinds = (("expand", "0"), ("depthwise", "1"), ("project", "2"))[group == 0 :]
                names = [(f"{start}{kind}_conv", f"{start}bn{place}") for kind, place in kinds]
            number += 1
            y = x if group == 0 else unit(x, *names[-3], 1)
            y = unit(y, *names[-2], kernel, stride, depthwise=True)
            y = unit(y, *names[-1], 1, activate=False)
            x = x + y if stride == 1 and x.shape == y.shape else y
    return unit(x, "conv_head", "bn2", 1) if timm else unit(x, "_conv_head", "_bn1", 1)


@pytest.mark.parametrize(
    ("kind", "size"), [("authors", (64, 75)), ("authors", (50, 71)), ("tf_timm", (64, 75)), ("timm", (64, 75))]
)
def test_it_computes_what_pytorch_does(tmp_path, kind, size):
    torch = pytest.importorskip("torch")
    name, timm = "efficientnet_lite0", kind != "authors"
    padding = "symmetric" if kind == "timm" else "same"
    model = EfficientNetLite(alpha=0.1, padding=padding, **LAST)
    state = state_of(name, model, module_of=timm_module if timm else torch_module)
    path = save(state, tmp_path / "weights.safetensors")
    model = EfficientNetLite(alpha=0.1, padding=padding, weights=path, **LAST)
    mean, deviation = {
        "authors": (127 / 255, 128 / 255),
        "tf_timm": (0.5, 0.5),
        "timm": ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    }[kind]
    tensors = {key: torch.from_numpy(value) for key, value in state.items()}

    def normalized(x):
        x = (x - np.array(mean)) / np.array(deviation)
        return torch.from_numpy(np.broadcast_to(x, (*x.shape[:3], 3)).astype("float32").transpose(0, 3, 1, 2).copy())

    x = images((1, *size, 3))
    # The zeros around the image are the model's mean, whose normalisation is folded into the first convolution.
    outside = normalized(np.full((1, 1, 1, 3), 127 / 255))
    with torch.no_grad():
        expected = torch_efficientnet_lite(
            tensors, normalized(x), GROUPS[name], timm, kind == "timm", torch, outside=outside
        )
    actual, expected = output(model, x, "level5"), expected.numpy().transpose(0, 2, 3, 1)
    assert actual.shape == expected.shape
    close(actual, expected, 1e-4)


@pytest.mark.parametrize(
    ("name", "file", "side"),
    [
        ("efficientnet_lite0", "efficientnet-lite0-57934424.pth", 224),
        ("efficientnet_lite1", "efficientnet-lite1-77cc7160.pth", 240),
        ("efficientnet_lite2", "efficientnet-lite2-9656183e.pth", 260),
    ],
)
def test_the_published_weights(name, file, side):
    path = pretrained_file(file)
    package = pytest.importorskip("efficientnet_lite_pytorch")
    torch = pytest.importorskip("torch")
    reference = package.EfficientNet.from_pretrained(name.replace("_", "-"), weights_path=str(path)).eval()
    x = images((2, side, side, 3))
    with torch.no_grad():
        features = reference.extract_features(torch.from_numpy(((x * 255 - 127) / 128).transpose(0, 3, 1, 2).copy()))
    expected = features.numpy().transpose(0, 2, 3, 1)
    close(output(EfficientNetLite(name, weights=str(path), **LAST), x, "level5"), expected)
    close(output(convert.build(path, "efficientnet-lite", **LAST), x, "level5"), expected)


@pytest.mark.parametrize("name", GROUPS)
@pytest.mark.parametrize("module_of", [torch_module, timm_module])
def test_every_key_has_a_layer(name, module_of, undrawn_weights):
    model = EfficientNetLite(name)
    state = state_of(name, model, module_of=module_of)
    layout = convert.get("efficientnet-lite").layout(state | {"_fc.weight": np.zeros((10, 4), "float32")})
    assert layout.arguments == {"architecture": name}
    rename = layout.rename(model)
    assert all(rename(key.rpartition(".")[0]) for key in state)
    if module_of is timm_module:
        blocks = {tuple(map(int, found.groups())) for key in state if (found := re.match(r"blocks\.(\d)\.(\d+)", key))}
        assert blocks == {(group, index) for group, count in enumerate(GROUPS[name]) for index in range(count)}
    else:
        blocks = {int(found[1]) for key in state if (found := re.match(r"_blocks\.(\d+)", key))}
        assert blocks == set(range(sum(GROUPS[name])))


@pytest.mark.parametrize("module_of", [torch_module, timm_module])
def test_convert(tmp_path, module_of):
    build = lambda **kw: EfficientNetLite(alpha=0.1, **kw)  # noqa: E731
    state = state_of("efficientnet_lite0", build(), module_of=module_of)
    path = save({**state, "classifier.weight": np.zeros((10, 4), "float32")}, tmp_path / "weights.safetensors")
    model, expected = build(), build(weights=path)
    card = convert.load(model, path, "efficientnet-lite")
    assert (card.licence, card.left_out) == ("Apache-2.0", "the classifier")
    for weight, other in zip(model.get_weights(), expected.get_weights(), strict=True):
        np.testing.assert_allclose(weight, other, rtol=1e-6, atol=1e-7)
    convert.load(build(top=False), path, "efficientnet-lite")
    with pytest.raises(ValueError, match="trained with TensorFlow's padding; the model has padding='symmetric'"):
        convert.load(build(padding="symmetric"), path, "efficientnet-lite")
    short = save({key: value for key, value in state.items() if "blocks.1" not in key}, tmp_path / "short.safetensors")
    with pytest.raises(convert.ConversionError, match="has 16, 21, 24 or 30 blocks"):
        convert.build(short, "efficientnet-lite")


def test_arguments():
    with pytest.raises(ValueError, match="`architecture` must be one of efficientnet_lite0, .* 'efficientnet_lite5'"):
        EfficientNetLite("efficientnet_lite5")
    with pytest.raises(ValueError, match="`padding` must be one of same, symmetric. Received: padding='valid'"):
        EfficientNetLite(padding="valid")
    with pytest.raises(ValueError, match="`alpha` must be a number > 0. Received: alpha=0"):
        EfficientNetLite(alpha=0)

"""Which weight of a published file is which layer's, and that the networks compute what PyTorch's do."""

import json

import numpy as np
import pytest

from keras_segpaint.backbones import (
    MobileNetV3Large,
    ResNet,
    Xception,
    base,
)
from keras_segpaint.backbones.layouts import torch_module
from keras_segpaint.backbones.pretrained import load_backbone_weights
from tests.backbones.states import LAST, close, output, save, state_of
from tests.conformance.cases import images


@pytest.mark.parametrize(
    ("reference", "backbone", "build"),
    [
        ("fcn_resnet50", "resnet50", lambda: ResNet("resnet50")),
        ("fcn_resnet101", "resnet101", lambda: ResNet("resnet101")),
        ("lraspp_mobilenet_v3_large", "mobilenet_v3_large", MobileNetV3Large),
    ],
)
def test_every_weight_of_torchvision_has_a_layer(shared, undrawn_weights, reference, backbone, build):
    specs = json.loads((shared / "fixtures" / "torchvision_segmentation_specs.json").read_text())
    entries = specs["models"][reference]["state_dict"]
    wanted = {}
    for key, shape in entries.items():
        if key.startswith("backbone.") and not key.endswith("num_batches_tracked"):
            wanted[key.removeprefix("backbone.")] = tuple(shape)
    state = state_of(backbone, build())
    if backbone.startswith("mobilenet"):
        # The segmentation networks drop the sequence that classification networks have their features in.
        state = {key.removeprefix("features."): value for key, value in state.items()}
    assert {key: value.shape for key, value in state.items()} == wanted


def torch_resnet(state, x, depths, bottleneck, torch):
    """torchvision's ResNet, from its state dictionary."""
    functional = torch.nn.functional

    def conv_bn(x, conv, bn, stride=1, padding=0):
        x = functional.conv2d(x, state[f"{conv}.weight"], stride=stride, padding=padding)
        keys = ("running_mean", "running_var", "weight", "bias")
        return functional.batch_norm(x, *(state[f"{bn}.{key}"] for key in keys))

    x = functional.relu(conv_bn(x, "conv1", "bn1", 2, 3))
    x = functional.max_pool2d(x, 3, 2, 1)
    for stage, depth in enumerate(depths, start=1):
        for index in range(depth):
            name = f"layer{stage}.{index}"
            stride = 2 if index == 0 and stage > 1 else 1
            y = x
            plan = ((0, 1), (1, stride), (0, 1)) if bottleneck else ((1, stride), (1, 1))
            for number, (padding, strides) in enumerate(plan, start=1):
                y = conv_bn(y, f"{name}.conv{number}", f"{name}.bn{number}", strides, padding)
                y = functional.relu(y) if number < len(plan) else y
            if f"{name}.downsample.0.weight" in state:
                x = conv_bn(x, f"{name}.downsample.0", f"{name}.downsample.1", stride)
            x = functional.relu(x + y)
    return x


@pytest.mark.parametrize(("name", "depths"), [("resnet18", (2, 2, 2, 2)), ("resnet50", (3, 4, 6, 3))])
@pytest.mark.parametrize("kind", ["pth", "safetensors"])
def test_resnet_computes_what_pytorch_does(tmp_path, name, depths, kind):
    torch = pytest.importorskip("torch")
    model = ResNet(name, base_filters=4, **LAST)
    state = state_of(name, model)
    tensors = {key: torch.from_numpy(value) for key, value in state.items()}
    path = tmp_path / f"weights.{kind}"
    if kind == "pth":
        torch.save({"state_dict": {f"module.{key}": value for key, value in tensors.items()}}, path)
    else:
        save(state, path)
    load_backbone_weights(model, name, str(path))
    x = images((1, 50, 71, 3))
    normalized = (x - base.FAMILIES[name].mean) / np.array(base.FAMILIES[name].deviation)
    reference = torch.from_numpy(normalized.astype("float32").transpose(0, 3, 1, 2).copy())
    with torch.no_grad():
        expected = torch_resnet(tensors, reference, depths, name == "resnet50", torch).numpy().transpose(0, 2, 3, 1)
    close(output(model, x, "level5"), expected)


@pytest.mark.parametrize(
    ("backbone", "layer", "module"),
    [
        ("vgg16", "conv1_1", "features.0"),
        ("vgg16", "conv3_1", "features.10"),
        ("vgg16", "conv5_3", "features.28"),
        ("vgg16", "fc7", "classifier.3"),
        ("vgg19", "conv3_4", "features.16"),
        ("vgg19", "conv5_4", "features.34"),
        ("vgg16_bn", "conv1_1_bn", "features.1"),
        ("vgg16_bn", "conv5_3", "features.40"),
        ("vgg16_bn", "conv5_3_bn", "features.41"),
    ],
)
def test_vgg_is_counted_like_torchvision(backbone, layer, module):
    assert torch_module(backbone, layer) == module


@pytest.mark.parametrize("architecture", ["xception41", "xception71"])
def test_xception_names_are_distinct(architecture):
    trunk = Xception(architecture, base_filters=1)
    state = state_of(architecture, trunk)
    assert len(state) == len(trunk.weights)
    assert state["blocks.0.shortcut.conv.weight"].shape == (4, 2, 1, 1)
    blocks = {int(key.split(".")[1]) for key in state if key.startswith("blocks.")}
    assert blocks == set(range(13 if architecture == "xception41" else 23))

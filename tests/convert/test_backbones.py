"""torchvision's classification networks, read into backbones."""

import json

import keras
import numpy as np
import pytest

from keras_segpaint import backbones, convert
from keras_segpaint.backbones.pretrained import load_backbone_weights
from keras_segpaint.convert.mapping import match
from tests.backbones.states import save, state_of

NARROW = {
    "resnet18": (lambda **kw: backbones.ResNet("resnet18", base_filters=4, **kw), "fc.weight"),
    "resnet50": (lambda **kw: backbones.ResNet("resnet50", base_filters=4, **kw), "fc.weight"),
    "vgg16": (lambda **kw: backbones.VGG16(base_filters=2, **kw), "classifier.6.weight"),
    "vgg16_bn": (lambda **kw: backbones.VGG16("vgg16_bn", base_filters=2, **kw), "classifier.6.weight"),
    "vgg19": (lambda **kw: backbones.VGG19(base_filters=2, **kw), "classifier.6.weight"),
    "mobilenet_v2": (lambda **kw: backbones.MobileNetV2(alpha=0.25, **kw), "classifier.1.weight"),
    "mobilenet_v3_large": (lambda **kw: backbones.MobileNetV3Large(alpha=0.25, **kw), "classifier.3.weight"),
}
# Trainable parameters of the whole network as published, less those of its classifier.
PUBLISHED = {
    ("resnet18", "ResNet"): 11_689_512 - 513_000,
    ("resnet50", "ResNet"): 25_557_032 - 2_049_000,
    ("resnet152", "ResNet"): 60_192_808 - 2_049_000,
    ("mobilenet_v2", "MobileNetV2"): 3_504_872 - 1_281_000,
    ("mobilenet_v3_large", "MobileNetV3Large"): 5_483_032 - 2_511_080,
}


@pytest.mark.parametrize("name", NARROW)
def test_it_is_what_weights_gives(name, tmp_path):
    build, classifier = NARROW[name]
    state = state_of(name, build())
    counter = next((key.replace("running_mean", "num_batches_tracked") for key in state if "running_mean" in key), None)
    others = {classifier: np.zeros((10, 4), "float32")} | ({counter: np.zeros(1, "float32")} if counter else {})
    path = save({**state, **others}, tmp_path / "weights.safetensors")
    expected, model = build(), build()
    load_backbone_weights(expected, name, path)
    card = convert.load(model, path, "torchvision")
    assert card.left_out == "the classifier"
    for weight, other in zip(model.get_weights(), expected.get_weights(), strict=True):
        np.testing.assert_allclose(weight, other, rtol=1e-6)
    if "mobilenet" not in name:
        built = convert.build(path, "torchvision")
        assert type(built) is type(model)
        for weight, other in zip(built.get_weights(), expected.get_weights(), strict=True):
            np.testing.assert_allclose(weight, other, rtol=1e-6)
    if name == "resnet18":
        with pytest.raises(ValueError, match="ResNet takes the arguments architecture, .* Received: num_classes"):
            convert.build(path, "torchvision", num_classes=3)
        model.save(tmp_path / "resnet.keras")
        loaded = keras.saving.load_model(tmp_path / "resnet.keras")
        assert convert.Card.from_dict(loaded.card) == card


@pytest.mark.parametrize(("name", "model"), PUBLISHED)
def test_the_published_sizes(name, model, undrawn_weights):
    built = getattr(backbones, model)(**({"architecture": name} if model == "ResNet" else {}))
    state = state_of(name, built)
    layout = convert.get("torchvision").layout(state)
    assert layout.model == model and layout.arguments.get("architecture", name) == name
    found = match(built, state, layout.rename(built))
    assert not found.unused and not found.unknown and not found.misshapen and not found.missing
    assert sum(int(np.prod(weight.shape)) for weight in built.trainable_weights) == PUBLISHED[name, model]


def test_the_fully_connected_layers_of_a_vgg(tmp_path):
    model = backbones.VGG16(base_filters=2, fully_convolutional=True)
    state = state_of("vgg16", model)
    state["classifier.0.weight"] = state["classifier.0.weight"].reshape(128, -1)
    state["classifier.3.weight"] = state["classifier.3.weight"][:, :, 0, 0]
    path = save(state, tmp_path / "weights.safetensors")
    convert.load(model, path, "torchvision")
    fc6, fc7 = (model.get_layer(name).get_weights()[0] for name in ("fc6", "fc7"))
    np.testing.assert_array_equal(fc6, state["classifier.0.weight"].reshape(128, 16, 7, 7).transpose(2, 3, 1, 0))
    np.testing.assert_array_equal(fc7[0, 0], state["classifier.3.weight"].T)
    plain = convert.build(path, "torchvision")
    assert "fc6" not in {layer.name for layer in plain.layers}
    small = backbones.MobileNetV2(alpha=0.25, top=False)
    whole = backbones.MobileNetV2(alpha=0.25)
    path = save(state_of("mobilenet_v2", whole), tmp_path / "mobile.safetensors")
    convert.load(small, path, "torchvision")


def test_the_backbone_of_an_lr_aspp(shared, undrawn_weights):
    specs = json.loads((shared / "fixtures" / "torchvision_segmentation_specs.json").read_text())["models"]
    keys = specs["lraspp_mobilenet_v3_large"]["state_dict"]
    state = {key: np.broadcast_to(np.float32(0), shape) for key, shape in keys.items()}
    layout = convert.get("torchvision").layout(state)
    assert layout.card["left_out"] == "11 arrays of the LR-ASPP head"
    for top in (True, False):
        model = backbones.MobileNetV3Large(top=top, **layout.arguments)
        found = match(model, {key: x for key, x in state.items() if not layout.ignored(key)}, layout.rename(model))
        assert not found.unknown and not found.misshapen and not found.missing
        assert all(layout.optional(key) for key in found.unused) and bool(found.unused) is not top


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"features.1.block.0.0.weight": (16, 1, 3, 3)}, "MobileNetV3-Small"),
        (
            {"features.0.bias": (4,), **{f"features.{n}.weight": (4, 4, 3, 3) for n in (0, 2, 4)}},
            "a VGG of 3 convolutions without",
        ),
        ({"conv1.weight": (4, 3, 7, 7), "layer1.0.conv1.weight": (4, 4, 3, 3)}, r"has \(1, 0, 0, 0\) blocks"),
        ({"head.weight": (4, 4)}, "ResNets, VGGs, MobileNetV2 and V3 can be read"),
    ],
)
def test_others_are_refused(keys, message, tmp_path):
    path = save({key: np.zeros(shape, "float32") for key, shape in keys.items()}, tmp_path / "weights.safetensors")
    with pytest.raises(convert.ConversionError, match=message):
        convert.build(path, "torchvision")

"""Published checkpoints: what is read, what is refused, and that nothing is changed by what does not fit."""

import os

import keras
import numpy as np
import pytest
from keras import ops
from safetensors.numpy import load_file, save_file

from keras_segpaint import convert, models

ENET = "davidtvs/enet"


@pytest.fixture
def enet_file(shared):
    return shared / "fixtures" / "enet.weights.safetensors"


@pytest.fixture
def state(enet_file):
    return load_file(enet_file)


@pytest.fixture
def narrow(tmp_path):
    """A U-Net's checkpoint of random weights, and a function that writes it anew with changes."""
    rng = np.random.default_rng(0)
    model = models.UNet(3, base_filters=2, upsampling="bilinear", pool_padding="valid")
    rename = convert.get("milesial/unet").layout
    shapes = {"inc.double_conv.0.weight": (2, 3, 3, 3), "outc.conv.weight": (3, 2, 1, 1)}
    layout = rename({key: np.zeros(shape) for key, shape in shapes.items()})
    state = {}
    blocks = ["inc.double_conv", *(f"down{n}.maxpool_conv.1.double_conv" for n in range(1, 5))]
    blocks += [f"up{n}.conv.double_conv" for n in range(1, 5)]
    for block in blocks:
        for position, kinds in {0: ["weight"], 1: NORM, 3: ["weight"], 4: NORM}.items():
            layer = model.get_layer(layout.rename(model)(f"{block}.{position}"))
            shape = layer.kernel.shape if position in (0, 3) else layer.gamma.shape
            for kind in kinds:
                value = rng.uniform(0.5, 1.5, shape).astype("float32")
                state[f"{block}.{position}.{kind}"] = value.transpose(3, 2, 0, 1) if value.ndim == 4 else value
    state["outc.conv.weight"] = rng.normal(size=(3, 2, 1, 1)).astype("float32")
    state["outc.conv.bias"] = rng.normal(size=3).astype("float32")

    def write(drop=(), **changes):
        kept = {key: np.ascontiguousarray(value) for key, value in {**state, **changes}.items() if key not in drop}
        save_file(kept, tmp_path / "unet.safetensors")
        return tmp_path / "unet.safetensors"

    return write


NORM = ["weight", "bias", "running_mean", "running_var"]


def weights_of(model):
    return [ops.convert_to_numpy(weight).copy() for weight in model.weights]


def assert_unchanged(model, before):
    for weight, old in zip(weights_of(model), before, strict=True):
        np.testing.assert_array_equal(weight, old)


def test_the_card_travels_with_the_model(enet_file, tmp_path):
    model = models.ENet(12, variant="pytorch")
    card = convert.load(model, enet_file, ENET)
    assert (card.source, card.licence, card.file) == (ENET, "MIT", "enet.weights.safetensors")
    assert len(card.classes) == len(card.palette) == 12 and card.classes[3] == "road"
    model.save(tmp_path / "enet.keras")
    loaded = keras.saving.load_model(tmp_path / "enet.keras", safe_mode=True)
    assert convert.Card.from_dict(loaded.card) == card
    assert loaded.rebuilt().card == model.card
    assert models.UNet(2, base_filters=1).card is None and "card" not in models.UNet(2, base_filters=1).get_config()


def test_another_number_of_classes(narrow):
    path = narrow()
    model = models.UNet(5, base_filters=2, upsampling="bilinear", pool_padding="valid")
    before = weights_of(model)
    with pytest.raises(convert.ConversionError, match=r"is of 3 classes, the model of 5.*skip_head=True"):
        convert.load(model, path, "milesial/unet")
    assert_unchanged(model, before)
    convert.load(model, path, "milesial/unet", skip_head=True)
    full = convert.build(path, "milesial/unet")
    for name in ("down0_conv1", "up0_conv2"):
        np.testing.assert_array_equal(*(m.get_layer(name).get_weights()[0] for m in (model, full)))
    head = [ops.convert_to_numpy(weight) for weight in model.get_layer("classifier").weights]
    np.testing.assert_array_equal(head[0], before[-2])
    assert convert.build(path, "milesial/unet", num_classes=4).num_classes == 4


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"drop": ("down2.maxpool_conv.1.double_conv.3.weight",)}, "nothing for down2_conv2/kernel"),
        ({"extra.0.weight": np.zeros(3, "float32")}, "no place for extra.0.weight"),
        ({"up1.conv.double_conv.6.weight": np.zeros(3, "float32")}, "no place for up1.conv.double_conv.6.weight"),
        (
            {"down1.maxpool_conv.1.double_conv.0.weight": np.zeros((4, 3, 3, 3), "float32")},
            r"down1.maxpool_conv.1.double_conv.0.weight is \(3, 3, 3, 4\), down1_conv1/kernel is \(3, 3, 2, 4\)",
        ),
    ],
)
def test_what_does_not_fit_is_named_and_changes_nothing(narrow, changes, message):
    model = models.UNet(3, base_filters=2, upsampling="bilinear", pool_padding="valid")
    before = weights_of(model)
    with pytest.raises(convert.ConversionError, match=message):
        convert.load(model, narrow(**changes), "milesial/unet")
    assert_unchanged(model, before)
    assert model.card is None


def test_another_model(enet_file):
    with pytest.raises(
        convert.ConversionError, match=r"weights of ENet, the model is a UNet. models.ENet\(num_classes=12"
    ):
        convert.load(models.UNet(12, base_filters=2), enet_file, ENET)
    with pytest.raises(convert.ConversionError, match="nothing for bottleneck4_0_reduce_act"):
        convert.load(models.ENet(12, variant="pytorch_2018"), enet_file, ENET)


def test_another_source(enet_file):
    with pytest.raises(ValueError, match="must be one of: daa233/deepfill_v1, davidtvs/enet, .*source='enet'"):
        convert.build(enet_file, "enet")
    with pytest.raises(
        convert.ConversionError, match="is no checkpoint of torchvision .* holds 622 arrays: asymmetric"
    ):
        convert.build(enet_file, "torchvision")
    with pytest.raises(FileNotFoundError):
        convert.build("nothing.pth", ENET)


def test_decoders_that_are_not_the_papers_are_named(shared, tmp_path):
    import json

    specs = json.loads((shared / "fixtures" / "smp_state_dict_specs.json").read_text())["models"]
    for name, message in {
        "Linknet(resnet18)": "LinkNet has five decoder blocks with transposed convolutions of 4x4",
        "PSPNet(resnet18)": "PSPNet pools the encoder's third stage",
        "Unet(resnet18)": "U-Net joins the features of a ResNet, enlarged by repeating pixels",
        "FPN(resnet18)": "FPN sums four levels",
    }.items():
        state = {key: np.broadcast_to(np.float32(0), shape) for key, shape in specs[name]["state_dict"].items()}
        with pytest.raises(ValueError, match=message):
            convert.get("segmentation_models_pytorch").layout(state)


class Code:
    """What a file of weights must not hold."""

    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return os.mkdir, (str(self.marker),)


def test_files_of_pytorch(state, tmp_path):
    import torch

    weights = {key: torch.from_numpy(value) for key, value in state.items()}
    # As its authors save it: beside the weights a score of NumPy's and the optimizer.
    torch.save({"epoch": 280, "miou": np.float64(0.65), "state_dict": weights, "optimizer": {}}, tmp_path / "ENet")
    model = convert.build(tmp_path / "ENet", ENET)
    np.testing.assert_array_equal(
        model.get_layer("initial_conv").get_weights()[0],
        state["initial_block.main_branch.weight"].transpose(2, 3, 1, 0),
    )
    torch.save({"state_dict": weights, "score": Code(tmp_path / "ran")}, tmp_path / "code.pth")
    with pytest.raises(ValueError, match=r"code.pth asks to run posix.mkdir"):
        convert.build(tmp_path / "code.pth", ENET)
    assert not (tmp_path / "ran").exists()
    whole = (tmp_path / "ENet").read_bytes()
    for name, content in {"half.pth": whole[: len(whole) // 2], "text.pth": b"not found", "empty.pth": b""}.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ValueError, match=f"{name} is no file of PyTorch, or damaged"):
            convert.build(tmp_path / name, ENET)
    (tmp_path / "half.safetensors").write_bytes(b"\x10\0\0\0\0\0\0\0{}")
    with pytest.raises(ValueError, match="half.safetensors is damaged"):
        convert.build(tmp_path / "half.safetensors", ENET)

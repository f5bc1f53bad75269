"""Weights from files: this package's own, other numbers of channels, downloads, errors, real weights."""

import sys
from functools import partial
from pathlib import Path

import keras
import numpy as np
import pytest

from keras_segpaint import models
from keras_segpaint.backbones import (
    VGG16,
    AlexNet,
    EfficientNetLite,
    MobileNetV2,
    ResNet,
    image_source,
    weight_files,
)
from keras_segpaint.backbones.pretrained import load_backbone_weights
from tests.backbones.states import LAST, close, output, pretrained_file, save, state_of
from tests.conformance.cases import fill_weights, images

# === Files of this package ===


@pytest.mark.parametrize("suffix", [".keras", ".weights.h5"])
def test_own_files(tmp_path, suffix):
    trained = ResNet("resnet18", **LAST)
    fill_weights(trained)
    path = tmp_path / f"trunk{suffix}"
    trained.save(path) if suffix == ".keras" else trained.save_weights(path)
    x = images((1, 33, 40, 3))
    again = ResNet("resnet18", output_stride=8, dilate_first=False, weights=str(path), **LAST)
    close(output(again, x, "level3"), output(trained, x, "level3"))
    model = models.LinkNet(3, weights=str(path), **LAST)
    for layer in trained.layers:
        for old, new in zip(layer.get_weights(), model.get_layer(layer.name).get_weights(), strict=True):
            np.testing.assert_array_equal(new, old)


def test_a_model_gives_its_backbone(tmp_path):
    trained = models.LinkNet(4, backbone="mobilenet_v2", **LAST)
    trained.save(tmp_path / "model.keras")
    backbone = MobileNetV2(weights=str(tmp_path / "model.keras"))
    np.testing.assert_array_equal(
        backbone.get_layer("stage3_block1_depthwise_conv").get_weights()[0],
        trained.get_layer("stage3_block1_depthwise_conv").get_weights()[0],
    )


# === Channels ===


def test_one_channel_sees_what_three_equal_ones_do(tmp_path):
    model = ResNet("resnet18", base_filters=4, **LAST)
    path = save(state_of("resnet18", model), tmp_path / "weights.safetensors")
    load_backbone_weights(model, "resnet18", path)
    gray = ResNet("resnet18", base_filters=4, input_shape=(None, None, 1), weights=path, **LAST)
    x = images((1, 40, 40, 1))
    expected = output(model, np.repeat(x, 3, axis=-1), "level1")
    close(output(gray, x, "level1")[:, 2:-2, 2:-2], expected[:, 2:-2, 2:-2])


def test_many_channels_repeat_the_colours(tmp_path):
    model = ResNet("resnet18", base_filters=4, **LAST)
    state = state_of("resnet18", model)
    path = save(state, tmp_path / "weights.safetensors")
    load_backbone_weights(model, "resnet18", path)
    five = ResNet("resnet18", base_filters=4, input_shape=(None, None, 5), weights=path, **LAST)
    kernel = state["conv1.weight"].transpose(2, 3, 1, 0)
    mean, deviation = np.array(image_source.IMAGENET)
    for channel in range(5):
        color = channel % 3
        close(
            five.get_layer("stem_conv").get_weights()[0][:, :, channel], kernel[:, :, color] / deviation[color] * 3 / 5
        )
    # The mean colour of each is the new black.
    x = np.tile(np.tile(mean, 2)[:5].astype("float32"), (1, 40, 40, 1))
    black = output(model, np.tile(mean.astype("float32"), (1, 40, 40, 1)), "level1")
    close(output(five, x, "level1")[:, 2:-2, 2:-2], black[:, 2:-2, 2:-2])


# === Errors ===


def test_a_file_that_does_not_fit_changes_nothing(tmp_path):
    model = ResNet("resnet18", base_filters=4)
    state = state_of("resnet18", model)
    before = [weight.copy() for weight in model.get_weights()]
    wide = save(state_of("resnet18", ResNet("resnet18", base_filters=8)), tmp_path / "wide.safetensors")
    with pytest.raises(ValueError, match=r"layer 'stem_conv' needs a kernel of shape \(7, 7, 3, 4\), the file has one"):
        load_backbone_weights(model, "resnet18", wide)
    del state["layer3.0.bn1.weight"]
    short = save(state, tmp_path / "short.safetensors")
    with pytest.raises(ValueError, match="has nothing for layer 'stage3_block1_1_bn'"):
        load_backbone_weights(model, "resnet18", short)
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(new, old)
    with pytest.raises(ValueError, match="no PyTorch file for 'resnet18' has weights for layer 'stem1_conv'"):
        ResNet("resnet18", stem="deep", base_filters=4, weights=short)
    with pytest.raises(ValueError, match="Give backbone=.resnet50."):
        ResNet("resnet50_v1", base_filters=4, weights=short)


def test_other_errors(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere.keras"):
        ResNet(base_filters=4, weights="nowhere.keras")
    text = tmp_path / "weights.txt"
    text.write_text("")
    with pytest.raises(ValueError, match="The file must be"):
        ResNet(base_filters=4, weights=str(text))
    with pytest.raises(ValueError, match='normalization="frozen_batch"'):
        ResNet(base_filters=4, normalization="group", weights=str(text))
    with pytest.raises(ValueError, match="has no backbone"):
        load_backbone_weights(models.UNet(2, base_filters=4), "resnet18", "imagenet")


def test_pickles_need_pytorch(tmp_path, monkeypatch):
    path = tmp_path / "weights.pth"
    path.write_bytes(b"")
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(ImportError, match="pip install torch.*safetensors"):
        weight_files.read_torch(path)


def test_pickles_are_not_run(tmp_path):
    torch = pytest.importorskip("torch")
    path = tmp_path / "weights.pth"
    torch.save({"conv1.weight": Path("anything but a tensor")}, path)
    with pytest.raises(ValueError, match="asks to run pathlib.PosixPath"):
        weight_files.read_torch(path)


def offline(*args, **kwargs):
    raise ConnectionError("no network")


@pytest.mark.parametrize("name", ["resnet18", "xception65", "efficientnet_lite3"])
def test_without_network(monkeypatch, name):
    monkeypatch.setattr(keras.utils, "get_file", offline)
    with pytest.raises(OSError, match=r"Cannot download .*\.pth \(no network\).*models or give its path"):
        weight_files.download(name)


def test_without_network_keras(monkeypatch):
    monkeypatch.setattr(keras.applications, "MobileNetV2", offline)
    with pytest.raises(OSError, match=r"keras.applications.MobileNetV2 \(no network\).*weights=<path>"):
        MobileNetV2(weights="imagenet")


def test_a_wrong_download_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "resnet18-f37072fd.pth"
    path.write_bytes(b"not it")
    monkeypatch.setattr(keras.utils, "get_file", lambda *args, **kwargs: str(path))
    with pytest.raises(ValueError, match="is not the published file"):
        weight_files.download("resnet18")


def test_no_download():
    with pytest.raises(ValueError, match=r"There is no download .* backbone='alexnet'"):
        AlexNet(weights="imagenet")


def test_fully_connected_layers_of_another_size_are_left_alone(tmp_path):
    model = VGG16(base_filters=2, fully_convolutional=True)
    path = save(state_of("vgg16", model), tmp_path / "weights.safetensors")
    load_backbone_weights(model, "vgg16", path)
    other = VGG16(base_filters=2, fully_convolutional=True, fc_kernel_size=3)
    before = other.get_layer("fc6").get_weights()[0].copy()
    load_backbone_weights(other, "vgg16", path)
    np.testing.assert_array_equal(other.get_layer("fc6").get_weights()[0], before)
    np.testing.assert_array_equal(
        other.get_layer("conv5_3").get_weights()[0], model.get_layer("conv5_3").get_weights()[0]
    )


def test_an_option_that_the_backbone_has_not():
    with pytest.raises(ValueError, match="'mobilenet_v2' takes the options output_stride, alpha, top. Received: stem"):
        models.LinkNet(2, backbone="mobilenet_v2", backbone_options={"stem": "deep"})


def test_linknet_needs_features_of_stride_2():
    with pytest.raises(ValueError, match="must have features of stride 2. Received: backbone='alexnet'"):
        models.LinkNet(2, backbone="alexnet")


# === Real weights ===

CATS = range(281, 286)


def photograph(name, side=224):
    """The middle of a photograph of scikit-image, in [0, 1]."""
    data = pytest.importorskip("skimage.data")
    cv2 = pytest.importorskip("cv2")
    image = getattr(data, name)()
    height, width = image.shape[:2]
    scale = side / 0.875 / min(height, width)
    image = cv2.resize(image, (round(width * scale), round(height * scale)), interpolation=cv2.INTER_AREA)
    top, left = (image.shape[0] - side) // 2, (image.shape[1] - side) // 2
    return image[None, top : top + side, left : left + side].astype("float32") / 255


@pytest.mark.parametrize(
    ("build", "file", "classifier"),
    [
        (MobileNetV2, "mobilenet_v2-b0353104.pth", "classifier.1"),
        (EfficientNetLite, "efficientnet-lite0-57934424.pth", "_fc"),
        (partial(EfficientNetLite, "efficientnet_lite1"), "efficientnet-lite1-77cc7160.pth", "_fc"),
        (partial(EfficientNetLite, "efficientnet_lite2"), "efficientnet-lite2-9656183e.pth", "_fc"),
    ],
)
def test_photographs_are_recognised(build, file, classifier):
    pytest.importorskip("torch")
    path = pretrained_file(file)
    model = build(weights=str(path), **LAST)
    state = weight_files.read_torch(path)
    for name, expected in (("chelsea", CATS), ("coffee", (504, 505, 550, 967, 968))):
        features = output(model, photograph(name), "level5").mean((1, 2))
        scores = features @ state[f"{classifier}.weight"].T + state[f"{classifier}.bias"]
        odds = np.exp(scores[0] - scores[0].max())
        best = np.argsort(scores[0])[::-1][:3]
        print(file, name, [(int(index), round(float(odds[index] / odds.sum()), 3)) for index in best])
        assert best[0] in expected

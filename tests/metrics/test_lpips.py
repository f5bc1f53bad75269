"""LPIPS against its formula, and the weights of the package."""

import importlib.util

import keras
import numpy as np
import pytest

from keras_segpaint import losses, metrics


def network(data_format="channels_last"):
    shape = (None, None, 3) if data_format == "channels_last" else (3, None, None)
    image = keras.Input(shape)
    pooled = keras.layers.AveragePooling2D(2, data_format=data_format)(image)
    return keras.Model(image, [keras.layers.Rescaling(2.0, offset=0.1)(image), pooled])


def formula(a, b, weights):
    total = np.zeros(len(a))
    pooled = [x.reshape(len(x), 4, 2, 5, 2, 3).mean((2, 4)) for x in (a, b)]
    for (x, y), weight in zip(((2 * a + 0.1, 2 * b + 0.1), pooled), weights, strict=True):
        x, y = (z / np.sqrt((z**2).sum(-1, keepdims=True)) for z in (x, y))
        total += (((x - y) ** 2) @ weight).mean((1, 2))
    return total


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_the_formula(rng, data_format):
    a, b = (rng.uniform(0.1, 1, (2, 8, 10, 3)) for _ in range(2))
    weights = rng.random((2, 3))
    metric = metrics.LPIPS(network(data_format), weights, value_range=(0, 1), data_format=data_format)
    first = data_format == "channels_first"
    pair = [image.transpose(0, 3, 1, 2) if first else image for image in (a, b)]
    metric.update_state(*pair)
    assert float(metric.result()) == pytest.approx(formula(a, b, weights).mean(), rel=1e-4)
    again = metrics.LPIPS.from_config(metric.get_config())
    with pytest.raises(ValueError, match="has no feature network"):
        again.update_state(*pair)
    again.features = metric.features
    again.update_state(*pair)
    assert float(again.result()) == pytest.approx(float(metric.result()), rel=1e-6)


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")  # of torchvision
def test_the_distance_is_that_of_the_package(rng):
    torch = pytest.importorskip("torch")
    if importlib.util.find_spec("lpips") is None or importlib.util.find_spec("torchvision") is None:
        pytest.skip("lpips or torchvision is not installed")
    from benchmarks.peers.torchvision_import import import_torchvision

    import_torchvision()
    import lpips

    torch.manual_seed(0)
    # The trained channel weights, on a trunk of random ones, which nothing has to be downloaded for.
    theirs = lpips.LPIPS(net="vgg", pnet_rand=True, verbose=False).eval()
    trunk = keras.applications.VGG16(include_top=False, weights=None, input_shape=(None, None, 3))
    convolutions = [layer for layer in theirs.net.modules() if isinstance(layer, torch.nn.Conv2d)]
    ours = [layer for layer in trunk.layers if isinstance(layer, keras.layers.Conv2D)]
    for source, target in zip(convolutions, ours, strict=True):
        target.set_weights([source.weight.detach().numpy().transpose(2, 3, 1, 0), source.bias.detach().numpy()])
    names = ["block1_conv2", "block2_conv2", "block3_conv3", "block4_conv3", "block5_conv3"]
    features = losses.feature_network(trunk, names, "torch", "channels_last")
    metric = metrics.LPIPS(features, metrics.lpips_weights("vgg"), data_format="channels_last")
    a, b = (rng.uniform(-1, 1, (2, 64, 48, 3)).astype("float32") for _ in range(2))
    metric.update_state(a, b)
    with torch.no_grad():
        expected = theirs(*(torch.from_numpy(image.transpose(0, 3, 1, 2)) for image in (a, b))).mean()
    assert float(expected) > 0.01
    assert float(metric.result()) == pytest.approx(float(expected), rel=1e-4)


def test_known_pixels_are_put_back(rng):
    a, b = (rng.uniform(0.1, 1, (2, 8, 10, 3)) for _ in range(2))
    mask = np.zeros((2, 8, 10, 1))
    mask[:, 2:5, 3:7] = 1
    metric = metrics.LPIPS(network(), value_range=(0, 1), data_format="channels_last")
    metric.update_state(a, b, mask)
    expected = formula(a, np.where(mask > 0, b, a), np.ones((2, 3))).mean()
    assert float(metric.result()) == pytest.approx(expected, rel=1e-4)


def test_weights_of_another_network(rng):
    metric = metrics.LPIPS(network(), [np.ones(3), np.ones(4)], data_format="channels_last")
    with pytest.raises(ValueError, match=r"weights of \[3, 4\] channels for maps of \[3, 3\]"):
        metric.update_state(*[rng.random((1, 8, 10, 3))] * 2)


def test_weights_of_the_package():
    if importlib.util.find_spec("lpips") is None:
        with pytest.raises(ImportError, match=r"keras_segpaint\[lpips\]"):
            metrics.lpips_weights()
        return
    pytest.importorskip("torch")
    assert [len(part) for part in metrics.lpips_weights("vgg")] == [64, 128, 256, 512, 512]
    assert [len(part) for part in metrics.lpips_weights("alex")] == [64, 192, 384, 256, 256]
    assert all((part >= 0).all() for part in metrics.lpips_weights("vgg"))
    with pytest.raises(ValueError, match="`network` must be"):
        metrics.lpips_weights("resnet")

"""With the weights of torchvision's and segmentation_models.pytorch's networks the models give the same logits."""

import importlib

import keras
import numpy as np
import pytest

from keras_segpaint import convert
from tests.models.published import NETWORKS

SIZE = (64, 96)  # of those that every one of the networks takes
# What their images are normalised by; the models of this package do it themselves.
MEAN, DEVIATION = np.float32([0.485, 0.456, 0.406]), np.float32([0.229, 0.224, 0.225])

pytestmark = [
    pytest.mark.skipif(
        keras.backend.backend() != "torch",
        reason="the other networks need PyTorch, and that all backends compute alike is the conformance suite's to say",
    ),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # when the others are imported
]


@pytest.mark.parametrize("published", NETWORKS)
def test_logits_are_those_of_the_published_network(published, tmp_path):
    import torch

    from benchmarks.peers.torchvision_import import import_torchvision

    import_torchvision()
    torch.manual_seed(0)
    network = NETWORKS[published]
    module, builder = network.theirs.rsplit(".", 1)
    theirs = getattr(importlib.import_module(module), builder)(**network.settings).eval()
    with torch.no_grad():
        for name, value in theirs.named_buffers():
            if name.endswith("running_mean"):
                value.normal_(0, 0.1)
            elif name.endswith("running_var"):
                value.uniform_(0.5, 1.5)

    torch.save(theirs.state_dict(), tmp_path / "published.pth")
    ours = convert.build(
        tmp_path / "published.pth", network.source, input_shape=(*SIZE, 3), data_format="channels_last"
    )

    image = np.random.default_rng(0).random((1, *SIZE, 3), dtype="float32")
    with torch.no_grad():
        expected = theirs(torch.from_numpy(((image - MEAN) / DEVIATION).transpose(0, 3, 1, 2)))
        actual = ours(image, training=False)
    if not isinstance(actual, dict):
        expected, actual = {"out": expected}, {"logits": actual}
    assert len(actual) == len(expected)
    for their_name, our_name in {"out": "logits", "aux": "aux"}.items():
        if their_name in expected:
            logits = expected[their_name].numpy().transpose(0, 2, 3, 1)
            error = np.abs(keras.ops.convert_to_numpy(actual[our_name]) - logits).max()
            assert error < 1e-3 * np.abs(logits).max(), our_name

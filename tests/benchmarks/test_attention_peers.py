"""The attention layers and the plain PyTorch that they are timed against give the same result."""

import numpy as np
import pytest
from keras import ops

from benchmarks import __main__ as command
from benchmarks import attention
from keras_segpaint import layers


@pytest.mark.parametrize("name", attention.LAYERS)
def test_same_result(name, rng):
    torch = pytest.importorskip("torch")
    from benchmarks.peers.attention import LAYERS

    x = rng.normal(size=(1, 5, 7, 16)).astype("float32")
    layer = getattr(layers, name)(data_format="channels_last")
    layer.build(x.shape)
    peer = LAYERS[name](16)
    partners = [(layer.query, peer.query), (layer.key, peer.key), (layer.value, peer.value)]
    if hasattr(peer, "output"):
        partners.append((layer.output_conv, peer.output[0] if name == "NonLocalBlock" else peer.output))
    for ours, theirs in partners:
        theirs.weight.data = torch.from_numpy(ops.convert_to_numpy(ours.kernel).transpose(3, 2, 0, 1).copy())
        theirs.bias.data = torch.from_numpy(ops.convert_to_numpy(ours.bias).copy())
    scale = layer.output_norm.gamma if name == "NonLocalBlock" else layer.gamma
    scale.assign(np.full(tuple(scale.shape), 0.7, "float32"))
    (peer.output[1].weight if name == "NonLocalBlock" else peer.gamma).data.fill_(0.7)
    expected = peer(torch.from_numpy(x.transpose(0, 3, 1, 2).copy())).detach().numpy().transpose(0, 2, 3, 1)
    np.testing.assert_allclose(ops.convert_to_numpy(layer(x)), expected, rtol=1e-4, atol=1e-5)


def test_attention_has_its_own_command(monkeypatch):
    given = []
    monkeypatch.setattr(attention, "main", given.append)
    assert command.main(["attention", "--repeats", "2"]) == []
    assert given == [["--repeats", "2"]]

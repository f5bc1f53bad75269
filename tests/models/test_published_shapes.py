"""The models have the weights and the convolutions of the published implementations, one for one."""

import keras
import numpy as np
import pytest

from keras_segpaint import convert, models
from keras_segpaint.convert.mapping import find_layer, match
from tests.models.published import NETWORKS


@pytest.mark.parametrize("published", NETWORKS)
def test_weights_and_convolutions_are_the_published_ones(specs, published):
    spec = specs(published)
    # Arrays of the right shape that take no memory.
    state = {key: np.broadcast_to(np.float32(0), shape) for key, shape in spec["state_dict"].items()}
    layout = convert.get(NETWORKS[published].source).layout(state)
    model = getattr(models, layout.model)(**layout.arguments)
    rename = layout.rename(model)
    found = match(model, state, rename)
    assert not found.unused and not found.unknown and not found.misshapen and not found.missing
    assert len(found.values) == len(model.variables) - seeds(model)
    assert sum(int(np.prod(w.shape)) for w in model.trainable_weights) == spec["parameter_count"]
    for module, settings in spec["convs"].items():
        layer = find_layer(model, rename(module))
        assert list(layer.kernel_size) == settings["kernel"], module
        assert list(layer.strides) == settings["stride"], module
        assert layer.use_bias == settings["bias"], module
        if settings["kernel"] != [1, 1]:
            assert list(layer.dilation_rate) == settings["dilation"], module


def seeds(model: keras.Model) -> int:
    return sum("seed_generator" in variable.path for variable in model.variables)


@pytest.fixture
def specs(shared):
    import json

    def load(published: str) -> dict:
        name = "smp_state_dict_specs" if "(" in published else "torchvision_segmentation_specs"
        return json.loads((shared / "fixtures" / f"{name}.json").read_text())["models"][published]

    return load

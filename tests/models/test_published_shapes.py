"""The models have the weights and the convolutions of the published implementations, one for one."""

import keras
import numpy as np
import pytest

from keras_segpaint import models
from tests.models import torchvision_names as names

TORCHVISION = {"num_classes": 21, "supervised": True, "output_stride": 8}
DEEPLAB = {**TORCHVISION, "multi_grid": (), "head_conv": True, "backbone_options": {"dilate_first": False}}
SMP = {"num_classes": 21, "backbone": "resnet18", "multi_grid": (), "head_conv": True, "rates": (12, 24, 36)}
CASES = {
    "fcn_resnet50": (models.FCNResNet, TORCHVISION, names.torchvision_fcn_layer),
    "deeplabv3_resnet50": (models.DeepLabV3, {**DEEPLAB, "backbone": "resnet50"}, names.torchvision_deeplab_layer),
    "deeplabv3_mobilenet_v3_large": (
        models.DeepLabV3,
        {
            **DEEPLAB,
            "backbone": "mobilenet_v3_large",
            "output_stride": 16,
            "rates": (12, 24, 36),
            "backbone_options": {"dilate_first": True},
        },
        None,
    ),
    "DeepLabV3(resnet18)": (models.DeepLabV3, {**SMP, "output_stride": 8}, names.smp_deeplab_v3_layer),
    "DeepLabV3Plus(resnet18)": (
        models.DeepLabV3Plus,
        {**SMP, "separable": True, "depthwise_norm": False, "decoder_convs": 1, "align_corners": True},
        names.smp_deeplab_v3_plus_layer,
    ),
}


@pytest.mark.parametrize("published", CASES)
def test_weights_and_convolutions_are_the_published_ones(specs, published):
    build, arguments, rename = CASES[published]
    spec = specs(published)
    model = build(**arguments)
    rename = rename or names.mobile_deeplab_layers(model, arguments["backbone"])
    # Arrays of the right shape that take no memory.
    state = {key: np.broadcast_to(np.float32(0), shape) for key, shape in spec["state_dict"].items()}
    assert len(list(names.pairs(model, state, rename))) == len(model.variables) - seeds(model)
    assert sum(int(np.prod(w.shape)) for w in model.trainable_weights) == spec["parameter_count"]
    for module, settings in spec["convs"].items():
        layer = names.find_layer(model, rename(module))
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

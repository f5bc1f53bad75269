"""Published weights for the backbones."""

import keras

__all__ = ["load_backbone_weights"]


def load_backbone_weights(model: keras.Model, backbone: str, weights: str) -> None:
    """Gives the layers of a backbone within `model` their published weights."""
    raise NotImplementedError

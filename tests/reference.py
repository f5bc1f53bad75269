"""Weights and arrays of PyTorch's reference fixtures in Keras's order of axes."""

from collections.abc import Mapping

import keras
import numpy as np

from keras_segpaint.convert.mapping import Rename, match


def to_model_format(array: np.ndarray) -> np.ndarray:
    """A reference array (channels first) in Keras's current data format."""
    if keras.config.image_data_format() == "channels_first":
        return array
    return array.transpose(0, 2, 3, 1)


def load_state_dict(model: keras.Model, state: Mapping[str, np.ndarray], rename: Rename) -> None:
    """Fills a model from a PyTorch state_dict: every key is used and every weight filled."""
    found = match(model, state, rename)
    assert not found.unused and not found.unknown and not found.misshapen and not found.missing, found
    for variable, value in found.values:
        variable.assign(value)

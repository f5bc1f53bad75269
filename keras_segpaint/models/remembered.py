"""What all networks of the package are: functional models that can be built again."""

import os
from typing import Any, ClassVar

import keras

from keras_segpaint.models.presets import from_preset, write_preset


class RememberedModel(keras.Model):
    """A functional model that remembers the arguments it was built from.

    A subclass builds its graph in `__init__` and ends with `super().__init__(inputs, outputs, arguments=..., ...)`.

    Attributes:
        paper: The publication, one line.
        good_for: What the network is good for, in a few words.
        reference_parameters: Arguments, and the number of trainable parameters that they give.
        data_format: `"channels_last"` or `"channels_first"`.
        card: Where published weights came from, as `convert.Card.to_dict` gives it; saved with the model. `None` for
            weights of one's own.
    """

    paper: ClassVar[str] = ""
    good_for: ClassVar[str] = ""
    reference_parameters: ClassVar[tuple[tuple[dict[str, Any], int], ...]] = ()

    def __init__(self, inputs: Any, outputs: Any, *, arguments: dict[str, Any], name: str, **kwargs: Any):
        super().__init__(inputs=inputs, outputs=outputs, name=name, **kwargs)
        # By this `compile` knows that float16 needs its loss scaled.
        self.dtype_policy = keras.dtype_policies.get(arguments.get("dtype"))
        self._arguments = dict(arguments)
        self.card: dict[str, Any] | None = None
        self.data_format = arguments["data_format"]

    def get_config(self) -> dict[str, Any]:
        card = {} if self.card is None else {"card": dict(self.card)}
        return {**self._arguments, "name": self.name, "trainable": self.trainable, **card}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> "RememberedModel":
        """Builds the model from the arguments that `get_config` gave."""
        config = dict(config)
        trainable, card = config.pop("trainable", True), config.pop("card", None)
        model = cls(**config)
        model.card = card
        if not trainable:
            model.trainable = False
        return model

    @classmethod
    def from_preset(cls, source: str | os.PathLike, **arguments: Any) -> Any:
        """Builds the model of this class that a folder or a repository of the Hugging Face Hub holds.

        Args:
            source: A folder that `save_to_preset` wrote, or `hf://user/name`.
            **arguments: Arguments of the model that replace the stored ones, such as `dtype` or `data_format`.

        Raises:
            ValueError: If the preset holds another class; the message names both.
            OSError: As of `models.from_preset`, which takes any class.
        """
        return from_preset(source, cls, **arguments)

    def save_to_preset(self, folder: str | os.PathLike) -> None:
        """Writes the model as a folder in the layout of KerasHub's presets, for `from_preset`.

        It holds `config.json`, `model.weights.h5`, `metadata.json` and a model card `README.md`, which is left alone if there
        is one. `huggingface_hub.upload_folder(folder_path=..., repo_id=...)` puts it on the Hugging Face Hub.

        Args:
            folder: The folder; files of a preset in it are replaced.

        Raises:
            FileExistsError: If it is a file or has a `config.json` of something else.
        """
        write_preset(self, folder)

    def rebuilt(self, **changes: Any) -> Any:
        """The network of changed arguments, each layer with the weights of the layer of its name here."""
        model = type(self).from_config({**self.get_config(), **changes})
        for layer in model.layers:
            layer.set_weights(self.get_layer(layer.name).get_weights())
        return model

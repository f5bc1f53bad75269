"""Objects that are described by their arguments."""

from collections.abc import Mapping
from typing import Any, Self, TypeVar


class Configurable:
    """An object that can be made again from its arguments."""

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal object."""
        raise NotImplementedError

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """The object that `get_config` described."""
        return cls(**config)

    def __repr__(self) -> str:
        arguments = ", ".join(f"{key}={value!r}" for key, value in self.get_config().items())
        return f"{type(self).__name__}({arguments})"


Built = TypeVar("Built", bound=Configurable)


def build_by_name(classes: Mapping[str, type[Built]], config: Mapping[str, Any]) -> Built:
    """The object that `{"name": class name, argument: value, ...}` describes.

    Raises:
        ValueError: If the name or an argument is unknown.
    """
    arguments = dict(config)
    name = arguments.pop("name", None)
    if name not in classes:
        raise ValueError(f"`name` must be one of {', '.join(sorted(classes))}. Received: {dict(config)}")
    try:
        return classes[name].from_config(arguments)
    except TypeError as error:
        raise ValueError(f"{name} cannot be built from {arguments}: {error}") from error

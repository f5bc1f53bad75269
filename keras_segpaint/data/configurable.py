"""Objects that are described by their arguments."""

from typing import Any, Self


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

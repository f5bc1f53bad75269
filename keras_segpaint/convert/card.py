"""What is known about published weights."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

__all__ = ["Card"]


@dataclass(frozen=True)
class Card:
    """Where weights come from and what they expect; it travels with the model's `.keras` file as `model.card`.

    Args:
        source: The implementation, as `segpaint convert --source` takes it.
        file: Name of the file that was read.
        licence: Of the implementation, and of the weights where that is known.
        url: Where it is published.
        preprocessing: What the weights expect of images, and who does it.
        classes: Names of the classes, in the order of the logits; empty where they are not known.
        unlabelled: The class that stands for pixels without a label, which none is judged by; `None` where there is none.
        palette: Their colours, red, green and blue from 0 to 255; empty where there are none.
        metric: What was reported for them.
        left_out: What else the file holds that the model has no use for, such as the state of an optimizer.

    Example:
        >>> Card("davidtvs/enet", "ENet.pth", "MIT").to_dict()["licence"]
        'MIT'
    """

    source: str
    file: str = ""
    licence: str = ""
    url: str = ""
    preprocessing: str = ""
    classes: tuple[str, ...] = ()
    unlabelled: int | None = None
    palette: tuple[tuple[int, int, int], ...] = ()
    metric: str = ""
    left_out: str = ""

    def to_dict(self) -> dict[str, Any]:
        """The card as JSON has it."""
        return {key: _plain(value) for key, value in asdict(self).items()}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Card":
        """The card that `to_dict` gave."""
        values = dict(values)
        values["classes"] = tuple(values.get("classes", ()))
        values["palette"] = tuple(tuple(colour) for colour in values.get("palette", ()))
        return cls(**values)


def _plain(value: Any) -> Any:
    return [_plain(item) for item in value] if isinstance(value, tuple) else value

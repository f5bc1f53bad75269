"""What the authors' checkpoints of DeepFill v1 and v2 have in common: TensorFlow's variables, and blue first."""

import re
from collections import Counter
from typing import Any

import keras

from keras_segpaint.convert.mapping import Rename
from keras_segpaint.convert.source import Layout, State, UnknownLayoutError

__all__ = ["FIRST", "PREPROCESSING", "check", "layout", "of_training", "renamer"]

FIRST = "inpaint_net/conv1/kernel"
PREPROCESSING = (
    "RGB in [-1, 1], 1 is a hole; trained at 256x256 with holes up to 128x128. The weights take blue first: the first and "
    "the last convolutions are turned round. build gives variant='tensorflow', which computes as the original does"
)

# What only training needs, by what it is.
_TRAINING = {
    "the optimizer": re.compile(r"(.*/)?(Adam(_\d+)?|beta[12]_power(_\d+)?|lr|global_step)"),
    "moving averages": re.compile(r".*/ExponentialMovingAverage"),
    "the discriminators": re.compile(r"discriminator/.*"),
}
_BRANCHES = {None: "coarse", "x": "refine", "pm": "attention", "all": "refine"}
# Those that see an image, and those that make one.
_SEES = {f"inpaint_net/{branch}conv1/kernel" for branch in ("", "x", "pm")}
_MAKES = {f"inpaint_net/{branch}conv17/{kind}" for branch in ("", "all") for kind in ("kernel", "bias")}


def of_training(variable: str) -> str | None:
    """What a variable that only training needs belongs to; `None` for one of the network.

    Example:
        >>> of_training("inpaint_net/conv1/kernel/Adam_1"), of_training("inpaint_net/conv1/kernel")
        ('the optimizer', None)
    """
    return next((part for part, names in _TRAINING.items() if names.fullmatch(variable)), None)


def layout(state: State, model: str, arguments: dict[str, Any]) -> Layout:
    """How the model's weights lie in a checkpoint.

    Args:
        state: Of a file that `check` has seen.
        model: The class's name.
        arguments: Of the class, but for its variant.
    """
    return Layout(
        model,
        {**arguments, "variant": "tensorflow"},
        renamer,
        adapt=_blue_last,
        ignored=lambda variable: of_training(variable) is not None,
        card={"left_out": _left_out(state)},
    )


def _left_out(state: State) -> str:
    """How many variables of what only training needs, for the card."""
    counts = Counter(part for part in map(of_training, state) if part is not None)
    return ", ".join(f"{number} variables of {part}" for part, number in counts.items())


def check(state: State, refined_channels: int, other: str) -> None:
    """Raises an error unless the second stage sees so many channels."""
    if FIRST not in state or "inpaint_net/xconv1/kernel" not in state:
        raise UnknownLayoutError(f"A generator has the variables {FIRST} and inpaint_net/xconv1/kernel")
    channels = state["inpaint_net/xconv1/kernel"].shape[2]
    if channels != refined_channels:
        raise UnknownLayoutError(f"Its second stage sees {channels} channels: give source={other!r}")


def renamer(model: keras.Model) -> Rename:
    """Gives the layers of a generator, by the scopes of the graph."""
    gated = {layer.name for layer in model.layers if hasattr(layer, "conv")}

    def rename(scope: str) -> str | None:
        found = re.fullmatch(
            r"inpaint_net/(x|pm|all)?conv(\d+)(_downsample|_atrous|_upsample/\1?conv\2_upsample_conv)?", scope
        )
        if found is None:
            return None
        name = f"{_BRANCHES[found[1]]}_conv{found[2]}"
        return f"{name}/conv" if name in gated else name

    return rename


def _blue_last(state: State) -> State:
    """Turns the order of the channels round where images come in and where they go out."""
    turned_round = dict(state)
    for key in _SEES & state.keys():
        kernel = state[key].copy()
        kernel[:, :, :3] = kernel[:, :, 2::-1]
        turned_round[key] = kernel
    for key in _MAKES & state.keys():
        turned_round[key] = state[key][..., ::-1]
    return turned_round

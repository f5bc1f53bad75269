"""JiahuiYu/generative_inpainting: the generator of DeepFill v2, by its authors."""

from keras_segpaint.convert.card import Card
from keras_segpaint.convert.source import Layout, Source, State
from keras_segpaint.convert.sources.jiahuiyu import (
    FIRST,
    PREPROCESSING,
    blue_last,
    check,
    left_out,
    of_training,
    renamer,
)
from keras_segpaint.convert.tensorflow_checkpoint import read_tensorflow

__all__ = ["SOURCE"]


def _layout(state: State) -> Layout:
    check(state, 3, "jiahuiyu/deepfill_v1")
    channels, filters = state[FIRST].shape[2:]
    return Layout(
        "DeepFillV2",
        # The image, ones and the mask, and a sketch in a network that is guided.
        {"cnum": filters, "sketch": channels == 6, "variant": "tensorflow"},
        renamer,
        adapt=blue_last,
        ignored=lambda variable: of_training(variable) is not None,
        card={"left_out": left_out(state)},
    )


SOURCE = Source(
    "jiahuiyu/deepfill_v2",
    Card(
        "jiahuiyu/deepfill_v2",
        licence="CC BY-NC 4.0",
        url="https://github.com/JiahuiYu/generative_inpainting",
        preprocessing=PREPROCESSING,
    ),
    _layout,
    models=("DeepFillV2",),
    read=read_tensorflow,
)

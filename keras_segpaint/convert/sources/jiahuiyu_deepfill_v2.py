"""JiahuiYu/generative_inpainting: the generator of DeepFill v2, by its authors."""

from keras_segpaint.convert.card import Card
from keras_segpaint.convert.source import Layout, Source, State
from keras_segpaint.convert.sources.jiahuiyu import FIRST, PREPROCESSING, check, layout
from keras_segpaint.convert.tensorflow_checkpoint import read_tensorflow

__all__ = ["SOURCE"]


def _layout(state: State) -> Layout:
    check(state, 3, "jiahuiyu/deepfill_v1")
    channels, filters = state[FIRST].shape[2:]
    # The image, ones and the mask, and a sketch in a network that is guided.
    return layout(state, "DeepFillV2", {"cnum": filters, "sketch": channels == 6})


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

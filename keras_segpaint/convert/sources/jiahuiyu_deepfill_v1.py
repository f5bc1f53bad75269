"""JiahuiYu/generative_inpainting: the generator of DeepFill v1, by its authors."""

from keras_segpaint.convert.card import Card
from keras_segpaint.convert.source import Layout, Source, State
from keras_segpaint.convert.sources.jiahuiyu import FIRST, PREPROCESSING, check, layout
from keras_segpaint.convert.tensorflow_checkpoint import read_tensorflow

__all__ = ["SOURCE"]


def _layout(state: State) -> Layout:
    check(state, 5, "jiahuiyu/deepfill_v2")
    return layout(state, "DeepFillV1", {"base_filters": state[FIRST].shape[3]})


SOURCE = Source(
    "jiahuiyu/deepfill_v1",
    Card(
        "jiahuiyu/deepfill_v1",
        licence="CC BY-NC 4.0",
        url="https://github.com/JiahuiYu/generative_inpainting/tree/v1.0.0",
        preprocessing=PREPROCESSING,
    ),
    _layout,
    models=("DeepFillV1",),
    read=read_tensorflow,
)

"""naoto0804/pytorch-AdaIN: the decoder of style transfer, and the normalised VGG-19 that it was trained with."""

from keras_segpaint.convert.card import Card
from keras_segpaint.convert.source import Layout, Source, State, UnknownLayoutError

__all__ = ["SOURCE"]

# The places of the convolutions in sequences of layers.
_ENCODER = {
    "0": "colours",
    "2": "conv1_1",
    "5": "conv1_2",
    "9": "conv2_1",
    "12": "conv2_2",
    "16": "conv3_1",
    "19": "conv3_2",
    "22": "conv3_3",
    "25": "conv3_4",
    "29": "conv4_1",
}
_DECODER = {
    "1": "decoder4_1",
    "5": "decoder3_4",
    "8": "decoder3_3",
    "11": "decoder3_2",
    "14": "decoder3_1",
    "18": "decoder2_2",
    "21": "decoder2_1",
    "25": "decoder1_2",
    "28": "decoder1_1",
}


def _layout(state: State) -> Layout:
    numbers = {key.partition(".")[0] for key in state}
    if numbers >= set(_ENCODER):
        filters = state["2.weight"].shape[0]
        part, places = "encoder", _ENCODER
    elif numbers == set(_DECODER):
        filters = state["28.weight"].shape[1]
        part, places = "decoder", _DECODER
    else:
        raise UnknownLayoutError(
            "A decoder has convolutions at 1, 5, 8 to 28, the normalised VGG-19 at 0, 2, 5 to 29 and on"
        )
    return Layout(
        "StyleTransfer",
        {"base_filters": filters},
        lambda model: places.__getitem__,
        part=part,
        # Of VGG-19 nothing is needed behind the first convolution of its fourth block.
        ignored=lambda key: key.partition(".")[0] not in places,
    )


SOURCE = Source(
    "naoto0804/adain",
    Card(
        "naoto0804/adain",
        licence="MIT",
        url="https://github.com/naoto0804/pytorch-AdaIN",
        preprocessing="RGB in [0, 1]. The decoder goes with the normalised VGG-19 alone: load both files, one after the other",
    ),
    _layout,
    models=("StyleTransfer",),
)

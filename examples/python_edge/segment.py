"""Segment pictures by a file that `segpaint export` wrote, on a device without Keras.

    python segment.py street.jpg --model enet.tflite --out overlay.png

Needs ai-edge-litert, NumPy and Pillow alone. The file may take float32 images or uint8 ones, and give logits or the map of
classes; names and colours of the classes are read from the file itself.
"""

import argparse
import colorsys
import json
import time
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from PIL import Image

METADATA = "segpaint.json"


class Segmenter:
    """A file as a function from a picture to its map of classes.

    Args:
        path: The `.tflite` file.
        threads: CPU threads.
    """

    def __init__(self, path: Path, threads: int = 2):
        self.interpreter = Interpreter(model_path=str(path), num_threads=threads)
        self.interpreter.allocate_tensors()
        (self.input,) = self.interpreter.get_input_details()
        (self.output,) = self.interpreter.get_output_details()
        _, self.height, self.width, channels = self.input["shape"]
        if channels not in (1, 3):
            raise SystemExit(f"{path} takes {channels} channels; only files that take a picture can be run here.")
        self.mode = "L" if channels == 1 else "RGB"
        self.milliseconds = 0.0

    def __call__(self, picture: Image.Image) -> np.ndarray:
        """The class of every pixel, of the picture's own size."""
        resized = picture.convert(self.mode).resize((self.width, self.height), Image.Resampling.BILINEAR)
        pixels = np.asarray(resized).reshape(1, self.height, self.width, -1)
        self.interpreter.set_tensor(self.input["index"], as_input(pixels, self.input))
        start = time.perf_counter()
        self.interpreter.invoke()
        self.milliseconds = 1000 * (time.perf_counter() - start)
        classes = as_classes(self.interpreter.get_tensor(self.output["index"])[0])
        return np.asarray(Image.fromarray(classes).resize(picture.size, Image.Resampling.NEAREST))


def as_input(pixels: np.ndarray, tensor: dict[str, Any]) -> np.ndarray:
    """uint8 pixels as the file takes them: as they are, in [0, 1] as floats, or as int8 with the file's scale and zero point."""
    if tensor["dtype"] == np.uint8:
        return pixels
    values = pixels.astype(np.float32) / np.float32(255)
    if tensor["dtype"] == np.float32:
        return values
    scale, zero_point = tensor["quantization"]
    return (np.round(values / scale) + zero_point).clip(-128, 127).astype(np.int8)


def as_classes(output: np.ndarray) -> np.ndarray:
    """uint8 `(height, width)` from a map of classes, or from logits with the classes last."""
    if output.ndim == 2:
        return output.astype(np.uint8)
    if output.shape[-1] > 1:
        # A common scale and zero point of integers change nothing about which is largest.
        return output.argmax(-1).astype(np.uint8)
    if np.issubdtype(output.dtype, np.floating):
        return (output[..., 0] > 0).astype(np.uint8)
    return output[..., 0].astype(np.uint8)


def read_classes(path: Path) -> tuple[list[str], np.ndarray]:
    """Names and RGB colours of the classes from the archive at the end of the file; without one, numbers and made-up colours."""
    record: dict[str, Any] = {}
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            if METADATA in archive.namelist():
                record = json.loads(archive.read(METADATA))
    names = [str(name) for name in record.get("classes", ())] or [str(number) for number in range(256)]
    palette = np.zeros((256, 3), np.uint8)
    for number in range(1, 256):
        # Steps of the golden ratio keep neighbouring classes apart.
        palette[number] = np.multiply(255, colorsys.hsv_to_rgb(number * 0.618 % 1, 0.8, 0.95))
    given = np.asarray(record.get("palette", ()), np.uint8).reshape(-1, 3)
    palette[: len(given)] = given
    return names, palette


def overlay(picture: Image.Image, classes: np.ndarray, palette: np.ndarray, alpha: float) -> Image.Image:
    """The picture with the colours of its classes over it."""
    return Image.blend(picture.convert("RGB"), Image.fromarray(palette[classes]), alpha)


def main() -> None:
    """Segments and draws."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("images", nargs="+", type=Path, metavar="IMAGE")
    parser.add_argument("--model", type=Path, required=True, help="what `segpaint export` wrote")
    parser.add_argument("--out", type=Path, required=True, help="a picture, or for several images a folder")
    parser.add_argument("--threads", type=int, default=2, help="default: 2")
    parser.add_argument("--alpha", type=float, default=0.5, help="of the colours, 0 to 1 (default: 0.5)")
    options = parser.parse_args()
    if not options.model.is_file():
        parser.error(f"there is no file {options.model}")

    segmenter = Segmenter(options.model, options.threads)
    names, palette = read_classes(options.model)
    single = len(options.images) == 1
    (options.out.parent if single else options.out).mkdir(parents=True, exist_ok=True)
    for path in options.images:
        with Image.open(path) as opened:
            picture = opened.convert("RGB")
        classes = segmenter(picture)
        target = options.out if single else options.out / f"{path.stem}.png"
        overlay(picture, classes, palette, options.alpha).save(target)
        found, counts = np.unique(classes, return_counts=True)
        shares = sorted(zip(counts / classes.size, found, strict=True), reverse=True)
        text = ", ".join(f"{names[number] if number < len(names) else number} {share:.1%}" for share, number in shares)
        print(f"{path} -> {target}, {segmenter.milliseconds:.1f} ms: {text}")


if __name__ == "__main__":
    main()

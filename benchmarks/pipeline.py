"""Images per second of the input pipeline, and of the same work done by Grain and tf.data.

`python -m benchmarks pipeline` times `keras_segpaint.data.Pipeline` with 0, 1 and 2 worker threads on CamVid (in
`$KSP_SHARED/data/camvid`, default `../shared`), or on a folder of noise in the same sizes where that is absent.
`python -m benchmarks pipeline --compare` adds Grain and tf.data. All do the same: decode a JPEG and its PNG mask,
resize, flip, scale by 0.5 to 2, crop, and give float32 batches of 10.
"""

import argparse
import itertools
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from keras_segpaint import data

SIZES = ((180, 240), (360, 480))
BATCH = 10
SCALE = (0.5, 2.0)
THREADS = 2


def main(arguments: Sequence[str] | None = None) -> list[dict[str, Any]]:
    """Runs the benchmark, prints a line as each row is done, and returns the rows."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks pipeline", description=__doc__)
    parser.add_argument("--compare", action="store_true", help="also time Grain and tf.data (both must be installed)")
    parser.add_argument("--batches", type=int, default=36, help="batches timed in each repetition (default: 36)")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        dataset = open_dataset(Path(folder))
        print(f"{dataset.name}: {len(dataset)} images, batches of {BATCH}, median of 3 repetitions", flush=True)
        rows = []
        for size in SIZES:
            for name, batches in contestants(dataset, size, options.compare):
                rate = images_per_second(batches, options.batches)
                rows.append({"size": "x".join(map(str, size)), "pipeline": name, "images_per_second": round(rate, 1)})
                print(f"{rows[-1]['size']:>8}  {name:<42}{rate:9.1f} images/s", flush=True)
    return rows


def open_dataset(folder: Path) -> data.FolderDataset:
    """CamVid's training images, or a folder of noise in the same sizes."""
    shared = Path(os.environ.get("KSP_SHARED", Path(__file__).resolve().parents[2] / "shared"))
    camvid = shared / "data" / "camvid"
    if camvid.is_dir():
        return data.CamVid(camvid, "train")
    from PIL import Image

    rng = np.random.default_rng(0)
    for name in ("images", "masks"):
        (folder / name).mkdir()
    for index in range(60):
        coarse = Image.fromarray(rng.integers(0, 256, (45, 60, 3), dtype=np.uint8))
        coarse.resize((480, 360), Image.Resampling.BICUBIC).save(folder / "images" / f"{index}.jpg", quality=95)
        blocks = np.kron(rng.integers(0, 11, (18, 24), dtype=np.uint8), np.ones((20, 20), np.uint8))
        Image.fromarray(blocks).save(folder / "masks" / f"{index}.png")
    return data.FolderDataset(folder, num_classes=11)


def contestants(
    dataset: data.FolderDataset, size: tuple[int, int], compare: bool
) -> Iterable[tuple[str, Callable[[], Iterable[Any]]]]:
    """The names of the pipelines and functions that start one endless pass of each."""
    augment = [data.RandomFlip(), data.RandomScale(SCALE), data.RandomCrop(size)]
    for workers in (0, 1, 2):
        yield f"keras_segpaint, {workers} workers", ours(dataset, size, augment, workers, cache=False)
    yield "keras_segpaint, 2 workers, cache", ours(dataset, size, augment, 2, cache=True)
    if compare:
        yield "Grain, 2 threads, the same functions", grain_pipeline(dataset, size, augment, processes=0)
        yield "Grain, 2 processes, the same functions", grain_pipeline(dataset, size, augment, processes=2)
        yield "tf.data, 2 threads, tf.image", tf_data_pipeline(dataset, size)


def images_per_second(start: Callable[[], Iterable[Any]], batches: int) -> float:
    """The median rate of three repetitions, the first batches (which fill the buffers) not counted."""
    rates = []
    iterator = iter(start())
    for _ in range(4):
        began = time.perf_counter()
        count = sum(len(images) for images, _ in itertools.islice(iterator, batches))
        rates.append(count / (time.perf_counter() - began))
    return statistics.median(rates[1:])


def ours(dataset: Any, size: tuple[int, int], augment: list[Any], workers: int, cache: bool) -> Callable[[], Any]:
    """`keras_segpaint.data.Pipeline`."""

    def start() -> Iterable[Any]:
        pipeline = data.Pipeline(
            dataset,
            batch_size=BATCH,
            size=size,
            augment=augment,
            shuffle=True,
            workers=workers,
            drop_remainder=True,
            cache=cache,
        )
        for epoch in itertools.count():
            pipeline.epoch = epoch
            yield from pipeline

    return start


def grain_pipeline(dataset: Any, size: tuple[int, int], augment: list[Any], processes: int) -> Callable[[], Any]:
    """Grain with the package's own functions, in threads (`processes=0`) or processes."""

    def sample(index: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        image, mask, _ = dataset[index]
        image, mask = data.Resize(size)(image, mask, rng)
        for augmentation in augment:
            image, mask = augmentation(image, mask, rng)
        return np.multiply(image, np.float32(1 / 255), dtype=np.float32), mask.astype(np.int32)

    def start() -> Iterable[Any]:
        import grain
        from absl import flags

        # Grain reads its flags, which absl parses only in programs that it starts itself.
        flags.FLAGS.mark_as_parsed()
        source = grain.MapDataset.range(len(dataset)).shuffle(seed=0).repeat(None).seed(0).random_map(sample)
        batches = source.batch(BATCH, drop_remainder=True) if processes else source
        reading = grain.ReadOptions(num_threads=1 if processes else THREADS, prefetch_buffer_size=3 * BATCH)
        stream = batches.to_iter_dataset(reading)
        if processes:
            return stream.mp_prefetch(grain.MultiprocessingOptions(num_workers=processes))
        return stream.batch(BATCH, drop_remainder=True)

    return start


def tf_data_pipeline(dataset: Any, size: tuple[int, int]) -> Callable[[], Any]:
    """tf.data with TensorFlow's own operations."""

    def start() -> Iterable[Any]:
        import tensorflow as tf

        def sample(image_file: Any, mask_file: Any) -> tuple[Any, Any]:
            image = tf.image.decode_jpeg(tf.io.read_file(image_file), channels=3)
            mask = tf.image.decode_png(tf.io.read_file(mask_file), channels=1)
            target = tf.cast(tf.cast(size, tf.float32) * tf.random.uniform((), *SCALE), tf.int32)
            image = tf.image.resize(tf.image.resize(image, size), target)
            mask = tf.image.resize(tf.image.resize(mask, size, "nearest"), target, "nearest")
            both = tf.concat([image / 255.0, tf.cast(mask, tf.float32) - 255.0], axis=-1)
            both = tf.image.random_flip_left_right(both)
            missing = tf.maximum(tf.constant(size) - target, 0)
            both = tf.pad(both, [[missing[0], 0], [missing[1], 0], [0, 0]])
            both = tf.image.random_crop(both, (*size, 4))
            return both[..., :3], tf.cast(both[..., 3] + 255.0, tf.int32)

        files = tf.data.Dataset.from_tensor_slices(tuple([str(pair[i]) for pair in dataset.files] for i in (0, 1)))
        batches = (
            files.shuffle(len(dataset)).repeat().map(sample, THREADS).batch(BATCH, drop_remainder=True).prefetch(3)
        )
        options = tf.data.Options()
        options.threading.private_threadpool_size = THREADS
        return batches.with_options(options).as_numpy_iterator()

    return start


if __name__ == "__main__":
    main()

"""What label maps are worth to a network that fills holes: `python -m benchmarks guidance --data FOLDER`.

Trains `SemanticGuidedInpainting`, which is given the label map, `CoherencePriorsInpainting`, which learns to predict it, and
`DeepFillV2`, which has none: on the same images, crops and holes, for the same number of steps, by the error of the images
alone (no critic), with about as many parameters. Then it fills the same holes of the validation images by each, and
compares: the error in the holes, and the mean IoU that a segmentation network, trained on the same images, finds on the
filled images. Of each network the epoch is taken whose error in the validation holes is lowest.

Every network has a folder in `--out`, with its checkpoints and its log. What is finished there is not trained again, what
was interrupted goes on, and `--only` trains one network at a time; the table has all that are finished.
"""

import argparse
import dataclasses
import json
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

BASELINE = "DeepFillV2"
NETWORKS = ("DeepFillV2", "CoherencePriorsInpainting", "SemanticGuidedInpainting")
SEGMENTATION = "ENet"
WHAT = {
    "DeepFillV2": "no labels",
    "CoherencePriorsInpainting": "labels to train",
    "SemanticGuidedInpainting": "labels to train and to fill",
}
RATE = 5e-4
BATCH = 8  # of images to fill and to segment, in judging


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The options."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks guidance",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--data", required=True, help="a segmentation data set, as `segpaint train` takes it")
    parser.add_argument("--out", type=Path, default=Path("runs/guidance"), help="default: runs/guidance")
    parser.add_argument("--size", type=int, default=128, help="height and width (default: 128)")
    parser.add_argument("--steps", type=int, default=600, help="of each network that fills (default: 600)")
    parser.add_argument("--segmentation-steps", type=int, default=500, help="default: 500")
    parser.add_argument("--batch-size", type=int, default=4, help="default: 4")
    parser.add_argument("--cnum", type=int, default=16, help=f"width of {BASELINE} (default: 16)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", choices=(*NETWORKS, SEGMENTATION), help="train this one, and judge it if it can be")
    parser.add_argument("--backend", choices=("tensorflow", "jax", "torch"), default="tensorflow")
    parser.add_argument("--threads", type=int, default=2, help="default: 2")
    parser.add_argument("--xla", action="store_true", help="compile the training steps with XLA")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> None:
    """Trains what is not trained yet, judges it, and prints the table of all that is judged."""
    options = parse(arguments)
    os.environ.setdefault("KERAS_BACKEND", options.backend)
    os.environ.setdefault("OMP_NUM_THREADS", str(options.threads))
    from benchmarks.ours import limit_threads
    from keras_segpaint import data

    limit_threads(os.environ["KERAS_BACKEND"], options.threads)
    sets = {split: data.load_dataset(options.data, split) for split in ("train", "val")}
    wanted = (options.only,) if options.only else (SEGMENTATION, *NETWORKS)
    for name in wanted:
        train(name, options, sets)
    if (finished := options.out / SEGMENTATION / "seconds.json").exists():
        for name in NETWORKS:
            if (options.out / name / "seconds.json").exists() and not (options.out / name / "scores.json").exists():
                judge(name, options, sets["val"])
        print(table(options))
    else:
        print(f"No network is judged before {SEGMENTATION} is trained: there is no {finished}.")


def train(name: str, options: argparse.Namespace, sets: dict[str, Any]) -> None:
    """Trains one network, or goes on, unless it is finished."""
    from keras_segpaint import training

    folder = options.out / name
    if (folder / "seconds.json").exists():
        return
    steps = options.segmentation_steps if name == SEGMENTATION else options.steps
    per_epoch = -(-len(sets["train"]) // options.batch_size)
    changes: dict[str, Any] = {"schedule": {"name": "poly"}}
    arguments: dict[str, Any] = {}
    if name == SEGMENTATION:
        changes["optimizer"] = {"name": "adam", "learning_rate": 1e-3}
    else:
        arguments = arguments_of(name, options, sets["train"].num_classes)
        changes["optimizer"] = {"learning_rate": RATE, "beta_1": 0.9}
        changes["adversarial"] = None
        changes["masks"] = {"name": "MaskUnion", "generators": ({"name": "RectangleMask"}, {"name": "FreeFormMask"})}
    config = training.TrainConfig(
        name,
        data=options.data,
        size=(options.size, options.size),
        epochs=max(round(steps / per_epoch), 1),
        batch_size=options.batch_size,
        seed=options.seed,
        model_args=arguments,
        recipe=changes,
    )
    print(f"{name}: {config.epochs} epochs of {per_epoch} steps ...", flush=True)
    start = time.perf_counter()
    training.train(
        config,
        folder,
        resume=(folder / "config.json").exists(),
        callbacks=[compiler()] if options.xla else [],
        train_data=sets["train"],
        val_data=sets["val"],
        verbose=0,
    )
    steps = (config.epochs or 0) * per_epoch
    record = {"seconds": time.perf_counter() - start, "steps": steps, "batch_size": options.batch_size}
    (folder / "seconds.json").write_text(json.dumps(record) + "\n")
    print(f"{name}: {record['seconds']:.0f} s", flush=True)


def compiler() -> Any:
    """A callback that has XLA compile the step."""
    import keras

    class Compile(keras.callbacks.Callback):
        def set_model(self, model: Any) -> None:
            super().set_model(model)
            model.jit_compile = True

    return Compile()


def arguments_of(name: str, options: argparse.Namespace, num_classes: int) -> dict[str, Any]:
    """The width that gives a network about as many parameters as the baseline has."""
    from keras_segpaint import models

    if name == BASELINE:
        return {"cnum": options.cnum}
    target = models.DeepFillV2(options.cnum).count_params()
    settings = {"input_shape": (options.size, options.size, 3)}

    def arguments(width: int) -> dict[str, Any]:
        guide = {"guide_filters": 2 * width} if name == "SemanticGuidedInpainting" else {}
        return {"base_filters": 2 * width, **guide}

    def parameters(width: int) -> int:
        return getattr(models, name)(num_classes, **arguments(width), **settings).count_params()

    return arguments(nearest(parameters, target))


def nearest(count: Callable[[int], int], target: int) -> int:
    """The integer >= 1 at which a growing function comes nearest to a number."""
    high = 1
    while count(high) < target:
        high *= 2
    low = max(high // 2, 1)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if count(middle) < target else (low, middle)
    return min((low, high), key=lambda width: abs(count(width) - target))


def judge(name: str, options: argparse.Namespace, dataset: Any) -> None:
    """Fills the holes of the validation images, segments them, and writes the scores."""
    import keras
    import numpy as np

    from keras_segpaint import data, metrics

    network = keras.saving.load_model(options.out / name / "checkpoints" / "best.keras", compile=False)
    segmenter = keras.saving.load_model(options.out / SEGMENTATION / "checkpoints" / "best.keras", compile=False)
    batches = data.GuidedInpaintingDataset(
        dataset,
        data.MaskUnion([data.RectangleMask(), data.FreeFormMask()]),
        batch_size=BATCH,
        size=(options.size, options.size),
        fixed=True,
        seed=options.seed + 1,
        workers=1,
        data_format="channels_last",
    )
    scoring = metrics.FillScoring((0.0, 1.0), "channels_last")
    confusions = {f"{of}_{where}": 0 for of in ("filled", "real") for where in ("image", "hole")}
    for index in range(len(batches)):
        (images, masks, labels), _, _ = batches[index]
        inputs = [images, masks, labels][: len(network.inputs)]
        truth = (images + 1) / 2
        filled = np.where(masks > 0, (np.asarray(network.predict_on_batch(inputs)).clip(-1, 1) + 1) / 2, truth)
        scoring.update(truth, filled, masks)
        for of, shown in (("filled", filled), ("real", truth)):
            found = np.asarray(segmenter.predict_on_batch(shown.astype("float32"))).argmax(-1)
            for where, count in (("image", np.ones_like(masks)), ("hole", masks)):
                there = (count[..., 0] > 0) & (labels[..., 0] != 255)
                confusions[f"{of}_{where}"] += confusion(labels[..., 0][there], found[there], dataset.num_classes)
    record = {
        "parameters": sum(int(np.prod(weight.shape)) for weight in network.trainable_weights),
        **dataclasses.asdict(scoring.scores()),
        **{f"miou_{key}": metrics.scores(matrix).mean_iou for key, matrix in confusions.items()},
    }
    (options.out / name / "scores.json").write_text(json.dumps(record, indent=1) + "\n")


def confusion(labels: Any, found: Any, classes: int) -> Any:
    """Counts of pixels, `[true, predicted]`."""
    import numpy as np

    return np.bincount(labels * classes + found, minlength=classes**2).reshape(classes, classes)


def table(options: argparse.Namespace) -> str:
    """What is judged, as Markdown."""
    lines = [
        f"{options.data} at {options.size} x {options.size}, seed {options.seed}; in the holes of the validation images, and "
        f"the mean IoU of {SEGMENTATION} on the filled images",
        "",
        "| network | guide | parameters | steps | hole L1 % | hole PSNR | hole SSIM | mIoU, image | mIoU, holes | training |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    real = None
    for name in NETWORKS:
        folder = options.out / name
        if not (folder / "scores.json").exists():
            continue
        scores = json.loads((folder / "scores.json").read_text())
        spent = json.loads((folder / "seconds.json").read_text())
        real = (scores["miou_real_image"], scores["miou_real_hole"])
        lines.append(
            f"| {name} | {WHAT[name]} | {scores['parameters']:,} | {spent['steps']} of {spent['batch_size']} | "
            f"{100 * scores['hole_l1']:.2f} | {scores['hole_psnr']:.2f} | {scores['hole_ssim']:.3f} | "
            f"{scores['miou_filled_image']:.4f} | {scores['miou_filled_hole']:.4f} | {spent['seconds']:.0f} s |"
        )
    if real is not None:
        lines.append(f"| the images themselves | | | | 0 | | 1 | {real[0]:.4f} | {real[1]:.4f} | |")
    return "\n".join(lines)

"""`segpaint demo`: the whole way from images to a file for a phone in a few minutes, without a network connection."""

import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from keras_segpaint.cli.console import output, plain, score_table
from keras_segpaint.cli.export import export_lines, print_export
from keras_segpaint.cli.options import DebugOption, start

__all__ = ["RECIPE", "demo"]

NETWORK = "ENet"
# ENet draws boundaries from features at a quarter of its input's size, and the folds of the cortex are three millimetres
# wide: enlarged slices make them wide for ENet too.
PIXELS_PER_MM = 4
SIZE = (192 * PIXELS_PER_MM, 160 * PIXELS_PER_MM)
# Passes over the slices in one epoch: a slice gives several crops, and checkpoints take time.
REPEATS = 5

# The batch size divides the numbers of slices to learn and to validate on: XLA compiles the step for each size anew.
RECIPE: dict[str, Any] = {
    "optimizer": {"name": "adam", "learning_rate": 2.5e-2, "beta_2": 0.99},
    "schedule": {"name": "poly", "power": 1.5},
    "epochs": 7,
    "batch_size": 4,
    # A batch of black surroundings alone would have no variance to normalise by.
    "augmentation": [{"name": "RandomFlip"}, {"name": "RandomCrop", "size": (144, 144), "largest_share": 0.9}],
    "class_weights": None,
    "weight_decay": 0.0,
}
# The statistics of four crops are not those of a slice; the last epochs fit the weights to fixed ones.
LEARNING_STATISTICS = 0.5
# Above this, two logits differ by more than rounding does. Pooling passes on where a maximum was; between two values that
# are equal up to rounding, as in the black surroundings, the exported file may choose the other.
TOLERANCE = 1e-3
# The widest decoder of the published layouts, which learns the fastest.
ARGUMENTS: dict[str, Any] = {"variant": "pytorch"}


@dataclass(frozen=True)
class Judged:
    """What the exported file does on the test slices."""

    confusion: Any
    class_maps: list[Any]
    difference: float
    share_beyond: float
    milliseconds: float


def demo(
    out: Annotated[Path, typer.Option(help="Folder for the page and the model.")] = Path("demo_report"),
    epochs: Annotated[int, typer.Option(min=1, help="Epochs of training.")] = RECIPE["epochs"],
    debug: DebugOption = False,
) -> None:
    """Train ENet on slices of a brain, measure it, export it, run the exported file, and write a page about it.

    The images are those of the brain template that nilearn carries; the classes are background, grey matter, white
    matter and other tissue. Runs on TensorFlow in a few minutes and needs no network.

    Example: segpaint demo --out demo_report
    """
    began = time.monotonic()
    start("tensorflow")
    import numpy as np

    from keras_segpaint import data, export, metrics, training, viz
    from keras_segpaint.cli.fast_fit import FastFit
    from keras_segpaint.cli.progress import TrainingProgress, counted
    from keras_segpaint.cli.runs import open_model
    from keras_segpaint.extras import require
    from keras_segpaint.inference.images import forward, input_channels, to_float

    # The export comes last; what it needs is looked for first.
    require("ai_edge_litert.interpreter", "demo", "The demo")
    train, val, test = (data.BrainTemplate(split, PIXELS_PER_MM) for split in ("train", "val", "test"))
    val_data = val.subset(range(0, len(val), 3))  # neighbours look alike
    output.print(
        f"{len(train)} slices to learn from, {len(val_data)} to choose the best epoch, {len(test)} to judge it"
    )
    shutil.rmtree(out / "run", ignore_errors=True)
    config = training.TrainConfig(
        NETWORK, "brain", size=SIZE, epochs=epochs, model_args=ARGUMENTS, recipe=RECIPE, workers=1
    )
    with TrainingProgress(NETWORK) as progress:
        result = training.train(
            config,
            out / "run",
            callbacks=[progress, FastFit(), training.FreezeStatistics(round(LEARNING_STATISTICS * epochs))],
            train_data=train.subset(list(range(len(train))) * REPEATS),
            val_data=val_data,
            verbose=0,
            progress=progress.check,
        )
    trained = time.monotonic() - began
    shutil.copyfile(result.best_path, out / "model.keras")
    model, _ = open_model(out / "model.keras")

    images = np.stack([example.image for example in test])
    with counted("test slices segmented by the Keras model") as report:
        logits = []
        for index, image in enumerate(images):
            logits.append(forward(model, to_float(image, input_channels(model))[None])[0])
            report(index + 1, len(images))
    scores = metrics.scores(_confusion(test, [np.argmax(one, axis=-1) for one in logits]))
    output.print(score_table("Keras model, test slices", scores, test.class_names))

    with output.status("exporting to LiteRT"):
        exported = export.to_litert(model, out / "model.tflite", input_shape=images.shape[1:], images=images[::8])
    print_export(exported)
    with counted("test slices segmented by the exported file") as report:
        judged = _judge(export.LiteRTModel(exported.path), logits, images, test, report)
    file_scores = metrics.scores(judged.confusion)
    output.print(score_table("Exported file, test slices", file_scores, test.class_names))

    chosen = np.linspace(0, len(test) - 1, 6).round().astype(int)
    samples = [viz.Sample(test[i].image, test[i].mask, judged.class_maps[i], test[i].name) for i in chosen]
    minutes = (time.monotonic() - began) / 60
    summary = {
        "mean IoU, Keras model": f"{scores.mean_iou:.4f}",
        "mean IoU, exported file": f"{file_scores.mean_iou:.4f}",
        "largest difference": f"{judged.difference:.1e}",
        f"logits off by {TOLERANCE:g}": f"{judged.share_beyond:.2%}",
        "per image, exported file": f"{judged.milliseconds:.0f} ms",
        "exported file": f"{exported.size_bytes / 1e6:.2f} MB",
        "training": f"{trained / 60:.1f} min",
    }
    page = viz.write_report(
        out / "index.html",
        title="ENet on slices of the ICBM152 brain",
        summary=summary,
        history=result.history,
        confusion=judged.confusion,
        class_names=test.class_names,
        palette=test.palette,
        samples=samples,
        tables={"Exported file": [{"": name, "value": value} for name, value in export_lines(exported).items()]},
        ignore_class=test.ignore_class,
    )
    for name, value in summary.items():
        output.print(f"{name:<26}{value}", highlight=False)
    output.print(f"everything took {minutes:.1f} min; open {plain(page)}", soft_wrap=True, highlight=False)


def _judge(runner: Any, expected: list[Any], images: Any, test: Any, report: Any) -> Judged:
    """Runs the exported file on the test slices and compares it with the Keras model's logits and with the truth."""
    import numpy as np

    class_maps, seconds, largest, beyond = [], [], [], []
    for index, image in enumerate(images):
        began = time.perf_counter()
        logits = runner(image[None])[0]
        seconds.append(time.perf_counter() - began)
        difference = np.abs(logits - expected[index])
        largest.append(float(difference.max()))
        beyond.append(float(np.mean(difference > TOLERANCE)))
        class_maps.append(np.argmax(logits, axis=-1))
        report(index + 1, len(images))
    milliseconds = 1e3 * float(np.median(seconds))
    return Judged(_confusion(test, class_maps), class_maps, max(largest), float(np.mean(beyond)), milliseconds)


def _confusion(test: Any, class_maps: list[Any]) -> Any:
    """Pixels by `[true class, predicted class]`."""
    import numpy as np

    from keras_segpaint.metrics.scores import count_confusion

    truth = np.stack([example.mask for example in test])
    return count_confusion(truth, np.stack(class_maps), test.num_classes, test.ignore_class)

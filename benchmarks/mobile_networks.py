"""The networks of `python -m benchmarks mobile`: how they are trained there, and what they and their files score."""

import argparse
import json
import os
import time
from pathlib import Path
from typing import Any

SEGMENTATION: dict[str, dict[str, Any]] = {
    "ENet": {},
    "LinkNet": {},
    "SegNet": {},
    "UNet": {},
    "DeepLabV3Plus": {"backbone": "mobilenet_v2", "separable": True},
}
# A network that halves the size as often as PConvUNet does at 512 pixels has nothing left to halve at 128.
INPAINTING: dict[str, dict[str, Any]] = {"DeepFillV2": {}, "PConvUNet": {"levels": 6}}
NETWORKS = (*SEGMENTATION, *INPAINTING)
CALIBRATION = 64  # images
MOMENTUM = 0.9


def trained(name: str, options: argparse.Namespace, sets: dict[str, Any]) -> Any:
    """The network of a run that was given, or one trained here."""
    import keras

    from keras_segpaint import training

    given = dict(options.run).get(name)
    folder = given or options.out / name / "training"
    if given is None and not (folder / "finished.json").exists():
        fills = name in INPAINTING
        steps = options.fill_steps if fills else options.steps
        count = min(len(sets["train"]), steps * options.batch_size)
        epochs = max(round(steps * options.batch_size / count), 1)
        config = training.TrainConfig(
            name,
            data=options.data,
            size=options.size,
            epochs=epochs,
            batch_size=options.batch_size,
            seed=options.seed,
            model_args=arguments_of(name, options.width),
            recipe=changes_of(name),
        )
        print(f"{name}: {epochs} epochs of {-(-count // options.batch_size)} steps ...", flush=True)
        start = time.perf_counter()
        training.train(
            config,
            folder,
            resume=(folder / "config.json").exists(),
            callbacks=[quick_statistics()],
            train_data=sets["train"].subset(range(count)),
            val_data=sets["val"].subset(range(min(len(sets["val"]), options.batch_size))),
            verbose=0,
        )
        keep(folder / "finished.json", {"seconds": time.perf_counter() - start, "epochs": epochs})
    file = folder / "checkpoints" / ("best.keras" if given else "last.keras")
    model = keras.saving.load_model(file if folder.is_dir() else folder, compile=False)
    return model.predictor() if hasattr(model, "predictor") else model


def arguments_of(name: str, width: int | None) -> dict[str, Any]:
    """Of the network's class."""
    widths = {"DeepFillV2": "cnum", "PConvUNet": "base_filters", "SegNet": "base_filters", "UNet": "base_filters"}
    arguments = dict({**SEGMENTATION, **INPAINTING}[name])
    if width is not None and name in widths:
        arguments[widths[name]] = width
    return arguments


def changes_of(name: str) -> dict[str, Any]:
    """Of the paper's recipe, for a short training: no critic, no features to download, one optimizer."""
    changes: dict[str, Any] = {"schedule": {"name": "poly"}, "optimizer": {"name": "adam", "learning_rate": 1e-3}}
    if name in INPAINTING:
        changes["optimizer"]["learning_rate"] = 5e-4
        changes["adversarial"] = None
    if name == "PConvUNet":
        changes["loss"] = {"features": None}
    return changes


def quick_statistics() -> Any:
    """A callback with which running statistics of normalisation follow a short training, of which they would lag behind."""
    import keras

    class QuickStatistics(keras.callbacks.Callback):
        def on_train_begin(self, logs: Any = None) -> None:
            for layer in self.model._flatten_layers():
                if isinstance(layer, keras.layers.BatchNormalization):
                    layer.momentum = min(layer.momentum, MOMENTUM)

    return QuickStatistics()


class Judge:
    """Validation data of one kind of network, what the Keras model scores on it, and what a file does."""

    def __init__(self, name: str, model: Any, options: argparse.Namespace, sets: dict[str, Any]):
        self.fills = name in INPAINTING
        self.measure = "PSNR" if self.fills else "mIoU"
        self.classes = sets["val"].num_classes
        self.ignored = sets["val"].ignore_class
        self.batches = self._batches(sets["val"], options.images, options)
        self.calibration = [image for image, _ in self._batches(sets["train"], CALIBRATION, options)]
        if self.fills:
            # The Keras model takes colours in [-1, 1] and the mask apart.
            self.score = self.of(lambda planes: filled_by(model, planes))
        else:
            self.score = self.of(model.predict_on_batch)

    def _batches(self, dataset: Any, most: int, options: argparse.Namespace) -> list[tuple[Any, Any]]:
        """Inputs of a file, `(1, height, width, channels)` in [0, 1], with labels or true images."""
        import numpy as np

        from keras_segpaint import data

        part = dataset.subset(range(min(len(dataset), most)))
        common = dict(batch_size=1, size=options.size, workers=0, data_format="channels_last", seed=options.seed)
        if not self.fills:
            batches = data.Pipeline(part, channels=3, **common)
            return [batches[index] for index in range(len(batches))]
        masks = data.MaskUnion([data.RectangleMask(), data.FreeFormMask()])
        filling = data.InpaintingDataset(part, masks, fixed=True, **common)
        found = []
        for index in range(len(filling)):
            (images, holes), _, _ = filling[index]
            truth = (images + 1) / 2
            found.append((np.concatenate([truth, holes], -1).astype("float32"), truth))
        return found

    def of(self, function: Any) -> float:
        """The score of a function of one input."""
        import numpy as np

        from keras_segpaint import metrics
        from keras_segpaint.metrics.scores import count_confusion

        scoring = metrics.FillScoring((0.0, 1.0), "channels_last")
        matrix = np.zeros((self.classes, self.classes), np.int64)
        for inputs, truth in self.batches:
            outputs = np.asarray(function(inputs))
            if self.fills:
                scoring.update(truth, outputs, inputs[..., 3:])
            else:
                matrix += count_confusion(truth, outputs.argmax(-1), self.classes, self.ignored)
        return float(scoring.scores().hole_psnr if self.fills else metrics.scores(matrix).mean_iou)


def filled_by(model: Any, planes: Any) -> Any:
    """What an inpainting network makes of colours in [0, 1] and a mask, in [0, 1]."""
    import numpy as np

    images, holes = planes[..., :3], planes[..., 3:]
    return (np.asarray(model.predict_on_batch([images * 2 - 1, holes])).clip(-1, 1) + 1) / 2


def keep(path: Path, record: dict[str, Any]) -> None:
    """Writes what is finished; it is there whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    temporary.write_text(json.dumps(record, indent=1) + "\n")
    os.replace(temporary, path)

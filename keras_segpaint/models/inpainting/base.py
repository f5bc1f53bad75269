"""What all inpainting networks and their critics share."""

from typing import Any, ClassVar, Literal

from keras_segpaint.models.remembered import RememberedModel
from keras_segpaint.ops.named_losses import as_loss


class InpaintingModel(RememberedModel):
    """A network that fills the holes of an image.

    Its inputs are `[image, mask]`: float32 images in [-1, 1] and hole masks `(batch, height, width, 1)` with 1 for a
    hole. What the image holds in its holes does not matter. The output is the whole image as the network makes it:
    keep the known pixels of the input by `mask * output + (1 - mask) * image`.

    A network of two stages takes `both_stages`: with `True`, for training, the output is a dictionary of `"image"` and
    `"coarse"`, the result of the first stage, and `compile` takes one loss and plain metrics as for any other network:
    `fit` is given one image, which both stages are judged by; metrics see the final image alone. (Given a dictionary of
    images, as Keras has it, each stage has its own.) `predictor()` gives the network with the image alone.

    A network that is guided by label maps has `labels` as its last input. One that predicts label maps, to learn from
    them, is fitted to `{"image": images, "labels": labels}`.

    Attributes:
        training_argument: The argument that adds the results of training to the final image.
        guidance: What label maps are to the network: `"input"`, `"target"` in training, or `None`.
        size_multiple: What height and width have to be multiples of.
        smallest_size: Least height and width.
        coarse_weight: Of the first stage's loss, beside the final image's.
    """

    training_argument: ClassVar[str] = "both_stages"
    guidance: ClassVar[Literal["input", "target"] | None] = None
    size_multiple: ClassVar[int] = 1
    smallest_size: ClassVar[int] = 1
    coarse_weight: ClassVar[float] = 1.0

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        """The loss of the final image plus the weighted one of the first stage's."""
        if not isinstance(y_pred, dict) or isinstance(y, dict):
            return super().compute_loss(x, y, y_pred, sample_weight, training)
        total = super().compute_loss(x, y, y_pred["image"], sample_weight, training)
        return total + self.coarse_weight * as_loss(self.loss)(y, y_pred["coarse"], sample_weight)

    def reconstruction_loss(self, loss: Any, y: Any, y_pred: Any, mask: Any) -> Any:
        """What a step against a critic has as the loss of the generator's results, beside the critic's judgement.

        Args:
            loss: That of one image, called with truth, result and mask.
            y: The true images, or what else the network is fitted to.
            y_pred: What it gave.
            mask: The masks of holes.
        """
        results = y_pred if isinstance(y_pred, dict) else {"image": y_pred}
        weights = {"coarse": self.coarse_weight}
        return sum(weights.get(name, 1.0) * loss(y, result, mask) for name, result in results.items())

    def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> dict[str, Any]:
        """The metrics of the final image."""
        if isinstance(y_pred, dict) and not isinstance(y, dict):
            y_pred = y_pred["image"]
        return super().compute_metrics(x, y, y_pred, sample_weight)

    def predictor(self) -> "InpaintingModel":
        """The network whose only output is the final image, with the same weights; itself where it is one."""
        if not self._arguments.get(self.training_argument):
            return self
        return self.rebuilt(**{self.training_argument: False})


def keep_known(known: Any, mask: Any, made: Any) -> Any:
    """An image whose holes are 0, filled with another one: where its mask is 1."""
    return known + made * mask

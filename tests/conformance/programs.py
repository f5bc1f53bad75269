"""What a network computes, with few programs."""

from typing import Any

import keras


def predict(model: keras.Model, inputs: Any) -> Any:
    """The output in inference mode, as `predict_on_batch` gives it.

    TensorFlow would trace a program for the first size and batch, and another one for a second. Here it traces one for
    all that the model's input allows, with unknown extents where that has them.
    """
    if keras.backend.backend() != "tensorflow":
        return model.predict_on_batch(inputs)
    import tensorflow

    if "program" not in vars(model):
        signature = [tensorflow.TensorSpec(each.shape, each.dtype) for each in model.inputs]
        program = tensorflow.function(
            lambda *arrays: model(list(arrays) if len(arrays) > 1 else arrays[0], training=False),
            input_signature=signature,
        )
        # Not by the model's own setter, which would make it a part of what is saved.
        object.__setattr__(model, "program", program)
    output = vars(model)["program"](*(inputs if isinstance(inputs, list) else [inputs]))
    return keras.tree.map_structure(lambda x: x.numpy(), output)

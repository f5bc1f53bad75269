"""Spectral normalisation as a reparametrisation of the kernel."""

from typing import Any

import keras
from keras import layers, ops


@keras.saving.register_keras_serializable(package="keras_segpaint")
class SpectralNormalization(layers.Layer):
    """Runs a layer with its kernel divided by the kernel's largest singular value.

    The wrapped layer keeps the raw kernel: the division happens in every call and gradients pass through it, as in
    `torch.nn.utils.spectral_norm`. The singular value is `u . (W v)` with `W` the kernel as a matrix of one row per
    filter; each training call first improves `u` and `v` by power iteration, inference uses them as they are. All of
    it is computed in float32 under every dtype policy.

    Args:
        layer: A layer with an attribute `kernel`: a convolution, depthwise or transposed convolution, or `Dense`.
        power_iterations: Integer >= 1, iterations per training call. Defaults to `1`.
        epsilon: Float, the smallest norm that is divided by. Defaults to `1e-12`.
        **kwargs: Base layer arguments; the dtype policy is that of `layer`.

    Input shape:
        That of `layer`.

    Output shape:
        That of `layer`.

    Raises:
        ValueError: If `layer` has no kernel or `power_iterations` is below 1.

    References:
        - [Spectral Normalization for Generative Adversarial Networks](https://arxiv.org/abs/1802.05957), algorithm 1.

    Example:
        >>> layer = SpectralNormalization(keras.layers.Dense(4))
        >>> tuple(layer(keras.ops.ones((2, 3))).shape)
        (2, 4)
    """

    def __init__(self, layer: layers.Layer, power_iterations: int = 1, epsilon: float = 1e-12, **kwargs: Any):
        # The wrapper itself is float32 and leaves inputs alone, so that it reads the kernel as it is; `layer` has the
        # dtype policy of the network.
        kwargs["dtype"] = "float32"
        super().__init__(autocast=False, **kwargs)
        if power_iterations < 1:
            raise ValueError(
                f"`power_iterations` must be an integer >= 1. Received: power_iterations={power_iterations}"
            )
        self.layer = layer
        self.power_iterations = power_iterations
        self.epsilon = epsilon

    def build(self, input_shape: Any) -> None:
        if not self.layer.built:
            self.layer.build(input_shape)
        if getattr(self.layer, "kernel", None) is None:
            raise ValueError(
                "`layer` must have an attribute `kernel`, such as Conv2D, Conv2DTranspose, DepthwiseConv2D or Dense. "
                f"Received: layer={self.layer}"
            )
        kernel_shape = tuple(self.layer.kernel.shape)
        # Transposed convolutions keep (rows, columns, out, in); all others end in the output axis.
        transposed = isinstance(self.layer, layers.Conv1DTranspose | layers.Conv2DTranspose | layers.Conv3DTranspose)
        self._filter_axis = len(kernel_shape) - (2 if transposed else 1)
        filters = kernel_shape[self._filter_axis]
        columns = 1
        for axis, extent in enumerate(kernel_shape):
            columns *= 1 if axis == self._filter_axis else extent
        # States that a call assigns must not be autocast, or the assignment is lost under mixed precision on PyTorch.
        state = dict(trainable=False, dtype="float32", autocast=False)
        self.u = self.add_weight(name="u", shape=(filters,), initializer="random_normal", **state)
        self.v = self.add_weight(name="v", shape=(columns,), initializer="random_normal", **state)
        matrix = self._matrix()
        u = self._normalize(self.u)
        for _ in range(3):
            v = self._normalize(ops.matmul(u, matrix))
            u = self._normalize(ops.matmul(matrix, v))
        self.u.assign(u)
        self.v.assign(v)
        self.built = True

    def call(self, inputs: Any, training: bool = False, **kwargs: Any) -> Any:
        matrix = self._matrix()
        u, v = ops.convert_to_tensor(self.u), ops.convert_to_tensor(self.v)
        if training:
            frozen = ops.stop_gradient(matrix)
            for _ in range(self.power_iterations):
                v = self._normalize(ops.matmul(u, frozen))
                u = self._normalize(ops.matmul(frozen, v))
            self.u.assign(u)
            self.v.assign(v)
        sigma = ops.sum(u * ops.matmul(matrix, v))
        # The layer runs on the divided kernel without being changed: a stateless scope answers for its variables. It
        # has to name all of them, since it hides the scope in which JAX trains.
        values = [(variable, variable.value) for variable in self.layer.variables if variable is not self._kernel]
        values.append((self._kernel, self._raw_kernel() / sigma))
        with keras.StatelessScope(state_mapping=values):
            return self.layer(inputs, **kwargs)

    @property
    def _kernel(self) -> Any:
        return next(variable for variable in self.layer.weights if variable.name == "kernel")

    def _raw_kernel(self) -> Any:
        return ops.cast(ops.convert_to_tensor(self._kernel), "float32")

    def _matrix(self) -> Any:
        kernel = ops.moveaxis(self._raw_kernel(), self._filter_axis, 0)
        return ops.reshape(kernel, (kernel.shape[0], -1))

    def _normalize(self, vector: Any) -> Any:
        return vector / ops.maximum(ops.norm(vector), self.epsilon)

    def compute_output_spec(self, inputs: Any, **kwargs: Any) -> keras.KerasTensor:
        return keras.KerasTensor(self.layer.compute_output_shape(inputs.shape), dtype=self.layer.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        config.update(
            layer=keras.saving.serialize_keras_object(self.layer),
            power_iterations=self.power_iterations,
            epsilon=self.epsilon,
        )
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "SpectralNormalization":
        """Rebuilds the wrapper and the layer in it."""
        config["layer"] = keras.saving.deserialize_keras_object(config["layer"])
        return cls(**config)

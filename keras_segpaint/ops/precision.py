"""Where a backend's arithmetic cannot be trusted in half precision."""

from typing import Any

import keras


def dilated_policy(dtype: Any) -> Any:
    """The dtype policy of a dilated convolution in a network of policy `dtype`: float32 for bfloat16 on PyTorch's CPU.

    There the gradient for the kernel is wrong, NaN, or the end of the process, without a word (PyTorch 2.13, oneDNN on
    AVX-512): in bfloat16, with the channels last in memory as Keras puts them, and a dilation rate above 1, for each
    depthwise convolution, and for others of more than 16 input channels that are no multiple of 16, if the map is wide:

        x = torch.rand(1, 24, 20, 56).bfloat16().to(memory_format=torch.channels_last)
        kernel = torch.zeros(16, 24, 3, 3, dtype=torch.bfloat16, requires_grad=True)
        y = torch.nn.functional.conv2d(x, kernel, dilation=8)
        y.backward(torch.ones_like(y).to(memory_format=torch.channels_last))

    float16, channels first, and undilated convolutions are right. Variables are float32 in mixed precision anyway.
    """
    policy = keras.dtype_policies.get(dtype)
    if keras.backend.backend() != "torch" or policy.compute_dtype != "bfloat16":
        return policy
    import torch

    if torch.cuda.is_available() or torch.backends.mps.is_available():
        return policy
    return keras.dtype_policies.get("float32")

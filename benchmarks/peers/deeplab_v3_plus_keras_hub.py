"""DeepLab v3+ of KerasHub on ResNet-50."""

from typing import Any


def build(classes: int, image_shape: tuple[int, int, int]) -> Any:
    """The network with `classes` outputs."""
    import keras_hub

    encoder = keras_hub.models.ResNetBackbone(
        input_conv_filters=[64],
        input_conv_kernel_sizes=[7],
        stackwise_num_filters=[64, 128, 256, 512],
        stackwise_num_blocks=[3, 4, 6, 3],
        stackwise_num_strides=[1, 2, 2, 2],
        block_type="bottleneck_block",
        image_shape=image_shape,
    )
    backbone = keras_hub.models.DeepLabV3Backbone(
        encoder,
        spatial_pyramid_pooling_key="P5",
        upsampling_size=8,
        dilation_rates=[6, 12, 18],
        low_level_feature_key="P2",
        projection_filters=48,
        image_shape=image_shape,
    )
    # Without `fit`'s and `predict`'s preprocessing of images: what is compared is the network.
    return keras_hub.models.DeepLabV3ImageSegmenter(backbone, num_classes=classes, preprocessor=None)

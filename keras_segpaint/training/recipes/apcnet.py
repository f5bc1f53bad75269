"""How APCNet was trained."""

from keras_segpaint.training.segmentation_recipe import L2_PENALTY, SegmentationRecipe

__all__ = ["RECIPE"]

RECIPE = SegmentationRecipe(
    model="APCNet",
    paper="He, Deng, Zhou, Wang, Qiao 2019, APCNet, CVPR 2019",
    optimizer={"name": "sgd", "learning_rate": 0.01, "momentum": 0.9},
    schedule={"name": "poly", "power": 0.9},
    epochs=63,
    batch_size=16,
    crop_size=(512, 512),
    augmentation=(
        {"name": "RandomScale", "factor": (0.5, 2.0)},
        {"name": "RandomFlip"},
        {"name": "RandomCrop"},
        {"name": "ColorJitter", "brightness": 0.125, "contrast": 0.5, "saturation": 0.5, "hue": 0.1},
    ),
    weight_decay=5e-4,
    sources={
        "optimizer": "mmsegmentation's configuration",
        "schedule": "mmsegmentation's configuration: poly, power 0.9, there down to 1e-4 and not to 0",
        "epochs": "mmsegmentation's configuration: 80,000 steps of 16 images, which are 63 epochs of ADE20K's 20,210",
        "batch_size": "mmsegmentation's configuration: 4 images on each of 4 devices",
        "crop_size": "mmsegmentation's configuration for ADE20K; 512 x 1024 for Cityscapes",
        "augmentation": "mmsegmentation's configuration; there each change of colour touches half of the images and "
        "brightness is added, here all images are changed and brightness is multiplied",
        "class_weights": "None named",
        "weight_decay": "mmsegmentation's configuration; " + L2_PENALTY,
    },
)

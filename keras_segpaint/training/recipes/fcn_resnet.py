"""How FCNResNet was trained."""

from keras_segpaint.training.segmentation_recipe import L2_PENALTY, SegmentationRecipe

__all__ = ["RECIPE"]

RECIPE = SegmentationRecipe(
    model="FCNResNet",
    paper="Long, Shelhamer, Darrell 2014, FCN, arXiv:1411.4038, on the dilated ResNet of torchvision",
    optimizer={"name": "sgd", "learning_rate": 0.02, "momentum": 0.9},
    schedule={"name": "poly", "power": 0.9},
    epochs=30,
    batch_size=32,
    crop_size=(480, 480),
    augmentation=(
        {"name": "RandomScale", "factor": (0.5, 2.0)},
        {"name": "RandomFlip"},
        {"name": "RandomCrop"},
    ),
    weight_decay=1e-4,
    sources={
        "optimizer": "torchvision's reference script: 0.02 for its batch of 32; its auxiliary head learns at ten times "
        "that, here all learn alike",
        "schedule": "torchvision's reference script: poly, power 0.9",
        "epochs": "torchvision's reference script, on the images of COCO that have classes of Pascal VOC",
        "batch_size": "torchvision's reference script: 4 images on each of 8 devices",
        "crop_size": "torchvision's reference script",
        "augmentation": "torchvision's reference script: the shorter side is 260 to 1040 pixels, here the whole image "
        "is scaled by 0.5 to 2",
        "class_weights": "None named",
        "weight_decay": "torchvision's reference script; " + L2_PENALTY,
    },
)

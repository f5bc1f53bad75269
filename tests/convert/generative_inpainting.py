"""DeepFill v1 and v2 as their authors' graphs compute them, in TensorFlow's own operations and by name."""

import numpy as np

# Scope, width in multiples of the first, kernel, stride, dilation; behind an upsampling the map is twice as large.
COARSE = [
    ("conv1", 1, 5, 1, 1),
    ("conv2_downsample", 2, 3, 2, 1),
    ("conv3", 2, 3, 1, 1),
    ("conv4_downsample", 4, 3, 2, 1),
    ("conv5", 4, 3, 1, 1),
    ("conv6", 4, 3, 1, 1),
    *((f"conv{index}_atrous", 4, 3, 1, rate) for index, rate in ((7, 2), (8, 4), (9, 8), (10, 16))),
]
DECODER = [
    ("conv11", 4, 3, 1, 1),
    ("conv12", 4, 3, 1, 1),
    ("conv13_upsample/conv13_upsample_conv", 2, 3, 1, 1),
    ("conv14", 2, 3, 1, 1),
    ("conv15_upsample/conv15_upsample_conv", 1, 3, 1, 1),
    ("conv16", 0.5, 3, 1, 1),
    ("conv17", None, 3, 1, 1),
]
DILATED = [
    (f"x{name}", {"conv2_downsample": 1, "conv4_downsample": 2}.get(name, width), *rest)
    for name, width, *rest in COARSE
]
MATCHED = [
    ("pmconv1", 1, 5, 1, 1),
    ("pmconv2_downsample", 1, 3, 2, 1),
    ("pmconv3", 2, 3, 1, 1),
    ("pmconv4_downsample", 4, 3, 2, 1),
    ("pmconv5", 4, 3, 1, 1),
    ("pmconv6", 4, 3, 1, 1),
]
PASTED = [("pmconv9", 4, 3, 1, 1), ("pmconv10", 4, 3, 1, 1)]
JOINED = [("/".join(f"all{part}" for part in name.split("/")), *rest) for name, *rest in DECODER]


def shapes(width, gated, sketch=False):
    """The shapes of the variables of a generator: `width` is 48 in the published v2, 32 in v1."""
    found = {}

    def chain(rows, channels):
        for name, factor, kernel, _, _ in rows:
            filters = 3 if factor is None else int(width * factor)
            found[f"inpaint_net/{name}/kernel"] = (kernel, kernel, channels, filters)
            found[f"inpaint_net/{name}/bias"] = (filters,)
            channels = filters // 2 if gated and factor is not None else filters
        return channels

    chain(COARSE + DECODER, 6 if sketch else 5)
    refined = chain(DILATED, 3 if gated else 5)
    chain(PASTED, chain(MATCHED, 3 if gated else 5))
    chain(JOINED, 2 * refined)
    return found


def of_training(variables):
    """What training saves beside the generator."""
    slots = {f"{name}/{slot}": shape for name, shape in variables.items() for slot in ("Adam", "Adam_1")}
    critic = {"discriminator/sn_patch_gan/conv1/kernel": (5, 5, 4, 2), "discriminator/sn_patch_gan/conv1/bias": (2,)}
    return {**slots, **critic, "beta1_power": (), "beta2_power": (), "lr": (), "global_step": ()}


def compute(variables, image, mask, gated):
    """The filled image of a generator that takes blue first; `mask` is that of all images."""
    import tensorflow as tf

    def conv(x, name, factor, kernel, stride, rate):
        if "upsample" in name:
            x = resize(x, (2 * x.shape[1], 2 * x.shape[2]))
        x = tf.nn.conv2d(x, variables[f"inpaint_net/{name}/kernel"], stride, "SAME", dilations=rate)
        x = x + variables[f"inpaint_net/{name}/bias"]
        if factor is None:
            return x
        activation = tf.nn.relu if name == "pmconv6" else tf.nn.elu
        if not gated:
            return activation(x)
        features, gate = tf.split(x, 2, -1)
        return activation(features) * tf.sigmoid(gate)

    def resize(x, size):
        return tf.raw_ops.ResizeNearestNeighbor(images=x, size=size, align_corners=True)

    def chain(x, rows):
        for row in rows:
            x = conv(x, *row)
        return x

    def attend(x):
        height, width = x.shape[1:3]
        small = (height // 2, width // 2)
        holes = tf.squeeze(windows(resize(resize(mask, (height, width)), small), 3, 1)[0])
        known = np.float32(np.reshape(holes, (small[0] * small[1], 9)).sum(1) == 0)
        return tf.stack([rebuilt(sample, small, known) for sample in x])

    def windows(x, size, stride):
        one, many = [1, 1, 1, 1], [1, size, size, 1]
        return tf.image.extract_patches(x, many, [1, stride, stride, 1], one, "SAME")

    def rebuilt(sample, small, known):
        queries = windows(resize(sample[None], small), 3, 1).numpy().reshape(len(known), -1)
        keys = queries / np.maximum(np.linalg.norm(queries, axis=1, keepdims=True), 1e-4)
        scores = diagonals(queries @ keys.T)
        # The other way through both maps: columns first.
        order = np.arange(len(known)).reshape(small).T.ravel()
        back = np.argsort(order)
        scores = diagonals(scores[order][:, order])[back][:, back]
        weights = tf.nn.softmax(10.0 * scores * known).numpy() * known
        pasted = (weights @ windows(sample[None], 4, 2).numpy().reshape(len(known), -1)).reshape(*small, 4, 4, -1)
        canvas = np.zeros((2 * small[0] + 2, 2 * small[1] + 2, sample.shape[-1]), "float32")
        for row in range(small[0]):
            for column in range(small[1]):
                canvas[2 * row : 2 * row + 4, 2 * column : 2 * column + 4] += pasted[row, column] / 4
        return canvas[1:-1, 1:-1]

    def diagonals(scores):
        padded = np.pad(scores, 1)
        return padded[:-2, :-2] + scores + padded[2:, 2:]

    def finish(x):
        return tf.tanh(x) if gated else tf.clip_by_value(x, -1.0, 1.0)

    known = image * (1 - mask)
    planes = [tf.ones_like(known[..., :1]), tf.ones_like(known[..., :1]) * mask]
    coarse = finish(chain(tf.concat([known, *planes], -1), COARSE + DECODER))
    x = coarse * mask + known
    x = x if gated else tf.concat([x, *planes], -1)
    matched = chain(attend(chain(x, MATCHED)), PASTED)
    return finish(chain(tf.concat([chain(x, DILATED), matched], -1), JOINED)).numpy()

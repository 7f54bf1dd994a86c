"""What the paper leaves open, and what is done here: listed in lesson 05 and in every report.

The choices inside the networks are fields of their configurations and stand in lesson 03.
"""

from __future__ import annotations

from ivdlib.profiles import Profile

# (what, value here as a format of the profile `p`, what the paper says, why)
_OPEN = (
    ("loss", "{p.training.loss}", "not given",
     "a disc is 1 % of a scan: Dice balances, cross-entropy steadies"),
    ("length", "{p.training.steps} optimiser steps", "not given",
     "a fixed number makes arms comparable"),
    ("weights that count", "the last", "not given",
     "choosing the best epoch would need test patients or fewer training patients"),
    ("learning rate over time", "{p.training.schedule}", "1e-4, no schedule given",
     "constant is the plain reading; short profiles let it fall"),
    ("rotation", "up to {p.training.rotation:g}° to both sides", "rotation, no range given",
     "a moderate range; lying people differ little"),
    ("images that get random pixels", "a share of {p.training.noise_probability:g}",
     "“randomly select images”", "between none and all"),
    ("random pixels", "uniform in [0, 1], up to a share of {p.training.noise_max_share:g}",
     "“random-sized values”, 0–15 %", "the range of an image after min–max"),
    ("tiles to train on", "{p.training.tiles}, on a grid with random offset", "not given",
     "most tiles hold no disc"),
    ("fusion", "sum of the raw values, then min–max", "sum of “corresponding pixel values”",
     "the paper normalises “each image”, so the fused one"),
    ("min–max over", "the whole 3-D scan", "“each image”", "slices of a scan stay comparable"),
    ("one network or four", "one for all contrasts, one channel", "“single-channel”",
     "Table 2 tests fused contrasts “on the trained model”"),
    ("spine, truth", "mask of vertebrae, discs, canal; else a tube around the labelled discs",
     "not given", "the challenge labels discs only"),
    ("spine, input", "slices averaged over {p.spine.factor} × {p.spine.factor} pixels; mean over "
     "the single contrasts", "not given", "one region a scan, the same for every contrast"),
    ("spine, training", "{p.spine.steps} steps of {p.spine.batch} whole slices, rate "
     "{p.spine.learning_rate:g} falling to zero by a cosine; loss, rotation and random pixels as "
     "above", "not given", "the paper gives numbers for its second network alone"),
    ("spine, parts of the mask", "the largest connected part and others up to {p.spine.gap:g} mm "
     "away", "not given", "there is one spine"),
    ("spine, up-convolutions", "without batch normalisation and ReLU",
     "“BN layers after each convolution”", "as in the U-Net that the paper cites"),
    ("spine, use", "{p.spine.region} mask, widened by {p.spine.margin:g} mm; places the tiles; "
     "outside it set to zero: {p.spine.mask}", "“cut the image into 112×128 sub-maps”",
     "covers the bulge of a disc"),
    ("running means of batch normalisation", "momentum {p.bn_momentum:g}", "not given",
     "Keras' default, lower where a training is short"),
    ("precision of a training step", "{p.training.precision}", "not given",
     "its GPUs had float32; bfloat16 where there are units for it"),
    ("batch on several GPUs", "{p.training.batch} in all", "“two GPUs”, 16",
     "not said whether in all or each"),
    ("statistics of a batch on several GPUs", "each its own (TensorFlow); of all (JAX)",
     "not given", "what Keras does; bn_synchronised makes them of all"),
    ("width of the baselines", "the size of the profile: {p.size}",
     "“reduce the number of channels”", "every network comes in the same three sizes"),
    ("who is in which fold", "patients shuffled by seed {p.partition}, unless a table (--split) "
     "says it", "“four groups”", "each patient is tested once"),
    ("Dice", "per 3-D image, then mean over images", "not given", "slices without disc have none"),
)  # fmt: skip


def open_choices(p: Profile) -> list[dict[str, str]]:
    """List what the paper does not say and a profile had to choose.

    Returns
    -------
    list of dict
        `what`, `ours`, `paper` (what it says) and `why`.
    """
    return [
        {"what": what, "ours": ours.format(p=p), "paper": says, "why": why}
        for what, ours, says, why in _OPEN
    ]

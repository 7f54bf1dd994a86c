"""What the paper leaves open, and what is done here: listed in lesson 05 and in every report.

A row says what this experiment does, from the options that train it; what takes no part in it has
no row. The choices inside the networks are fields of their configurations and stand in lesson 03.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ivdlib.options import TrainingOptions, spine_training
from ivdlib.preprocessing.region import fits_one_tile
from ivdlib.profiles import title
from ivdlib.training import deviations

if TYPE_CHECKING:
    from ivdlib.training.experiment import Experiment

Row = tuple[str, str, str, str, str]
"""What, value here, what the paper says, why, and the field of the profile that decides, or ""."""

PLACES = {
    "even": "side by side with a random offset, hanging over the edges: every pixel equally often",
    "clipped": "side by side with a random offset, one too many and pushed back from the edges",
}
"""What `TrainingOptions.placement` means."""

OPEN = "not given"
"""What the paper says of most."""


def open_choices(experiment: Experiment) -> list[dict[str, str]]:
    """List what the paper does not say and an experiment had to choose.

    Parameters
    ----------
    experiment : Experiment

    Returns
    -------
    list of dict
        `what`, `ours`, `paper` (what it says) and `why`.
    """
    rows = []
    parts = (_discs, _images, _spine) if experiment.profile.networks else (_images, _spine)
    for part in (*parts, _all):
        for what, ours, says, why, key in part(experiment):
            if key and not deviations.is_usual(experiment.profile, key):
                why = deviations.reason_for(experiment.profile, key)
            rows.append({"what": what, "ours": ours, "paper": says, "why": why})
    return rows


def _discs(e: Experiment) -> Iterator[Row]:
    """How the disc networks are trained."""
    p, o = e.profile, e.profile.training
    names = dict.fromkeys(network.partition(":")[0] for network in p.networks)
    yield ("loss", o.loss, OPEN,
           "most pixels are no disc: Dice balances, cross-entropy steadies",
           "training.loss")  # fmt: skip
    yield ("length", f"{o.steps} optimiser steps", OPEN,
           "a fixed number makes arms comparable", "")  # fmt: skip
    best = "; beside it the best step on the test scans, A LEAK" if p.leak == "epoch" else ""
    yield ("weights that count", _weights(o) + best, OPEN,
           "choosing the best epoch would need test patients or fewer training patients",
           "training.average")  # fmt: skip
    yield ("learning rate over time", _rate(o), "1e-4, no schedule given",
           "constant is the plain reading; short profiles let it fall",
           "training.schedule")  # fmt: skip
    yield ("rotation", _rotation(o), "rotation, no range given",
           "a moderate range; lying people differ little", "training.rotation")  # fmt: skip
    yield from _noise(e)
    yield ("tiles to train on", o.tiles, OPEN, "most tiles hold no disc",
           "training.tiles")  # fmt: skip
    if not e.one_tile:
        yield ("places of the tiles", PLACES[o.placement], "“cut the image into 112×128 sub-maps”",
               "no pixel shall count more than another", "training.placement")  # fmt: skip
    yield ("batch on several GPUs", f"{o.batch} in all", "“two GPUs”, 16",
           "not said whether in all or each", "")  # fmt: skip
    if baselines := [title(name) for name in names if name != "fds_cnn"]:
        yield ("width of the baselines", f"{', '.join(baselines)}: size {p.size}",
               "“reduce the number of channels”",
               "every network comes in the same three sizes", "")  # fmt: skip


def _noise(e: Experiment) -> Iterator[Row]:
    """Which tiles get random pixels, and how many of them."""
    shares = {e.options(t.arm, t.network).noise_probability for t in e.trainings()}
    each = "; none in the training without random pixels" * (0 in shares and len(shares) > 1)
    ours = f"a share of {max(shares):g} of the tiles{each}" if max(shares) else "none"
    yield ("images that get random pixels", ours, "“randomly select images”",
           "between none and all", "training.noise_probability")  # fmt: skip
    if max(shares):
        yield ("random pixels", _pixels(e.profile.training), "“random-sized values”, 0–15 %",
               "the range of an image after min–max", "training.noise_max_share")  # fmt: skip


def _images(e: Experiment) -> Iterator[Row]:
    """What the networks see."""
    arms = list(dict.fromkeys(training.arm for training in e.trainings()))
    slices = 2 * e.profile.training.neighbours + 1
    if any("+" in name for arm in arms for name in e.tested_on(arm)):
        yield ("fusion", "sum of the raw values, then min–max",
               "sum of “corresponding pixel values”",
               "the paper normalises “each image”, so the fused one", "")  # fmt: skip
    yield ("min–max over", "the whole 3-D scan", "“each image”",
           "slices of a scan stay comparable", "")  # fmt: skip
    found = [("one for all contrasts", slices)] if {*arms} - {"stacked"} else []
    found += [("contrasts as channels", slices * len(e.contrasts))] if "stacked" in arms else []
    if len(e.contrasts) > 1 and found:
        told = (f"{how}, {_number(channels, 'channel')}" for how, channels in found)
        yield ("one network or four", "; ".join(told), "“single-channel”",
               "Table 2 tests fused contrasts “on the trained model”", "")  # fmt: skip


def _spine(e: Experiment) -> Iterator[Row]:
    """The spine stage."""
    p, s = e.profile, e.profile.spine
    if not e.uses_region:
        why = "there is no background to leave out" if e.one_tile else deviations.ASKED
        ours = "none: every scan fits one tile" if e.one_tile else "none: the whole slice is tiled"
        yield ("spine stage", ours, "a U-Net before the network for discs", why, "")
        return
    yield ("spine, truth", _truth(e), OPEN,
           "the challenge labels discs only, other data the spine, too", "")  # fmt: skip
    if e.uses_spine_network:
        o = spine_training(s, p.training.precision)
        size = f"averaged over {s.factor} × {s.factor} pixels" if s.factor > 1 else "as they are"
        mean = "; mean of the probability over the contrasts" * (len(e.contrasts) > 1)
        yield ("spine, network", f"U-Net, size {s.size}", "U-Net, no size given",
               "a spine is coarse", "spine.size")  # fmt: skip
        yield ("spine, input", f"slices {size}{mean}", OPEN,
               "one region a scan, the same for every contrast", "")  # fmt: skip
        yield ("spine, training", f"{o.steps} steps of {o.batch} whole slices, {o.tiles} of them; "
               f"rate {o.learning_rate:g}, {_rate(o)}; loss {o.loss}; rotation {_rotation(o)}; "
               f"random pixels in a share of {o.noise_probability:g} of the slices, {_pixels(o)}; "
               f"weights: {_weights(o)}{_beyond(o)}", OPEN,
               "the paper gives numbers for its second network alone", "")  # fmt: skip
        others = f" and others up to {s.gap:g} mm away" if s.gap else ""
        yield ("spine, parts of the mask", f"the largest connected part{others}", OPEN,
               "there is one spine", "spine.gap")  # fmt: skip
    yield ("spine, use", _use(e), "“cut the image into 112×128 sub-maps”",
           "covers the bulge of a disc", "spine.margin")  # fmt: skip
    yield ("spine, rounding", f"distances up to {s.tolerance:g} mm above a limit are within", OPEN,
           "the rounding of an affine shall not move whole pixels", "spine.tolerance")  # fmt: skip


def _use(e: Experiment) -> str:
    """What is done with the mask of the spine."""
    whose = "mask of the network" if e.uses_spine_network else "true mask"
    wide = f"{whose}, widened by {e.profile.spine.margin:g} mm"
    if not e.profile.networks:
        return f"{wide}: how much of the discs lies in it is scored"
    outside = "outside it the image is set" if e.profile.spine.mask else "nothing is set"
    small = any(fits_one_tile(case.shape, e.tile) for case in e.cases.values())
    whole = ["in which it is empty"] * e.uses_spine_network + ["that fits one tile"] * small
    empty = f"; a scan {' or '.join(whole)} is used whole" if whole else ""
    return f"{wide}; places the tiles; {outside} to zero{empty}"


def _truth(e: Experiment) -> str:
    """What the spine is in these scans."""
    labelled = sum(case.spine is not None for case in e.cases.values())
    tube = "a tube around the labelled discs"
    if labelled in (0, len(e.cases)):
        return "the labelled spine" if labelled else tube
    return f"the labelled spine in {labelled} of {len(e.cases)} scans, else {tube}"


def _all(e: Experiment) -> Iterator[Row]:
    """What holds for every network."""
    p = e.profile
    if e.uses_spine_network or any(name.startswith("unet") for name in p.networks):
        yield ("U-Net, up-convolutions", "without batch normalisation and ReLU",
               "“BN layers after each convolution”",
               "as in the U-Net that the paper cites", "")  # fmt: skip
    yield ("running means of batch normalisation", f"momentum {p.bn_momentum:g}", OPEN,
           "Keras' default, lower where a training is short", "bn_momentum")  # fmt: skip
    auto = ": bfloat16 on a GPU with units for it, else float32"
    precision = p.training.precision
    yield ("precision of a training step", precision + auto * (precision == "auto"), OPEN,
           "its GPUs had float32", "training.precision")  # fmt: skip
    yield ("statistics of a batch on several GPUs", "each its own (TensorFlow); of all (JAX)",
           OPEN, "what Keras does; bn_synchronised makes them of all", "")  # fmt: skip
    yield ("who is in which fold", *_folds(e), "")
    yield ("Dice", "per 3-D image, then mean over images", OPEN,
           "slices without disc have none", "")  # fmt: skip


def _folds(e: Experiment) -> tuple[str, str, str]:
    """Who trains and who tests, what the paper says, and what is kept."""
    if split := e.arguments["split"]:
        ours = f"as the table {Path(split).name} says"
    else:
        what = "SCANS" if e.profile.leak == "scan" else "patients"
        ours = f"{what} shuffled by seed {e.profile.partition}"
    ours += " and anew for each seed" * e.profile.refold
    ours += "; then one training patient of each fold tests" if e.profile.inner else ""
    tests = Counter(s for fold in e.folds for s in {fold.subjects[case] for case in fold.test})
    once = len(tests) == len(set(e.folds[0].subjects.values())) and set(tests.values()) == {1}
    if e.profile.leak == "scan":
        why = "to measure how much that flatters: patients stand on both sides"
    else:
        why = "each patient is tested once" if once else "no patient is on both sides of a fold"
    return ours, "“four groups”", why


def _weights(o: TrainingOptions) -> str:
    return f"a moving average, momentum {o.average:g}" if o.average else "the last"


def _beyond(o: TrainingOptions) -> str:
    """What is added to the paper's training, if anything."""
    beside = f"; slices on each side: {o.neighbours}" if o.neighbours else ""
    power = f"; grey values to a random power of up to {1 + o.intensity:g}" if o.intensity else ""
    zoom = f"; shown larger or smaller by a factor up to {1 + o.scale:g}" if o.scale else ""
    return beside + power + zoom


def _rate(o: TrainingOptions) -> str:
    return {"cosine": "falling to zero by a cosine"}.get(o.schedule, o.schedule)


def _rotation(o: TrainingOptions) -> str:
    return f"up to {o.rotation:g}° to both sides" if o.rotation else "none"


def _pixels(o: TrainingOptions) -> str:
    return f"uniform in [0, 1], up to a share of {o.noise_max_share:g} of the pixels"


def _number(count: int, what: str) -> str:
    return f"{count} {what}{'s' * (count != 1)}"

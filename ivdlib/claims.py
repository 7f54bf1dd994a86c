"""The paper's claims that compare, and the comparison that speaks for or against each."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import pandas as pd

from ivdlib import statistics
from ivdlib.dixon import CONTRASTS
from ivdlib.fusion import FUSED
from ivdlib.metrics_csv import disc_rows, has_fusion
from ivdlib.profiles import ARMS
from ivdlib.statistics import Comparison

WITH, WITHOUT, RANDOM, QUIET = (ARMS[name] for name in ("with", "without", "random", "quiet"))

Test = Callable[[pd.DataFrame], Comparison | None]


@dataclass(frozen=True)
class Claim:
    """A statement of the paper that a comparison can speak for or against.

    Attributes
    ----------
    key : str
    text : str
        What the paper says, in short.
    source : str
        Where it says so.
    difference : str
        What is subtracted from what.
    test : callable
        From `metrics.csv` to a comparison; None where the data cannot tell.
    margin : float
        Loss of Dice that a claim of "no worse" allows; 0 for a claim of "better".
    variant : bool
        Whether it is about a variant of FDS-CNN. Experiments that train variants are short and
        judge no other claim.
    """

    key: str
    text: str
    source: str
    difference: str
    test: Test
    margin: float = 0.0
    variant: bool = False


def patient_dice(
    metrics: pd.DataFrame,
    network: str,
    arm: str | None = None,
    contrasts: Iterable[str] | None = None,
    scope: str = "volume",
) -> pd.Series | None:
    """Mean Dice of each patient; None where nothing was scored.

    Parameters
    ----------
    metrics : DataFrame
        Rows of `metrics.csv`.
    network : str
        As in the rows, variants too.
    arm : str, optional
        A value of `trained_on`. Default: with fused contrasts where any network was trained so,
        that two networks are compared on like terms.
    contrasts : iterable of str, optional
        Default: all single ones.
    scope : str, default "volume"
        Or a kind of worse image, see `ivdlib.stress`.

    Raises
    ------
    DataError
        Where an image has no score.
    """
    rows = disc_rows(metrics, scope)
    arm = arm or (WITH if has_fusion(rows) else WITHOUT)
    rows = rows[(rows["network"] == network) & (rows["trained_on"] == arm)]
    names = set(rows["contrast"])
    wanted = [n for n in names if "+" not in n] if contrasts is None else list(contrasts)
    if not wanted or not names.issuperset(wanted):
        return None
    return statistics.by_patient(rows[rows["contrast"].isin(wanted)])


def difference(first: pd.Series | None, second: pd.Series | None) -> Comparison | None:
    """Compare the patients that both sides have: all of them, once an experiment is finished."""
    if first is None or second is None:
        return None
    both = first.index.intersection(second.index)
    return statistics.compare(first[both], second[both]) if len(both) else None


def _networks(first: str, second: str, contrasts: Iterable[str] | None = None) -> Test:
    return lambda m: difference(
        patient_dice(m, first, contrasts=contrasts), patient_dice(m, second, contrasts=contrasts)
    )


def _networks_without(metrics: pd.DataFrame) -> Comparison | None:
    """Compare FDS-CNN with U-Net, both trained without fusion where there is training with it."""
    if not has_fusion(disc_rows(metrics)):
        return None
    return difference(*(patient_dice(metrics, name, WITHOUT) for name in ("fds_cnn", "unet")))


def _arms(first: str, second: str, network: str = "fds_cnn") -> Test:
    return lambda m: difference(patient_dice(m, network, first), patient_dice(m, network, second))


def _contrasts(first: Iterable[str], second: Iterable[str]) -> Test:
    return lambda m: difference(
        patient_dice(m, "fds_cnn", contrasts=first), patient_dice(m, "fds_cnn", contrasts=second)
    )


def _each(metrics: pd.DataFrame, names: Iterable[str]) -> dict[str, pd.Series] | None:
    """Dice of the patients on each of these contrasts; None unless all were scored."""
    found = {name: patient_dice(metrics, "fds_cnn", contrasts=[name]) for name in names}
    return None if any(one is None for one in found.values()) else found


def _best_fused(metrics: pd.DataFrame) -> Comparison | None:
    """Best fused against best single contrast: both best by the mean over the same patients."""
    both = [_each(metrics, names) for names in (FUSED, CONTRASTS)]
    if None in both:
        return None
    return difference(*(max(found.values(), key=pd.Series.mean) for found in both))


def _fat_is_hardest(metrics: pd.DataFrame) -> Comparison | None:
    """Compare fat with the hardest of the others, by the mean over the same patients."""
    found = _each(metrics, CONTRASTS)
    if found is None:
        return None
    fat = found.pop("fat")
    return difference(min(found.values(), key=pd.Series.mean), fat)


def _each_fused(metrics: pd.DataFrame) -> Comparison | None:
    """Find where a fused contrast gains least over one of its two; if all gain, this one does."""
    found = _each(metrics, (*FUSED, *CONTRASTS))
    if found is None:
        return None
    gains = [difference(found[pair], found[one]) for pair in FUSED for one in pair.split("+")]
    return min(gains, key=lambda gain: gain.low)


def _noise(scope: str) -> Test:
    """Trained with random pixels against trained without, tested on images of one kind."""
    return lambda m: difference(
        patient_dice(m, "fds_cnn", scope=scope), patient_dice(m, "fds_cnn", QUIET, scope=scope)
    )


BUT_FAT = tuple(name for name in CONTRASTS if name != "fat")
NO_WORSE = 0.01
"""Margin of claims that something costs nothing, in Dice; FDS-CNN and U-Net differ by 0.007 in the
paper's Table 1, DeepLabv3+ and U-Net by 0.07."""

FIXED = ("networks", "fusion_training")
"""Keys of the comparisons that were fixed before any result was seen."""

fds_against_unet = _networks("fds_cnn", "unet")
"""The first of them."""

CLAIMS = (
    Claim("networks", "FDS-CNN is better than U-Net", "Table 1",
          "FDS-CNN − U-Net, single contrasts", fds_against_unet),
    Claim("networks_but_fat", "… without the fat image, too", "ours",
          "FDS-CNN − U-Net, wat, inn and opp", _networks("fds_cnn", "unet", BUT_FAT)),
    Claim("networks_without", "… trained without fusion, too", "ours",
          "FDS-CNN − U-Net, single contrasts", _networks_without),
    Claim("unet_deeplab", "U-Net is better than DeepLabv3+", "Table 1",
          "U-Net − DeepLabv3+, single contrasts", _networks("unet", "deeplabv3plus")),
    Claim("fat", "fat is the hardest contrast", "Table 1, Sect. 3.3",
          "hardest of wat, inn, opp − fat", _fat_is_hardest),
    Claim("fat_mean", "… below the others on average", "ours",
          "mean of wat, inn, opp − fat", _contrasts(BUT_FAT, ["fat"])),
    Claim("fused", "fused contrasts score higher", "Table 2",
          "four fused − four single, same network",
          _contrasts(FUSED, CONTRASTS)),
    Claim("best_fused", "… than the best single one, too", "ours",
          "best fused − best single, same network", _best_fused),
    Claim("each_fused", "each fused contrast scores higher than its originals", "Sect. 3.3",
          "least of eight: fused − one of its two", _each_fused),
    Claim("fat_opp", "fusing fat with opp helps fat", "Tables 1, 2",
          "fat+opp − fat", _contrasts(["fat+opp"], ["fat"])),
    Claim("fusion_training", "training with fused contrasts helps", "Table 3",
          "trained with − without, equal steps, single contrasts", _arms(WITH, WITHOUT)),
    Claim("fusion_unet", "… and so it does for U-Net", "ours",
          "trained with − without, equal steps, single contrasts", _arms(WITH, WITHOUT, "unet")),
    Claim("fusion_random", "… more than random mixtures do", "ours",
          "trained with fused − with random mixtures, single contrasts", _arms(WITH, RANDOM)),
    *(
        Claim(f"noise_{scope}", f"training with random pixels helps {where}", "Sect. 3.1",
              "trained with − without random pixels", _noise(scope))
        for scope, where in (
            ("volume", "on images as they are"), ("blurred", "on blurred images"),
            ("noisy", "on noisy images"), ("pixels", "on images with random pixels"),
        )
    ),
    *(
        Claim(variant, f"{idea} (the network without it: {variant.replace('_', ' ')})", source,
              f"FDS-CNN − {variant.replace('_', ' ')}", _networks("fds_cnn", f"fds_cnn:{variant}"),
              margin, variant=True)
        for variant, idea, source, margin in (
            ("standard", "separable convolutions do not cost Dice", "Sect. 2.2", NO_WORSE),
            ("no_dilation", "dilation helps", "Sect. 2.2", 0.0),
            ("two_down", "one down-sampling is better than two", "Sect. 2.2", 0.0),
            ("four_down", "one down-sampling is better than four", "Sect. 2.2", 0.0),
            ("no_aspp", "the spatial pyramid helps", "Sect. 2.2", 0.0),
            ("no_skips", "the three skips help", "Sect. 2.2", 0.0),
            ("full_width", "half the feature maps do not cost Dice", "Sect. 2.2", NO_WORSE),
            ("literal_stem", "a first filter for each of 32 maps (our reading) helps", "ours", 0.0),
        )
    ),
)  # fmt: skip

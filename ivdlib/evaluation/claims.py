"""The paper's claims that compare, and the comparison that speaks for or against each."""

from __future__ import annotations

from dataclasses import dataclass

from ivdlib.data.contrasts import CONTRASTS, FUSED
from ivdlib.evaluation.comparisons import (
    BUT_FAT,
    RANDOM,
    WITH,
    WITHOUT,
    Test,
    arms,
    best_fused,
    each_fused,
    fat_is_hardest,
    fusion_each,
    networks,
    networks_without,
    noise,
    of_contrasts,
)
from ivdlib.evaluation.scores import TOGETHER
from ivdlib.evaluation.tables import PAPER_DICE


@dataclass(frozen=True)
class Claim:
    """A statement of the paper that a comparison can speak for or against.

    Attributes
    ----------
    key : str
    text : str
        What the paper says, in short.
    source : str
        If it says so.
    difference : str
        What is subtracted from what.
    test : callable
        From `metrics.csv` to a comparison; None if the data cannot tell.
    margin : float
        Loss of Dice that a claim of "no worse" allows; 0 for a claim of "better".
    paper : float or None
        The same difference in the paper's own tables, where it gives both sides.
    each : bool
        Whether it says so of each of several: one that fails refutes it, and it has no opposite.
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
    each: bool = False
    variant: bool = False
    paper: float | None = None


NO_WORSE = 0.01
"""Margin of claims that something costs nothing, in Dice, and of *no difference*; FDS-CNN and U-Net
differ by 0.007 in the paper's Table 1, DeepLabv3+ and U-Net by 0.07."""

FIXED = {"equal_weights": "slabs", "equal_cost": "slabs", "fusion_training": "crops"}
"""Keys of the primary comparisons, each with the data that decide on it, named before the
experiments ran: architecture where tiles are cut from whole fields, fusion on real Dixon images.
Crops are smaller than what FDS-CNN sees at once, slabs have nothing to fuse."""

fds_against_unet = networks("fds_cnn", "unet")
"""U-Net in the size that we took at first: six times as many weights, fewer multiply–adds."""


def _paper(first: tuple[int, str], second: tuple[int, str]) -> float:
    """Difference of the printed means of two rows of the paper's tables."""
    return round(PAPER_DICE[first[0]][first[1]][-1] - PAPER_DICE[second[0]][second[1]][-1], 4)


_OURS = dict(zip(CONTRASTS, PAPER_DICE[1]["FDS-CNN"], strict=False))
_FUSED = dict(zip(FUSED, PAPER_DICE[2]["FDS-CNN"], strict=False))
_AHEAD = _paper((1, "FDS-CNN"), (1, "U-Net"))

CLAIMS = (
    Claim("equal_weights", "FDS-CNN is better than a U-Net of as many weights", "Table 1",
          "FDS-CNN − U-Net, equal weights, single contrasts",
          networks("fds_cnn", "unet:equal_weights"), paper=_AHEAD),
    Claim("equal_cost", "FDS-CNN is better than a U-Net of as many multiply–adds", "Table 1",
          "FDS-CNN − U-Net, equal cost, single contrasts",
          networks("fds_cnn", "unet:equal_cost"), paper=_AHEAD),
    Claim("networks", "FDS-CNN is better than U-Net as we sized it first", "Table 1",
          "FDS-CNN − U-Net, single contrasts", fds_against_unet, paper=_AHEAD),
    Claim("networks_but_fat", "FDS-CNN is better than U-Net without the fat image, too", "ours",
          "FDS-CNN − U-Net, wat, inn and opp", networks("fds_cnn", "unet", BUT_FAT)),
    Claim("networks_without", "FDS-CNN is better than U-Net trained without fusion, too", "ours",
          "FDS-CNN − U-Net, single contrasts", networks_without("fds_cnn", "unet")),
    Claim("networks_mask", "FDS-CNN is better than U-Net in one mask a scan, too", "ours",
          "FDS-CNN − U-Net, one mask a scan", networks("fds_cnn", "unet", scope=TOGETHER)),
    Claim("fds_deeplab", "FDS-CNN is better than DeepLabv3+", "Table 1",
          "FDS-CNN − DeepLabv3+, single contrasts", networks("fds_cnn", "deeplabv3plus"),
          paper=_paper((1, "FDS-CNN"), (1, "DeepLabv3+"))),
    Claim("unet_deeplab", "U-Net is better than DeepLabv3+", "Table 1",
          "U-Net − DeepLabv3+, single contrasts", networks("unet", "deeplabv3plus"),
          paper=_paper((1, "U-Net"), (1, "DeepLabv3+"))),
    Claim("unet_deeplab_without", "U-Net is better than DeepLabv3+ trained without fusion, too",
          "ours", "U-Net − DeepLabv3+, single contrasts",
          networks_without("unet", "deeplabv3plus")),
    Claim("fat", "fat is the hardest contrast", "Table 1, Sect. 3.2",
          "hardest of wat, inn, opp − fat", fat_is_hardest),
    Claim("fat_mean", "fat is below the mean of the others", "ours",
          "mean of wat, inn, opp − fat", of_contrasts(BUT_FAT, ["fat"]),
          paper=round(sum(_OURS[name] for name in BUT_FAT) / 3 - _OURS["fat"], 4)),
    Claim("fused", "fused contrasts score higher", "Table 2",
          "mean of the fused − mean of the single ones, same network; those that were measured",
          of_contrasts(FUSED, CONTRASTS, measured=True),
          paper=_paper((2, "FDS-CNN"), (1, "FDS-CNN"))),
    Claim("fused_pair", "the paper's best fused contrast scores higher than its best single one",
          "Tables 1, 2", "inn+opp − wat, named beforehand, same network",
          of_contrasts(["inn+opp"], ["wat"]), paper=round(_FUSED["inn+opp"] - _OURS["wat"], 4)),
    Claim("best_fused", "the best fused contrast scores higher than the best single one", "ours",
          "best fused − best single, same network", best_fused),
    Claim("each_fused", "each fused contrast scores higher than its originals", "Sect. 3.2",
          "least of eight: fused − one of its two", each_fused, each=True),
    Claim("fat_opp", "fusing fat with opp helps fat", "Tables 1, 2",
          "fat+opp − fat", of_contrasts(["fat+opp"], ["fat"]),
          paper=round(_FUSED["fat+opp"] - _OURS["fat"], 4)),
    Claim("fusion_training", "training with fused contrasts helps", "Table 3",
          "trained with − without, equal steps, single contrasts", arms(WITH, WITHOUT),
          paper=_paper((1, "FDS-CNN"), (3, "FDS-CNN"))),
    Claim("fusion_each", "training with fused contrasts helps on each contrast", "Sect. 3.2",
          "least of four: trained with − without", fusion_each, each=True),
    Claim("fusion_mask", "training with fused contrasts helps one mask a scan", "ours",
          "trained with − without, equal steps, one mask a scan",
          arms(WITH, WITHOUT, scope=TOGETHER)),
    Claim("fusion_unet", "training with fused contrasts helps U-Net", "ours",
          "trained with − without, equal steps, single contrasts", arms(WITH, WITHOUT, "unet")),
    Claim("fusion_random", "fused contrasts help training more than random mixtures do", "ours",
          "trained with fused − with random mixtures, single contrasts", arms(WITH, RANDOM)),
    *(
        Claim(f"noise_{scope}", f"training with random pixels helps {where}", "Sect. 3.1",
              "trained with − without random pixels, else alike", noise(scope))
        for scope, where in (
            ("volume", "on images as they are"), ("blurred", "on blurred images"),
            ("noisy", "on noisy images"), ("pixels", "on images with random pixels"),
        )
    ),
    *(
        Claim(f"aligned_{more}_down", f"one down-sampling is better than {more}", "Sect. 2.2",
              f"FDS-CNN with one − with {more}, maps exactly upon one another",
              networks("fds_cnn:aligned", f"fds_cnn:aligned_{more}_down"), variant=True)
        for more in ("two", "four")
    ),
    *(
        Claim(variant, f"{idea} (the network without it: {variant.replace('_', ' ')})", source,
              f"FDS-CNN − {variant.replace('_', ' ')}", networks("fds_cnn", f"fds_cnn:{variant}"),
              margin, variant=True)
        for variant, idea, source, margin in (
            ("standard", "separable convolutions do not cost Dice", "Sect. 2.2", NO_WORSE),
            ("no_dilation", "dilation helps", "Sect. 2.2", 0.0),
            ("two_down", "one down-sampling is better than two, maps half a pixel off", "Sect. 2.2",
             0.0),
            ("four_down", "one down-sampling is better than four, maps half a pixel off",
             "Sect. 2.2", 0.0),
            ("no_aspp", "the spatial pyramid helps", "Sect. 2.2", 0.0),
            ("no_skips", "the three skips help", "Sect. 2.2", 0.0),
            ("full_width", "half the feature maps do not cost Dice", "Sect. 1, 2.2", NO_WORSE),
            ("literal_stem", "a first filter for each of 32 maps (our reading) helps", "ours", 0.0),
        )
    ),
)  # fmt: skip

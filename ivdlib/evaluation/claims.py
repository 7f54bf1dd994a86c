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


NO_WORSE = 0.01
"""Margin of claims that something costs nothing, in Dice; FDS-CNN and U-Net differ by 0.007 in the
paper's Table 1, DeepLabv3+ and U-Net by 0.07."""

FIXED = ("networks", "fusion_training")
"""Keys of the comparisons that were named as primary before the experiments of the audit ran."""

fds_against_unet = networks("fds_cnn", "unet")
"""The first of them."""

CLAIMS = (
    Claim("networks", "FDS-CNN is better than U-Net", "Table 1",
          "FDS-CNN − U-Net, single contrasts", fds_against_unet),
    Claim("networks_but_fat", "FDS-CNN is better than U-Net without the fat image, too", "ours",
          "FDS-CNN − U-Net, wat, inn and opp", networks("fds_cnn", "unet", BUT_FAT)),
    Claim("networks_without", "FDS-CNN is better than U-Net trained without fusion, too", "ours",
          "FDS-CNN − U-Net, single contrasts", networks_without("fds_cnn", "unet")),
    Claim("networks_mask", "FDS-CNN is better than U-Net in one mask a scan, too", "ours",
          "FDS-CNN − U-Net, one mask a scan", networks("fds_cnn", "unet", scope=TOGETHER)),
    Claim("fds_deeplab", "FDS-CNN is better than DeepLabv3+", "Table 1",
          "FDS-CNN − DeepLabv3+, single contrasts", networks("fds_cnn", "deeplabv3plus")),
    Claim("unet_deeplab", "U-Net is better than DeepLabv3+", "Table 1",
          "U-Net − DeepLabv3+, single contrasts", networks("unet", "deeplabv3plus")),
    Claim("unet_deeplab_without", "U-Net is better than DeepLabv3+ trained without fusion, too",
          "ours", "U-Net − DeepLabv3+, single contrasts",
          networks_without("unet", "deeplabv3plus")),
    Claim("fat", "fat is the hardest contrast", "Table 1, Sect. 3.2",
          "hardest of wat, inn, opp − fat", fat_is_hardest),
    Claim("fat_mean", "fat is below the mean of the others", "ours",
          "mean of wat, inn, opp − fat", of_contrasts(BUT_FAT, ["fat"])),
    Claim("fused", "fused contrasts score higher", "Table 2",
          "four fused − four single, same network",
          of_contrasts(FUSED, CONTRASTS)),
    Claim("best_fused", "the best fused contrast scores higher than the best single one", "ours",
          "best fused − best single, same network", best_fused),
    Claim("each_fused", "each fused contrast scores higher than its originals", "Sect. 3.2",
          "least of eight: fused − one of its two", each_fused, each=True),
    Claim("fat_opp", "fusing fat with opp helps fat", "Tables 1, 2",
          "fat+opp − fat", of_contrasts(["fat+opp"], ["fat"])),
    Claim("fusion_training", "training with fused contrasts helps", "Table 3",
          "trained with − without, equal steps, single contrasts", arms(WITH, WITHOUT)),
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
        Claim(variant, f"{idea} (the network without it: {variant.replace('_', ' ')})", source,
              f"FDS-CNN − {variant.replace('_', ' ')}", networks("fds_cnn", f"fds_cnn:{variant}"),
              margin, variant=True)
        for variant, idea, source, margin in (
            ("standard", "separable convolutions do not cost Dice", "Sect. 2.2", NO_WORSE),
            ("no_dilation", "dilation helps", "Sect. 2.2", 0.0),
            ("two_down", "one down-sampling is better than two", "Sect. 2.2", 0.0),
            ("four_down", "one down-sampling is better than four", "Sect. 2.2", 0.0),
            ("no_aspp", "the spatial pyramid helps", "Sect. 2.2", 0.0),
            ("no_skips", "the three skips help", "Sect. 2.2", 0.0),
            ("full_width", "half the feature maps do not cost Dice", "Sect. 1, 2.2", NO_WORSE),
            ("literal_stem", "a first filter for each of 32 maps (our reading) helps", "ours", 0.0),
        )
    ),
)  # fmt: skip

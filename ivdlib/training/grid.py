"""The grid of trainings: which networks, on which images, in which folds, with which seeds."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product
from typing import Any

import numpy as np

from ivdlib import profiles
from ivdlib.data.cases import Case
from ivdlib.data.contrasts import contrast_order
from ivdlib.options import OWN_RATES, TrainingOptions, rate_fields
from ivdlib.preprocessing.folds import Fold
from ivdlib.preprocessing.fusion import fused_names, random_pairs
from ivdlib.preprocessing.region import fits_one_tile
from ivdlib.preprocessing.tiles import tile_for
from ivdlib.profiles import Profile


@dataclass(frozen=True)
class Training:
    """One network trained once.

    Attributes
    ----------
    network : str
        `fds_cnn`, `unet`, `deeplabv3plus`, or a variant such as `fds_cnn:no_aspp`.
    arm : str
        One of `profiles.ARMS`.
    fold : Fold
    seed : int
    """

    network: str
    arm: str
    fold: Fold
    seed: int

    @property
    def title(self) -> str:
        """For people."""
        name = profiles.title(self.network)
        arm = profiles.arm_title(self.arm)
        return f"{name}, {arm}, fold {self.fold.number}, seed {self.seed}"


def fingerprint(case: Case) -> str:
    """SHA-256 of all that a scan brings into a training: images, labels, spine, spacing."""
    digest = hashlib.sha256()
    for name in sorted(case.contrasts):
        digest.update(name.encode())
        digest.update(np.ascontiguousarray(case.contrasts[name]))
    for mask in (case.discs, case.spine):
        digest.update(b"-" if mask is None else np.ascontiguousarray(mask))
    digest.update(repr((case.shape, tuple(round(float(s), 5) for s in case.spacing))).encode())
    return digest.hexdigest()


class Grid:
    """What follows from a profile, scans and folds alone: no folder, nothing computed yet.

    Attributes
    ----------
    profile : Profile
    cases : dict of str to Case
        By name.
    folds : list of Fold
    """

    profile: Profile
    cases: dict[str, Case]
    folds: list[Fold]

    @cached_property
    def contrasts(self) -> tuple[str, ...]:
        """Single contrasts of the data, in the order of the tables."""
        return tuple(sorted(next(iter(self.cases.values())).contrasts, key=contrast_order))

    @cached_property
    def fused(self) -> tuple[str, ...]:
        """Fused contrasts that the data allow."""
        return fused_names(self.contrasts)

    @cached_property
    def tile(self) -> tuple[int, int]:
        """Tile (AP, SI) in pixels: the paper's, or the size of the largest slice if smaller."""
        sides = np.max([case.shape[1:] for case in self.cases.values()], axis=0)
        return tile_for((int(sides[0]), int(sides[1])), tuple(self.profile.training.tile))

    @cached_property
    def one_tile(self) -> bool:
        """Whether every scan fits one tile: nothing is left out, nothing is placed."""
        return all(fits_one_tile(case.shape, self.tile) for case in self.cases.values())

    @property
    def uses_region(self) -> bool:
        """Whether the spine stage takes part: the disc networks see a region of some scan."""
        return not self.one_tile and self.profile.spine.region != "none"

    @property
    def uses_spine_network(self) -> bool:
        """Whether that region comes from the spine U-Net."""
        return self.uses_region and self.profile.spine.region == "predicted"

    def as_placed(self, training: Mapping[str, Any]) -> dict[str, Any]:
        """Fields of `profile.training`, without `placement` if there is nothing to place."""
        return {k: v for k, v in training.items() if not (self.one_tile and k == "placement")}

    def as_widened(self, spine: Mapping[str, Any]) -> dict[str, Any]:
        """Fields of `profile.spine`, without `tolerance` if there is no region to widen."""
        return {k: v for k, v in spine.items() if self.uses_region or k != "tolerance"}

    @cached_property
    def fingerprints(self) -> dict[str, str]:
        """Hash of each scan."""
        return {name: fingerprint(case) for name, case in self.cases.items()}

    @property
    def images(self) -> tuple[str, ...]:
        """Names of the images that every network is tested on: single and fused contrasts."""
        return self.contrasts + self.fused

    def trained_on(self, arm: str) -> tuple[str, ...]:
        """Names of the images that an arm knows, apart from random mixtures."""
        if arm == "stacked":
            return ("&".join(self.contrasts),)
        return self.contrasts if arm == "without" else self.images

    def tested_on(self, arm: str) -> tuple[str, ...]:
        """Names of the images that an arm is tested on."""
        return self.trained_on(arm) if arm == "stacked" else self.images

    def training_images(self, arm: str, case: str, seed: int = 0) -> tuple[str, ...]:
        """Names of the images of a scan that an arm trains on."""
        if arm == "random":
            number = int(hashlib.sha256(case.encode()).hexdigest()[:8], 16)
            return self.contrasts + random_pairs(self.contrasts, (seed, number), len(self.fused))
        return self.trained_on(arm)

    def options(self, arm: str, network: str) -> TrainingOptions:
        """How a network is trained in an arm: at its own rate if it has one, quiet if asked so."""
        training = self.profile.training
        own = (getattr(training, field) for field in rate_fields(network))
        rate = next(filter(None, own), training.learning_rate)
        training = replace(training, learning_rate=rate, **dict.fromkeys(OWN_RATES.values()))
        return replace(training, noise_probability=0.0) if arm == "quiet" else training

    def folds_of(self, seed: int) -> list[Fold]:
        """Folds of a seed's trainings: all, unless each seed has its own."""
        each = len(self.folds) // (self.profile.seeds if self.profile.refold else 1)
        return self.folds[seed * each :][:each] if self.profile.refold else self.folds

    def trainings(self) -> Iterator[Training]:
        """All trainings, a network at a time, so that each network is compiled once."""
        arms = self.profile.arms
        if not self.fused:  # nothing to add: one contrast, or contrasts of no Dixon scan
            kept = {"quiet", "stacked"} if len(self.contrasts) > 1 else {"quiet"}
            arms = ("without", *(arm for arm in arms if arm in kept))
        for network in self.profile.networks:
            alike: dict[TrainingOptions, list[str]] = {}
            # A network without an idea answers one question.
            for arm in arms[:1] if profiles.leaves_out(network) else arms:
                if arm not in profiles.PROBES or network == self.profile.networks[0]:
                    alike.setdefault(self.options(arm, network), []).append(arm)
            for group in alike.values():
                for seed in range(self.profile.seeds):
                    for fold, arm in product(self.folds_of(seed), group):
                        yield Training(network, arm, fold, seed)

    @property
    def derived(self) -> set[str]:
        """Contrasts that were derived in at least one scan."""
        return {name for case in self.cases.values() for name in case.derived}

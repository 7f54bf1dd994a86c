"""What the shipped networks answer in one slice of a scan, step by step as `predict` does it.

By OpenVINO, which starts no framework: a slice of 256 × 256 pixels is two tiles.
"""

from __future__ import annotations

import functools
from pathlib import Path

import ipywidgets
import numpy as np

from ivdlib.course.viewer.shown import choice
from ivdlib.data.case import Case
from ivdlib.data.contrasts import parts
from ivdlib.data.quality.exchange import undo_exchange
from ivdlib.preprocessing import fusion
from ivdlib.preprocessing.region import Region
from ivdlib.preprocessing.resampling import resample
from ivdlib.training import engines, inference, lesions, one_scan, shipped, spine_of_scan
from ivdlib.training.weights import Network

NETWORKS = {
    "fds_cnn": "FDS-CNN",
    "no_dilation": "trained without dilation",
    "no_skips": "trained without skips",
    "no_aspp": "trained without pyramid",
    "unet": "U-Net",
}
"""Networks for discs that come with the package, in words."""


def choice_of_network() -> ipywidgets.ToggleButtons:
    """Buttons for `NETWORKS`."""
    options = [(words.removeprefix("trained "), name) for name, words in NETWORKS.items()]
    return choice("trained network", options, "9.5em")


@functools.cache
def network_for_slices(name: str, lesion: str = "") -> Network:
    """Load a shipped network for OpenVINO, once; with a part cut if a lesion is named."""
    path = shipped.find(name)
    if lesion:
        return lesions.load_with_lesion(path, lesion)
    return engines.load_network(path, "openvino")


@functools.cache
def lesions_by_name(name: str) -> tuple[str, ...]:
    """Lesions that a shipped network can have, see `lesions.lesions_of`."""
    return lesions.lesions_of(shipped.find(name))


class SliceBench:
    """A scan to play with: mixed, made noisy, exchanged, and segmented slice by slice.

    The region of interest is found once, on the scan as it is. All shipped networks for discs were
    trained on the same images and have the same tiles and the same spine network.

    Parameters
    ----------
    case : Case

    Attributes
    ----------
    case : Case
    scan : Case
        The same, on pixels that the networks know.
    region : Region or None
        See `one_scan.scan_and_region`.

    Raises
    ------
    DataError
        If no spine is found in the scan.
    """

    def __init__(self, case: Case) -> None:
        network, path = network_for_slices(shipped.USUAL), Path(shipped.find())
        spine, _ = spine_of_scan.spine_beside(network, path, engine="openvino")
        self.case = case
        self.scan, self.region, _ = one_scan.scan_and_region(network, spine, case)

    def mixed(self, formula: str, noise: float = 0.0, exchanged: bool = False) -> np.ndarray:
        """One image of the whole scan, as a network gets it.

        Parameters
        ----------
        formula : str
            As for `fusion.fuse`.
        noise : float, default 0
            Standard deviation of the noise in each channel of the receiver, as a share of the
            largest value of each contrast; in a contrast it is always the same noise.
        exchanged : bool, default False
            Take water for fat and fat for water.

        Returns
        -------
        ndarray, float32 in [0, 1], (slices, AP, SI)
            On the pixels of `scan`.

        Raises
        ------
        DataError
            If the sum is constant, or water or fat is missing.
        """
        wanted = parts(formula)
        taken = dict(self.case.contrasts)
        if noise:
            for seed, name in enumerate(taken):
                if name in wanted or exchanged:
                    taken[name] = _noisy(taken[name], noise, seed)
        if exchanged:  # of noise and all: it is the images' names that are wrong
            taken = undo_exchange(taken, np.ones(self.case.shape, bool))
        taken = {name: taken[name] for name in wanted}
        if self.scan is not self.case:
            taken = {name: resample(v, self.scan.shape[1:]) for name, v in taken.items()}
        return fusion.fuse(taken, [formula])[formula]

    def probability(self, network: Network, image: np.ndarray, k: int) -> np.ndarray:
        """Probability of disc in slice `k` of such an image, (AP, SI) on the pixels of `case`."""
        part = slice(k, k + 1)
        region = self.region
        if region is not None and region.mask is not None:
            region = Region(region.mask[part], region.window)
        found = inference.predict(network, image[part], region)
        if self.scan is not self.case:
            found = resample(found, self.case.shape[1:])
        return found[0]


def _noisy(image: np.ndarray, noise: float, seed: int) -> np.ndarray:
    """Add the noise of a magnitude image (Rician), as the phantom and `evaluation.stress` do."""
    drawn = np.random.default_rng(seed).standard_normal((2, *image.shape), dtype=np.float32)
    real, imaginary = drawn * np.float32(noise * image.max())
    return np.hypot(image + real, imaginary)

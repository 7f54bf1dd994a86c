"""Numbers of one layer of a weights file, for graphs that are built without a framework."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np


class LayerNumbers:
    """Numbers of one layer.

    Parameters
    ----------
    numbers : mapping of str to ndarray
        Arrays of the weights file by their names in it, see `weights_file.read_numbers`.
    group : str
        Of the layer, see `ivdlib.networks.structure.layers_of`.
    """

    def __init__(self, numbers: Mapping[str, np.ndarray], group: str) -> None:
        self._numbers, self._group = numbers, group

    def __call__(self, number: int, within: str = "") -> np.ndarray:
        """An array of the layer, or of the layer `within` it; float32."""
        path = [self._group, within, "vars", str(number)]
        return np.float32(self._numbers["/".join(filter(None, path))])

    def normalisation(self, epsilon: float, within: str = "") -> tuple[np.ndarray, np.ndarray]:
        """Factor and summand of each channel that a batch normalisation comes to."""
        scale, offset, mean, variance = (self(i, within) for i in range(4))
        factor = scale / np.sqrt(variance + epsilon)
        return factor, offset - mean * factor

"""A slice whose corner is known, and what of a figure shows something."""

import numpy as np

SPACING = (2.0, 1.25, 1.25)


def corner_plane(shape=(20, 30)):
    """A slice (AP, SI) with one bright pixel at its anterior, superior corner."""
    plane = np.zeros(shape, np.float32)
    plane[-1, -1] = 1
    return plane


def panels(figure):
    """Axes that show something."""
    return [axes for axes in figure.axes if axes.axison]

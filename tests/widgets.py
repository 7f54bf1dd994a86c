"""A small case, and what a widget shows."""

import base64
import io

import ipywidgets
import numpy as np
from bs4 import BeautifulSoup
from matplotlib import image

from ivdlib.data.case import Case

SHAPE = (5, 16, 20)
AFFINE = np.array([[4, 0, 0, -8], [0, 2.5, 0, 10], [0, 0, 2, -20], [0, 0, 0, 1.0]])


def make_case(names=("wat", "fat", "inn", "opp"), labels=True) -> Case:
    rng = np.random.default_rng(0)
    contrasts = {name: rng.integers(0, 500, SHAPE).astype(np.float32) for name in names}
    disc = np.zeros(SHAPE, np.uint8)
    disc[1:, 4:11, 6:13] = 1
    disc[3, 4:11, 14:16] = 1  # most disc in slice 3
    return Case("07", "a", contrasts, AFFINE, labels=disc if labels else None)


def controls(shown) -> dict[str, ipywidgets.Widget]:
    """What can be moved or pressed, by its description."""
    found, todo = {}, [shown.widget.children[0]]
    while todo:
        for child in todo.pop().children:
            if isinstance(child, ipywidgets.Box):
                todo.append(child)
            else:
                found[child.description] = child
    return found


def pixels(shown) -> np.ndarray:
    """Picture on the screen that is drawn in Python, and that the figure shows too."""
    tag = BeautifulSoup(shown.widget.children[1].value, "html.parser").img
    assert tag["alt"] == shown.alt
    return pixels_of_tag(tag)


def pixels_of_tag(tag) -> np.ndarray:
    """What an `<img>` with a data address shows."""
    data = base64.b64decode(tag["src"].partition(",")[2])
    return np.round(255 * image.imread(io.BytesIO(data))[:, :, :3]).astype(np.uint8)


def said(shown) -> str:
    """Words below the picture."""
    return BeautifulSoup(shown.widget.children[2].value, "html.parser").get_text()

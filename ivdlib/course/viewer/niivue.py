"""The screen of the volume viewer that runs on the graphics card, by ipyniivue (WebGL 2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ipyniivue
import nibabel as nib
import numpy as np
from matplotlib.colors import to_rgb

from ivdlib.course.viewer.picture import COLOURS
from ivdlib.report.plotting import VERMILION

if TYPE_CHECKING:
    from ivdlib.course.viewer.planes import _Volume

_HEIGHT = 420
"""Pixels."""

OPACITY = 0.25
"""Of a mask, within its outline."""

OPTIONS = {
    "slice_type": ipyniivue.SliceType.MULTIPLANAR,
    "multiplanar_layout": ipyniivue.MultiplanarType.ROW,
    "multiplanar_show_render": ipyniivue.ShowRender.NEVER,
    "multiplanar_pad_pixels": 14,
    # as in all pictures here: anterior left in the sagittal plane, the patient's right left else
    "sagittal_nose_left": True,
    "is_radiological_convention": True,
    "is_nearest_interpolation": True,
    "crosshair_color": (*to_rgb(VERMILION), 0.6),
    "crosshair_width": 0.5,
    "font_color": (1.0, 1.0, 1.0, 1.0),
    "show_all_orientation_markers": True,
    "show_legend": False,
    "atlas_outline": 1.0,  # opaque
    # no control by mouse alone: what a drag would change has no slider
    "drag_mode": ipyniivue.DragMode.NONE,
    "drag_and_drop_enabled": False,
}


class GraphicsCard:
    """Shows the state of a volume viewer in the browser; a click there moves the sliders.

    Parameters
    ----------
    shown : _Volume
    """

    remark = ""

    def __init__(self, shown: _Volume) -> None:
        self._shape, self._heard = shown.case.shape, False
        self._sliders = shown.sliders
        # the contrasts as frames of one 4-D image: each is sent once, and a change sends a number
        frames = np.stack([shown.greys[name] for name in shown.names], axis=-1)
        self._scan = _sent(frames, shown.case.affine, "scan", cal_min=0, cal_max=255)
        # masks likewise: nothing, then the mask; at opacity 0 ipyniivue would still draw outlines
        self._overlays = {
            name: _mask(mask, shown.case.affine, name, COLOURS[name][1])
            for name, mask in shown.masks.items()
        }
        self.widget = ipyniivue.NiiVue(height=_HEIGHT, **OPTIONS)
        self.widget.load_volumes([self._scan, *self._overlays.values()])
        self.widget.on_location_change(self._follow)

    def draw(self, shown: _Volume) -> None:
        """Send what has changed."""
        self._scan.frame_4d = shown.names.index(shown.contrast)
        for name, overlay in self._overlays.items():
            overlay.frame_4d = int(shown.on(name))
        if not self._heard:
            place = [(v + 0.5) / n for v, n in zip(shown.voxel, self._shape, strict=True)]
            self.widget.scene.crosshair_pos = place

    def _follow(self, location: dict) -> None:
        """Move the sliders to a click in the picture, which needs not be told of it again."""
        self._heard = True
        for slider, voxel in zip(self._sliders, location["vox"], strict=False):
            slider.value = round(voxel)
        self._heard = False


def _mask(mask: np.ndarray, affine: np.ndarray, name: str, colour: str) -> ipyniivue.Volume:
    """A mask to switch on and off: frame 0 is empty."""
    frames = np.stack([np.zeros_like(mask), mask], axis=-1).astype(np.uint8)
    # outlines are drawn of labels only
    overlay = _sent(frames, affine, name, intent="label", opacity=OPACITY)
    parts = {
        letter: [0, round(255 * part)] for letter, part in zip("RGB", to_rgb(colour), strict=True)
    }
    overlay.set_colormap_label(parts | {"A": [0, 255], "I": [0, 1]})
    return overlay


def _sent(
    frames: np.ndarray, affine: np.ndarray, name: str, intent: str = "none", **how
) -> ipyniivue.Volume:
    """Images as a NIfTI file in memory, so that nothing is asked of any server."""
    image = nib.Nifti1Image(frames, affine)
    image.header.set_intent(intent)
    return ipyniivue.Volume(
        name=f"{name}.nii", data=image.to_bytes(), colormap="gray", colorbar_visible=False, **how
    )

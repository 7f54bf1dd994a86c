"""From stored values to those of the scan: slopes and intercepts of a DICOM file."""

from __future__ import annotations

import struct

from ivdlib.data.incoming.attributes import Attributes

_PHILIPS = "Philips MR Imaging DD 001"
"""Who keeps the private tags in which the scale slope stands."""


def rescale(h: Attributes) -> tuple[float, float]:
    """Slope and intercept of the stored values; those of the real world if there are no others."""
    group = "PixelValueTransformationSequence"
    slope, intercept = h.number("RescaleSlope", group), h.number("RescaleIntercept", group)
    if slope is None:
        group = "RealWorldValueMappingSequence"
        h = Attributes(h.ds, h.ds, None) if group in h.ds else h  # classic: at the top
        slope = h.number("RealWorldValueSlope", group)
        intercept = h.number("RealWorldValueIntercept", group)
    return (1.0 if slope is None else slope), intercept or 0.0


def philips_slope(h: Attributes) -> float:
    """Find Philips' scale slope: at the top of a classic file, in a frame's own group else.

    Stored values become those of the scan by (value · slope + intercept) / (slope · scale slope):
    Chenevert et al., Transl Oncol 2014;7:65.
    """
    places = [h.ds]
    for group in h.groups:
        places += [item for element in group if element.tag.group == 0x2005 and element.VR == "SQ"
                   for item in element.value]  # fmt: skip
    by_philips = "philips" in h.text("Manufacturer").casefold()
    for place in places:
        try:
            found = place.private_block(0x2005, _PHILIPS)[0x0E].value
        except KeyError:  # an anonymiser may leave the tag and take the name of its block
            found = place.get((0x2005, 0x100E)) if by_philips else None
            found = getattr(found, "value", None)
        try:
            raw = isinstance(found, bytes) and len(found) == 4
            return struct.unpack("<f", found)[0] if raw else float(found)
        except (TypeError, ValueError):
            continue
    return 0.0

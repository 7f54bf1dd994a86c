"""Discs and vertebral bodies as implicit solids, sized to the volumes that were drawn."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ivdlib.phantom.fields import Warp, cover, smooth_max
from ivdlib.phantom.pathology import Node
from ivdlib.phantom.subject import ALL_LEVELS, VERTEBRAE, Person


def frame(tilt_deg: float, lean_deg: float) -> np.ndarray:
    """Rows: the right, front and up directions of a disc tilted forwards and leaning sideways."""
    tilt, lean = np.deg2rad([tilt_deg, lean_deg])
    front = np.array([0, np.cos(tilt), -np.sin(tilt)])
    up = np.array([np.sin(lean), np.cos(lean) * np.sin(tilt), np.cos(lean) * np.cos(tilt)])
    return np.float32([np.cross(front, up), front, up])


def local(axes: np.ndarray, centre: np.ndarray, points: np.ndarray) -> list[np.ndarray]:
    """Coordinates of `points`, (3, ...), along the rows of `axes` about `centre` (mm)."""
    x, y, z = (points[i] - np.float32(centre[i]) for i in range(3))
    return [row[0] * x + row[1] * y + row[2] * z for row in axes]


def radius(u: np.ndarray, v: np.ndarray, half: tuple, notch: float) -> np.ndarray:
    """Kidney-shaped footprint: 1 on the outline of half width and half depth `half` (mm)."""
    width, depth = half
    dent = 1 + np.float32(notch) * np.exp(-((u / (0.45 * width)) ** 2))
    v = np.where(v < 0, v * dent, v)
    u, v = np.abs(u / width), np.abs(v / depth)
    return (u * u * np.sqrt(u) + v * v * np.sqrt(v)) ** np.float32(0.4)


def outline(u: np.ndarray, v: np.ndarray, r: np.ndarray) -> np.ndarray:
    """Distance (mm, along the ray from the centre) to the outline where `r` is 1."""
    return np.hypot(u, v) * (1 - 1 / np.maximum(r, np.float32(0.05)))


@dataclass(frozen=True)
class Disc:
    """A disc: footprint, wedge, domed plates, bulging rim, and what is worn. Lengths in mm."""

    level: str
    centre: np.ndarray
    axes: np.ndarray
    width: float
    depth: float
    height: float
    wedge: float
    notch: float
    grade: int = 1
    bulge: float = 0.0
    protrusion: float = 0.0
    side: float = 0.0
    vacuum: bool = False
    nodes: tuple[Node, ...] = ()

    def plates(self, u: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Radius, lower and upper surface (mm along the axis) above the point (u, v).

        The upper surface is domed by 1.5 mm and the lower by 0.7 mm in a disc 10 mm high, the apex
        behind the middle, as endplates are. Schmorl's nodes are bowls in them.
        """
        r = radius(u, v, (self.width, self.depth), self.notch)
        apex = radius(u, v + 0.22 * self.depth, (self.width, self.depth), 0)
        dome = np.maximum(1 - apex * apex, 0) * np.float32(min(self.height, 11) / 10)
        # Beyond the rim the plates run on level, where they bound the vertebral body's edge.
        reach = np.clip(v, -1.1 * self.depth, 1.1 * self.depth)
        half = (self.height - 0.1 * self.height) / 2 + np.tan(np.deg2rad(self.wedge / 2)) * reach
        half = np.maximum(half, np.float32(0.2 * self.height))
        low, high = -half - 0.7 * dome, half + 1.5 * dome
        for node in self.nodes:
            away = (u - node.across * self.width) ** 2 + (v - node.along * self.depth) ** 2
            bowl = node.depth_mm * np.exp(-((away / (0.6 * node.width_mm) ** 2) ** 2))
            low, high = (low - bowl, high) if node.plate == "lower" else (low, high + bowl)
        return r, low, high

    def overhang(self, u: np.ndarray, v: np.ndarray, w: np.ndarray) -> np.ndarray:
        """How far (mm) the rim stands out between the plates; a protrusion only behind."""
        between = np.maximum(1 - (2 * w / self.height) ** 2, 0)
        out = np.float32(0.08 * self.height + self.bulge)
        if self.protrusion:
            aside = (u - self.side * self.width) / 6
            out = out + np.float32(self.protrusion) * np.exp(-(aside**2)) * (v < 0)
        return between * out

    def distances(self, points: np.ndarray) -> tuple[np.ndarray, ...]:
        """Signed distances (mm) to the disc, its rim and its plates, and local coordinates."""
        u, v, w = local(self.axes, self.centre, points)
        r, low, high = self.plates(u, v)
        rim = outline(u, v, r) - self.overhang(u, v, w)
        plate = np.maximum(w - high, low - w)
        return smooth_max(rim, plate, 1.5), rim, plate, (u, v, w, r)

    def reach(self) -> float:
        """Radius (mm) of a sphere that holds the disc."""
        deep = max((node.depth_mm for node in self.nodes), default=0.0)
        round_about = np.hypot(self.width, self.depth) * 0.9 + self.bulge + self.protrusion
        return float(round_about + self.height + deep)


@dataclass(frozen=True)
class Body:
    """A vertebral body between two discs; their plates are its endplates."""

    name: str
    lower: Disc
    upper: Disc
    centre: np.ndarray
    axes: np.ndarray
    fat: float

    @property
    def length(self) -> float:
        """Distance between the centres of the two discs, mm."""
        return float(np.linalg.norm(self.upper.centre - self.lower.centre))

    @property
    def half_height(self) -> float:
        """Half the height of the body itself, mm."""
        return self.length / 2 - (self.lower.height + self.upper.height) / 4

    @property
    def depth(self) -> float:
        """Half the front-to-back depth, mm."""
        return (self.lower.depth + self.upper.depth) / 2

    @property
    def width(self) -> float:
        """Half the width, mm."""
        return (self.lower.width + self.upper.width) / 2

    def distance(self, points: np.ndarray) -> tuple[np.ndarray, tuple[np.ndarray, ...]]:
        """Signed distance (mm) to the waisted body, and the local coordinates."""
        u, v, w = local(self.axes, self.centre, points)
        share = np.clip(w / np.float32(self.length) + 0.5, 0, 1)
        waist = 1 - np.float32(0.11) * (1 - (2 * share - 1) ** 2)
        width = waist * (self.lower.width + share * (self.upper.width - self.lower.width))
        depth = waist * (self.lower.depth + share * (self.upper.depth - self.lower.depth))
        notch = (self.lower.notch + self.upper.notch) / 2
        # The front edge of a plate turns round; half a millimetre keeps the disc's rim outside.
        side = outline(u, v, radius(u, v, (width, depth), notch)) + 0.3
        bu, bv, bw = local(self.lower.axes, self.lower.centre, points)
        _, _, floor = self.lower.plates(bu, bv)
        tu, tv, tw = local(self.upper.axes, self.upper.centre, points)
        _, roof, _ = self.upper.plates(tu, tv)
        plate = np.maximum(floor - bw, tw - roof)
        return smooth_max(side, plate, 2.0), (u, v, w)


@dataclass(frozen=True)
class Truth:
    """What a disc measures: volume (mL), footprint (mm²), heights, centre (mm, subject's frame).

    The mean height is the volume over the footprint; front, middle and back are the heights on the
    midline at 15, 50 and 85 % of the depth, as they are published; front and back rim those at 10
    and 90 %, as `evaluation.measurements` has them, like the wedge between the faces.
    """

    volume_ml: float
    area_mm2: float
    height_mm: float
    height_front_mm: float
    height_middle_mm: float
    height_back_mm: float
    front_rim_mm: float
    back_rim_mm: float
    depth_mm: float
    wedge_deg: float
    centre: np.ndarray


class _Ruler:
    """A grid of points along a disc's axes, warped once, on which the disc is measured."""

    def __init__(self, disc: Disc, warp: Warp, step: float = 1.25) -> None:
        self.step = step
        deep = max((node.depth_mm for node in disc.nodes), default=0.0)
        out = 4 + disc.bulge + disc.protrusion
        reach = (disc.width * 1.05 + out, disc.depth * 1.05 + out, disc.height * 0.6 + 5 + deep)
        grid = np.meshgrid(*(np.arange(-r, r + step, step) for r in reach), indexing="ij")
        spots = np.float32(np.tensordot(disc.axes.T, np.stack(grid), axes=1))
        self.spots = spots + np.float32(disc.centre)[:, None, None, None]
        self.warped = self.spots + warp(*self.spots)

    def share(self, disc: Disc) -> np.ndarray:
        return cover(disc.distances(self.warped)[0], self.step)

    def volume_ml(self, disc: Disc) -> float:
        return float(self.share(disc).sum(dtype=np.float64) * self.step**3 / 1000)

    def measure(self, disc: Disc) -> Truth:
        share = self.share(disc)
        total = share.sum(dtype=np.float64)
        area = share.max(axis=2).sum(dtype=np.float64) * self.step**2
        centre = (self.spots * share).sum(axis=(1, 2, 3), dtype=np.float64) / total
        heights = share.sum(axis=2) * self.step
        about = slice(heights.shape[0] // 2 - 1, heights.shape[0] // 2 + 2)
        middle, section = heights[about].mean(axis=0), share[about].mean(axis=0)
        inside = np.flatnonzero(middle > self.step / 2)
        back, front = inside[0], inside[-1]
        places = np.arange(len(middle))
        at_mm = [
            float(np.interp(back + at * (front - back), places, middle))
            for at in (0.85, 0.5, 0.15, 0.9, 0.1)
        ]
        part = places[(places >= back + 0.15 * (front - back))
                      & (places <= back + 0.85 * (front - back))]  # fmt: skip
        levels = np.arange(section.shape[1]) * self.step
        between = section[part] @ levels * self.step / middle[part]
        faces = [
            np.arctan(np.polyfit(part * self.step, between + side * middle[part] / 2, 1)[0])
            for side in (-1, 1)
        ]
        volume, depth = total * self.step**3, float((front - back + 1) * self.step)
        wedge = float(np.degrees(faces[1] - faces[0]))
        return Truth(volume / 1000, area, volume / area, *at_mm, depth, wedge, centre)


def _disc(person: Person, k: int) -> Disc:
    """The disc at level `k` as drawn; its volume is only about right yet."""
    area = person.volume_ml[k] * 1000 / person.height[k]
    width = np.sqrt(area / (3.3 * person.aspect[k]))
    found = person.findings
    return Disc(
        level=ALL_LEVELS[k],
        centre=person.centre[k],
        axes=frame(person.tilt[k], person.lean[k]),
        width=float(width),
        depth=float(width * person.aspect[k]),
        height=float(person.height[k]),
        wedge=float(person.wedge[k]),
        notch=float(person.notch[k]),
        grade=found.grade[k],
        bulge=found.bulge_mm[k],
        protrusion=found.protrusion_mm[k],
        side=found.protrusion_side[k],
        vacuum=found.vacuum[k],
        nodes=tuple(node for node in found.nodes if node.level == ALL_LEVELS[k]),
    )


def build_spine(person: Person, warp: Warp) -> tuple[list[Disc], list[Body], list[Truth]]:
    """Discs, bodies and the discs' truth, caudal to cranial, with the volumes that were drawn."""
    discs, truths = [], []
    for k in range(len(ALL_LEVELS)):
        disc = _disc(person, k)
        ruler = _Ruler(disc, warp)
        for _ in range(2):
            scale = float((person.volume_ml[k] / ruler.volume_ml(disc)) ** (1 / 3))
            disc = replace(
                disc,
                width=disc.width * scale,
                depth=disc.depth * scale,
                height=disc.height * scale,
            )
        discs.append(disc)
        truths.append(ruler.measure(disc))
    bodies = []
    for k, name in enumerate(VERTEBRAE):
        low, high = discs[k], discs[k + 1]
        tilt = (person.tilt[k] + person.tilt[k + 1]) / 2
        lean = (person.lean[k] + person.lean[k + 1]) / 2
        centre = (low.centre + high.centre) / 2
        bodies.append(Body(name, low, high, centre, frame(tilt, lean), person.marrow_fat[k]))
    return discs, bodies, truths

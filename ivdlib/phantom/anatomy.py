"""Paint the spine: bodies, endplates, discs, posterior elements, canal."""

from __future__ import annotations

import numpy as np

from ivdlib.phantom.canvas import Canvas, Window, per_voxel, voxel_mean
from ivdlib.phantom.fields import Field, Warp, cover, ellipsoid, smooth_max
from ivdlib.phantom.pathology import NUCLEUS_LEFT, NUCLEUS_TISSUE
from ivdlib.phantom.signal import weights
from ivdlib.phantom.spine import Body, Disc, build_spine, local
from ivdlib.phantom.subject import ALL_LEVELS, COUNTED, VERTEBRAE, Person, person_rng
from ivdlib.phantom.torso import Torso

RATER_MM = (2.2, 5.0, 5.0)
"""How far a rater's error lasts: left–right, AP, SI. Raters draw slice by slice, so it changes with
the slice, and slowly within one."""


class Anatomy:
    """A person ready to be painted slice by slice.

    Parameters
    ----------
    person : Person
        Sizes and curves.
    subject, stage, seed : int
        Name the random textures: marrow and muscle stay the subject's own, bowel is new at
        every stage.
    jitter_mm : float
        Standard deviation of the rater's outline about the true one; drawn again at every stage.
    """

    def __init__(
        self, person: Person, subject: int, stage: int, seed: int, jitter_mm: float = 0.0
    ) -> None:
        rng = person_rng(seed, subject, 2)
        self.person = person
        self.weights = {name: weights(tissue) for name, tissue in person.tissues.items()}
        self.lamella = Field(rng, (9, 9, 1.6), fine=True)
        self.jitter_mm = np.float32(jitter_mm)
        self.wobble = Field(person_rng(seed, subject, 8, stage), RATER_MM, fine=True)
        self.warp = Warp(rng, 0.7, 40.0)
        # No two vertebrae, and no two sides of one, are alike.
        own = np.clip(person_rng(seed, subject, 9).standard_normal((len(VERTEBRAE), 2, 4)), -2, 2)
        self.own = {
            name: dict(zip((-1, 1), k, strict=True)) for name, k in zip(VERTEBRAE, own, strict=True)
        }
        self.marrow = Field(rng, (4, 4, 5), fine=True)
        self.patches = Field(rng, (9, 9, 8), fine=True)
        self.roots = Field(rng, (1.6, 1.6, 25), fine=True)
        self.discs, self.bodies, self.truth = build_spine(person, self.warp)
        self.torso = Torso(
            person, self.discs, self.bodies, rng, person_rng(seed, subject, 3, stage)
        )

    def paint(self, canvas: Canvas) -> None:
        """Paint one slice, from the skin inwards."""
        self.torso.paint(canvas)
        for body in self.bodies:
            self._foramina(canvas, body)
        for body in self.bodies:
            self._body(canvas, body)
        for disc in self.discs:
            self._disc(canvas, disc)
        for body in self.bodies:
            self._posterior(canvas, body)
        self._sacrum(canvas)
        self._canal(canvas)

    def _body(self, canvas: Canvas, body: Body) -> None:
        reach = float(np.hypot(body.width, body.depth) * 0.8 + body.length / 2)
        window = canvas.window(body.centre, reach)
        if window is None:
            return
        points = canvas.points[(slice(None), *window)]
        distance, (u, v, w) = body.distance(points)
        share = canvas.cover(distance)
        canvas.paint(window, canvas.cover(distance - 0.7), "ligament")
        canvas.paint(window, share, "cortex")
        # Fattier near the endplates and around the basivertebral vein; patchy everywhere.
        fat = body.fat + 0.055 * canvas.quick(self.marrow, window)
        fat = fat + 0.03 * canvas.quick(self.patches, window)
        fat = fat + 0.06 * np.clip((np.abs(w) / body.half_height - 0.7) / 0.3, 0, 1)
        vein = ellipsoid(u, v + 0.75 * body.depth, w - 1, (7, 0.55 * body.depth, 2.2))
        fat = fat + 0.12 * cover(vein - 2.5, 4)
        canvas.paint_marrow(window, canvas.cover(distance + 0.5), fat)
        canvas.paint(window, 0.6 * cover(vein, 1.5) * share, "blood")
        canvas.spine[window] += canvas.cover(distance - 0.7)
        self._haemangiomas(canvas, body)

    def _haemangiomas(self, canvas: Canvas, body: Body) -> None:
        for spot in self.person.findings.haemangiomas:
            if spot.body != body.name:
                continue
            half = (body.width, body.depth, body.half_height)
            place = tuple(share * size for share, size in zip(spot.place, half, strict=True))
            radius = spot.diameter_mm / 2
            tissue = "haemangioma" if spot.fatty else "blood"
            self._blob(canvas, body, place, (radius, radius, 1.2 * radius), tissue)

    def _disc(self, canvas: Canvas, disc: Disc) -> None:
        window = canvas.window(disc.centre, disc.reach())
        if window is None:
            return
        points = canvas.points[(slice(None), *window)]
        distance, rim, plate, local_at = disc.distances(points)
        share = canvas.cover(distance)
        # The longitudinal ligaments run over the rim and stay outside the label, as raters leave
        # them out: in real scans the darkest voxel is the first one outside.
        canvas.paint(window, canvas.cover(distance - 1.3) * (plate < 0), "ligament")
        canvas.paint(window, share, "cartilage")
        inner = canvas.cover(np.maximum(rim + 0.1, plate + min(0.5, 0.08 * disc.height)))
        self._fibres(canvas, window, disc, inner, (rim, *local_at))
        canvas.spine[window] += share
        if disc.level in COUNTED:
            drawn = share
            if self.jitter_mm > 0:
                wobble = self.jitter_mm * canvas.quick(self.wobble, window)
                drawn = canvas.cover(distance - wobble)
            canvas.mark_disc(window, share, drawn, COUNTED.index(disc.level) + 1)

    def _fibres(
        self, canvas: Canvas, window: Window, disc: Disc, inner: np.ndarray, at: tuple
    ) -> None:
        """Annulus and nucleus; layers along the plates, and a cleft once a disc has aged."""
        rim, u, v, w, _ = at
        texture = 1 + 0.09 * per_voxel(self.lamella, u + 27 * ALL_LEVELS.index(disc.level), v, w)
        if disc.grade in (2, 3):
            texture = texture * (1 - 0.12 * np.exp(-((w / 1.2) ** 2)))
        canvas.paint(window, inner, "annulus_outer")
        # The fibres run from dark outside to brighter inside over about 2 mm.
        depth = np.clip((0.2 - rim) / 2.2, 0, 1)
        canvas.paint(window, inner * depth, "annulus", texture)
        left = np.sqrt(NUCLEUS_LEFT[disc.grade])
        axes = (0.66 * disc.width * left, 0.64 * disc.depth * left, 0.47 * disc.height)
        core = ellipsoid(u, v + 0.08 * disc.depth, w, axes)
        canvas.paint(window, cover(core, 2.5) * inner, NUCLEUS_TISSUE[disc.grade], texture)
        if disc.vacuum:
            gap = ellipsoid(u, v, w, (0.5 * disc.width, 0.5 * disc.depth, 0.12 * disc.height + 0.3))
            canvas.paint(window, canvas.cover(gap) * inner, "gas")

    def _blob(self, canvas: Canvas, body: Body, spot: tuple, axes: tuple, tissue: str) -> None:
        """An ellipsoid of `tissue` at `spot` of the body's frame."""
        centre = body.centre + body.axes.T @ np.array(spot, float)
        window = canvas.window(centre, max(axes))
        if window is not None:
            points = canvas.points[(slice(None), *window)]
            distance = ellipsoid(*local(body.axes, centre, points), axes)
            canvas.paint(window, canvas.cover(distance), tissue)

    def _bone(self, canvas: Canvas, body: Body, parts: list, blend: float = 4.0) -> None:
        """One bone, grown together from ellipsoids (place in the body's frame, half axes)."""
        spots = np.array([spot for spot, _ in parts], float)
        low = (spots - np.array([axes for _, axes in parts])).min(axis=0)
        high = (spots + np.array([axes for _, axes in parts])).max(axis=0)
        middle = body.centre + body.axes.T @ ((low + high) / 2)
        window = canvas.window(middle, np.abs(body.axes.T) @ ((high - low) / 2))
        if window is None:
            return
        u, v, w = local(body.axes, body.centre, canvas.points[(slice(None), *window)])
        hollow = np.full(u.shape, -1e3, np.float32)
        for (a, b, c), axes in parts:
            hollow = smooth_max(hollow, -ellipsoid(u - a, v - b, w - c, axes), blend)
        canvas.paint(window, canvas.cover(-hollow), "cortex")
        fat = body.fat + 0.1 + 0.05 * canvas.quick(self.marrow, window)
        canvas.paint_marrow(window, canvas.cover(1.1 - hollow), fat)

    def _foramina(self, canvas: Canvas, body: Body) -> None:
        """Fat, nerve root and a vein below the pedicles: a keyhole, the root high in it."""
        back, low = -body.depth - 5, -0.55 * body.half_height
        if body.name.startswith("S"):
            return
        for side in (-1, 1):
            a, b, c, d = self.own[body.name][side]
            self._blob(canvas, body, (side * 17, back - 1, low + 2), (8, 7.5, 9), "fat_deep")
            self._blob(canvas, body, (side * 17, back + 1, low - 5), (8, 4, 9), "fat_deep")
            root = (side * 18, back + 0.5 + a, low + 5 + b)
            self._blob(canvas, body, root, (5, 2.4 + 0.3 * c, 2.9 + 0.3 * d), "cord")
            vein = (side * 17, back + 2 + 1.5 * c, low - 1.5 + 1.5 * d)
            self._blob(canvas, body, vein, (6, 0.9, 1.2 + 0.2 * b), "blood")

    def _posterior(self, canvas: Canvas, body: Body) -> None:
        """Pedicles, articular and transverse processes, laminae; the spinous process."""
        if body.name.startswith("S"):
            return
        half, back = body.half_height, -body.depth - self.person.canal
        thoracic = body.name.startswith("T")
        wing = 9 if thoracic else 15
        for side in (-1, 1):
            a, b, c, d = 1 + 0.1 * self.own[body.name][side]
            parts = [
                ((side * 17, -body.depth - 6, 0.35 * half), (6, 11, 0.6 * half)),
                ((side * 19, back - 1, 0.75 * half), (8, 6 * a, 11 * b)),
                ((side * 17, back - 4, -0.8 * half), (8, 6 * c, 12 * d)),
                ((side * 9, back - 4, -0.25 * half), (10, 4, 9)),
                (
                    (side * (20 + wing), -body.depth - 10 * a, 0.25 * half * b * b),
                    (wing, 3.8 * c, 7 * d * d),
                ),
            ]
            self._bone(canvas, body, parts)
        # The spinous process slopes down, more steeply in the thorax, and thickens at its tip.
        slope, tall = (0.8, 6) if thoracic else (0.25, 9)
        steps = ((6, 0.8), (12, 0.85), (18, 1.0), (24, 1.05))
        row = [
            ((0, back - d, -0.25 * half - slope * d), (2.8 + d / 30, 6, tall * grow))
            for d, grow in steps
        ]
        self._bone(canvas, body, row)

    def _sacrum(self, canvas: Canvas) -> None:
        """The wings and the back of the sacrum, grown together over its segments."""
        segments = [body for body in self.bodies if body.name.startswith("S")]
        base = segments[1]
        for side in (-1, 0, 1):
            parts = []
            for body in segments:
                half, back = body.half_height, -body.depth - self.person.canal
                wing = ((side * (body.width + 10), -5, 0), (18, 0.8 * body.depth, half + 4))
                arch = ((side * 12, back - 3, 0), (9, 4, half + 3))
                crest = ((0, back - 5, -2), (3, 6, 0.8 * half))
                for spot, axes in (wing, arch) if side else (crest,):
                    place = body.centre + body.axes.T @ np.array(spot, float) - base.centre
                    parts.append((tuple(base.axes @ place), axes))
            self._bone(canvas, base, parts, 14)

    def _canal(self, canvas: Canvas) -> None:
        window = self.torso.canal_window(canvas)
        if window is None:
            return
        canal = self.torso.canal(canvas, window)
        canvas.paint(window, canvas.cover(canal.wall - 0.8), "ligament")
        inside = canvas.cover(canal.wall)
        canvas.paint(window, inside, "fat_deep")
        # Veins run through the fat, above all in front of the sac.
        veins = np.clip(
            0.75 - 0.4 * self.person.epidural + 0.3 * canvas.quick(self.marrow, window), 0, 0.9
        )
        canvas.paint(window, veins * inside * (0.2 + 0.8 * canal.ahead), "blood")
        sac = canvas.cover(canal.sac) * inside
        canvas.paint(window, sac, "csf")
        strands = np.clip(0.5 + 0.8 * canvas.quick(self.roots, window), 0, 1)
        canvas.paint(window, canvas.cover(canal.cauda) * sac * strands, "cord")
        canvas.paint(window, canvas.cover(canal.cord) * sac, "cord")
        # The mask has no gap between canal and body, where the ligament runs.
        canvas.spine[window] += canvas.cover(canal.wall - 2.0)


def voxel_spine(canvas: Canvas) -> np.ndarray:
    """Voxels that bodies, discs and canal fill by half or more."""
    return voxel_mean(np.minimum(canvas.spine, 1)) >= 0.5

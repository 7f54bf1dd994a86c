"""Everything around the spine: skin, fat, muscle, vessels, bowel, lung, and the spinal canal.

Sizes that name no source are set by eye: they shape what surrounds the discs, not the discs.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ivdlib.phantom.canvas import Canvas, Window
from ivdlib.phantom.fields import Field, cover, length
from ivdlib.phantom.spine import Body, Disc
from ivdlib.phantom.subject import Person

_STEP = 0.25
_TABLE = np.arange(-300, 300, _STEP)
"""Heights z (mm) at which the curves along the body are tabulated."""


class Canal(NamedTuple):
    """Signed distances (mm) to the canal's wall, the dural sac, the cauda equina and the cord.

    `ahead` is the share of a cell that lies in the front half of the canal.
    """

    wall: np.ndarray
    sac: np.ndarray
    cauda: np.ndarray
    cord: np.ndarray
    ahead: np.ndarray


class Place(NamedTuple):
    """Cells of a window: where they lie (mm) against the curves along the body, random fields."""

    window: Window
    y: np.ndarray
    z: np.ndarray
    side: np.ndarray
    ahead: np.ndarray
    depth: np.ndarray
    width: np.ndarray
    skin: np.ndarray
    fascia: np.ndarray
    front: np.ndarray
    filling: np.ndarray
    bubbles: np.ndarray
    streak: np.ndarray


class Torso:
    """Curves along the body as tables over z, and the textures of soft tissue."""

    def __init__(
        self,
        person: Person,
        discs: list[Disc],
        bodies: list[Body],
        rng: np.random.Generator,
        fresh: np.random.Generator,
    ) -> None:
        from scipy.ndimage import gaussian_filter1d

        self.person = person
        parts = sorted([*discs, *bodies], key=lambda part: part.centre[2])
        z = np.array([part.centre[2] for part in parts])
        self.level = {body.name: float(body.centre[2]) for body in bodies}

        def along(values: list, at: np.ndarray = z, blur: float = 6.0) -> np.ndarray:
            line = np.interp(_TABLE, at, np.array(values, float))
            return np.float32(gaussian_filter1d(line, blur / _STEP, mode="nearest"))

        self.x = along([part.centre[0] for part in parts])
        self.y = along([part.centre[1] for part in parts])
        self.depth = along([part.depth for part in parts])
        self.width = along([part.width for part in parts])
        behind = [p.centre - p.axes[1] * (p.depth * 0.93 + person.canal / 2) for p in parts]
        height = np.maximum.accumulate([spot[2] for spot in behind])
        self.canal_y = along([spot[1] for spot in behind], height, 4.0)
        slope = np.gradient(self.canal_y, _STEP)
        self.canal_cos = np.float32(1 / np.sqrt(1 + slope**2))
        bones = along([spot[1] for spot in behind], height, 60.0) - person.canal / 2 - 30
        bones = np.minimum(bones, self.canal_y - person.canal / 2 - 11)
        lower = np.exp(-(((_TABLE - self.level["S1"]) / 55) ** 2))
        self.fascia = np.float32(gaussian_filter1d(bones, 12 / _STEP, mode="nearest"))
        self.skin = np.float32(self.fascia - person.back_fat - 7 * lower - 3)
        low, high = person.belly
        belly = low * np.exp(-(((_TABLE + 20) / 70) ** 2)) - high * np.exp(
            -(((_TABLE - 60) / 50) ** 2)
        )
        self.front = np.float32(self.skin.mean() + person.depth + belly)
        self.periods = np.float32(
            sum(np.exp(-(((_TABLE - d.centre[2] + 6) / 7) ** 2)) for d in discs[3:])
        )
        self.streak = Field(rng, (3.0, 3.0, 14), fine=True)
        self.septum = Field(rng, (11, 9, 60))
        self.muscle = Field(rng, (3, 3, 6), fine=True)
        self.loops = Field(fresh, (13, 13, 13))
        self.filling = Field(fresh, (7, 7, 7))
        self.speckle = Field(fresh, (2.5, 1.9, 1.9), fine=True)
        self.gas = Field(fresh, (17, 17, 17))

    def _at(self, canvas: Canvas, window: Window):
        """Look the tables up at the cells of a window: a function of a table."""
        z = canvas.points[2][window]
        index = np.clip((z - _TABLE[0]) * (1 / _STEP), 0, len(_TABLE) - 1).astype(np.int32)
        return lambda table: np.take(table, index)

    def paint(self, canvas: Canvas) -> None:
        """Paint all soft tissue of one slice."""
        back, front = float(self.skin.min()) - 6, float(self.front.max())
        window = canvas.window(np.array([0, (back + front) / 2, 0]), (99, (front - back) / 2, 400))
        if window is None:
            return
        place = self._place(canvas, window)
        here = place.filling
        body = np.maximum(place.skin - place.y, place.y - place.front)
        canvas.paint(window, canvas.cover(body), "skin")
        canvas.paint(window, canvas.cover(body + 1.6), "fat", 1 + 0.05 * here)
        texture = 1 + 0.10 * canvas.quick(self.muscle, window)
        self._belly(canvas, place)
        self._back(canvas, place, texture)
        if np.abs(place.side).max() > 14:
            self._flanks(canvas, place, texture + 0.18 * here)
            self._chest(canvas, place)
        self._vessels(canvas, place)

    def _place(self, canvas: Canvas, window: Window) -> Place:
        at = self._at(canvas, window)
        x, y, z = canvas.points[(slice(None), *window)]
        side = x - at(self.x)
        furrow = 4 - 4 * np.exp(-((side / 18) ** 2))
        return Place(
            window=window,
            y=y,
            z=z,
            side=side,
            ahead=y - at(self.y),
            depth=at(self.depth),
            width=at(self.width),
            skin=at(self.skin) - furrow,
            fascia=at(self.fascia) - furrow,
            front=at(self.front) - side * side / 500,
            filling=canvas.slow(self.filling, window),
            bubbles=canvas.slow(self.gas, window),
            streak=canvas.quick(self.streak, window),
        )

    def _belly(self, canvas: Canvas, place: Place) -> None:
        window, here, bubbles = place.window, place.filling, place.bubbles
        wall = np.maximum(place.y - place.front + self.person.front_fat, -place.ahead)
        canvas.paint(window, canvas.cover(wall), "muscle", 1 + 0.05 * here)
        # On the midline the wall is a sinew, hardly muscle.
        rectus = np.clip((np.abs(place.side) - 3) / 7, 0.25, 1)
        inside = canvas.cover(wall + (8 + 2 * bubbles) * rectus)
        canvas.paint(window, inside, "fat_deep", 1 + 0.10 * here)
        texture = canvas.quick(self.speckle, window)
        # Small vessels and nodes in the fat, and connective tissue about the spine.
        strands = np.clip(place.streak - 1.5, 0, 0.8)
        canvas.paint(window, inside * strands, "blood")
        column = length(place.side / place.width, place.ahead / place.depth)
        thick = self.person.prevertebral * (1 + 0.4 * bubbles)
        band = np.maximum((column - 1) * place.depth - thick, -6 - place.ahead)
        share = canvas.cover(band) * np.clip(0.7 + 0.4 * here, 0, 1)
        canvas.paint(window, share, "muscle", 1 + 0.15 * texture)
        # Beside the spine the bowel lies close to the psoas.
        gap = 18 - 12 * np.clip((np.abs(place.side) - 20) / 8, 0, 1) + 5 * bubbles
        room = np.maximum(gap + place.depth - place.ahead, wall + 12)
        loops = canvas.slow(self.loops, window)
        bowel = np.maximum(-5 * loops - 1.5, room)
        glow = np.exp(0.22 * here + 0.15 * texture)
        # Folds of fat run between the loops and, thin, into them.
        canvas.paint(window, canvas.cover(bowel) * inside, "bowel", glow)
        folds = cover(np.abs(bubbles - 0.3) * 7 - 0.6, 1.5) * canvas.cover(room)
        folds = folds * np.clip(0.5 + here, 0, 1)
        canvas.paint(window, 0.7 * folds * inside, "fat_deep")
        canvas.paint(window, canvas.cover(np.maximum(bowel + 4, 14 - 9 * bubbles)), "gas")
        liver = np.sqrt(
            ((place.side - 38) / 72) ** 2
            + ((place.ahead - 74) / 52) ** 2
            + ((place.z - self.level["T9"] - 10) / (self.level["T9"] - self.level["L1"])) ** 2
        )
        organ = np.maximum((liver - 1) * 50 + 2 * bubbles, wall + 10)
        canvas.paint(window, canvas.cover(organ), "liver", 1 + 0.02 * texture)
        tubes = np.maximum(10 * length(loops, here) - 2.5, organ + 6)
        canvas.paint(window, canvas.cover(tubes), "blood")

    def _back(self, canvas: Canvas, place: Place, texture: np.ndarray) -> None:
        window, hidden = place.window, place.fascia - place.y
        inner = np.maximum(hidden, place.ahead + 2)
        share = canvas.cover(inner)
        canvas.paint(window, canvas.cover(inner - 0.8) * (place.ahead < -6), "ligament")
        canvas.paint(window, share, "muscle", texture)
        low = np.clip((self.level["L2"] - place.z) / 110, 0, 1)
        deep = np.clip(-hidden / 30, 0, 1)
        amount = self.person.streaks * (0.10 + 0.5 * low * (0.4 + 0.6 * deep))
        streaks = np.clip(place.streak - 2.0 + 1.6 * amount, 0, 1)
        # One open sheet of fat between the layers of muscle.
        sheet = canvas.slow(self.septum, window) + (hidden + 20) / 3
        planes = cover(np.abs(sheet) * 3 - 0.7, 1.4)
        canvas.paint(window, share * np.maximum(streaks, 0.7 * planes), "fat")
        # Between the spinous processes: ligament fibres in fat, and fat under the fascia.
        gap = canvas.cover(np.abs(place.side) - 4.5) * share
        canvas.paint(window, gap, "fat_deep")
        fibres = np.clip(0.4 + 0.18 * place.streak, 0.1, 0.7)
        canvas.paint(window, gap * fibres, "muscle")
        canvas.paint(window, 0.25 * gap, "ligament")
        # The ligament over the tips of the processes, down to L5.
        band = np.maximum(np.abs(hidden + 2) - 1.0, np.abs(place.side) - 4)
        band = np.maximum(band, self.level["L5"] - place.z)
        canvas.paint(window, canvas.cover(band), "ligament")

    def _flanks(self, canvas: Canvas, place: Place, texture: np.ndarray) -> None:
        window, away = place.window, np.abs(place.side)
        size = np.clip((self.level["T12"] - place.z) / 8, 1, 19)
        shift = np.clip((self.level["L4"] - place.z) * 0.35, 0, 40)
        across = (away - place.width - 0.75 * size + 2 - 0.2 * shift) / 0.95
        psoas = length(across, (place.ahead + 4 - shift) / 1.15) - size
        psoas = np.maximum(psoas, place.z - self.level["T12"])
        # A patchy layer of fat about it, and thin streaks of fat within.
        patches = np.clip(0.5 + 0.6 * place.filling, 0, 1)
        canvas.paint(window, patches * canvas.cover(psoas - 1.2), "fat_deep")
        share = canvas.cover(psoas)
        canvas.paint(window, share, "muscle", texture)
        streaks = np.clip(0.5 * place.streak - 0.35, 0, 0.5)
        canvas.paint(window, streaks * share, "fat")

    def _chest(self, canvas: Canvas, place: Place) -> None:
        """The lungs' hindmost recess and the ribs behind it."""
        window, away, ahead = place.window, np.abs(place.side), place.ahead
        rise = np.maximum(ahead + 30, 0)
        dome = self.level["T12"] - 10 + 110 * (1 - np.exp(-rise / 50)) - 0.25 * (away - 30)
        dome = dome + 3 * place.bubbles
        lung = np.maximum(np.maximum(place.width + 4 - away, dome - place.z), -27 - ahead)
        lung = np.maximum(lung, place.y - place.front + 30)
        canvas.paint(window, canvas.cover(lung - 2.5), "muscle")
        canvas.paint(window, canvas.cover(lung), "lung", np.exp(0.5 * place.filling))
        for name in ("T9", "T10", "T11", "T12"):
            rise = place.z - self.level[name] + 0.5 * (away - 24) - 6
            rib = length((ahead + 20 + 0.25 * away) / 0.7, rise) - 6
            rib = np.maximum(rib, 20 - away)
            canvas.paint(window, canvas.cover(rib), "cortex")
            share = canvas.cover(rib + 1)
            canvas.paint_marrow(window, share, np.float32(self.person.marrow_fat[-1]))

    def _vessels(self, canvas: Canvas, place: Place) -> None:
        """Aorta on the left, vena cava on the right, both forking in front of L4; the crura."""
        window, ahead = place.window, place.ahead - place.depth
        away = np.abs(place.side)
        crus = length((away - 9) / 1.3, ahead - 4) - 4.2
        crus = np.maximum(crus, self.level["L2"] - place.z)
        canvas.paint(window, canvas.cover(crus), "muscle")
        fork = np.maximum(self.level["L4"] - place.z, 0)
        rise = np.maximum(place.z - self.level["L1"], 0)
        # The vena cava lies flatter than the aorta; both touch the ligament but for a little fat.
        for sign, radius, flat, off, lift in ((-1, 8.8, 1.0, 9, 0.0), (1, 9.5, 1.25, 14, 0.35)):
            radius = radius - np.clip(0.08 * fork, 0, 3.5)
            across = (place.side - sign * (off + 0.45 * fork)) / flat
            tube = length(across, ahead - radius - 2.2 - lift * rise - 0.1 * fork) - radius
            canvas.paint(window, canvas.cover(tube - 1), "ligament")
            canvas.paint(window, canvas.cover(tube), "blood", 1.05 if sign < 0 else 0.95)

    def canal_window(self, canvas: Canvas) -> Window | None:
        """Cells near the canal."""
        spot = np.array([0, float(self.canal_y.mean()), 0])
        half = float(np.ptp(self.canal_y)) + 15
        return canvas.window(spot, (16, half, 200))

    def canal(self, canvas: Canvas, window: Window) -> Canal:
        """Distances to the canal and what runs in it."""
        at = self._at(canvas, window)
        x, y, z = canvas.points[(slice(None), *window)]
        u = x - at(self.x)
        v = (y - at(self.canal_y)) * at(self.canal_cos)
        half = self.person.canal / 2
        taper = np.clip((z - self.level["S3"]) / (self.level["L5"] - self.level["S3"]), 0.2, 1)
        wall = length(u / (1.45 * half), v / half) - 1
        # Behind the discs the yellow ligaments leave a wedge of fat; L5/S1 has more in front.
        ahead = v - (1 - taper) * 1.2
        back = half * (0.92 - 0.42 * at(self.periods)) * taper
        front = half * (0.95 - 0.25 * (1 - taper)) * taper
        reach = np.where(ahead > 0, front, back)
        sac = length(u / (1.3 * half * taper), ahead / reach) - 1
        tip = self.level["L1"] - 4
        thick = np.clip((z - tip) / 22, 0, 1)
        cord = length(u / 1.25, v + 0.1 * half) - 4.2 * np.sqrt(thick)
        cord = np.where(thick > 0, cord, np.float32(5))
        cauda = length(u / (0.9 * half * taper), (v + 0.35 * half) / (0.45 * half * taper)) - 1
        return Canal(wall * half, sac * half * 0.8, cauda * half * 0.5, cord, cover(-v, 4))

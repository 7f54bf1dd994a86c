"""What is not textbook about a person's spine: worn discs, bulges, Schmorl's nodes, haemangiomas.

Rates and sizes are published ones (`conditions.RATES`); what was drawn is written beside the scan.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ivdlib.phantom.conditions import Conditions

HEIGHT_LEFT = {1: 1.0, 2: 1.0, 3: 0.8, 4: 0.6, 5: 0.4}
"""Height that a disc of each grade keeps."""
NUCLEUS_LEFT = {1: 1.0, 2: 1.0, 3: 0.75, 4: 0.5, 5: 0.4}
"""Area that its nucleus keeps."""
NUCLEUS_TISSUE = {
    1: "nucleus",
    2: "nucleus",
    3: "nucleus_intermediate",
    4: "nucleus_dry",
    5: "nucleus_dry",
}
WORN_GRADES = {3: 0.80, 4: 0.17, 5: 0.03}
"""How worn the discs of grade 3 and above are, in volunteers without complaints."""
_SCHMORL_LEVELS = {"L1/2": 0.27, "L2/3": 0.27, "T12/L1": 0.16, "T11/12": 0.14, "L3/4": 0.16}
"""Where the nodes sit: L1/2 and L2/3 hold 54 %; the rest is spread over the neighbours."""
_HAEMANGIOMA_BODIES = {"L1": 0.24, "T12": 0.20, "T11": 0.20, "L2": 0.12, "L3": 0.12, "L4": 0.12}
"""Most often L1 and T11 to T12."""


@dataclass(frozen=True)
class Node:
    """A Schmorl's node: the disc pushes through a plate. Places in half depths and widths."""

    level: str
    plate: str
    across: float
    along: float
    width_mm: float
    depth_mm: float


@dataclass(frozen=True)
class Haemangioma:
    """A round vascular tumour in a vertebral body; most are rich in fat."""

    body: str
    place: tuple[float, float, float]
    diameter_mm: float
    fatty: bool


@dataclass(frozen=True)
class Findings:
    """What a person has; per-disc values from caudal to cranial."""

    grade: tuple[int, ...]
    bulge_mm: tuple[float, ...]
    protrusion_mm: tuple[float, ...]
    protrusion_side: tuple[float, ...]
    vacuum: tuple[bool, ...]
    nodes: tuple[Node, ...]
    haemangiomas: tuple[Haemangioma, ...]
    cobb_deg: float

    def rows(self, levels: tuple[str, ...]) -> list[dict]:
        """One entry a finding, for the record of the scan: kind, where, size in mm (or degrees)."""
        rows = []
        for kind in ("bulge_mm", "protrusion_mm"):
            for level, size in zip(levels, getattr(self, kind), strict=True):
                if size > 0:
                    rows.append({"kind": kind[:-3], "where": level, "size_mm": round(size, 2)})
        rows += [
            {"kind": "vacuum", "where": level}
            for level, dark in zip(levels, self.vacuum, strict=True)
            if dark
        ]
        rows += [
            {
                "kind": "schmorl",
                "where": f"{node.level} {node.plate}",
                "size_mm": round(node.width_mm, 2),
                "depth_mm": round(node.depth_mm, 2),
            }
            for node in self.nodes
        ]
        rows += [
            {
                "kind": "haemangioma",
                "where": spot.body,
                "size_mm": round(spot.diameter_mm, 2),
                "fatty": spot.fatty,
            }
            for spot in self.haemangiomas
        ]
        return rows


def draw_findings(
    rng: np.random.Generator, levels: tuple[str, ...], conditions: Conditions
) -> Findings:
    """Draw a person's findings; the number of draws does not depend on the rates."""
    count, rates = len(levels), conditions.rates
    grade = tuple(
        _grade(u, v, level, rates["degeneration"])
        for u, v, level in zip(rng.random(count), rng.random(count), levels, strict=True)
    )
    worn = np.array(grade) >= 3
    bulge = np.where(worn & (rng.random(count) < 0.6), rng.uniform(1, 3, count), 0)
    push = np.where(worn & (rng.random(count) < 0.12), rng.uniform(3, 6, count), 0)
    side = rng.normal(0, 0.25, count)
    vacuum = (np.array(grade) >= 4) & (rng.random(count) < 0.1)  # rare before old age
    tail = rng.random() < rates["scoliosis"]
    cobb = rng.choice([-1, 1]) * (rng.uniform(6, 15) if tail else rng.uniform(0, 6))
    return Findings(
        grade=grade,
        bulge_mm=tuple(map(float, bulge)),
        protrusion_mm=tuple(map(float, push)),
        protrusion_side=tuple(map(float, side)),
        vacuum=tuple(map(bool, vacuum)),
        nodes=_nodes(rng, rates["schmorl"]),
        haemangiomas=_haemangiomas(rng, rates["haemangioma"]),
        cobb_deg=float(cobb),
    )


def _worn(level: str, rate: float) -> float:
    """Probability of a grade of 3 to 5 at a level."""
    if level.startswith("S"):
        return 0.0
    return rate * (2 if level in {"L5/S1", "L4/5"} else 0.5 if level.startswith("T") else 0.8)


def expected_height(level: str, rate: float) -> float:
    """Mean share of its height that a disc of this level keeps."""
    loss = sum(share * (1 - HEIGHT_LEFT[grade]) for grade, share in WORN_GRADES.items())
    return 1 - min(_worn(level, rate), 1) * loss


def _grade(u: float, v: float, level: str, rate: float) -> int:
    """Grade 1 to 5 after Pfirrmann."""
    if u >= _worn(level, rate):
        return 1 if v < 0.4 else 2
    for grade, share in WORN_GRADES.items():
        if v < share:
            return grade
        v -= share
    return 5


def _nodes(rng: np.random.Generator, rate: float) -> tuple[Node, ...]:
    has, number = rng.random() < rate, int(rng.integers(1, 4))
    names, weight = zip(*_SCHMORL_LEVELS.items(), strict=True)
    nodes = [
        Node(
            level=str(rng.choice(names, p=weight)),
            plate=str(rng.choice(["lower", "upper"])),
            across=float(rng.uniform(-0.4, 0.4)),
            along=float(rng.uniform(-0.5, 0.35)),
            width_mm=float(rng.uniform(4, 10)),
            depth_mm=float(rng.uniform(2, 6)),
        )
        for _ in range(3)
    ]
    return tuple(nodes[:number]) if has else ()


def _haemangiomas(rng: np.random.Generator, rate: float) -> tuple[Haemangioma, ...]:
    has, number = rng.random() < rate, 1 + int(rng.random() < 0.25)
    names, weight = zip(*_HAEMANGIOMA_BODIES.items(), strict=True)
    spots = [
        Haemangioma(
            body=str(rng.choice(names, p=weight)),
            place=tuple(float(x) for x in rng.uniform((-0.5, -0.4, -0.25), (0.5, 0.5, 0.25))),
            diameter_mm=float(rng.uniform(5, 15)),
            fatty=bool(rng.random() < 0.79),
        )
        for _ in range(2)
    ]
    return tuple(spots[:number]) if has else ()

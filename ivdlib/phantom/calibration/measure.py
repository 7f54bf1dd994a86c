"""Measure a phantom's folder, scan by scan and pair by pair."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ivdlib.data.cases import Case, find_cases, load_case
from ivdlib.data.geometry import compare_grids
from ivdlib.data.json_shape import misfit
from ivdlib.data.nifti import read_labels
from ivdlib.data.orientation import to_canonical
from ivdlib.errors import DataError
from ivdlib.files import read_json
from ivdlib.links import need_content
from ivdlib.phantom.calibration import regions, shapes

if TYPE_CHECKING:
    import pandas as pd

AGAIN = "make the phantom again with this version of ivdlib"


@dataclass(frozen=True, eq=False)
class Measured:
    """What was measured on a phantom.

    Attributes
    ----------
    folder : Path
    dataset : dict
        The content of `dataset.json`.
    scans : DataFrame
        One row a scan: `case`, `subject`, `stage`, `exchanged` (water and fat stand exchanged
        somewhere), `whole` (all 36 slices), and the numbers of `shapes.label_extent`, `total_ml`,
        `jitter_mm`, `jitter_rms_mm`, those of `regions.contrast_ratios` (NaN where exchanged),
        `regions.receiver` and `regions.identities`.
    levels : DataFrame
        One row a disc: `case`, `subject`, `stage`, `level`, the numbers of `shapes.disc_sizes`, and
        the columns of the truth (its own volume as `true_ml`).
    pairs : DataFrame
        One row a later stage of a person, against the first: `subject`, `stage`, `volume_percent`
        (of the whole label), `length_mm` (T11/12 to L5/S1), `lordosis_deg`; see `heights`.
    heights : DataFrame
        One row a disc and later stage: `subject`, `stage`, `level`, `height_percent`.
    """

    folder: Path
    dataset: dict[str, Any]
    scans: pd.DataFrame
    levels: pd.DataFrame
    pairs: pd.DataFrame
    heights: pd.DataFrame

    @property
    def whole(self) -> bool:
        """Whether every scan has all its slices, so that sizes can be told."""
        return bool(self.scans["whole"].all())


def measure_phantom(folder: str | os.PathLike) -> Measured:
    """Measure all scans of a phantom; one is in memory at a time.

    Parameters
    ----------
    folder : path
        Written by `ivdlib.phantom.make_phantom`.

    Returns
    -------
    Measured

    Raises
    ------
    DataError
        If the folder is no phantom, or a file of it is missing or broken.
    """
    import pandas as pd

    folder = Path(folder)
    need_content(folder / "phantom.csv")
    if not (folder / "phantom.csv").is_file():
        raise DataError(f"{folder} holds no phantom (there is no phantom.csv); make one there.")
    dataset = read_json(folder / "dataset.json")
    names = tissue_names(dataset, folder)
    try:
        truth = pd.read_csv(folder / "phantom.csv", dtype={"case": str})
        truth["volume_ml"] = pd.to_numeric(truth["volume_ml"])
        truth[["case", "level", "grade"]]
    except (OSError, KeyError, ValueError) as error:
        raise DataError(f"{folder / 'phantom.csv'} cannot be read ({error}); {AGAIN}.") from error
    scans, levels = [], []
    for files in find_cases(folder):
        case = load_case(folder / files.name, labels_required=True)
        mine = truth[truth["case"] == case.name]
        who = {"case": case.name, "subject": case.subject, "stage": case.stage}
        scan, discs = _measure_scan(case, names, mine)
        scans.append({**who, **scan})
        levels.append(pd.DataFrame([{**who, **disc} for disc in discs]).merge(
            mine.rename(columns={"volume_ml": "true_ml"}), on=["case", "level"], how="left"
        ))  # fmt: skip
    scans, levels = pd.DataFrame(scans), pd.concat(levels, ignore_index=True)
    pairs, heights = _pairs(folder, scans, truth)
    return Measured(folder, dataset, scans, levels, pairs, heights)


def tissue_names(dataset: dict[str, Any], folder: Path) -> dict[int, str]:
    """Tissues by code, as `dataset.json` of a phantom in `folder` lists them; without air, 0.

    Raises
    ------
    DataError
        If it lists none.
    """
    tissues = dataset.get("tissues") if isinstance(dataset, dict) else None
    if not tissues or misfit(tissues, {...: str}) or not all(map(str.isdecimal, tissues)):
        raise DataError(f"{folder / 'dataset.json'} names no tissues; {AGAIN}.")
    return {int(code): name for code, name in tissues.items() if int(code)}


def stages_beside(case: Case, word: str) -> np.ndarray | None:
    """A further label image of a phantom scan in the axes of the case, None if it has none.

    Parameters
    ----------
    case : Case
        Loaded from a phantom.
    word : str
        "Exact", "Tissue" or "Swap".

    Returns
    -------
    ndarray of uint8, `case.shape`, or None

    Raises
    ------
    DataError
        If the file is broken or lies on another grid.
    """
    path = next(iter(case.sources.values())).parent / f"{case.name}_{word}.nii.gz"
    if not path.is_file():
        return None
    image, grid = read_labels(path), case.grid
    if not compare_grids(image.affine, image.array.shape, grid.affine, grid.shape).same:
        raise DataError(f"{path} lies on another grid than the scan; {AGAIN}.")
    return to_canonical(image.array, case.grid)


def _needed(case: Case, word: str) -> np.ndarray:
    image = stages_beside(case, word)
    if image is None:
        raise DataError(f"case {case.name} has no {case.name}_{word}.nii.gz; {AGAIN}.")
    return image


def _measure_scan(case: Case, names: dict[int, str], truth: pd.DataFrame) -> tuple[dict, list]:
    exact, labels = _needed(case, "Exact") > 0, case.discs
    centres = {row.level: np.array([row.x_mm, row.y_mm, row.z_mm]) for row in truth.itertuples()}
    discs, levels = shapes.name_discs(exact, case.affine, centres)
    apart, square = shapes.jitter_mm(labels, exact, case.spacing)
    where = regions.tissue_regions(_needed(case, "Tissue"), names, exact, case.spine, case.spacing)
    exchange = stages_beside(case, "Swap")
    exchanged = exchange is not None and bool(exchange.any())
    ratios = regions.contrast_ratios(case.contrasts, where)
    scan = {
        "exchanged": exchanged,
        "whole": case.shape[0] == shapes.FULL_SHAPE[0],
        **shapes.label_extent(labels),
        "total_ml": float(labels.sum() * np.prod(case.spacing) / 1000),
        "jitter_mm": apart,
        "jitter_rms_mm": square,
        **{name: np.nan if exchanged else ratio for name, ratio in ratios.items()},
        **regions.receiver(case.contrasts["inn"], where),
        **regions.identities(case.contrasts),
    }
    return scan, shapes.disc_sizes(labels, discs, levels, case.spacing)


def _pairs(
    folder: Path, scans: pd.DataFrame, truth: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Each later stage against the first one of the same person."""
    import pandas as pd

    of_case = {name: rows.set_index("level") for name, rows in truth.groupby("case")}
    pairs, heights = [], []
    for subject, mine in scans.groupby("subject", sort=False):
        ordered = mine.sort_values("stage", key=lambda s: pd.to_numeric(s, errors="coerce"))
        first, *later = ordered.to_dict("records")
        before = of_case[first["case"]]
        for scan in later:
            after = of_case[scan["case"]]
            who = {"subject": subject, "stage": scan["stage"]}
            pairs.append({
                **who,
                "volume_percent": 100 * (scan["total_ml"] / first["total_ml"] - 1),
                "length_mm": _length(after) - _length(before),
                "lordosis_deg": _lordosis(folder, scan) - _lordosis(folder, first),
            })  # fmt: skip
            growth = 100 * (after["height_mm"] / before["height_mm"] - 1)
            heights += [{**who, "level": k, "height_percent": v} for k, v in growth.items()]
    numbers = ["volume_percent", "length_mm", "lordosis_deg"]
    return (
        pd.DataFrame(pairs, columns=["subject", "stage", *numbers]),
        pd.DataFrame(heights, columns=["subject", "stage", "level", "height_percent"]),
    )


def _length(discs: pd.DataFrame) -> float:
    """Distance in mm between the centres of the highest and the lowest labelled disc."""
    ends = discs.sort_values("z_mm")[["x_mm", "y_mm", "z_mm"]].to_numpy()[[0, -1]]
    return float(np.linalg.norm(ends[1] - ends[0]))


def _lordosis(folder: Path, scan: dict) -> float:
    person = drawn(folder, scan["case"]).get("person", {})
    return float(person.get("lordosis_deg", np.nan))


_DRAWN = {
    "person": {...: object, "lordosis_deg": float, "cobb_deg": float},
    "findings": [{"kind!": str, "size_mm": (float, None)}],
}


def drawn(folder: Path, case: str) -> dict[str, Any]:
    """What was drawn for a scan of a phantom, as its ``_scan.json`` says; {} without one.

    Raises
    ------
    DataError
        If the file is broken.
    """
    path = folder / case / f"{case}_scan.json"
    found = read_json(path) if path.is_file() else {}
    if odd := misfit(found, _DRAWN):
        raise DataError(f"{path}: {odd} is missing or of another kind; make the phantom again.")
    return found

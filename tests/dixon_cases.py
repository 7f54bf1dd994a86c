"""Small Dixon cases, whole or with a fault, that several tests write."""

import zlib
from pathlib import Path

import nibabel as nib
import numpy as np

CONTRASTS = ("wat", "fat", "inn", "opp")
AFFINE = np.array(
    [[-1.98, 0.02, 0.1, 30.0], [0.05, -1.24, 0.2, 90.0], [0.08, 0.2, 1.23, -40.0], [0, 0, 0, 1]]
)


def make_volumes(name: str, shape: tuple[int, int, int]) -> dict[str, np.ndarray]:
    """Four consistent contrasts (int16), labels and spine: discs between vertebrae, in fat.

    The numbers depend on nothing but `name` and `shape`.
    """
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    x, y, z = np.meshgrid(*(np.linspace(-1, 1, n) for n in shape), indexing="ij")
    column = (np.abs(x) < 0.8) & (np.abs(y - 0.1) < 0.5)
    disc = column & (np.cos(3 * np.pi * z) > 0.5)
    water = np.where(disc, 160, np.where(column, 90, 30)) + rng.integers(0, 25, shape)
    fat = np.where(disc, 12, np.where(column, 70, 140)) + rng.integers(0, 12, shape)
    volumes = {"wat": water, "fat": fat, "inn": water + fat, "opp": np.abs(water - fat)}
    return {
        **{word: volume.astype(np.int16) for word, volume in volumes.items()},
        "Labels": disc.astype(np.uint8),
        "Spine": column.astype(np.uint8),
    }


def write_case(
    folder: Path,
    name: str,
    shape: tuple[int, int, int] = (6, 24, 28),
    *,
    affine: np.ndarray = AFFINE,
    ending: str = ".nii.gz",
    labels: bool = True,
    spine: bool = False,
    missing: tuple[str, ...] = (),
    copy: tuple[str, str] | None = None,
    truncated: str = "",
    change: dict | None = None,
    affines: dict | None = None,
) -> Path:
    """Write a small Dixon case into `folder/name` and return that folder.

    Files are named by the words wat, fat, inn, opp, Labels, Spine. Faults: `missing` words stay
    unwritten; `copy=("wat", "inn")` writes inn as wat; `truncated` cuts a file in
    half; `change={"fat": f}` writes f(array) (f may return a nibabel image to choose the header);
    `affines={"Labels": a}` gives a word another affine.
    """
    volumes = make_volumes(name, shape)
    if copy:
        volumes[copy[0]] = volumes[copy[1]]
    words = [*CONTRASTS, *(["Labels"] if labels else []), *(["Spine"] if spine else [])]
    place = Path(folder) / name
    place.mkdir(parents=True, exist_ok=True)
    for word in (word for word in words if word not in missing):
        image = (change or {}).get(word, lambda array: array)(volumes[word])
        if not isinstance(image, nib.spatialimages.SpatialImage):
            image = nib.Nifti1Image(image, (affines or {}).get(word, affine))
        path = place / f"{name}_{word}{ending}"
        nib.save(image, path)
        if word == truncated:
            path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    return place


def rotation(a: float, b: float, c: float) -> np.ndarray:
    """Turn by `a`, `b` and `c` (radians) about the first, second and third axis."""
    turned = np.eye(3)
    for axis, angle in enumerate((a, b, c)):
        i, j = (axis + 1) % 3, (axis + 2) % 3
        turn = np.eye(3)
        turn[i, i] = turn[j, j] = np.cos(angle)
        turn[i, j], turn[j, i] = -np.sin(angle), np.sin(angle)
        turned = turned @ turn
    return turned


def repair_of(sentence):
    """What a sentence says is to be done, behind its last semicolon; "" where it says nothing."""
    return sentence.rstrip(".").rpartition("; ")[2] if "; " in sentence else ""

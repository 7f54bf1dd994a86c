"""An experiment of seconds on a phantom of three people."""

import shutil

import nibabel as nib
import numpy as np

from ivdlib.data.cases import Case
from ivdlib.training.experiment import Experiment

SINGLE = ("wat", "fat", "inn", "opp")
FUSED = ("wat+opp", "fat+opp", "wat+inn", "inn+opp")
QUICK = {
    "networks": ["unet"],
    "training.tile": [32, 32],
    "training.steps": 3,
    "score_discs": True,
}


def begin(reports, phantom, name="grid", **overrides):
    overrides = {**QUICK, **{key.replace("__", "."): v for key, v in overrides.items()}}
    return Experiment(name, "test", phantom, overrides=overrides, reports=reports)


def contents(folder):
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


def altered(source, target, names):
    """Copy a data set; scans in `names` become those of somebody else, upside down."""
    shutil.copytree(source, target)
    for name in names:
        for path in (target / name).glob("*.nii.gz"):
            image = nib.load(path)
            data = np.asarray(image.dataobj)[:, ::-1, ::-1]
            if "Labels" not in path.name and "Spine" not in path.name:
                data = (data // 2 + data.max() // 5).astype(data.dtype)
            nib.save(nib.Nifti1Image(np.ascontiguousarray(data), None, image.header), path)
    return target


def in_memory(name, subject, contrasts=("t2",), seed=0):
    rng = np.random.default_rng([seed, ord(subject)])
    labels = (rng.random((2, 20, 24)) < 0.2).astype(np.uint8)
    images = {c: (labels + rng.random(labels.shape)).astype(np.float32) for c in contrasts}
    return Case(name, subject, images, np.diag([2.0, 1, 1, 1]), labels=labels)

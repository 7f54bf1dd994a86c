"""Cases that are loaded with and without their warnings."""

import warnings

import nibabel as nib
import numpy as np
from dixon_cases import AFFINE, make_volumes

from ivdlib.data import cases
from ivdlib.errors import DataWarning

SHAPE = (6, 24, 28)


def load_quietly(folder, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return cases.load_cases(folder, **options)


def subjects(folder, text):
    (folder / "subjects.csv").write_text(text, encoding="utf-8")


def canonical(name, word):
    image = nib.Nifti1Image(make_volumes(name, SHAPE)[word], AFFINE)
    return np.asarray(nib.as_closest_canonical(image).dataobj)


def moved(mm):
    affine = AFFINE.copy()
    affine[0, 3] += mm
    return affine


def load_anyway(folder):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        return cases.load_cases(folder)

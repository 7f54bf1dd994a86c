"""Fully dilated separable networks for intervertebral-disc segmentation, to read, run and check.

The public face is small and lazy: a deep-learning framework is loaded only when a network is built.

>>> import ivdlib
>>> cases = ivdlib.load_cases("data/phantom")  # doctest: +SKIP
>>> folds = ivdlib.patient_folds(cases)  # doctest: +SKIP
"""

import importlib
from typing import Any

from ivdlib import quiet

__version__ = "0.1.0"

quiet.install()

_PUBLIC = {
    "Case": "cases",
    "load_case": "cases",
    "load_cases": "cases",
    "make_phantom": "phantom",
    "fuse": "fusion",
    "Fold": "splits",
    "patient_folds": "splits",
    "build": "models",
    "FDSCNNConfig": "models",
    "UNetConfig": "models",
    "DeepLabV3PlusConfig": "models",
    "load_model": "inference",
    "predict": "inference",
    "score": "challenge",
    "Experiment": "experiment",
}

__all__ = ["__version__", *_PUBLIC]


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'ivdlib' has no attribute {name!r}")
    return getattr(importlib.import_module(f"ivdlib.{_PUBLIC[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)

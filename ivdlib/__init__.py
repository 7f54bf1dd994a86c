"""Fully dilated separable networks for intervertebral-disc segmentation, to read, run and check.

The public face is small and lazy: a deep-learning framework is loaded only when a network is built.

>>> import ivdlib
>>> cases = ivdlib.load_cases("data/phantom")  # doctest: +SKIP
>>> folds = ivdlib.patient_folds(cases)  # doctest: +SKIP
"""

import importlib
import sys
from types import ModuleType

import lazy_loader

from ivdlib.networks import quiet

__version__ = "1.0.0"

quiet.install()

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
__all__ += ["__version__"]


class _Moved(ModuleType):
    """What scripts import under its first name: `ivdlib.cases` is `ivdlib.data.cases` now."""

    def __getattr__(self, name: str) -> object:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(importlib.import_module("ivdlib.data.cases"), name)


cases = sys.modules["ivdlib.cases"] = _Moved("ivdlib.cases")

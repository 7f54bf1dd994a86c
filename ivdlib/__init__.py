"""Fully dilated separable networks for intervertebral-disc segmentation, to read, run and check.

The public face is small and lazy: a deep-learning framework is loaded only when a network is built.

>>> import ivdlib
>>> cases = ivdlib.load_cases("data/phantom")  # doctest: +SKIP
>>> folds = ivdlib.patient_folds(cases)  # doctest: +SKIP
"""

import lazy_loader

from ivdlib.networks import quiet

__version__ = "0.1.0"

quiet.install()

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
__all__ += ["__version__"]

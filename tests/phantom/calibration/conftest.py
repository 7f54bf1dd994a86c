"""A small phantom, measured once."""

from pathlib import Path

import pytest

from ivdlib.phantom import calibration, make_phantom
from ivdlib.phantom.calibration import Measured


@pytest.fixture(scope="session")
def folder(tmp_path_factory) -> Path:
    """Two stages of one person, four slices."""
    return make_phantom(tmp_path_factory.mktemp("data") / "p", 1, 2, 3, slices=4, in_plane=96)


@pytest.fixture(scope="session")
def measured(folder) -> Measured:
    return calibration.measure_phantom(folder)

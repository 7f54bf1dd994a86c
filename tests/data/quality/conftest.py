"""A small scan of the phantom."""

import pytest

from ivdlib.phantom import make_phantom


@pytest.fixture(scope="session")
def scan(tmp_path_factory):
    """A small scan of the phantom."""
    folder = tmp_path_factory.mktemp("phantom")
    make_phantom(folder, subjects=1, stages=1, slices=8, in_plane=64)
    return folder

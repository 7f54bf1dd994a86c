"""Two small cases."""

import pytest


@pytest.fixture
def data(tmp_path, write_case):
    """Two lettered cases, no warning due."""
    for name in ("A1", "B1"):
        write_case(tmp_path, name)
    return tmp_path

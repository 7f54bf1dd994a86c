"""Fixtures that several tests share: the data beside the checkout, and small Dixon cases."""

import faulthandler
import itertools
import os
import sys
import threading
import time
from pathlib import Path

import dixon_cases
import numpy as np
import pytest
from dixon_cases import rotation

import ivdlib  # noqa: F401  # before any test file imports Keras: see `ivdlib.networks.quiet`

FIRST = (
    *("browser/test_course", "test_workers", "notebooks/", "networks/test_back", "test_replicas"),
    *("test_user_settings", "browser/", "training/", "report/"),
)
"""Files of long tests, begun first where two run side by side (`pytest -n 2 --dist loadfile`)."""


def pytest_collection_modifyitems(items):
    """Sort the files by that; the tests of a file stay as they are."""
    items.sort(
        key=lambda item: next(
            (k for k, part in enumerate(FIRST) if part in item.path.as_posix()), len(FIRST)
        )
    )


MOST_MEMORY = 10 * 2**30
"""Bytes. A process of these tests takes 3 GB; one that took 21 once was killed by the system, and
nothing said where."""


@pytest.fixture(scope="session", autouse=True)
def enough_memory():
    """End a process that takes far too much memory, and say what it was doing."""
    status = Path("/proc/self/statm")

    def watch():
        while int(status.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") < MOST_MEMORY:
            time.sleep(1)
        faulthandler.dump_traceback(sys.__stderr__, all_threads=True)
        os._exit(70)

    if status.exists():
        threading.Thread(target=watch, daemon=True).start()


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder ../shared beside the checkout, with real scans that are not in the repository."""
    folder = Path(__file__).resolve().parents[2] / "shared"
    if not (folder / "data").is_dir():
        pytest.skip(f"{folder} is not there: real scans are not part of the repository")
    return folder


@pytest.fixture
def write_case():
    """Give the function `write_case(folder, name, ...)`; see there."""
    return dixon_cases.write_case


@pytest.fixture(
    params=[
        (order, signs)
        for order in itertools.permutations(range(3))
        for signs in itertools.product((1, -1), repeat=3)
    ],
    ids=lambda p: "".join("RAS"[w] if s > 0 else "LPI"[w] for w, s in zip(*p, strict=True)),
)
def oblique_affine(request) -> np.ndarray:
    """One of the 48 axis orders and flips, turned by some degrees; 2 × 1.25 × 0.9 mm."""
    order, signs = request.param
    tilt = rotation(0.2, 0, -0.15)
    affine = np.eye(4)
    for axis, (world, sign, size) in enumerate(zip(order, signs, (2, 1.25, 0.9), strict=True)):
        affine[:3, axis] = tilt[:, world] * sign * size
    affine[:3, 3] = -12.5, 33, 7.25
    return affine


# --- the ways in which a normalised convolution is computed, each one forced ----------------------


def _choose(monkeypatch, way):
    from ivdlib.networks import fast

    monkeypatch.setenv("IVDLIB_KERNELS", "plain" if way == "plain" else "fast")
    if way != "plain":
        monkeypatch.setattr(fast, "folding_pays", lambda *_: way == "folded")


@pytest.fixture(params=("folded", "apart", "plain"))
def way(request, monkeypatch):
    """Normalisations folded into the product; apart from it, by fast kernels; by those of Keras."""
    _choose(monkeypatch, request.param)
    return request.param


@pytest.fixture
def take(monkeypatch):
    """Give the function `take(way)`, for a test that compares the ways."""
    return lambda way: _choose(monkeypatch, way)

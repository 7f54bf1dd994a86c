"""What the package brings along besides code."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from ivdlib.training import engines, shipped, weights_file
from ivdlib.training.shipped import WEIGHTS

ROOT = Path(__file__).parents[1]
MOST_BYTES = 8_000_000


@pytest.mark.slow
def test_the_wheel_brings_weights_that_work(tmp_path):
    words = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(words, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as packed:
        names = [name for name in packed.namelist() if name.startswith("ivdlib/weights/")]
        packed.extractall(tmp_path / "out", names)
    assert "ivdlib/weights/LICENSE" in names
    assert sorted(name for name in names if name.endswith(".h5")) == sorted(
        f"ivdlib/weights/{name}/{WEIGHTS}" for name in (*shipped.names(), "spine")
    )
    files = [tmp_path / "out" / name for name in names]
    assert sum(path.stat().st_size for path in files) <= MOST_BYTES
    for path in files:
        if path.suffix == ".h5":
            card, _ = weights_file.read_passport(path)
            assert card["target"] == ("spine" if path.parent.name == "spine" else "disc")
            assert "CC BY 4.0" in card["source"]
            assert engines.load_network(path).model.input_shape[1:3] == tuple(card["tile"])
            assert (path.parent / "record.json").is_file()

"""The types of the public face, as the type checker of someone who uses ivdlib reads them."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
USE = """
from typing import assert_type

import ivdlib

ivdlib.make_phantom("scans", subjects=2, stages=1)
cases = ivdlib.load_cases("scans", derive_missing=False)
assert_type(cases, list[ivdlib.Case])
folds = ivdlib.patient_folds({case.name: case.subject for case in cases}, 2)
assert_type(folds, list[ivdlib.Fold])
assert_type(folds[0].train, tuple[str, ...])
wide = ivdlib.FDSCNNConfig(width=0.25, first_skip=3)
model = ivdlib.build("fds_cnn", wide)
"""
WRONG = (
    'ivdlib.make_phantom("scans", subject=2)',
    "ivdlib.load_cases(3)",
    'ivdlib.build(wide, "fds_cnn")',
    'ivdlib.FDSCNNConfig(width="wide")',
    "ivdlib.FDSCNNConfig(first_skip=2)",
    "ivdlib.nothing()",
)


def test_each_module_of_the_public_face_is_checked():
    stub = (ROOT / "ivdlib" / "__init__.pyi").read_text(encoding="utf-8")
    named = {f"ivdlib/{m.replace('.', '/')}.py" for m in re.findall(r"^from \.(\S+)", stub, re.M)}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert named and named <= {*project["tool"]["mypy"]["files"]}


@pytest.mark.slow
def test_a_users_checker_reads_the_types(tmp_path):
    assert (ROOT / "ivdlib" / "py.typed").is_file()
    path, settings = tmp_path / "use.py", tmp_path / "mypy.ini"
    path.write_text(USE + "\n".join(WRONG) + "\n", encoding="utf-8")
    settings.write_text("[mypy]\nfollow_imports = silent\nignore_missing_imports = true\n")
    words = [sys.executable, "-m", "mypy", "--config-file", settings, "--cache-dir", ".", path]
    done = subprocess.run([*map(str, words)], cwd=tmp_path, capture_output=True, text=True)
    refused = [int(n) for n in re.findall(r"^use\.py:(\d+): error", done.stdout, re.M)]
    first = USE.count("\n") + 1
    assert [*dict.fromkeys(refused)] == [*range(first, first + len(WRONG))], done.stdout

"""The record of a result: versions without imports, time, device."""

import json
import platform
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from importlib import metadata
from pathlib import Path

import pytest
import scripts

from ivdlib import provenance
from ivdlib.course import lesson_source, lessons
from ivdlib.errors import DataError

ROOT = Path(__file__).resolve().parents[1]


def test_versions_are_those_installed():
    found = provenance.versions()
    assert found["python"] == platform.python_version()
    assert found["numpy"] == metadata.version("numpy")
    assert found["keras"] == metadata.version("keras")


def test_a_package_that_is_not_installed_is_left_out(monkeypatch):
    monkeypatch.setattr(provenance, "PACKAGES", ("numpy", "no-such-package-of-ours"))
    assert set(provenance.versions()) == {"python", "numpy"}


@pytest.mark.parametrize("build", ["tensorflow", "tensorflow-cpu"])
def test_either_build_of_tensorflow_is_recorded_as_tensorflow(monkeypatch, build):
    def version(name: str) -> str:
        if name != build:
            raise metadata.PackageNotFoundError(name)
        return "2.0"

    monkeypatch.setattr(metadata, "version", version)
    assert provenance.versions() == {"python": platform.python_version(), "tensorflow": "2.0"}


def test_no_framework_is_loaded_for_a_record():
    script = (
        "import sys; from ivdlib import provenance; print(provenance.record()['device']);"
        "sys.exit(bool({'keras', 'tensorflow', 'torch', 'jax'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == provenance.processor()


def test_a_record_keeps_the_fields_and_is_json():
    record = provenance.record(seed=3, name="crops")
    assert record["seed"] == 3 and record["name"] == "crops"
    assert set(record) == {"seed", "name", "made", "versions", "device"}
    made = datetime.fromisoformat(record["made"])
    assert timedelta(0) <= datetime.now(UTC) - made < timedelta(minutes=1)
    assert json.loads(json.dumps(record)) == record


def test_the_cores_are_those_that_the_process_may_use():
    assert provenance.cores() >= 1
    assert provenance.processor().endswith(f", {provenance.cores()} cores")


# --- where data and results lie ------------------------------------------------------------------


@pytest.fixture
def checkout(tmp_path):
    (tmp_path / "notebooks" / "src").mkdir(parents=True)
    scripts.mark_checkout(tmp_path)
    return tmp_path


@pytest.mark.parametrize("where", [".", "notebooks", "notebooks/src"])
def test_the_checkout_is_found_from_within(checkout, where, monkeypatch):
    monkeypatch.chdir(checkout / where)
    assert provenance.root() == checkout
    assert provenance.data_folder() == checkout / "data" and (checkout / "data").is_dir()
    assert provenance.reports_folder() == checkout / "reports" and (checkout / "reports").is_dir()


def test_a_copy_of_the_lessons_is_one(checkout, monkeypatch):
    (checkout / "pyproject.toml").unlink()
    (checkout / "environment.yml").write_text("name: ivdlib\n")
    (checkout / "notebooks" / "src" / provenance.FIRST_LESSON).write_text("")
    monkeypatch.chdir(checkout / "notebooks")
    assert provenance.root() == checkout


def test_elsewhere_it_is_the_present_folder(tmp_path, monkeypatch):
    (tmp_path / "a").mkdir()
    (tmp_path / "environment.yml").write_text("of something else")
    monkeypatch.chdir(tmp_path / "a")
    assert provenance.root() == tmp_path / "a"


@pytest.mark.parametrize(
    "about",
    [
        None,
        "",
        "[project]\nname = 'theirs'\ndependencies = ['ivdlib']\n",
        "project = 'ivdlib'\n",
        "[tool.ivdlib]\nname = 'ivdlib'\n",
        "[project\nname = 'ivdlib'\n",
        b"\xff\xfe",
    ],
)
def test_a_checkout_of_another_project_is_none(tmp_path, monkeypatch, about):
    place = tmp_path / "notebooks" / "exercises"
    place.mkdir(parents=True)
    (tmp_path / "notebooks" / "01_theirs.ipynb").write_text("{}")
    (tmp_path / "environment.yml").write_text("name: ivdlib\n")
    if about is not None:
        write = Path.write_bytes if isinstance(about, bytes) else Path.write_text
        write(tmp_path / "pyproject.toml", about)
    monkeypatch.chdir(place)
    assert provenance.checkout() is None and provenance.root() == place
    monkeypatch.chdir(tmp_path)
    ours = ROOT / "notebooks" / "src" / "01_data_loading.py"
    assert lesson_source.source_of("01") == ours
    assert "01_theirs" not in [path.stem for path in lessons.series()]


def test_ours_is_found_from_within_that_of_another(checkout, monkeypatch):
    scripts.mark_checkout(checkout, "theirs")
    inner = checkout / "vendor"
    (inner / "notebooks").mkdir(parents=True)
    scripts.mark_checkout(inner)
    monkeypatch.chdir(inner / "notebooks")
    assert provenance.root() == inner


def test_what_comes_with_ivdlib_lies_in_the_checkout_that_one_stands_in(checkout, monkeypatch):
    monkeypatch.chdir(checkout / "notebooks")
    assert provenance.brought("notebooks/src") == checkout / "notebooks" / "src"


def test_elsewhere_it_is_packed_into_the_package(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert provenance.brought("notebooks") == ROOT / "notebooks"  # not packed: run from a checkout
    monkeypatch.setattr(provenance, "PACKED", tmp_path / "packed")
    (tmp_path / "packed").mkdir()
    assert provenance.brought("notebooks") == tmp_path / "packed" / "notebooks"


def test_a_file_in_the_way(checkout, monkeypatch):
    (checkout / "data").write_text("")
    monkeypatch.chdir(checkout)
    with pytest.raises(DataError, match="data"):
        provenance.data_folder()

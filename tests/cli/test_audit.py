"""`ivdlib audit`: plan, run, and a page from what is finished."""

import pytest

from ivdlib import cli, files, provenance
from ivdlib.errors import CannotWrite, DataError
from ivdlib.networks import UNetConfig, unet
from ivdlib.phantom import make_phantom
from ivdlib.report.audit import page as audit_page
from ivdlib.training.declared import load
from ivdlib.training.experiment import Experiment

DECLARED = """about = "small"
data = "{data}"
profile = "test"

[set]
networks = ["unet"]
arms = ["without"]
seeds = {seeds}
score_discs = false
"training.tile" = [32, 32]
"spine.region" = "none"
"""


@pytest.fixture
def small(tmp_path, monkeypatch):
    """Give a function that declares the experiment `small` with so many seeds."""
    monkeypatch.setitem(unet.UNET_SIZES, "tiny", UNetConfig(base=2, levels=1))
    monkeypatch.setitem(unet._EQUAL_WEIGHTS, 2, 1)  # the page counts what the fair sizes cost
    monkeypatch.setitem(unet._EQUAL_COST, 2, 3)
    monkeypatch.setenv("IVDLIB_PROGRESS", "off")
    data = make_phantom(tmp_path / "scans", subjects=2, stages=1, slices=2, in_plane=64)

    def declare(seeds):
        path = tmp_path / "small.toml"
        path.write_text(DECLARED.format(data=data, seeds=seeds), encoding="utf-8")
        return path

    return declare


@pytest.mark.slow
def test_plan_run_and_page(small, tmp_path, capsys):
    reports = tmp_path / "reports"
    words = ["audit", str(small(1)), "--reports", str(reports)]
    assert cli.main([*words, "--plan"]) == 0
    assert "2 trainings left" in capsys.readouterr().out and not reports.exists()
    assert cli.main(words) == 0
    page = (reports / "AUDIT.md").read_text(encoding="utf-8")
    assert "## small" in page and "nfinished" not in page
    small(2)
    assert cli.main([*words, "--page"]) == 0  # trains nothing more
    page = (reports / "AUDIT.md").read_text(encoding="utf-8")
    assert "Unfinished: 2 of 4 trainings are left." in page
    record = files.read_json(reports / "audit" / "small" / "record.json")
    assert (record["planned"], record["left"]) == (4, 2) and len(record["devices"]) == 1
    for line in page.splitlines():
        if line.startswith("!["):
            assert (reports / line.split("](")[1].rstrip(")")).is_file(), line


def test_a_page_of_nothing(small, tmp_path, capsys):
    reports = tmp_path / "reports"
    assert cli.main(["audit", str(small(1)), "--reports", str(reports), "--page"]) == 1
    assert "holds no finished experiment; run ivdlib audit first." in capsys.readouterr().err
    assert not reports.exists()


@pytest.fixture
def no_checkout(tmp_path, monkeypatch):
    """A folder in which nobody worked yet; what comes with ivdlib is the present checkout's."""
    monkeypatch.setenv("IVDLIB_PROGRESS", "off")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_plan_in_an_empty_folder_makes_no_phantom(no_checkout, monkeypatch, capsys):
    monkeypatch.setattr("ivdlib.phantom.make_phantom", lambda *a, **k: pytest.fail("it was made"))
    assert cli.main(["audit", "--plan"]) == 0
    out = capsys.readouterr().out
    told = "phantom of 16 scans is not made yet"
    assert told in out and "benchmarks/audit/phantom.toml --plan" in out and "left out" in out
    assert not [path for path in no_checkout.rglob("*") if path.is_file()]


def test_data_that_are_not_there_are_one_line_for_all_experiments(no_checkout, capsys):
    assert cli.main(["audit", "--plan"]) == 0
    left_out = [line for line in capsys.readouterr().out.splitlines() if "left out" in line]
    declared = [load(path).data for path in provenance.brought("benchmarks/audit").glob("*.toml")]
    assert len(left_out) == len({name for names in declared for name in names}) > 1
    many = sum("ivdm3seg_crops" in names for names in declared)
    (crops,) = (line for line in left_out if "ivdm3seg_crops is not there; " in line)
    assert crops.startswith(f"left out: {many} experiments (crops, crops_better, ")
    assert crops.endswith("; put the folder into data/, or name the folder that it lies in with "
                          "IVDLIB_DATA.")  # fmt: skip


def test_a_page_without_results_of_ones_own(no_checkout, monkeypatch, capsys):
    written = []
    monkeypatch.setattr(audit_page, "write_audit", lambda folder: written.append(folder) or folder)
    assert cli.main(["audit", "--page"]) == 0
    place = no_checkout / "reports" / "reference"
    assert written == [place] and "results that come with ivdlib" in capsys.readouterr().out
    assert list(place.glob("audit/*/record.json")) and not (place / "course").exists()
    mine = no_checkout / "reports" / "audit" / "mine" / "record.json"
    mine.parent.mkdir(parents=True)
    mine.write_text("{}", encoding="utf-8")
    assert cli.main(["audit", "--page"]) == 0 and written[1] == no_checkout / "reports"


def test_a_page_that_cannot_be_copied_names_the_file(no_checkout, capsys):
    (no_checkout / "reports").mkdir()
    (no_checkout / "reports" / "reference").write_text("mine", encoding="utf-8")
    assert cli.main(["audit", "--page"]) == 1
    assert "reference" in (said := capsys.readouterr().err) and "Traceback" not in said


def test_a_named_experiment_without_its_data_is_no_success(small, tmp_path, capsys):
    path = small(1)
    path.write_text(path.read_text(encoding="utf-8").replace("scans", "gone"), encoding="utf-8")
    words = ["audit", str(path), "--reports", str(tmp_path / "reports"), "--plan"]
    assert cli.main(words) == 1
    assert "left out: the data" in capsys.readouterr().out


@pytest.mark.parametrize("where", ["begun", "run"])
def test_an_experiment_that_fails_does_not_stop_the_others(
    where, small, tmp_path, capsys, monkeypatch
):
    first = small(1)
    second = tmp_path / "other.toml"
    second.write_text(first.read_text(encoding="utf-8"), encoding="utf-8")
    real, done = Experiment.__init__, []

    def begin(self, name, *args, **options):
        if name == "small" and where == "begun":
            raise DataError("scan 01 is broken; mend it.")
        real(self, name, *args, **options)

    def run(made, processes=1):
        if made.name == "small":
            raise DataError("scan 01 is broken; mend it.")
        done.append(made.name)

    monkeypatch.setattr(Experiment, "__init__", begin)
    monkeypatch.setattr("ivdlib.training.run.run", run)
    monkeypatch.setattr(audit_page, "write_audit", lambda reports: done.append("page"))
    words = ["audit", str(first), str(second), "--reports", str(tmp_path / "reports")]
    assert cli.main(words) == 1
    assert done == ["other", "page"]
    assert "small stopped: scan 01 is broken; mend it." in capsys.readouterr().err


def test_a_full_disk_stops_all(small, tmp_path, capsys, monkeypatch):
    """Whatever comes after it would meet the same disk."""

    def full(made, processes=1):
        raise CannotWrite("cannot write x: No space left; free some.")

    monkeypatch.setattr("ivdlib.training.run.run", full)
    monkeypatch.setattr(
        audit_page, "write_audit", lambda reports: pytest.fail("a page was written")
    )
    assert cli.main(["audit", str(small(1)), "--reports", str(tmp_path / "reports")]) == 1
    assert capsys.readouterr().err.startswith("ivdlib: cannot write x")

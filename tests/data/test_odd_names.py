"""Names of files that are no UTF-8 (a ZIP from Windows): a sign in their place, or a sentence."""

import json
import os
import re

import nbformat
import nibabel as nib
import pandas as pd
import pytest

from ivdlib import cli, files
from ivdlib.data import cases
from ivdlib.data.quality.checks import check_cases
from ivdlib.errors import ConfigError, DataError
from ivdlib.report import pages
from ivdlib.training.experiment import Experiment

ODD = b"Kr\x81ger".decode("utf-8", "surrogateescape")
SHOWN = "Kr\N{REPLACEMENT CHARACTER}ger"


@pytest.fixture
def odd(tmp_path, write_case):
    """Give the function `odd(name)`: a folder of two cases, one of them so called."""

    def odd(name=ODD, folder="data"):
        place = tmp_path / folder
        write_case(place, "x")
        for path in (place / "x").iterdir():
            path.rename(path.with_name(path.name.replace("x", name, 1)))
        try:
            (place / "x").rename(place / name)
        except OSError:
            pytest.skip("names on this disk are text")
        write_case(place, "Meier")
        return place

    return odd


def test_text_is_made_readable_and_nothing_else_is_changed():
    assert files.readable(ODD) == SHOWN
    fine = "Müller \N{BONE} 김민수\t\n\x1b\u200d"
    assert files.readable(fine) is fine or files.readable(fine) == fine


def test_whatever_is_written_can_be_read(tmp_path):
    files.write_text(tmp_path / "a.txt", ODD)
    files.write_json(tmp_path / "a.json", {ODD: [ODD]})
    for ending in (".csv", ".csv.gz"):
        files.write_csv(tmp_path / f"a{ending}", pd.DataFrame({"case": [ODD]}, dtype=object))
        assert pd.read_csv(tmp_path / f"a{ending}")["case"].item() == SHOWN
    assert (tmp_path / "a.txt").read_text(encoding="utf-8") == SHOWN
    assert files.read_json(tmp_path / "a.json") == {SHOWN: [SHOWN]}
    assert json.loads(files.json_text({ODD: 1.5})) == {SHOWN: 1.5}
    assert files.json_text("ä").isascii()  # a file on Windows may not know the letter
    assert len(files.sha256_json(ODD)) == 64


def test_a_case_is_called_by_what_can_be_written(odd, tmp_path):
    place = odd()
    case, other = (one for one in cases.load_cases(place))
    assert (case.name, other.name) == (SHOWN, "Meier")
    assert ODD in str(case.sources["wat"])  # its files are found nevertheless
    cases.save_mask(case, case.discs, tmp_path / f"{case.name}_Discs.nii.gz")
    assert nib.load(tmp_path / f"{SHOWN}_Discs.nii.gz").shape
    assert [row["case"] for row in check_cases(place)] == [SHOWN, "Meier"]


def test_a_folder_that_names_its_case(odd):
    place = odd()
    for path in (place / ODD).iterdir():
        path.rename(path.with_name(path.name.removeprefix(f"{ODD}_")))
    assert [case.name for case in cases.find_cases(place)] == [SHOWN, "Meier"]


def test_two_names_that_would_read_alike_are_refused(odd):
    odd()
    place = odd("Kr\udc82ger")
    alike = "2 cases would both be called Kr.ger.*rename"
    with pytest.raises(DataError, match=alike):
        cases.load_cases(place)
    faults = {row["case"]: row["errors"] for row in check_cases(place)}
    assert re.search(alike, faults.pop(SHOWN)[0]) and faults == {"Meier": []}


def run(capsys, *words):
    status = cli.main([str(word) for word in words])
    out, err = capsys.readouterr()
    return status, out, err


def test_check_says_it_in_text_json_and_a_page(odd, capsys, tmp_path):
    place = odd(folder=ODD)
    (place / ODD / f"{ODD}_fat.nii.gz").unlink()
    assert run(capsys, "check", place)[0] == 0
    status, out, _ = run(capsys, "check", place, "--json")
    assert status == 0 and SHOWN in json.loads(out)["folder"]
    assert json.loads(out)["cases"][0]["case"] == SHOWN
    assert not any("\ud800" <= letter <= "\udfff" for letter in str(json.loads(out)))
    page = tmp_path / "page.html"
    assert run(capsys, "check", place, "--html", page)[0] == 0
    assert SHOWN in page.read_text(encoding="utf-8")


@pytest.mark.slow
def test_a_grid_from_names_to_report(odd, capsys, tmp_path):
    place = odd(folder=ODD)
    words = ("--profile", "test", "--data", place, "--networks", "unet", "--name", "mine")
    reports = ("--reports", tmp_path / f"reports {ODD}")
    for _ in range(2):  # trained, then found done by the names in its files
        status, _, err = run(capsys, "grid", *words, *reports)
        assert status == 0, err
    record = files.read_json(tmp_path / f"reports {ODD}" / "mine" / "record.json")
    assert set(record["cases"]) == {SHOWN, "Meier"} and record["data"] == SHOWN
    status, _, err = run(capsys, "report", "mine", *reports, "--author", ODD)
    assert status == 0, err


def test_names_that_cannot_go_into_a_notebook_or_be_an_experiment_are_refused(capsys, tmp_path):
    for words in (
        ("lesson", "01", "-p", "data_dir", tmp_path / ODD),
        ("reproduce", "--profile", "test", "--data", tmp_path / ODD),
        ("grid", "--profile", "test", "--name", ODD, "--reports", tmp_path),
    ):
        status, _, err = run(capsys, *words)
        assert status == 1 and "fault of ivdlib" not in err, err
        assert ("UTF-8" in err or "no name for an" in err) and err.count("\n") == 1, err
    with pytest.raises(ConfigError):
        Experiment(ODD, "test", reports=tmp_path)


def test_a_notebook_with_half_a_sign_is_reported(tmp_path, capsys):
    """JSON can write what UTF-8 cannot."""
    grader = {"grade": True, "solution": False, "grade_id": "a", "points": 1, "locked": True,
              "schema_version": 3, "task": False}  # fmt: skip
    book = nbformat.v4.new_notebook()
    book.cells = [
        nbformat.v4.new_markdown_cell("# A lesson \ud83d\n\n## Exercise 1 \udc81"),
        nbformat.v4.new_code_cell("print('\udc81')", metadata={"nbgrader": grader}),
    ]
    path = tmp_path / "01_x.ipynb"
    path.write_text(json.dumps(book))
    out = tmp_path / f"hand-in {ODD}"
    status, _, err = run(capsys, "report", "--lesson", path, "--author", ODD, "--out", out)
    assert status == 0, err
    page = out.with_name(out.name + ".html").read_text(encoding="utf-8")
    assert f"<td>{SHOWN}</td>" in page and "Exercise 1 \N{REPLACEMENT CHARACTER}" in page


def test_every_page_can_be_written():
    page = pages.fill_template(
        "check.html.j2", folder=ODD, head=(), rows=(), findings=(), pictures=()
    )
    assert SHOWN in page and page.encode()


def test_what_slips_through_is_a_sentence(monkeypatch, capsys, tmp_path):
    def fail(*_, **__):
        f'{{"case": "{ODD}", "n": 1}}'.encode()

    monkeypatch.setattr("ivdlib.data.quality.checks.examine", fail)
    status, _, err = run(capsys, "check", tmp_path)
    assert status == 1 and err.startswith(f"ivdlib: the name {SHOWN} is no UTF-8"), err
    assert os.fsencode(ODD) not in err.encode()

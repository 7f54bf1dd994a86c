"""Clones without their data: each reader says that the content was not fetched."""

import errno
from pathlib import Path

import pytest

from ivdlib import cli, files, links
from ivdlib.data import cases, nifti
from ivdlib.data.quality.checks import check_cases
from ivdlib.errors import IvdlibError
from ivdlib.evaluation import scores
from ivdlib.preprocessing import folds_file
from ivdlib.training import declared, weights

KEY = "MD5E-s8123--5a5c1f0e0c8d4be0a9d0c7b6f1e2d3c4.nii.gz"
OBJECT = f".git/annex/objects/0k/Zw/{KEY}/{KEY}"
LFS = (
    "version https://git-lfs.github.com/spec/v1\n"
    "oid sha256:0b1c2d3e4f5061728394a5b6c7d8e9f00112233445566778899aabbccddeeff0\nsize 81234\n"
)


def annex(path):
    path.symlink_to(Path("..", OBJECT))


def chain(path):
    """A link to a link of git-annex, as in a folder that somebody sorted anew."""
    (path.parent / "there").symlink_to(OBJECT)
    path.symlink_to("there")


def loop(path):
    path.symlink_to(path.name)


def unmounted(path):
    path.symlink_to(Path("/nowhere/disk", path.name))


KINDS = {
    annex: ("a link that leads nowhere", "git annex get"),
    chain: ("a link that leads nowhere", "git annex get"),
    loop: ("a link that leads nowhere", "mend the link"),
    unmounted: ("a link that leads nowhere", "/nowhere/disk/"),
    lambda path: path.write_text(LFS): ("a pointer of Git LFS", "git lfs pull"),
    lambda path: path.write_bytes(LFS.replace("\n", "\r\n").encode()): ("Git LFS", "git lfs pull"),
    lambda path: path.write_text(f"/annex/objects/{KEY}\n"): ("of git-annex", "git annex get"),
    lambda path: path.write_text(f"../{OBJECT}"): ("of git-annex", "git annex get"),
}
"""What puts something else in a file's place → what must be said."""


@pytest.fixture(
    params=KINDS.items(),
    ids=["annex", "chain", "loop", "unmounted", "lfs", "crlf", "unlocked", "text"],
)
def spoil(request):
    """Give the function `spoil(path)`, which takes a file's content away, and words to be said."""
    put, words = request.param

    def spoil(path):
        path.unlink(missing_ok=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        put(path)
        return words

    return spoil


READERS = {
    "x.nii.gz": nifti.read_image,
    "x.nii": nifti.read_labels,
    "dataset.json": files.read_json,
    "folds.csv": lambda path: folds_file.folds_from_file(path, {"a": "1", "b": "2"}),
    "mine.toml": declared.load,
    "model.weights.h5": weights.load_model,
    "metrics.csv": lambda path: scores.of(path.parent),
}


@pytest.mark.parametrize("name", READERS)
def test_every_reader_says_what_stands_there(tmp_path, spoil, name):
    words = spoil(tmp_path / "clone" / name)
    with pytest.raises(IvdlibError) as told:
        READERS[name](tmp_path / "clone" / name)
    assert all(word in str(told.value) for word in words), told.value
    assert name in str(told.value) and "copy it from its source" not in str(told.value)


def test_a_file_that_is_there_is_nothing_of_the_kind(tmp_path):
    (tmp_path / "file").write_text(
        "version https://example.org\nannex/objects are described here\n"
    )
    (tmp_path / "link").symlink_to("file")
    (tmp_path / "folder").mkdir()
    for name in ("file", "link", "folder", "missing", "file/below", "nul\0"):
        assert links.not_fetched(tmp_path / name) == ""


def test_tables_beside_the_scans_are_not_passed_over(tmp_path, spoil, write_case):
    """Without them somebody could stand on both sides, or lie the wrong way round."""
    for name in ("subjects.csv", "dataset.json"):
        place = tmp_path / name.split(".")[0]
        write_case(place, "A1")
        words = spoil(place / name)
        for read in (cases.load_cases, check_cases):
            with pytest.raises(IvdlibError) as told:
                read(place)
            assert all(word in str(told.value) for word in words), told.value


def test_check_names_the_file_and_goes_on(tmp_path, spoil, write_case):
    for name in ("P1", "P2"):
        write_case(tmp_path, name)
    words = spoil(tmp_path / "P1" / "P1_fat.nii.gz")
    one, two = check_cases(tmp_path)
    (error,) = one["errors"]
    assert not two["errors"] and "NIfTI" in error and "P1_fat" in error
    assert all(word in error for word in words)


@pytest.mark.parametrize("below", ["", "P1", "P1/P1_wat.nii.gz"])
def test_a_folder_behind_a_dead_link(tmp_path, capsys, below):
    (tmp_path / "data").symlink_to("/nowhere/disk")
    assert cli.main(["check", str(tmp_path / "data" / below)]) == 1
    told = capsys.readouterr().err
    assert "leads nowhere" in told and str(tmp_path / "data") in told


def test_a_case_whose_folder_is_gone_is_not_passed_over(tmp_path, write_case):
    write_case(tmp_path, "P1")
    (tmp_path / "README").symlink_to(OBJECT)  # a file that nobody needs here
    (tmp_path / "code.zip").symlink_to("/nowhere/code.zip")
    assert [case.name for case in cases.find_cases(tmp_path)] == ["P1"]
    (tmp_path / "P2").symlink_to("/nowhere/disk/P2")
    with pytest.raises(IvdlibError, match="P2 is a link that leads nowhere: there is no /nowhere"):
        cases.find_cases(tmp_path)


def test_an_experiment_whose_record_was_not_fetched_is_not_trained_again(tmp_path, spoil):
    from ivdlib.training.experiment import Experiment

    words = spoil(tmp_path / "mine" / "record.json")
    with pytest.raises(IvdlibError) as told:
        Experiment("mine", "test", reports=tmp_path)
    assert all(word in str(told.value) for word in words)


def test_notebooks_and_experiments_for_a_report(tmp_path, spoil, capsys):
    words = spoil(tmp_path / "01_x.ipynb")
    assert cli.main(["report", "--lesson", str(tmp_path / "01_x.ipynb")]) == 1
    told = capsys.readouterr().err
    assert all(word in told for word in words), told
    spoil(tmp_path / "done" / "record.json")
    assert cli.main(["report", "done", "--reports", str(tmp_path)]) == 1
    told = capsys.readouterr().err
    assert all(word in told for word in words), told


def test_a_link_to_where_one_may_not_look_is_no_dead_one(tmp_path, monkeypatch):
    (tmp_path / "link").symlink_to("shut/file")
    assert links.leads_nowhere(tmp_path / "link")

    def shut(*_, **__):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "stat", shut)
    assert not links.leads_nowhere(tmp_path / "link")

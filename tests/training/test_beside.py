"""What the command writes beside masks: for good scans, bad ones, and both at once."""

import gzip
import json
import signal
import subprocess
import sys
import time

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from predicting import names_in

from ivdlib import cli
from ivdlib.errors import DataWarning

pytestmark = pytest.mark.usefixtures("any_mask_will_do")

OF_ONE = ("_DiscNumbers.nii.gz", "_Discs.csv", "_Discs.json", "_Discs.nii.gz", "_Discs.png")
SHARED = {"levels.ctbl", "levels.label"}


def predict(*words):
    return cli.main(["predict", *map(str, words)])


def files_of(*cases):
    return {f"{case}{suffix}" for case in cases for suffix in (*OF_ONE, ".html")}


def test_one_scan_has_its_files_and_no_summary(tmp_path, write_case, call):
    folder = write_case(tmp_path / "in", "01")
    assert predict(folder, *call) == 0
    assert set(names_in(tmp_path / "out")) == files_of("01") | SHARED
    discs = json.loads((tmp_path / "out" / "01_Discs.json").read_text())["discs"]
    assert discs["doubts"] and discs["decisions"] and len(discs["levels"]) == len(discs["second"])


def test_many_scans_have_a_summary(three, call, tmp_path, capsys):
    assert predict(three, *call) == 0
    everything = files_of("01", "02", "03") | SHARED | {"summary.csv", "index.html"}
    assert set(names_in(tmp_path / "out")) - {"summary.parquet"} == everything
    assert "summary: " in capsys.readouterr().err
    for name in ("01", "02", "03"):
        numbers = nib.load(tmp_path / "out" / f"{name}_DiscNumbers.nii.gz")
        mask = nib.load(tmp_path / "out" / f"{name}_Discs.nii.gz")
        np.testing.assert_allclose(numbers.affine, mask.affine)
        assert not (np.asarray(numbers.dataobj)[np.asarray(mask.dataobj) == 0]).any()


def test_a_bad_scan_stops_nothing_and_stands_first(three, call, tmp_path):
    (three / "02" / "02_fat.nii.gz").write_bytes(b"\x1f\x8bx")
    with pytest.warns(DataWarning, match="left out"):
        assert predict(three, *call) == 1
    page = (tmp_path / "out" / "index.html").read_text()
    assert page.index("failed</td>") < page.index('href="01.html"')
    assert ">02/02_fat.nii.gz is truncated" in page and str(tmp_path) not in page
    assert not list((tmp_path / "out").glob("02*"))


def test_what_is_there_is_not_made_again_and_what_is_gone_is(three, call, tmp_path, capsys):
    assert predict(three, *call) == 0
    out = tmp_path / "out"
    before = {path.name: path.stat().st_mtime_ns for path in out.glob("0*")}
    (out / "02.html").unlink()
    assert predict(three, *call) == 0
    after = {path.name: path.stat().st_mtime_ns for path in out.glob("0*")}
    assert set(before) == set(after) and "2 masks were there already" in capsys.readouterr().err
    assert {name for name in before if before[name] != after[name]} == files_of("02")
    assert predict(three, *call, "--lowest", "L4/5") == 0  # something else is asked for
    assert pd.read_csv(out / "summary.csv")["level"].iloc[0] == "L4/5"


def test_more_volumes_are_written_if_asked_for(tmp_path, write_case, call):
    folder = write_case(tmp_path / "in", "01")
    assert predict(folder, *call, "--save", "probability", "--save", "spine") == 0
    found = set(names_in(tmp_path / "out")) - files_of("01") - SHARED
    assert found == {"01_DiscProbability.nii.gz", "01_DiscSpine.nii.gz"}
    assert predict(tmp_path / "out", *call[:3], tmp_path / "again") == 1  # none of them is a scan


def test_masks_alone(tmp_path, write_case, call, capsys):
    folder = write_case(tmp_path / "in", "01")
    assert predict(folder, *call, "--mask-only") == 0
    assert names_in(tmp_path / "out") == ["01_Discs.json", "01_Discs.nii.gz"]
    assert predict(folder, *call, "--mask-only", "--lowest", "L5/S1") == 1
    assert "--mask-only writes nothing beside" in capsys.readouterr().err


def test_a_name_that_is_none_is_refused_before_anything_is_done(three, call, tmp_path, capsys):
    assert predict(three, *call, "--lowest", "L6") == 1
    assert "'L6' is no name of a disc; known are S1/2, L5/S1" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_no_output_names_the_patient(tmp_path, write_case, call):
    folder = write_case(tmp_path / "in", "01")
    for path in folder.iterdir():
        image = nib.load(path)
        image.header["descrip"] = b"Doe^Jane 1970"
        nib.save(nib.Nifti1Image(np.asarray(image.dataobj), None, image.header), path)
    assert predict(folder, *call, "--save", "probability") == 0
    for path in (tmp_path / "out").iterdir():
        data = path.read_bytes()
        data = gzip.decompress(data) if path.suffix == ".gz" else data
        assert b"Doe^Jane" not in data and str(tmp_path).encode() not in data, path.name


def test_killed_in_the_middle_and_again(three, call, tmp_path):
    command = [sys.executable, "-m", "ivdlib", "predict", *map(str, (three, *call))]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    out = tmp_path / "out"
    while not list(out.glob("*.html")) and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    whole = {p.stem for p in out.glob("*_Discs.json")}
    stamps = {p.name: p.stat().st_mtime_ns for p in out.glob("*") if p.name[:2] + "_Discs" in whole}
    assert subprocess.run(command, capture_output=True).returncode == 0
    for name, stamp in stamps.items():
        assert (out / name).stat().st_mtime_ns == stamp, name  # nothing done twice
    assert files_of("01", "02", "03") <= set(names_in(out)) and not (out / "saved").exists()
    assert all(json.loads(path.read_text()) for path in out.glob("*.json"))

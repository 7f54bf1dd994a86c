"""Masks with their records: kept, continued, never written over."""

import gzip
import json
import shutil

import dixon_cases
import h5py
import nibabel as nib
import numpy as np
import pytest
from predicting import names_in, predict

from ivdlib import files
from ivdlib.training import predict as application
from ivdlib.training import segmenter

pytestmark = pytest.mark.usefixtures("any_mask_will_do")


def test_the_same_call_goes_on_where_it_stopped(
    three, tiny_experiment, tmp_path, monkeypatch, capsys
):
    weights = tiny_experiment / "disc" / "model.weights.h5"

    def run(**options):
        predicted.clear()
        list(application.predict_folder(three, weights, tmp_path / "out", **options))
        return [*predicted]

    def follow(network, case, **options):
        predicted.append(case.name)
        return plain(network, case, **options)

    predicted, plain = [], segmenter.segment_case
    monkeypatch.setattr(segmenter, "segment_case", follow)
    next(application.predict_folder(three, weights, tmp_path / "out"))  # and is interrupted
    assert run() == ["02", "03"] and "1 mask was there already" in capsys.readouterr().err
    assert run() == []
    assert run(use_region=False) == ["01", "02", "03"]
    assert run(contrast="wat") == ["01", "02", "03"]
    dixon_cases.write_case(three, "02", change={"wat": lambda a: a + np.int16(a == a.max())})
    assert run(contrast="wat") == ["02"]
    (three / "dataset.json").write_text('{"axcodes": ["L", "A", "S"]}')
    assert run(contrast="wat") == ["01", "02", "03"]
    (tmp_path / "out" / "03_Discs.nii.gz").unlink()
    assert run(contrast="wat") == ["03"]
    shutil.copytree(tiny_experiment, tmp_path / "other")
    weights = tmp_path / "other" / "disc" / "model.weights.h5"
    assert run(contrast="wat") == []  # wherever they lie
    with h5py.File(tmp_path / "other" / "spine" / "model.weights.h5", "a") as file:
        file.attrs["other"] = 1
    assert run(contrast="wat") == ["01", "02", "03"]
    assert not (tmp_path / "out" / "saved").exists()


def test_a_mask_of_somebody_is_never_written_over(three, call, tmp_path, capsys):
    out = tmp_path / "out"
    out.mkdir()
    nib.save(nib.Nifti1Image(np.ones((2, 2, 2), np.uint8), np.eye(4)), out / "01_Discs.nii.gz")
    (out / "02_Discs.json").write_text('{"of": "somebody"}')
    first, second = (out / "01_Discs.nii.gz").read_bytes(), b'{"of": "somebody"}'
    assert predict(three, *call) == 0
    assert capsys.readouterr().err.count("kept: ") == 2
    assert (out / "saved" / "01_Discs-1.nii.gz").read_bytes() == first
    assert (out / "saved" / "02_Discs-1.json").read_bytes() == second
    corrected = gzip.compress(gzip.decompress((out / "01_Discs.nii.gz").read_bytes()) + b"\0", 9)
    (out / "01_Discs.nii.gz").write_bytes(corrected)
    assert predict(three, *call) == 0
    assert "2 masks were there already" in capsys.readouterr().err
    assert (out / "saved" / "01_Discs-2.nii.gz").read_bytes() == corrected
    assert nib.load(out / "01_Discs.nii.gz").shape == (6, 24, 28)
    assert predict(three, *call) == 0 and len(names_in(out / "saved")) == 3


def test_killed_between_a_mask_and_its_record(three, call, tmp_path):
    assert predict(three, *call) == 0
    for number, text in enumerate(("", "{}", "[" * 100_000, '{"from": 1, "mask": 2, "warned": 3}')):
        (tmp_path / "out" / f"0{number % 3 + 1}_Discs.json").write_text(text)
    (tmp_path / "out" / "01_Discs.json").unlink()
    assert predict(three, *call) == 0
    kept = names_in(tmp_path / "out" / "saved")
    assert kept == ["02_Discs-1.json", "03_Discs-1.json"]  # no mask, for they are the same
    assert predict(three, *call) == 0


def test_the_record_names_nobody(tmp_path, tiny_experiment, write_case):
    weights = tmp_path / "Doe^Jane" / "disc" / "model.weights.h5"
    shutil.copytree(tiny_experiment, tmp_path / "Doe^Jane")
    write_case(tmp_path / "Doe^Jane" / "in", "01")
    source = tmp_path / "Doe^Jane" / "in" / "01" / "01_wat.nii.gz"
    for place in (source, source.parents[1]):
        (path,) = application.predict_folder(place, weights, tmp_path / "Doe^Jane" / "out")
        text = path.with_name("01_Discs.json").read_text()
        assert "Doe" not in text and str(tmp_path) not in text
        record = json.loads(text)
        assert record["mask"] == files.sha256_file(path) and record["case"] == "01"
        assert record["from"]["files"]["wat"] == files.sha256_file(source)

"""A finished experiment with its page, and a small phantom, measured once."""

import json
from pathlib import Path

import nbformat
import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup
from report_folder import NAME, PNG, PROFILE

from ivdlib import files
from ivdlib.evaluation import tables
from ivdlib.phantom import calibration, make_phantom
from ivdlib.phantom.calibration import Measured
from ivdlib.report import experiment


def stream(name: str, text: str) -> dict:
    return {"output_type": "stream", "name": name, "text": text}


def picture(alt: str | None) -> dict:
    meta = {"image/png": {"alt": alt}} if alt else {}
    return {"output_type": "display_data", "data": {"image/png": PNG}, "metadata": meta}


def write_lesson(path: Path, *results: dict, title: str = "A lesson") -> None:
    v4 = nbformat.v4
    cells = [
        v4.new_markdown_cell(f"# {title}\n\nText with <script>alert(1)</script> *stress*."),
        v4.new_code_cell("seeds: int = 0", metadata={"tags": ["parameters"]}),
        v4.new_code_cell("seeds = 7", metadata={"tags": ["injected-parameters"]}),
        v4.new_markdown_cell('## Part\n\n<img src="https://example.org/x.png" alt="far away">'),
        v4.new_code_cell(
            "work()", execution_count=5, outputs=[nbformat.from_dict(out) for out in results]
        ),
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(v4.new_notebook(cells=cells), path)


@pytest.fixture
def done(tmp_path) -> Path:
    """An experiment with tables, two lessons that ran and one that failed."""
    place = tmp_path / "mine"
    record = {
        "name": NAME,
        "command": ["python", "-m", "ivdlib", "grid"],
        "config_hash": "0123456789abcdef" * 4,
        "config": {"profile": PROFILE, "folds": [{}, {}]},
        "seeds": 3,
        "left": 0,
        "phantom": True,
        "comparable": False,
        "cases": {"<i>01": {"subject": "1", "stage": ""}},
        "derived": ["wat"],
        "deviations": [{"field": "size", "ours": "tiny", "paper": "paper", "why": "a CPU"}],
        "made": "2026-01-02T03:04:05+00:00",
        "versions": {"python": "3.11.0"},
        "device": "a processor",
    }
    files.write_json(place / "record.json", record)
    row = {"network": "fds_cnn", "trained_on": "contrasts+fused", "seed": 0, "fold": 1,
           "case": "<i>01", "subject": "1",
           "target": "disc", "scope": "volume", "level": "", "dice": 0.5,
           "asd_mm": np.nan, "centre_distance_mm": np.nan}  # fmt: skip
    rows = [{**row, "contrast": c} for c in ("wat", "fat", "inn", "opp")]
    rows.append({**row, "contrast": "all", "target": "spine", "network": "unet", "dice": 0.75})
    metrics = pd.DataFrame(rows)
    files.write_csv(place / "metrics.csv", metrics)
    tables.write_tables(metrics, place / "tables", "phantom, NOT COMPARABLE", {"wat"})
    noise = "training: 3/10, 5 s left · loss 0.1\nI0000 00:00:1.2 7 x.cc:3] Could not find cuda\n"
    write_lesson(
        place / "notebooks" / "01_one.ipynb",
        stream("stdout", "printed <b>bold</b> ✅"),
        stream("stderr", noise + "a warning that counts\n"),
        picture('a "grey" pixel'),
    )
    write_lesson(place / "notebooks" / "02_two.ipynb", stream("stderr", noise), picture(None))
    error = {"output_type": "error", "ename": "DataError", "evalue": "no <fat> here",
             "traceback": ["\x1b[31mline\x1b[0m"]}  # fmt: skip
    write_lesson(place / "notebooks" / "03_three.failed.ipynb", error)
    return place


@pytest.fixture
def done_page(done) -> BeautifulSoup:
    return BeautifulSoup(experiment.render_report(done, ["01_one", "04_four"]), "html.parser")


@pytest.fixture(scope="session")
def phantom_folder(tmp_path_factory) -> Path:
    """Two stages of one person, four slices; scan 02 has an exchange, Schmorl's node and vacuum."""
    place = make_phantom(tmp_path_factory.mktemp("data") / "p", 1, 2, 3, slices=4, in_plane=96)
    labels = nib.load(place / "02" / "02_Labels.nii.gz")
    swap = np.zeros(labels.shape, np.uint8)
    swap[:, 30:60, 30:60] = 1
    nib.save(nib.Nifti1Image(swap, labels.affine), place / "02" / "02_Swap.nii.gz")
    record = json.loads((place / "02" / "02_scan.json").read_text())
    record["findings"] = [
        {"kind": "schmorl", "where": "L2/3 upper", "size_mm": 5.2},
        {"kind": "vacuum", "where": "L4/5"},
        {"kind": "<b>odd</b>_one", "where": "L1", "size_mm": 9},
    ]
    record["person"]["cobb_deg"] = -12.4
    (place / "02" / "02_scan.json").write_text(json.dumps(record))
    return place


@pytest.fixture(scope="session")
def measured(phantom_folder) -> Measured:
    return calibration.measure_phantom(phantom_folder)

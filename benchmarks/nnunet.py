"""Train nnU-Net on the folds of an experiment and score it as the networks here are scored.

The external row of the audit: same scans, same folds, all contrasts at once, last weights; no test
patient chooses anything (nnU-Net's own validation data are our test patients, and only its curve
looks at them). Derived contrasts are left out: they hold nothing new.

    python -m venv nnunet && nnunet/bin/pip install nnunetv2      # an environment of its own
    python benchmarks/nnunet.py --data DIR --commands nnunet/bin --out reports/audit/crops_nnunet

Ten epochs take about half an hour a fold on two cores. Called again, it goes on with the folds that
are left; folds that were trained elsewhere from the same `--work` folder are only scored.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pandas as pd

from ivdlib import files, profiles, provenance
from ivdlib.data.cases import Case, load_cases
from ivdlib.evaluation import metrics
from ivdlib.evaluation.scores import TOGETHER
from ivdlib.preprocessing.folds import Fold, patient_folds
from ivdlib.progress import say
from ivdlib.training import store

DATASET = "Dataset001_Discs"
CONFIGURATION = "3d_fullres"
STEPS, BATCH = 250, 2
"""nnU-Net's own numbers: steps in an epoch, patches in a step."""


def contrasts_of(cases: list[Case]) -> list[str]:
    """Contrasts that were measured in every scan."""
    derived = {name for case in cases for name in case.derived}
    return [name for name in cases[0].contrasts if name not in derived]


def export(cases: list[Case], folds: list[Fold], work: Path) -> None:
    """Write the scans and the folds as nnU-Net reads them."""
    names, raw = contrasts_of(cases), work / "raw" / DATASET
    for kind in ("imagesTr", "labelsTr"):
        (raw / kind).mkdir(parents=True, exist_ok=True)
    for case in cases:
        affine = np.diag([*case.spacing, 1.0])
        volumes = {f"imagesTr/{case.name}_{k:04d}": np.float32(case.contrasts[name])
                   for k, name in enumerate(names)}  # fmt: skip
        volumes[f"labelsTr/{case.name}"] = case.discs.astype(np.uint8)
        for name, volume in volumes.items():
            nib.save(nib.Nifti1Image(volume, affine), raw / f"{name}.nii.gz")
    files.write_json(raw / "dataset.json", {
        "channel_names": {str(k): name for k, name in enumerate(names)},
        "labels": {"background": 0, "disc": 1}, "numTraining": len(cases), "file_ending": ".nii.gz",
        "overwrite_image_reader_writer": "NibabelIO",
    })  # fmt: skip
    files.write_json(
        work / "preprocessed" / DATASET / "splits_final.json",
        [{"train": list(fold.train), "val": list(fold.test)} for fold in folds],
    )


def train(folds: list[Fold], args: argparse.Namespace) -> Path:
    """Plan, preprocess, train every fold; returns the folder of the results."""
    work, trainer = args.work.resolve(), f"nnUNetTrainer_{args.epochs}epochs"
    environment = os.environ | {
        f"nnUNet_{name}": str(work / name) for name in ("raw", "preprocessed", "results")
    }
    environment |= {"nnUNet_n_proc_DA": "1", "nnUNet_compile": "f"}
    results = work / "results" / DATASET / f"{trainer}__nnUNetPlans__{CONFIGURATION}"

    def call(name: str, *words: str) -> None:
        subprocess.run([args.commands.resolve() / name, *words], env=environment, check=True)

    if not (work / "preprocessed" / DATASET / "nnUNetPlans.json").is_file():
        processes = ("-np", "2", "-npfp", "2")
        call("nnUNetv2_plan_and_preprocess", "-d", "1", "-c", CONFIGURATION, *processes)
    for number, fold in enumerate(folds):
        done = results / f"fold_{number}" / "validation"
        if len(list(done.glob("*.nii.gz"))) < len(fold.test):
            say(f"nnU-Net, fold {fold.number} of {len(folds)}")
            go_on = ("--c",) if (done.parent / "checkpoint_latest.pth").is_file() else ()
            call("nnUNetv2_train", "1", CONFIGURATION, str(number), "-tr", trainer, "-device",
                 args.device, *go_on)  # fmt: skip
    return results


def score(cases: dict[str, Case], folds: list[Fold], results: Path) -> pd.DataFrame:
    """Rows of `metrics.csv`, one mask a scan."""
    rows: list[dict[str, Any]] = []
    for number, fold in enumerate(folds):
        for name in fold.test:
            path = results / f"fold_{number}" / "validation" / f"{name}.nii.gz"
            mask, case = np.asarray(nib.load(path).dataobj) > 0, cases[name]
            arm = profiles.ARMS["stacked"]
            row = store.begin_row(case, fold, 0, "nnU-Net", CONFIGURATION, arm, TOGETHER)
            rows.append({**row, "scope": TOGETHER, "dice": metrics.dice(mask, case.discs)})
    return pd.DataFrame(rows)


def main() -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, metavar="DIR")
    parser.add_argument("--commands", type=Path, required=True, help="folder of nnUNetv2_train")
    parser.add_argument("--epochs", type=int, default=10, help="1, 5, 10, 20, 50, 100, 250 …")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--work", type=Path, default=Path("reports/nnunet"), metavar="DIR")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    args = parser.parse_args()
    cases = load_cases(args.data, labels_required=True)
    folds, work = patient_folds(cases), args.work.resolve()
    if not (work / "preprocessed" / DATASET / "splits_final.json").is_file():
        export(cases, folds, work)
    results = train(folds, args)
    rows = score({case.name: case for case in cases}, folds, results)
    python = args.commands.resolve() / "python"
    ask = "from importlib import metadata; print(metadata.version('nnunetv2'))"
    version = subprocess.run([python, "-c", ask], capture_output=True, text=True, check=True)
    training = {"steps": args.epochs * STEPS, "batch": BATCH, "learning_rate": 0.01}
    record = provenance.record(
        name=args.out.name, data=args.data.resolve().name, phantom=False, external="nnU-Net",
        cases={c.name: {"subject": c.subject} for c in cases}, seeds=1,
        contrasts=contrasts_of(cases),
        config={
            "folds": [{"number": f.number, "train": f.train, "test": f.test} for f in folds],
            "profile": {"size": CONFIGURATION, "training": {**training, "schedule": "poly"}},
        },
    )  # fmt: skip
    record["versions"]["nnunetv2"] = version.stdout.strip()
    record["device"] = f"torch on {args.device}"
    files.write_csv(args.out / "metrics.csv", rows)
    files.write_json(args.out / "record.json", record)
    print(rows.groupby("subject")["dice"].mean().round(4).to_string())
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""A small experiment under odd names, and a page made of Markdown."""

import nbformat
import numpy as np
import pandas as pd
from bs4 import BeautifulSoup

from ivdlib import files
from ivdlib.evaluation import tables
from ivdlib.report import notebook as lesson

SCRIPT = "<script>alert(1)</script>"


def odd_experiment(folder, rows=1, case="01"):
    record = {
        "name": "mine", "config": {"profile": {"name": "test"}, "folds": []},
        "cases": {case: {"subject": "1"}}, "made": "2026-01-02T03:04:05+00:00",
    }  # fmt: skip
    files.write_json(folder / "record.json", record)
    row = {"network": "fds_cnn", "trained_on": "contrasts+fused", "seed": 0, "fold": 1,
           "case": case, "subject": "1", "target": "disc", "scope": "volume", "level": "",
           "dice": 0.5}  # fmt: skip
    metrics = pd.DataFrame([{**row, "contrast": c} for c in ("wat", "fat", "inn", "opp")])
    files.write_csv(folder / "metrics.csv", metrics)
    tables.write_tables(metrics, folder / "tables", "a label", set())
    if rows > 1:
        wide = pd.DataFrame({"network": [f"n{k}" for k in range(rows)], "source": "ours"})
        for column in ("wat", "Mean"):
            wide[column] = np.linspace(0, 1, rows)
        files.write_csv(folder / "tables" / "table1.csv", wide.assign(scans=1))
    return folder


def fitted(markdown: str) -> BeautifulSoup:
    cells = [nbformat.v4.new_markdown_cell(markdown)]
    made = lesson.body(nbformat.v4.new_notebook(cells=cells), "01_evil", lambda _: True)
    return BeautifulSoup(made["html"], "html.parser")

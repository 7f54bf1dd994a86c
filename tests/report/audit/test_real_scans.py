"""Sections on whole fields and on grades of degeneration."""

import pandas as pd

from ivdlib.report.audit import real_scans


def test_networks_on_whole_fields_and_their_differences():
    rows = pd.DataFrame([
        {"training": network, "network": network, "trained_on": "contrasts", "fold": 1, "seed": 0,
         "subject": scan, "case": scan, "gaps": 4, "found": found, "fill": 0.7, "bone": 0.01,
         "below": True, "astray": 0, "specks": 0}
        for network, found in (("fds_cnn", 4), ("unet", 3)) for scan in "abcd"
    ])  # fmt: skip
    page = real_scans.full_fields_section({"s on b": rows})
    lines = [line for line in page.splitlines() if line.startswith("| s on b")]
    best = "| s on b | FDS-CNN | contrasts | 1, 4 | 100.0% | – | 0.0% | 0.70 | 1.0% | 100% | 0% |"
    assert lines[0] == best and "| 75.0% |" in lines[1]
    assert lines[2].startswith("| s on b | FDS-CNN − U-Net | +0.2500 |")
    assert "_cut" not in page and "*_cut*: scans cut" in real_scans.full_fields_section(
        {"s on b_cut": rows}
    )
    assert real_scans.full_fields_section({}) == ""


def test_grades():
    row = {"network": "fds_cnn", "grade": 5, "dice": 0.7, "missed": 0.1, "discs": 8, "patients": 5}
    other = row | {"network": "unet", "grade": 1, "dice": 0.9, "missed": 0.0, "discs": 20}
    page = real_scans.grades({"slabs": pd.DataFrame([row, other])})
    assert "| experiment | network | grade 1 | grade 5 |" in page
    assert "| slabs | *discs (patients)* | 20 (5) | 8 (5) |" in page
    assert "| slabs | FDS-CNN | – | 0.7000 (10.0%) |" in page
    assert "| slabs | U-Net | 0.9000 (0.0%) | – |" in page
    assert real_scans.grades({}) == ""

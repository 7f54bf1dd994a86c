"""Networks on real scans without disc labels: shares of gaps found."""

import numpy as np
import pandas as pd
import pytest

from ivdlib import files
from ivdlib.errors import DataError
from ivdlib.evaluation import full_fields, headlines, verdicts


def rows(networks, scans="abcdef", trainings=3, gaps=4):
    """Each network finds a given number of the gaps, one more in the last scan."""
    return pd.DataFrame([
        {"training": f"{network}{fold}", "network": network, "trained_on": "contrasts+fused",
         "fold": fold, "seed": 0, "subject": scan, "case": scan, "gaps": gaps,
         "found": min(found + (scan == scans[-1]), gaps), "fill": 0.7, "bone": 0.01,
         "below": scan == "a", "astray": int(scan == "b"), "specks": 0}
        for network, found in networks.items() for fold in range(1, trainings + 1)
        for scan in scans
    ])  # fmt: skip


def test_shares_are_of_gaps_and_compared_by_scan():
    found = full_fields.compare_on_fields(rows({"fds_cnn": 3, "unet": 2}), "fds_cnn", "unet")
    assert found.mean == pytest.approx(0.25) and len(found.differences) == 6
    assert len(found.trainings) == 3
    assert full_fields.compare_on_fields(rows({"fds_cnn": 3}), "fds_cnn", "unet") is None
    pairs = dict(full_fields.pairs(rows({"unet": 2, "fds_cnn": 3, "deeplabv3plus": 1})))
    assert [*pairs] == ["FDS-CNN − DeepLabv3+", "FDS-CNN − U-Net"]


def test_the_spread_over_trainings_stands_beside_that_over_scans():
    frame = rows({"fds_cnn": 3, "unet": 2})
    table = full_fields.by_network(frame).set_index("network")
    assert list(table.index) == ["FDS-CNN", "U-Net"]  # best first
    shares = np.array([0.75] * 5 + [1.0])
    assert table.loc["FDS-CNN", "found"] == pytest.approx(shares.mean())
    assert table.loc["FDS-CNN", "of_scans"] == pytest.approx(shares.std(ddof=1))
    assert table.loc["FDS-CNN", "of_trainings"] == pytest.approx(0.0)
    assert table.loc["FDS-CNN", "below"] == table.loc["FDS-CNN", "astray"] == pytest.approx(1 / 6)
    one = full_fields.by_network(rows({"unet": 2}, scans="a", trainings=1)).iloc[0]
    assert np.isnan(one["of_trainings"]) and np.isnan(one["of_scans"])


def test_rows_are_read_by_their_names(tmp_path):
    assert full_fields.read(tmp_path) == {}
    path = tmp_path / full_fields.OF_FIELDS / "phantom_fair_on_munich_wat.csv.gz"
    files.write_csv(path, rows({"fds_cnn": 3}))
    (name,) = found = full_fields.read(tmp_path)
    assert name == "phantom_fair on munich_wat" and len(found[name]) == 18
    files.write_csv(path, rows({"fds_cnn": 3}).drop(columns="found"))
    with pytest.raises(DataError, match="lacks found"):
        full_fields.read(tmp_path)


def test_page_one_takes_networks_of_dixon_images_alone():
    fields = {name: rows({"fds_cnn": 3, "unet:equal_cost": 2}) for name in ("p on m", "s on b")}
    found = headlines.field_rows(fields, {"p": "phantom", "s": "slabs"})
    found = found[found["verdict"] != verdicts.UNTESTED]
    assert list(found["key"]) == ["equal_cost"] and found["kind"].iloc[0] == "bodies"
    assert found["verdict"].iloc[0] == verdicts.SUPPORTED

"""The peers of benchmarks/ are the same networks; the timing of a step runs."""

import email.message
import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scripts import installed

from ivdlib import networks

FOLDER = Path(__file__).resolve().parents[1] / "benchmarks"
CONFIG = replace(networks.config_of("fds_cnn", "tiny"), dropout=0.0, bn_momentum=0.1)


@pytest.fixture
def peers(monkeypatch):
    """The two writings of the network beside ivdlib's: `stock` and `torch_plain`."""
    if os.environ.get("IVDLIB_CI") != "1":
        pytest.importorskip("torch")
    monkeypatch.syspath_prepend(str(FOLDER))
    from peers import stock, torch_plain

    return stock, torch_plain


@pytest.mark.slow
@pytest.mark.parametrize("training", [False, True], ids=["moving statistics", "of the batch"])
def test_the_network_in_pytorch_is_ours(peers, training):
    import torch

    stock, plain = peers
    model = networks.build("fds_cnn", CONFIG, (16, 24, 1))
    rng = np.random.default_rng(0)
    for name, variable in stock.weights(model).items():
        if name.endswith(("gamma", "beta")):
            variable.assign(rng.normal(name.endswith("gamma"), 0.2, variable.shape))
    images = rng.random((4, 16, 24, 1), dtype=np.float32)
    for _ in range(3):
        model(images, training=True)  # so that the moving statistics are those of a network in use
    before = {name: np.array(v) for name, v in stock.weights(model).items()}
    network = plain.FDSCNN(CONFIG)
    plain.copy_weights(stock.weights(model), network)
    with torch.no_grad():
        theirs = network.train(training)(plain.to_torch(images)).numpy()[:, 0]
    ours = np.asarray(model(images, training=training))[..., 0]
    np.testing.assert_allclose(theirs, ours, atol=1e-4)
    assert ours.std() > 0.01
    if training:
        n, name = 4 * 8 * 12, "conv1_depthwise_norm_moving_variance"
        kept = CONFIG.bn_momentum * before[name]
        theirs = network.units["conv1"].depthwise_norm.running_var.numpy() - kept
        ours = np.array(stock.weights(model)[name]) - kept
        # PyTorch keeps the variance over n - 1.
        np.testing.assert_allclose(theirs, ours * n / (n - 1), rtol=1e-3, atol=1e-6)


def test_the_loss_in_pytorch_is_ours(peers):
    import torch

    from ivdlib.networks.losses import loss

    rng = np.random.default_rng(0)
    p = rng.random((2, 8, 8, 1), dtype=np.float32)
    truth = (rng.random(p.shape) > 0.8).astype(np.float32)
    theirs = peers[1].loss(torch.tensor(truth), torch.tensor(p))
    assert float(theirs) == pytest.approx(float(loss("bce_dice")(truth, p)), abs=1e-5)


def test_multiply_adds_are_counted_alike(peers):
    from ivdlib.networks import cost

    plain = peers[1]
    images = np.zeros((1, 16, 24, 1), np.float32)
    count = plain.multiply_adds(plain.FDSCNN(CONFIG), plain.to_torch(images))
    ours = cost.layer_table(networks.build("fds_cnn", CONFIG, (16, 24, 1)))["multiply_adds"].sum()
    assert count == ours > 1e6


@pytest.mark.slow
def test_a_step_is_timed(tmp_path):
    words = ["--size", "tiny", "--tile", "16", "16", "--batch", "2", "--steps", "1"]
    words += ["--rounds", "1"]
    only = ["--only", "ivdlib"]  # the others: test_stock, and peers above
    command = [sys.executable, FOLDER / "train_step.py", *words, *only, "--out", tmp_path]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    table = pd.read_csv(tmp_path / "table.csv")
    assert list(table["name"]) == only[1:]
    assert (table[["min_s", "gflops", "share", "rss_gb", "times_ivdlib"]] > 0).all(axis=None)
    assert table["times_ivdlib"][0] == 1 and table["note"].isna().all()
    record = json.loads((tmp_path / "record.json").read_text())
    assert record["peak_gflops"]["float32"] > 1 and record["goals"] == []
    assert record["arguments"]["batch"] == 2 and "keras" in record["versions"]


@pytest.mark.parametrize("power", [0.0, 0.5, 1.0, 2.0])
def test_growth_is_the_exponent_of_a_power_law(monkeypatch, power):
    monkeypatch.syspath_prepend(str(FOLDER))
    import growth

    rows = [{"times": n, "seconds": 3.0 * n**power} for n in growth.TIMES]
    assert growth.exponent(rows, "seconds") == pytest.approx(power)
    assert np.isnan(growth.exponent(rows[:1], "seconds"))


def test_a_step_is_held_against_the_best_row_of_pytorch(monkeypatch):
    monkeypatch.syspath_prepend(str(FOLDER))
    import train_step

    times = {train_step.OURS: 1.0, train_step.PLAIN: 1.6, "PyTorch": 3.0,
             "PyTorch, torch.compile": 1.2, "MONAI BasicUNet": 0.5}  # fmt: skip
    rows = [{"size": "tiny", "name": name, "times_ivdlib": value, "share": 0.3}
            for name, value in times.items()]  # fmt: skip
    plain, best, share = train_step.judge(rows, ["tiny"])
    assert plain["met"] and share["met"] and best["value"] == 1.2 and not best["met"]
    (best,) = [g for g in train_step.judge(rows[:2], ["tiny"]) if "best" in g["goal"]]
    assert best["value"] is None and not best["met"]


@pytest.mark.slow
def test_the_scorer_agrees_with_its_peers(monkeypatch):
    installed("medpy")
    monkeypatch.syspath_prepend(str(FOLDER))
    import scorer

    rows, agree = scorer.measure(rounds=1)
    assert agree and {row["discs"] for row in rows} == {9}
    monkeypatch.setattr(scorer, "_ours", lambda p, t: [
        {**row, "hd95_mm": row["hd95_mm"] + 0.01} for row in scorer.challenge.disc_scores(
            p, t, scorer.SPACING)
    ])  # fmt: skip
    assert not scorer.measure(rounds=1)[1]


@pytest.mark.parametrize(
    ("page", "tables"),
    [
        ("README.md", ["found"]),
        ("RESULTS.md", ["dice", "claims", "transfer", "weights", "measured", "names"]),
        ("docs/model_card.md", ["card_files", "card_contrast", "card_level", "card_grade"]),
    ],
)
def test_pages_say_what_the_records_say(monkeypatch, page, tables):
    monkeypatch.syspath_prepend(str(FOLDER))
    import results

    text = (results.ROOT / page).read_text(encoding="utf-8")
    assert re.findall(r"<!-- (\w+) -->", text.replace("<!-- end -->", "")) == tables
    assert results.filled(text) == text, "run python benchmarks/results.py"
    spoilt = re.sub(r"(<!-- \w+ -->\n).", r"\1x", text)
    assert spoilt != text and results.filled(spoilt) == text


def test_the_readme_shows_five_whole_rows_of_the_audit(monkeypatch):
    monkeypatch.syspath_prepend(str(FOLDER))
    import results

    shown, all_rows = results.found().splitlines(), results.claims().splitlines()
    assert len(shown) == 7 and set(shown) < set(all_rows)


def test_each_module_has_a_test_file_of_its_name(monkeypatch):
    monkeypatch.syspath_prepend(str(FOLDER))
    import house

    assert house.without_test(FOLDER.parent, house.modules(FOLDER.parent)) == []


def test_the_page_of_many_scans_is_worked_out_from_what_was_measured(monkeypatch):
    monkeypatch.syspath_prepend(str(FOLDER))
    import many_scans

    parts = {name: 1.0 for name in many_scans.PARTS}
    text = many_scans.page({
        "scans": 200, "workers": 2, "parts": parts, "made": 200, "twice": 0, "seconds": 1440.0,
        "scans_an_hour": 500.0, "held": [400.0] * 4, "most_mb": 500.0, "again_s": 20.0,
        "read_mb": 20.0, "written_mb": 0.5, "device": "a machine",
    })  # fmt: skip
    assert "One core does 500 / 2 = 250 scans an hour" in text
    assert "| 64 | 16,000 | 3.1 h | 88.9 |" in text  # 50,000 / (250 · 64); 64 · 250 / 3600 · 20
    assert "| 2 | 500 | 4.2 days | 2.8 |" in text
    assert "50,000 · 20.0 MB = 1.00 TB" in text


def test_licences_are_those_of_the_lock(monkeypatch):
    monkeypatch.syspath_prepend(str(FOLDER))
    import licences

    shown = licences.PAGE.read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([\w.-]+) \| ([\w.]+) \| (.+) \|$", shown, re.MULTILINE)
    rows = [row for row in rows if row[0] != "package"]
    assert [row[:2] for row in rows] == licences.locked(), "run python benchmarks/licences.py"
    assert [name for name, _, licence in rows if licence == "not said"] == ["namex"]
    assert licences.licence("numpy").startswith("BSD") and licences.licence("tqdm")


def test_a_licence_is_read_from_where_a_package_says_it(monkeypatch):
    monkeypatch.syspath_prepend(str(FOLDER))
    import licences

    def said(**fields):
        about = email.message.Message()
        for name, value in fields.items():
            about[name.replace("_", "-")] = value
        monkeypatch.setattr(licences.metadata, "metadata", lambda _: about)
        return licences.licence("any")

    assert said(License_Expression="MIT AND PSF-2.0", License="x") == "MIT AND PSF-2.0"
    assert said(Classifier="License :: OSI Approved :: BSD License") == "BSD License"
    assert said(Classifier="License :: OSI Approved", License="MIT") == "MIT"
    assert said(License="Apache License\n" + "words " * 40) == "APACHE (by its text)"
    assert said(Name="any") == "not said"


def test_a_python_that_is_not_here_is_said_to_be_absent(monkeypatch, capsys):
    monkeypatch.syspath_prepend(str(FOLDER))
    import versions

    monkeypatch.setattr(versions, "interpreter", lambda version: None)
    monkeypatch.setattr(versions, "call", lambda *words, **options: None)
    monkeypatch.setattr(Path, "glob", lambda *a: iter([Path("ivdlib.whl")]))
    assert versions.main(["core", versions.pythons()[-1]]) == 0
    assert capsys.readouterr().out.startswith("Python 3.13, core packages: absent")
    assert versions.main([]) == 0
    assert len(capsys.readouterr().out.splitlines()) == len(versions.pythons()) + 2
    assert (
        versions.main(["3.9"]) == 2 and "python benchmarks/versions.py" in capsys.readouterr().out
    )


def test_what_a_folder_takes_counts_a_file_of_two_names_once(monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(str(FOLDER))
    import versions

    (tmp_path / "deep").mkdir()
    path = tmp_path / "deep" / "one"
    path.write_bytes(bytes(3_000_000))
    before = versions.size(tmp_path)
    (tmp_path / "two").hardlink_to(path)
    assert before == versions.size(tmp_path) == "3 MB"

"""Tables 1 to 3: means by hand, and the paper's numbers beside them."""

import itertools
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from table_rows import rows

from ivdlib.evaluation import tables

FUSED = ("wat+opp", "fat+opp", "wat+inn", "inn+opp")
SINGLE = ("wat", "fat", "inn", "opp")


def ours(frame):
    return frame[frame["source"] == "ours"].set_index("network")


def test_seeds_are_averaged_before_scans():
    """Scan 01 has three seeds, scan 02 one: each scan counts once."""
    found = rows(seeds=3, value=lambda c, s, k: (0.2, 0.4, 0.9)[s]) + rows(
        cases=("02",), value=lambda *_: 0.7
    )
    line = ours(tables.dice_table(pd.DataFrame(found), 3)).loc["FDS-CNN"]
    assert line["wat"] == pytest.approx((0.5 + 0.7) / 2)
    assert line["Mean"] == pytest.approx(0.6) and line["scans"] == 2


def test_only_whole_discs_volumes_of_the_right_arm_count():
    right = rows(contrasts=("wat", "opp"), dice=0.8)
    wrong = (
        rows(contrasts=("wat", "opp"), dice=0.1, scope="disc", level="L4/5")
        + rows(contrasts=("wat", "opp"), dice=0.1, target="spine")
        + rows(contrasts=("together",), dice=0.9, scope="together")
        + rows(contrasts=("wat", "opp"), dice=0.6, trained_on="contrasts+fused")
        + rows(contrasts=("wat+opp",), dice=0.9, trained_on="contrasts+fused")
    )
    frame = pd.DataFrame(right + wrong)
    assert (
        ours(tables.dice_table(frame, 3)).loc["FDS-CNN", ["wat", "opp", "Mean"]].tolist()
        == [0.8] * 3
    )
    one = ours(tables.dice_table(frame, 1)).loc["FDS-CNN"]
    assert one["wat"] == one["opp"] == one["Mean"] == 0.6 and "together" not in one
    assert ours(tables.dice_table(frame, 2)).loc["FDS-CNN", "wat+opp"] == 0.9


def test_sizes_that_compare_stand_in_the_table_and_variants_do_not():
    """A U-Net of another size is one more network; what lacks an idea is told by the audit."""
    names = ("unet:equal_cost", "fds_cnn:no_dilation", "fds_cnn", "unet", "deeplabv3plus")
    frame = pd.DataFrame([row for name in names for row in rows(network=name)])
    found = [name for name in ours(tables.dice_table(frame, 3)).index if name]
    assert found == ["DeepLabv3+", "U-Net", "U-Net, equal cost", "FDS-CNN"]


def test_the_mean_is_over_the_contrasts_of_the_row():
    frame = pd.DataFrame(
        rows(contrasts=SINGLE, cases=("01", "02"), value=lambda c, s, k: SINGLE.index(c) / 10)
    )
    line = ours(tables.dice_table(frame, 3)).loc["FDS-CNN"]
    assert line[list(SINGLE)].tolist() == pytest.approx([0, 0.1, 0.2, 0.3])
    assert line["Mean"] == pytest.approx(0.15)


def test_the_order_of_the_rows_is_the_paper_s_and_ours_come_first():
    found = list(
        itertools.chain.from_iterable(
            rows(name, "contrasts+fused", SINGLE) for name in ("fds_cnn", "unet", "deeplabv3plus")
        )
    ) + rows("level atlas", "contrasts", SINGLE)
    frame = tables.dice_table(pd.DataFrame(found), 1)
    names = ["DeepLabv3+", "U-Net", "FDS-CNN"]
    assert frame["network"].tolist() == ["level atlas", *names, *names]
    assert frame["source"].tolist() == ["ours"] * 4 + ["paper"] * 3
    assert frame.columns.tolist() == ["network", "source", *SINGLE, "Mean", "scans"]


def test_the_paper_s_rows_are_as_printed():
    one = tables.dice_table(pd.DataFrame(rows("unet", "contrasts+fused", SINGLE)), 1)
    printed = one[(one["source"] == "paper") & (one["network"] == "FDS-CNN")].iloc[0]
    assert printed[[*SINGLE, "Mean"]].tolist() == [0.9111, 0.8853, 0.9055, 0.9062, 0.9021]
    assert printed["scans"] == 16
    two = tables.dice_table(pd.DataFrame(rows(contrasts=SINGLE)), 2)
    assert two[[*FUSED, "Mean"]].values.tolist() == [[0.9122, 0.9086, 0.9121, 0.9140, 0.9117]]


@pytest.mark.parametrize("number", tables.PAPER_DICE)
def test_the_printed_means_are_those_of_the_printed_numbers(number):
    """All but the three that a note below the table gives both ways."""
    odd = {(1, "U-Net"): 0.8950, (1, "DeepLabv3+"): 0.8233, (3, "FDS-CNN"): 0.8968}
    for name, values in tables.PAPER_DICE[number].items():
        expected = odd.get((number, name), values[-1])
        assert np.mean(values[:-1]) == pytest.approx(expected, abs=1e-4)


def test_a_printed_mean_that_does_not_follow_from_its_row_is_shown_both_ways():
    contrasts = {1: SINGLE, 2: FUSED, 3: SINGLE}
    found = pd.DataFrame(rows(contrasts=SINGLE) + rows("unet", "contrasts+fused", FUSED))
    texts = {
        n: tables.as_markdown(tables.dice_table(found, n), n, "x").partition("\n\n")[2]
        for n in contrasts
    }
    assert (
        "DeepLabv3+ 0.8235 (its row gives 0.8233), U-Net 0.8953 (its row gives 0.8950)" in texts[1]
    )
    assert "row gives" not in texts[2]
    assert "FDS-CNN 0.8973 (its row gives 0.8968)" in texts[3]
    silent = tables.dice_table(pd.DataFrame(rows(contrasts=("t2",))), 3)
    assert "row gives" not in tables.as_markdown(silent, 3, "x")


@pytest.mark.parametrize("contrasts", [("t2",), ("wat", "fat", "inn"), (*SINGLE, "t2")])
def test_the_paper_is_silent_on_other_contrasts(contrasts):
    frame = tables.dice_table(pd.DataFrame(rows(contrasts=contrasts)), 3)
    assert frame["source"].tolist() == ["ours"]
    assert [c for c in frame.columns if c in contrasts] == list(contrasts)


def test_a_contrast_without_scores_stays_empty():
    found = rows("unet", contrasts=SINGLE, dice=0.5) + rows(contrasts=("wat",), dice=0.5)
    line = ours(tables.dice_table(pd.DataFrame(found), 3)).loc["FDS-CNN"]
    assert np.isnan(line["fat"]) and np.isnan(line["Mean"]) and line["wat"] == 0.5


def test_markdown_line_by_line():
    found = rows(contrasts=SINGLE, value=lambda c, *_: 0.25 if c == "wat" else 0.75)
    text = tables.as_markdown(tables.dice_table(pd.DataFrame(found), 3), 3, "crops, 3 folds")
    lines = text.splitlines()
    assert lines[0].startswith("**Table 3.") and "Ours: crops, 3 folds." in lines[0]
    assert lines[2] == "| network | source | wat | fat | inn | opp | Mean | scans |"
    assert lines[3] == "|---|---|---:|---:|---:|---:|---:|---:|"
    assert lines[4] == "| FDS-CNN | ours | 0.2500 | 0.7500 | 0.7500 | 0.7500 | 0.6250 | 1 |"
    assert lines[5] == "| FDS-CNN | paper | 0.9096 | 0.8818 | 0.8984 | 0.8975 | 0.8973 | 16 |"
    assert lines[6] == "" and "its row gives" in lines[7] and len(lines) == 8
    assert text.endswith(".\n")


def test_derived_contrasts_are_marked():
    found = rows(contrasts=FUSED, trained_on="contrasts+fused") + rows(contrasts=SINGLE)
    frame = pd.DataFrame(found)
    text = tables.as_markdown(tables.dice_table(frame, 2), 2, "crops", derived={"wat"})
    assert "| wat+opp† | fat+opp‡ | wat+inn† | inn+opp‡ |" in text
    assert "† derived: wat was computed from the other contrasts." in text
    plain = tables.as_markdown(tables.dice_table(frame, 2), 2, "crops")
    assert "†" not in plain


def test_a_bar_in_a_name_does_not_end_its_cell():
    found = rows("mine | yours", contrasts=("t1|fat",))
    text = tables.as_markdown(tables.dice_table(pd.DataFrame(found), 3), 3, "x")
    header, _, line = text.splitlines()[2:5]
    assert "t1\\|fat" in header and "mine \\| yours" in line
    assert header.replace("\\|", "").count("|") == line.replace("\\|", "").count("|") == 6


def test_missing_numbers_are_a_dash():
    found = rows("unet", contrasts=SINGLE) + rows(contrasts=("wat",))
    text = tables.as_markdown(tables.dice_table(pd.DataFrame(found), 3), 3, "x")
    assert "| FDS-CNN | ours | 0.5000 | – | – | – | – | 1 |" in text


def test_only_tables_with_rows_of_ours_are_written(tmp_path):
    found = pd.DataFrame(rows(trained_on="contrasts+fused", contrasts=SINGLE))
    tables.write_tables(found, tmp_path, "label", {"fat"})
    assert sorted(p.name for p in tmp_path.iterdir()) == ["table1.csv", "table1.md"]
    back = pd.read_csv(tmp_path / "table1.csv")
    assert back.columns.tolist() == ["network", "source", *SINGLE, "Mean", "scans"]
    assert back["wat"].tolist() == [0.5, 0.8309, 0.9107, 0.9111]
    text = (tmp_path / "table1.md").read_text(encoding="utf-8")
    assert "fat†" in text and text.startswith("**Table 1. Networks trained with fusion")


@pytest.mark.parametrize("contrasts", [("t2",), SINGLE])
def test_table_1_without_fusion_says_so_and_is_set_beside_the_paper_s_without(tmp_path, contrasts):
    found = rows(contrasts=contrasts, dice=0.5) + rows("level atlas", contrasts=contrasts, dice=0.4)
    tables.write_tables(pd.DataFrame(found), tmp_path, "label")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["table1.csv", "table1.md"]
    text = (tmp_path / "table1.md").read_text(encoding="utf-8")
    assert text.startswith("**Table 1. Networks trained WITHOUT fusion")
    back = pd.read_csv(tmp_path / "table1.csv")
    assert back.loc[back["source"] == "ours", "Mean"].tolist() == pytest.approx([0.4, 0.5])
    paper = back[back["source"] == "paper"]
    assert paper["network"].tolist() == (["FDS-CNN"] if contrasts == SINGLE else [])
    assert paper["Mean"].tolist() == ([0.8973] if contrasts == SINGLE else [])


def test_tables_of_other_trainings_do_not_stay(tmp_path):
    both = rows(contrasts=SINGLE) + rows(trained_on="contrasts+fused", contrasts=SINGLE + FUSED)
    tables.write_tables(pd.DataFrame(both), tmp_path, "first")
    assert (tmp_path / "table3.md").is_file()
    (tmp_path / "mine.csv").write_text("stays")
    tables.write_tables(pd.DataFrame(rows(contrasts=SINGLE)), tmp_path, "second")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["mine.csv", "table1.csv", "table1.md"]


def test_exact_labels_have_a_table_of_their_own(tmp_path):
    """A phantom's labels hold a rater's errors; the exact ones are scored besides."""
    found = rows(contrasts=("wat", "fat"), cases=("01", "02"), dice=0.8, dice_exact=0.9)
    found += rows(contrasts=("wat+opp",), trained_on="contrasts+fused", dice=0.1, dice_exact=0.1)
    found += rows(network="unet", dice=0.7, dice_exact=np.nan)
    frame = tables.exact_labels(pd.DataFrame(found))
    assert frame.to_dict("records") == [
        {"network": "FDS-CNN", "trained_on": "contrasts", "drawn": pytest.approx(0.8),
         "exact": pytest.approx(0.9), "scans": 2}
    ]  # fmt: skip
    tables.write_tables(pd.DataFrame(found), tmp_path, "phantom")
    assert (tmp_path / "exact_labels.csv").is_file()
    assert tables.exact_labels(pd.DataFrame(rows())).empty


def test_fused_contrasts_beside_the_water_image():
    rng = np.random.default_rng(0)
    wat, fat = rng.uniform(50, 100, (3, 8, 9)), rng.uniform(0, 20, (3, 8, 9))
    ideal = {"wat": wat, "fat": fat, "inn": wat + fat, "opp": wat - fat}
    cases = [SimpleNamespace(contrasts=ideal, discs=wat > level) for level in (60, 70)]
    unlabelled = SimpleNamespace(contrasts=ideal, discs=wat < 0)
    found = tables.fused_and_water([*cases, unlabelled], tables.FUSED).set_index("contrast")
    assert list(found.index) == list(tables.FUSED) and (found["scans"] == 2).all()
    assert found.loc["inn+opp", "slope"] == pytest.approx(2)
    assert found.loc["fat+opp", "deviation"] == pytest.approx(0, abs=1e-12)
    assert found.loc["wat+inn", "deviation"] > 1e-3
    t2 = SimpleNamespace(contrasts={"t2": wat}, discs=wat > 60)
    assert tables.fused_and_water([t2], ()).empty
    assert tables.fused_and_water([t2], ["fat+opp"]).empty

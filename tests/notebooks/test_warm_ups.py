"""The short exercises of all lessons but 01b: right passes, known mistakes are named.

The checks are taken from the lessons' sources and get made-up data, so that no network runs.
"""

from types import SimpleNamespace

import answers_01_to_04
import numpy as np
import pandas as pd
import pytest
from scripts import check_of

from ivdlib.course import exercises
from ivdlib.course.exercises import WrongAnswer
from ivdlib.evaluation import metrics, statistics


def scans():
    """Eight scans of four people."""
    held = {f"{n:02d}": SimpleNamespace(subject=str((n + 1) // 2)) for n in range(1, 9)}
    case = SimpleNamespace(shape=(9, 5, 5), contrasts=dict.fromkeys(("wat", "fat")))
    return SimpleNamespace(cases=held, contrasts=["wat", "fat"]), case


def tables():
    """Dice of three networks, eight scans of four people."""
    rng, rows = np.random.default_rng(0), []
    for network, level in (("FDS-CNN", 0.8), ("U-Net", 0.6)):
        for scan in range(8):
            dice = level + 0.03 * (scan // 2) + rng.normal(scale=0.02)
            rows.append((network, "contrasts", str(scan // 2), str(scan), dice))
    dots = pd.DataFrame(rows, columns=["network", "trained_on", "subject", "case", "dice"])
    return dots, dots.groupby(["network", "subject"])["dice"].mean()


def masks():
    """A mask and its truth, whose middle slice scores otherwise than the scan."""
    truth = np.zeros((6, 9, 9), bool)
    truth[1:5, 2:6, 2:7] = True
    found = np.roll(truth, 1, axis=1)
    found[3] = truth[3]
    return found, truth


EXPERIMENT, CASE = scans()
DOTS, PEOPLE = tables()
FOUND, TRUTH = masks()
FDS = PEOPLE["FDS-CNN"].to_numpy()
BY_SCAN = DOTS[DOTS["network"] == "FDS-CNN"]["dice"]
DICE = metrics.dice(FOUND, TRUTH)

GIVEN = {
    "exercises": exercises, "np": np, "pd": pd, "metrics": metrics, "statistics": statistics,
    "experiment": EXPERIMENT, "case": CASE, "first": "wat", "dots": DOTS, "people": PEOPLE,
    "arm": "contrasts", "found": FOUND, "given": SimpleNamespace(discs=TRUTH), "middle": 3,
    "answer": SimpleNamespace(votes={"wat": np.roll(FOUND, 1, axis=2)}),
}  # fmt: skip

RIGHT = [
    ("00_start_here", 1, {"people": 4}),
    ("00_start_here", 2, {"kinds": {"wat", "fat"}}),
    ("00_start_here", 2, {"kinds": ["fat", "wat"]}),
    ("05_ablation_tables", 1, {"deviation": PEOPLE["FDS-CNN"].std()}),
    ("05_ablation_tables", 2, {"smallest": 2 / 2**8}),
    ("06_your_own_scan", 1, {"quality": DICE}),
]

WRONG = [
    ("00_start_here", 1, {"people": 8}, "the number of scans"),
    ("00_start_here", 1, {"people": 2}, "how many scans each person has"),
    ("00_start_here", 1, {"people": {"1", "2", "3", "4"}}, "now count them, with len"),
    ("00_start_here", 2, {"kinds": 2}, "give the names"),
    ("00_start_here", 2, {"kinds": {"wat"}}, "only one of them"),
    ("00_start_here", 2, {"kinds": set(EXPERIMENT.cases)}, "names of scans"),
    ("05_ablation_tables", 1, {"deviation": np.std(FDS)}, "you divided by n;"),
    ("05_ablation_tables", 1, {"deviation": np.std(FDS, ddof=1) / 2}, "standard error"),
    ("05_ablation_tables", 1, {"deviation": BY_SCAN.std()}, "scans, not patients"),
    ("05_ablation_tables", 1, {"deviation": PEOPLE.std()}, "all networks"),
    ("05_ablation_tables", 1, {"deviation": FDS.mean()}, "that is the mean"),
    ("05_ablation_tables", 1, {"deviation": [0.1]}, "expected a number"),
    ("05_ablation_tables", 2, {"smallest": 1 / 2**8}, "both sides count"),
    ("05_ablation_tables", 2, {"smallest": 0.00775}, "too small"),
    ("05_ablation_tables", 2, {"smallest": 0.05}, "the usual limit for p"),
    ("05_ablation_tables", 2, {"smallest": 2 / 2**16}, "scans, not patients"),
    ("05_ablation_tables", 2, {"smallest": 0}, "never zero"),
    ("05_ablation_tables", 2, {"smallest": "2/256"}, "expected a number"),
    ("06_your_own_scan", 1, {"quality": 1.0}, "one slice, not the scan"),
    ("06_your_own_scan", 1, {"quality": 100 * DICE}, "per cent"),
    ("06_your_own_scan", 1, {"quality": (FOUND == TRUTH).mean()}, "most are background"),
    ("06_your_own_scan", 1, {"quality": DICE / (2 - DICE)}, "Jaccard"),
    ("06_your_own_scan", 1, {"quality": round(DICE, 2)}, "too few decimals"),
    ("06_your_own_scan", 1, {"quality": FOUND}, "expected a number"),
]

ASKED = [(GIVEN, *row) for row in RIGHT]
ASKED += [(answers_01_to_04.GIVEN, *row) for row in answers_01_to_04.RIGHT]
MISTAKEN = [(GIVEN, *row) for row in WRONG]
MISTAKEN += [(answers_01_to_04.GIVEN, *row) for row in answers_01_to_04.WRONG]


@pytest.mark.parametrize(("given", "stem", "number", "answer"), ASKED)
def test_right_passes(given, stem, number, answer, capsys):
    exec(check_of(stem, number), given | answer)
    assert capsys.readouterr().out.startswith("✅")


@pytest.mark.parametrize(("given", "stem", "number", "answer", "sentence"), MISTAKEN)
def test_wrong_is_named(given, stem, number, answer, sentence):
    with pytest.raises(WrongAnswer, match=sentence):
        exec(check_of(stem, number), given | answer)


@pytest.mark.parametrize(("given", "stem", "number", "answer"), ASKED)
def test_unanswered_is_said(given, stem, number, answer):
    with pytest.raises(WrongAnswer, match="not answered yet"):
        exec(check_of(stem, number), given | dict.fromkeys(answer))


def test_no_exercise_is_left_out():
    """Each of these lessons' checks of an answer stands above, or in tests/course/own."""
    asked = {(stem, number) for _, stem, number, _ in ASKED}
    for stem in {stem for stem, _ in asked}:
        for number in range(1, 99):
            try:
                check = check_of(stem, number)
            except LookupError:
                break
            by_hand = not check or "own.check(" in check
            assert by_hand or (stem, number) in asked, (stem, number)

"""Sections of the audit one by one."""

import pandas as pd
from made_up_scores import scores

from ivdlib import profiles
from ivdlib.evaluation.comparisons import WITHOUT
from ivdlib.profiles import EXTENDABLE
from ivdlib.report.audit import sections


def test_a_scan_that_trained_is_nobody_who_chose():
    profile = profiles.profile("laptop", {"inner": True}).to_dict()
    rows = scores({("unet", WITHOUT): 0.0}, "ab", ("t2",))
    seen = scores({("unet", WITHOUT): 0.0}, "z", ("t2",), scope="seen")
    page = sections.choices({"rates": ({"config": {"profile": profile}}, pd.concat([rows, seen]))})
    (line,) = [line for line in page.splitlines() if line.startswith("| rates |")]
    assert "| a, b |" in line


def test_choices_for_the_spine_network_have_a_table_of_their_own(tmp_path):
    """As an experiment writes it: a record without the fields that may grow."""
    profile = profiles.profile("laptop", {"inner": True, "networks": [], "spine.factor": 1})
    kept = {k: v for k, v in profile.to_dict().items() if k not in EXTENDABLE}
    rows = scores({("unet", WITHOUT): 0.0}, "ab", ("all",), spread=0.0).assign(target="spine")
    found = {"fine": ({"config": {"profile": kept}}, rows)}
    page = sections.choices(found)
    (line,) = [line for line in page.splitlines() if line.startswith("| fine |")]
    assert line == f"| fine | 1 × 1 | 0.001 | 600 | 8 | a, b | {rows['dice'].mean():.4f} |"
    assert "one mask a scan" not in page  # no disc network

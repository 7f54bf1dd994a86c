"""Page one of the audit: ten claims, a verdict on each kind of data, and what follows.

Which data decide was declared before the runs: *architecture* is decided on slabs and the phantom,
for a crop is smaller than what FDS-CNN sees at once; *fusion* on real Dixon images, and slabs have
none. What does not decide stands beside it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from ivdlib.evaluation import full_fields
from ivdlib.evaluation.claims import CLAIMS
from ivdlib.evaluation.scores import disc_rows, has_variants, trained
from ivdlib.evaluation.verdicts import (
    ALIKE,
    DATA_KINDS,
    FAILS,
    HANGS,
    JUDGED,
    OPEN,
    OPPOSITE,
    SUPPORTED,
    UNTESTED,
    clear,
    cleared,
    numbers_of,
    verdict,
)

_ON_FIELDS = {
    "equal_weights": "unet:equal_weights", "equal_cost": "unet:equal_cost", "networks": "unet",
    "fds_deeplab": "deeplabv3plus",
}  # fmt: skip
"""What FDS-CNN is compared with on scans that nothing was trained on, by claim."""

SIZE, DATA, PART = "depends on size", "depends on the data", "open on some data"

ARCHITECTURE, FUSION = ("slabs", "phantom", "dixon"), ("crops", "dixon")
"""Kinds of data that decide."""


@dataclass(frozen=True)
class Headline:
    """A claim of page one.

    Attributes
    ----------
    key, text : str
    claims : tuple of str
        Keys of the claims (`claims.CLAIMS`) that must all hold.
    decided_by : tuple of str
        Kinds of data.
    so_what : mapping of str to str
        A sentence for the reader, by verdict.
    mixed : str
        The verdict if one of its claims holds on one kind of data and another does not.
    beside : tuple of str
        Keys of claims that are shown with it and do not decide.
    not_on : tuple of str
        Kinds of data that it is not asked of.
    """

    key: str
    text: str
    claims: tuple[str, ...]
    decided_by: tuple[str, ...]
    so_what: Mapping[str, str] = field(default_factory=dict)
    mixed: str = FAILS
    beside: tuple[str, ...] = ()
    not_on: tuple[str, ...] = ()


HEADLINES = (
    Headline(
        "fair", "FDS-CNN is better than a U-Net of equal weights and of equal cost",
        ("equal_weights", "equal_cost"), ARCHITECTURE, {
            SUPPORTED: "At the sizes tried here it earns its place.",
            OPPOSITE: "Take a U-Net: of either size it does better.",
            SIZE: "It beats one U-Net and not the other: count the size before the network.",
            ALIKE: "Take whichever is easier to run: the Dice is the same.",
        }, SIZE, beside=("networks",),
    ),
    Headline(
        "deeplab", "FDS-CNN is better than DeepLabv3+", ("fds_deeplab",), ARCHITECTURE, {
            SUPPORTED: "Fine maps pay against coarse ones.",
            OPPOSITE: "The network that FDS-CNN was made from does better.",
            ALIKE: "Nothing is lost and nothing won against the network it was made from.",
        }, not_on=("crops",),  # there its map is of 3 x 2 pixels
    ),
    Headline(
        "down", "Shrinking the maps once is better than twice or four times",
        ("aligned_two_down", "aligned_four_down"), ARCHITECTURE, {
            SUPPORTED: "The paper's central idea holds: keep the maps large.",
            OPPOSITE: "Smaller maps do better, at a fraction of the computation.",
            ALIKE: "Smaller maps do as well, at a fraction of the computation.",
        },
    ),
    Headline(
        "dilation", "Dilation (filters with gaps, which see farther) helps", ("no_dilation",),
        ARCHITECTURE, {
            SUPPORTED: "Looking far around a pixel pays.",
            OPPOSITE: "The same network without dilation does better.",
            ALIKE: "The same network without dilation does as well.",
        },
    ),
    Headline(
        "separable", "Separable convolutions (filters in two cheap steps) cost no Dice",
        ("standard",), ARCHITECTURE, {
            SUPPORTED: "They save most of the multiplications and cost nothing.",
            OPPOSITE: "They save computation and cost accuracy.",
        },
    ),
    Headline(
        "spine", "Finding the spine first helps", ("spine",), ARCHITECTURE, {
            SUPPORTED: "The first stage pays by itself.",
            OPPOSITE: "The first stage does harm; leave it out.",
            ALIKE: "The first stage does not change the Dice.",
        },
    ),
    Headline(
        "fat", "The fat image is harder than the others, and fat+opp mends it",
        ("fat_mean", "fat_opp"), FUSION, {
            SUPPORTED: "Adding the opposed-phase image turns fat into water where it matters.",
            OPPOSITE: "Fat is not the hard image here.",
        },
    ),
    Headline(
        "fused", "Fused images score higher than single ones", ("fused",), FUSION, {
            SUPPORTED: "Sums mend the poor images; the second line says what is left of it beside "
            "a good one.",
            OPPOSITE: "Single images score higher.",
            ALIKE: "Summing images changes nothing that matters.",
        }, beside=("fused_pair",),
    ),
    Headline(
        "fusion", "Training with fused images helps", ("fusion_training",), FUSION, {
            SUPPORTED: "Add them to the training.",
            OPPOSITE: "Leave them out: the network learns less.",
            ALIKE: "They change nothing that matters.",
        },
    ),
)  # fmt: skip
"""All but the one on cost, which is computed from the networks and needs no data."""

_OTHERWISE = {
    OPEN: "These data cannot tell yet.",
    HANGS: "A training failed, and the answer hangs on it: no verdict.",
    UNTESTED: "Not tested at full length yet.",
    SUPPORTED: "It holds here.",
    OPPOSITE: "It does not hold here.",
    FAILS: "Not all of it holds: look at its parts.",
    ALIKE: "No difference that matters.",
    DATA: "It holds on some data and not on others: try it on yours.",
    PART: "Not settled on all data that decide.",
    SIZE: "It hangs on the size.",
}


_IN_PART = "Part of it holds; of the rest these data cannot tell yet."


def together(verdicts: Iterable[str], mixed: str = FAILS) -> str:
    """One verdict from several that must all hold: one that does not refutes them."""
    found = list(verdicts)
    tested = [word for word in found if clear(word)]
    if len(set(found)) == 1 and tested:
        return found[0]
    if HANGS in tested:
        return HANGS
    if {OPPOSITE, ALIKE, FAILS} & set(tested):
        return mixed if SUPPORTED in tested else FAILS
    return OPEN if found and len(tested) == len(found) else UNTESTED


def overall(cells: Mapping[str, str], decided_by: Iterable[str]) -> str:
    """One verdict from those on each kind of data, of those that decide."""
    found = [cells[kind] for kind in decided_by if clear(cells.get(kind, UNTESTED))]
    if not found:
        return UNTESTED
    if len(set(found)) == 1:
        return found[0]
    refuted = {OPPOSITE, ALIKE, FAILS, SIZE} & set(found)
    if SUPPORTED in found and refuted:
        return DATA
    return PART if {OPEN, HANGS} & set(found) else FAILS


def headline_sentence(headline: Headline, word: str) -> str:
    """What follows for the reader from this verdict."""
    return headline.so_what.get(word, _OTHERWISE[word])


def evidence(
    judged: pd.DataFrame,
    steps: Mapping[str, int],
    metrics: Mapping[str, pd.DataFrame],
    people: Mapping[str, int] | None = None,
) -> pd.DataFrame:
    """The rows of `judge` that page one rests on: one a claim and kind of data.

    Of the experiments that can tell, the one with the most patients, then trainings. Left out are
    short ones, with fewer steps than the largest experiment of their kind on whole networks, and
    those in which not every patient has been tested yet.

    Parameters
    ----------
    judged : DataFrame
        From `verdicts.judge`, and rows of that form.
    steps : mapping of str to int
        Of a training, by experiment.
    metrics : mapping of str to DataFrame
        Rows of `metrics.csv`, by experiment.
    people : mapping of str to int, optional
        How many patients each experiment has.
    """
    rows = cleared(judged)
    rows = rows[rows["kind"].isin(list(DATA_KINDS))]
    for headline in HEADLINES:
        rows = rows[~(rows["key"].isin(headline.claims) & rows["kind"].isin(headline.not_on))]
    # astype: without rows, a column of text is mapped to a column of text
    everyone = rows["experiment"].map(dict(people or {})).astype(float).fillna(0)
    rows = rows[rows["patients"] >= everyone]
    large = {name: _extent(frame) for name, frame in metrics.items() if not has_variants(frame)}
    least = {}
    for name in sorted(large, key=large.get):  # the largest of a kind comes last
        for kind in judged.loc[judged["experiment"] == name, "kind"].unique():
            least[kind] = steps.get(name, 0)
    own = rows["experiment"].map(dict(steps)).astype(float).fillna(np.inf)
    rows = rows[own >= rows["kind"].map(least).astype(float).fillna(0)]
    rows = rows.sort_values(["patients", "trainings"], ascending=False, kind="stable")
    return rows.drop_duplicates(["key", "kind"])


def disagreeing(judged: pd.DataFrame, found: pd.DataFrame) -> pd.DataFrame:
    """Rows of other experiments whose verdict on a claim of page one is settled and another one."""
    keys = [key for one in HEADLINES for key in one.claims]
    chosen = found[found["key"].isin(keys)][["key", "kind", "experiment", "verdict"]]
    both = cleared(judged).merge(chosen, on=["key", "kind"], suffixes=("", "_there"))
    both = both[both["experiment"] != both["experiment_there"]]
    settled = both["verdict"].isin((SUPPORTED, OPPOSITE, ALIKE))
    return both[settled & (both["verdict"] != both["verdict_there"])]


def _extent(metrics: pd.DataFrame) -> tuple[int, int]:
    rows = trained(disc_rows(metrics))
    trainings = rows[["network", "trained_on", "seed", "fold"]].drop_duplicates()
    return rows["subject"].nunique(), len(trainings)


def spine_rows(spine: pd.DataFrame, kinds: Mapping[str, str]) -> pd.DataFrame:
    """Rows of `verdicts.judge_spine`, those of the paper's use, in the form of `verdicts.judge`."""
    rows = [
        {**row, "key": "spine", "claim": "finding the spine first helps", "source": "Sect. 2.1",
         "difference": f"FDS-CNN with the region of the spine ({row['use']}) − without",
         "kind": kinds.get(row["experiment"], ""), "paper": np.nan, "fixed": False}
        for row in spine.to_dict("records") if row["use"] == "predicted, zero outside"
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=JUDGED)


def field_rows(fields: Mapping[str, pd.DataFrame], kinds: Mapping[str, str]) -> pd.DataFrame:
    """Comparisons on real whole fields in the form of `verdicts.judge`, in shares of gaps found.

    Only of networks that were trained on Dixon images: what was trained on one contrast is tested
    on scans of it.
    """
    wanted = [claim for claim in CLAIMS if claim.key in _ON_FIELDS]
    rows = []
    for name, frame in fields.items():
        if kinds.get(name.split(" on ")[0]) not in ("phantom", "dixon"):
            continue
        for claim in wanted:
            found = full_fields.compare_on_fields(frame, "fds_cnn", _ON_FIELDS[claim.key])
            rows.append({
                "key": claim.key, "claim": claim.text, "source": claim.source,
                "difference": f"share of gaps found, {claim.difference.split(',')[0]}",
                "experiment": name, "kind": "bodies", **numbers_of(found), "paper": np.nan,
                "verdict": verdict(found), "fixed": False,
            })  # fmt: skip
    return pd.DataFrame(rows, columns=JUDGED)


def page_one(found: pd.DataFrame) -> pd.DataFrame:
    """Every headline on every kind of data.

    Parameters
    ----------
    found : DataFrame
        From `evidence`.

    Returns
    -------
    DataFrame
        A row a headline: `key`, `text`, a verdict for each of `DATA_KINDS`, `verdict` of all that
        decide, `so_what`.
    """
    by_claim = {(row.key, row.kind): row.verdict for row in found.itertuples()}
    lines = []
    for headline in HEADLINES:
        cells = {
            kind: together(
                [by_claim.get((key, kind), UNTESTED) for key in headline.claims], headline.mixed
            )
            for kind in DATA_KINDS
        }
        word = overall(cells, headline.decided_by)
        parts = {by_claim.get((key, kind))
                 for key in headline.claims for kind in headline.decided_by}  # fmt: skip
        in_part = word == OPEN and SUPPORTED in parts
        so_what = _IN_PART if in_part else headline_sentence(headline, word)
        lines.append({"key": headline.key, "text": headline.text, **cells, "verdict": word,
                      "so_what": so_what})  # fmt: skip
    return pd.DataFrame(lines)

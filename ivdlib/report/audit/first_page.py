"""The first page of AUDIT.md: ten claims."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache

import pandas as pd

from ivdlib.evaluation import headlines, statistics
from ivdlib.evaluation.comparisons import difference, side
from ivdlib.evaluation.headlines import HEADLINES, SIZE, Headline
from ivdlib.evaluation.scores import TOGETHER
from ivdlib.evaluation.statistics import LEVEL, Comparison
from ivdlib.evaluation.verdicts import ALIKE, DATA_KINDS, FAILS, HANGS, OPEN, OPPOSITE, SUPPORTED
from ivdlib.profiles import title
from ivdlib.report.audit.sections import Found, markdown_table

MARKS = {SUPPORTED: "✓", OPPOSITE: "✗", FAILS: "✗", ALIKE: "≈", OPEN: "○", HANGS: "△"}
"""Signs of the verdicts; what was not tested has a dash."""

_ABOUT = f"""# The audit: ten claims, one page

Wang, Gu & Li describe FDS-CNN, a network that finds the discs between the vertebrae in MR images.
We built it anew and asked whether each claim of the paper holds. A number is a difference of the
mean Dice, from 0 (nothing right) to 1 (all right), between two networks or images otherwise alike;
brackets hold what the true difference may be ({LEVEL:.0%} interval).

✓ supported · ✗ the opposite holds · ≈ {ALIKE} · ○ open: could be either · △ open, hangs on a
training that failed · – not tested. The data in **bold** decide; the others stand beside them.
"""

_DATA = {
    "crops": "*crops*: real Dixon scans, each cut down to one disc",
    "slabs": "*slabs*: real scans of the whole lower spine, of another kind (T2)",
    "phantom": "*phantom*: made-up people",
    "dixon": "*whole Dixon scans*: real ones, discs labelled",
    "bodies": "*full-field Dixon*: real scans without disc labels, by the share of the gaps "
    "between bodies in which a disc is found",
}
_IMAGES = (
    "*wat, fat, inn, opp*: the four images of a Dixon scan (water, fat, in phase, opposed phase); "
    "a plus is their sum, a fused image."
)

_PARTS = {
    "equal_weights": "weights", "equal_cost": "cost", "networks": "as first sized",
    "aligned_two_down": "two", "aligned_four_down": "four", "fat_mean": "others − fat",
    "fat_opp": "fat+opp − fat", "fused": "means", "fused_pair": "inn+opp − wat",
}  # fmt: skip
"""What tells the lines of a cell apart."""

_WIDE = 0.2
"""An interval this wide says next to nothing, and is shown with fewer digits."""


def first_page(
    page: pd.DataFrame, found: pd.DataFrame, marks: Mapping[str, str], footer: list[str]
) -> str:
    """Page one.

    Parameters
    ----------
    page : DataFrame
        From `headlines.page_one`.
    found : DataFrame
        From `headlines.evidence`.
    marks : mapping of str to str
        Signs behind numbers of some experiments, such as of uneven tiles.
    footer : list of str
        What else was tried, a sentence each.
    """
    rows = {(row.key, row.kind): row for row in found.itertuples()}
    kinds = [kind for kind in DATA_KINDS if (found["kind"] == kind).any()]
    lines = []
    for number, (headline, line) in enumerate(_lines(page), start=1):
        if headline is None:
            marked, so_what, counted = cheaper()
            lines.append((f"{number}. It is cheaper: {marked}", *("–" for _ in kinds), so_what))
            continue
        most = {kind: _people(found, kind) for kind in kinds}
        cells = (_cell(headline, kind, rows, marks, most[kind]) for kind in kinds)
        told = (SIZE, headlines.DATA, headlines.PART, FAILS)
        verdict = f"**{line.verdict.capitalize()}.** " if line.verdict in told else ""
        lines.append((f"{number}. {headline.text}", *cells, f"{verdict}{line.so_what}"))
    heads = ("the paper says", *(_head(found, kind) for kind in kinds), "so what")
    words = f"{'; '.join(_DATA[kind] for kind in kinds)}. {_IMAGES}"
    notes = "\n".join(f"- {told}" for told in (words[0].upper() + words[1:], counted, *footer))
    return f"{_ABOUT}\n{markdown_table(heads, lines)}\n{notes}\n"


def _lines(page: pd.DataFrame) -> Iterator[tuple[Headline | None, object]]:
    """Headlines with their rows; None for that on cost, which stands behind the architecture."""
    by_key = {row.key: row for row in page.itertuples()}
    for headline in HEADLINES:
        yield headline, by_key[headline.key]
        if headline.key == "separable":
            yield None, None


def _people(found: pd.DataFrame, kind: str) -> int:
    """Most patients of a kind of data."""
    return int(found.loc[found["kind"] == kind, "patients"].max())


def _head(found: pd.DataFrame, kind: str) -> str:
    what = {"bodies": "scans", "phantom": "people"}.get(kind, "patients")
    return f"{DATA_KINDS[kind]} ({_people(found, kind)} {what})"


def _cell(
    headline: Headline,
    kind: str,
    rows: Mapping[tuple[str, str], object],
    marks: Mapping[str, str],
    most: int,
) -> str:
    parts = []
    shown = headline.claims + headline.beside
    for key in shown:
        row = rows.get((key, kind))
        if row is None:
            continue
        label = f"{_PARTS[key]} " if len(shown) > 1 else ""
        mean, interval = _number(row)
        text = f"{label}{MARKS[row.verdict]}\u00a0{mean}{marks.get(row.experiment, '')}"
        decides = kind in headline.decided_by and key in headline.claims
        fewer = f" ({row.patients} of them)" if row.patients < most else ""
        parts.append((f"**{text}** {interval}" if decides else f"{text} {interval}") + fewer)
    return "<br>".join(parts) or "–"


def _number(row) -> tuple[str, str]:  # noqa: ANN001
    """Mean and interval."""
    digits = 2 if row.high - row.low > _WIDE else 3
    unit = " of gaps" if row.kind == "bodies" else ""
    numbers = (f"{v:+.{digits}f}".replace("-", "−") for v in (row.mean, row.low, row.high))
    mean, low, high = numbers
    return f"{mean}{unit}", f"[{low},\u00a0{high}]"


@cache
def cheaper() -> tuple[str, str, str]:
    """The claim that FDS-CNN is cheaper: its marks, what follows, and what was counted."""
    from ivdlib.networks import cost

    rows = cost.comparison().set_index(["network", "size"])
    mine, unet = rows.loc[("FDS-CNN", "paper")], rows.loc[("U-Net", "paper")]
    deep = rows.loc[("DeepLabv3+", "as published")]
    marks = []
    for key, what in (("parameters", "weights"), ("multiply_adds", "multiply–adds")):
        less = all(mine[key] < other[key] for other in (unet, deep))
        marks.append(f"{MARKS[SUPPORTED if less else OPPOSITE]} {what}")

    def beside(other: pd.Series, whose: str) -> str:
        return (
            f"{_times(other.parameters, mine.parameters)} {whose} weights, "
            f"{_times(other.multiply_adds, mine.multiply_adds)} its multiply–adds."
        )

    so_what = "At the paper's size " + beside(unet, "a U-Net's")
    counted = "FDS-CNN of the paper's size beside DeepLabv3+ as published: " + beside(deep, "its")
    return ", ".join(marks), so_what, counted


def _times(other: float, mine: float) -> str:
    """How a number compares with another, shortly.

    Examples
    --------
    >>> _times(3.0, 1.5), _times(1.0, 4.0)
    ('1/2.0 of', '4.0 times')
    """
    return f"1/{other / mine:.1f} of" if other > mine else f"{mine / other:.1f} times"


def footer(
    judged: pd.DataFrame,
    found: pd.DataFrame,
    marks: Mapping[str, str],
    programs: Found,
    results: Found,
) -> list[str]:
    """What else was tried, and what was not: a sentence each."""
    told = []
    noise = [
        f"{DATA_KINDS[row.kind]} {MARKS[row.verdict]} {' '.join(_number(row))}"
        f"{marks.get(row.experiment, '')}"
        for row in found[found["key"] == "noise_volume"].itertuples()
    ]
    if noise:
        words = ", ".join(noise)
        told.append(f"Training with random pixels, tested on images as they are: {words}.")
    told.append(
        "No pre-training is needed: nothing here was pre-trained; pre-training was not tried."
    )
    used = set(found["experiment"])
    for name, (record, metrics) in programs.items():
        for other, (its, its_metrics) in results.items():
            same = other in used and its.get("data") == record.get("data")
            beside = _beside(its_metrics, metrics) if same else None
            if beside is not None:
                numbers = (
                    f"{beside.mean:+.3f} {statistics.shown_interval(beside.low, beside.high, 3)}"
                )
                program = title(metrics["network"].iloc[0])
                told.append(
                    f"FDS-CNN − {program} ({name}), one mask a scan, beside {other}: "
                    f"{numbers.replace('-', '−')}."
                )
    derived = [f"{', '.join(results[name][0]['derived'])} in {name}" for name in sorted(used)
               if name in results and results[name][0].get("derived")]  # fmt: skip
    if derived:
        told.append(
            f"Derived, not measured: {'; '.join(derived)}. Means over single images hold it; fused "
            "images that were made of it are left out."
        )
    told += [f"{sign}: trained on unevenly drawn tiles, see below." for sign in {*marks.values()}]
    others = headlines.disagreeing(judged, found)
    if len(others):
        said = (
            f"{row.claim}: {row.experiment} {MARKS[row.verdict]} {' '.join(_number(row))}"
            for row in others.itertuples()
        )
        told.append(f"Other experiments say otherwise: {'; '.join(said)}.")
    return told


def _beside(ours: pd.DataFrame, theirs: pd.DataFrame) -> Comparison | None:
    """FDS-CNN beside another program, one mask a scan; None if they share no patient."""
    network, arm = theirs[["network", "trained_on"]].iloc[0]
    return difference(
        side(ours, "fds_cnn", scope=TOGETHER), side(theirs, network, arm, scope=TOGETHER)
    )

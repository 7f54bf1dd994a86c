"""The second page of AUDIT.md: by which rules, on which data."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from ivdlib.evaluation import claims, comparisons, statistics, verdicts
from ivdlib.evaluation.scores import disc_rows
from ivdlib.evaluation.statistics import LEVEL
from ivdlib.evaluation.verdicts import ALIKE
from ivdlib.profiles import FAIR, TITLES
from ivdlib.report.audit.sections import Found

RULES = f"""## How we judged

**The patient is the unit.** Seeds, images and scans of a patient are averaged before two networks
are compared, patient by patient, on the same scans. A network never sees a patient who tests it:
patients are divided into folds, and each fold is tested by networks that were trained on the
others.

**The interval decides.** Beside each mean stands the {LEVEL:.0%} interval (Student's t). There are
two: over patients, who differ from one another, and over trainings, for a network that is trained
again comes out otherwise, and all patients of a fold share it. **The wider of the two decides.**
*Supported*: it lies above zero; for a claim that something costs nothing, above
−{claims.NO_WORSE:g}. *The opposite holds*: it lies below that. *{ALIKE.capitalize()}*: neither, and
the {statistics.WITHIN:.0%} interval lies within ±{claims.NO_WORSE:g}. *Open*: everything else; it
says that these data cannot tell, not that the claim is wrong. Of a claim with two parts both must
hold. Fewer than {verdicts.PATIENTS} patients or {verdicts.TRAININGS} trainings give no verdict. The
p in the appendix is that of the exact sign-flip test; with six patients it cannot fall below 0.031.

**What the intervals leave out.** Folds share training patients, and seeds of one fold test the same
people, so neither patients nor trainings are quite independent: the intervals are rather too narrow
than too wide. {{widest}}
{{fair}}
**What decides what.** A crop about one disc is smaller than what FDS-CNN sees at once: crops decide
what fusion is worth; slabs and phantom, which network is better. {{primary}} All other comparisons
are descriptive and not corrected for their number: one interval in twenty leaves zero out by
chance.

**Failed trainings** count in every mean. A training has failed on an image if its Dice is below
{comparisons.FAILED:g} on a scan *that it was trained on*; nobody who tests has a say. If one took
part, the median over seeds ({comparisons.MEDIAN_FROM} or more) must agree with the mean, else the
claim stays open. This rule was made after U-Net had failed on fat, for all networks alike. Older
trainings have no such scan; there one counts as failed if it scores below half of the other folds,
which can only take a verdict away.

**What is not equal to the paper:** scans, sizes of the networks (here {{sizes}}), steps. Only a
number from its 16 scans can stand beside the paper's. {{weights}}{{uneven}}
"""

FAIR_SIZES = """
**Fair sizes.** A network of more weights, or of more multiplications, may win by that alone. So
FDS-CNN stands beside a U-Net with as many weights and beside one with as many multiply–adds; the
claim is supported only if it is better than both.{chosen}
"""

PRIMARY = (
    "Primary are two questions: FDS-CNN against the two fair U-Nets on slabs, and training with "
    "fusion on crops."
)
_NAMED = (
    " They were named before their experiments ran, though not before any look at these patients: "
    "the README beside this page says what had been seen."
)
SEEN_BEFORE = "AUDIT.md calls primary"
"""Words of a README that says it; without one beside the page, the page does not either."""
CHOSEN = (
    " Each takes its learning rate from the same few, by patients who test nothing in the same "
    "fold; what was chosen holds in every fold, and they test in another one (appendix)."
)
UNEVEN = "†"
"""Sign of experiments whose tiles were drawn unevenly."""
_UNEVEN = (
    f" {UNEVEN}: tiles were drawn so that some pixels were seen up to four times as often as "
    "others, a fault that was mended since; these rows were not trained again."
)


def rules(folder: Path, found: Mapping[str, Found], judged: pd.DataFrame) -> str:
    """How a comparison is judged here: what is so in these experiments."""
    every = {name: pair for some in found.values() for name, pair in some.items()}
    averaged = [
        name
        for name, (record, _) in every.items()
        if record.get("config", {}).get("profile", {}).get("training", {}).get("average")
    ]
    results = found["result"].values()
    networks = [set(disc_rows(metrics)["network"]) for _, metrics in results]
    large = [
        names & set(TITLES)
        for names, (record, _) in zip(networks, results, strict=True)
        if record["config"]["profile"]["size"] == "paper"
    ]
    compared = any(len(names) > 1 for names in large)
    sizes = sorted({record["config"]["profile"]["size"] for record, _ in results})
    fair = any(names & set(FAIR) for names in networks)
    readme = folder / "README.md"
    seen = readme.is_file() and SEEN_BEFORE in readme.read_text(encoding="utf-8")
    moving = f" (in {', '.join(averaged)} their moving average)" if averaged else ""
    return RULES.format(
        widest=_widest(judged),
        fair=FAIR_SIZES.format(chosen=CHOSEN * bool(found["inner"])) * fair,
        primary=f"{PRIMARY}{_NAMED * seen}",
        weights=f"The last weights count{moving}.",
        sizes=", ".join(sizes) + ("" if compared else "; at the paper's size none were compared"),
        uneven=_UNEVEN * any(uneven(record) for record, _ in results),
    )


def _widest(judged: pd.DataFrame) -> str:
    """How often which of the two intervals decided."""
    rows = judged[(judged["patients"] > 1) & (judged["trainings"] > 1)]
    patients, trainings = (rows[f"{n}_high"] - rows[f"{n}_low"] for n in ("patients", "trainings"))
    if rows.empty:
        return ""
    number = int((trainings > patients).sum())
    return f"In {number} of the {len(rows)} comparisons here the one over trainings is the wider."


def uneven(record: dict) -> bool:
    """Whether the tiles of an experiment were drawn unevenly, see `placement`."""
    training = record.get("config", {}).get("profile", {}).get("training", {})
    return training.get("placement") == "clipped" and not record.get("one_tile")

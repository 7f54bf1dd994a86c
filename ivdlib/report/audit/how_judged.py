"""The second page of AUDIT.md: by which rules, on which data."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ivdlib.evaluation import claims, comparisons, statistics, verdicts
from ivdlib.evaluation.statistics import LEVEL
from ivdlib.evaluation.verdicts import ALIKE
from ivdlib.profiles import TITLES
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
−{claims.NO_WORSE:g}. *The opposite holds*: it lies below that. *{ALIKE.capitalize()}*: the
{statistics.ALIKE:.0%} interval lies within ±{claims.NO_WORSE:g}. *Open*: everything else; it says
that these data cannot tell, not that the claim is wrong. Fewer than {verdicts.PATIENTS} patients
give no verdict. The p in the appendix is that of the exact sign-flip test; with six patients it
cannot fall below 0.031.

**Fair sizes.** A network of more weights, or of more multiplications, may win by that alone. So
FDS-CNN (size `tiny`) stands beside a U-Net with as many weights and beside one with as many
multiply–adds; the claim is supported only if it is better than both. Each of them takes its
learning rate from the same three, by patients who test nothing in the same fold.{{chosen}}

**What decides what.** A crop about one disc is smaller than what FDS-CNN sees at once: crops decide
what fusion is worth, whole fields and the phantom which network is better. {{primary}} All other
comparisons are descriptive and not corrected for their number: one interval in twenty leaves zero
out by chance.

**Failed trainings** count in every mean. A training has failed on an image if its Dice is below
{comparisons.FAILED:g} on a scan *that it was trained on*; nobody who tests has a say. If one took
part, the median over seeds must agree with the mean, else the claim stays open. This rule was made
after U-Net had failed on fat, for all networks alike. Older records have no such scan; there a
training counts as failed if it scores below half of the other folds, which can only take a verdict
away.

**What is not equal to the paper.** Other scans and, but where said, smaller networks ({{sizes}})
and fewer steps. No number here can stand beside the paper's. {{weights}}{{uneven}}
"""

PRIMARY = (
    "Primary are two questions: FDS-CNN against the two fair U-Nets on whole fields, and training "
    "with fusion on crops."
)
_NAMED = (
    " They were named before these experiments ran, though not before any look at these patients: "
    "the README beside this page says what had been seen."
)
SEEN = "AUDIT.md calls primary"
"""Words of a README that says it; without one beside the page, the page does not either."""
CHOSEN = " What was chosen holds in every fold, and these patients test in another one (appendix)."
UNEVEN = "†"
"""Sign of experiments whose tiles were drawn unevenly."""
_UNEVEN = (
    f" {UNEVEN}: tiles were drawn so that some pixels were seen up to four times as often as "
    "others, a fault that was mended since; these rows were not trained again."
)


def rules(folder: Path, found: Mapping[str, Found]) -> str:
    """How a comparison is judged here: what is so in these experiments."""
    every = {
        name: (record.get("config", {}).get("profile", {}), metrics)
        for some in found.values()
        for name, (record, metrics) in some.items()
    }
    averaged = [
        n for n, (profile, _) in every.items() if profile.get("training", {}).get("average")
    ]
    large = [metrics["network"] for profile, metrics in every.values()
             if profile.get("size") == "paper"]  # fmt: skip
    compared = any(names[names.isin(list(TITLES))].nunique() > 1 for names in large)
    readme = folder / "README.md"
    seen = readme.is_file() and SEEN in readme.read_text(encoding="utf-8")
    moving = f" (in {', '.join(averaged)} their moving average)" if averaged else ""
    ours = (record["config"]["profile"] for record, _ in found["result"].values())
    sizes = sorted({profile["size"] for profile in ours})
    return RULES.format(
        primary=f"{PRIMARY}{_NAMED * seen}",
        weights=f"The last weights count{moving}.",
        chosen=CHOSEN * bool(found["inner"]),
        sizes=", ".join(sizes) + ("" if compared else "; at the paper's size none were compared"),
        uneven=_UNEVEN * any(map(uneven, [record for some in found.values()
                                          for record, _ in some.values()])),
    )  # fmt: skip


def uneven(record: dict) -> bool:
    """Whether the tiles of an experiment were drawn unevenly, see `placement`."""
    training = record.get("config", {}).get("profile", {}).get("training", {})
    return training.get("placement") == "clipped" and not record.get("one_tile")

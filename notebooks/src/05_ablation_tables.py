# %% [markdown]
# # 05 · The tables: what is each idea worth?
#
# > **You will be able to:** run a whole grid of trainings · read Tables 1 to 3 beside the paper's ·
# > tell a difference from noise · say what may be concluded and what not
# >
# > **Needs:** 01 to 04
# >
# > **Paper:** Sect. 3.2, Tables 1, 2 and 3 · **Data:** the built-in phantom (synthetic scans), or
# > the folder in `data_dir`
#
# An **ablation** takes one idea away and looks at what is lost. The paper compares three networks
# (Table 1), looks at the fused contrasts (Table 2) and leaves the fusion out (Table 3).

# %% tags=["parameters"]
profile: str = "smoke"  # test, smoke, laptop or paper
data_dir: str = ""  # folder with scans; empty: the built-in phantom
name: str = ""  # name of the experiment; empty: the name of the profile
reports_dir: str = ""  # where experiments lie; empty: reports/ of the checkout
seeds: int = 0  # trainings of each kind; 0: as many as the profile says
student: str = ""  # your name or number: some exercises have your own scan then

# %%
import numpy as np
import pandas as pd
from IPython.display import Markdown, display

from ivdlib import (
    diagrams,
    exercises,
    files,
    places,
    plotting,
    profiles,
    result_figures,
    statistics,
    tables,
)
from ivdlib.choices import open_choices
from ivdlib.experiment import of_parameters

experiment = of_parameters(profile, data_dir, name, reports_dir, seeds)
figures = {}
print(f"Experiment in {experiment.folder.name}/: {experiment.label()}")

# %% [markdown]
# ## The grid
#
# Every network is trained in every fold, with fused contrasts and without them, for the *same
# number of steps*. More kinds of pictures then do not mean more training. What is done already is
# read, the rest is done now; it may be stopped at any time and goes on when the cell is run again.

# %%
grid = list(experiment.trainings())
print(f"{len(grid)} trainings: {', '.join(dict.fromkeys(t.network for t in grid))}; "
      f"{', '.join(dict.fromkeys(profiles.arm_title(t.arm) for t in grid))}; "
      f"{len(experiment.folds)} folds; {experiment.profile.seeds} seed(s)")  # fmt: skip
results = experiment.run()
print(f"{len(results)} rows of scores in {experiment.folder.name}/metrics.csv")

# %% [markdown]
# ## Tables 1 to 3
#
# Each number is the Dice of a 3-D scan, averaged over all scans; each scan was scored by the
# networks that had not seen its patient. Rows marked *paper* are copied from the paper: real
# patients, long training. Rows without a network (such as an *atlas*, which only knows where discs
# usually are) are what every network has to beat.

# %%
for number in tables.CAPTIONS:
    path = experiment.folder / "tables" / f"table{number}.md"
    if path.is_file():
        display(Markdown(path.read_text(encoding="utf-8")))
    else:
        print(f"Table {number}: nothing of its own here, as the data have no contrasts to fuse.")

# %%
exact = tables.exact_labels(results)
if len(exact):
    print("The phantom's labels hold a rater's errors. Against the discs as they are:")
    display(exact.round(4))

# %% [markdown]
# ## Why fused contrasts score higher: the physics
#
# Water and fat answer the scanner with slightly different frequencies. At one moment their signals
# add up (`inn` = water + fat), at another they cancel (`opp` = |water − fat|). In a voxel with more
# water than fat, `opp` is water − fat, and so
#
# - `fat+opp` = fat + water − fat = **water**,
# - `inn+opp` = water + fat + water − fat = **two times water**; min–max removes the factor.
#
# Discs are nearly all water. Inside them two of the four "new" contrasts should be the water image
# again. Is it so in these scans? We look at every disc voxel.

# %%
algebra = tables.fused_and_water(experiment.cases.values(), experiment.fused)
if len(algebra):
    algebra = algebra.set_index("contrast")
    display(algebra.round(3))
else:
    print("These data have no water and fat images to fuse.")

# %% [markdown]
# `more_water`: share of the disc voxels with more water than fat. In these, `slope` says how many
# times the water image the sum is, `correlation` how alike the two pictures are (1: the same), and
# `deviation` how far a voxel lies from that line, as a share of the mean. Mean over scans.

# %%
if len(algebra):
    scans = list(experiment.cases.values())
    figures["water"] = result_figures.against_water(scans, list(experiment.fused))
    alt = "Each fused contrast against water for voxels of discs; a line where the ideal lies."
    plotting.show(figures["water"], alt)

# %%
if len(algebra):
    same = [pair for pair in ("fat+opp", "inn+opp") if pair in algebra.index]
    told = ", ".join(f"{p} {algebra.loc[p, 'correlation']:.2f}" for p in same)
    print(f"Correlation with the water image within the discs: {told}.")
if "wat" in experiment.derived:
    print("Here water itself was computed, as inn − fat: then wat+inn = 2 inn − fat, and inn+opp")
    print("can differ from 2 water only as far as opp differs from |water − fat|.")

# %% [markdown]
# So a network that scores higher on `fat+opp` than on `fat` has not learnt from a new contrast: it
# was shown the water image in place of the fat image. The fair question is whether a fused contrast
# beats the **best** single one. Table 1 and 2 answer it for these data; the audit asks it too.

# %% [markdown]
# ## Patient by patient
#
# A mean hides how much people differ. Each dot is one scan (mean over its single contrasts), each
# short line the mean of a patient.

# %%
arm = "contrasts+fused" if tables.has_fusion(results) else "contrasts"
dots = results.query("target == 'disc' and scope == 'volume'")
dots = dots[
    dots["contrast"].isin(experiment.contrasts) & dots["network"].isin(list(profiles.TITLES))
]
keys = ["network", "trained_on", "subject", "case"]
dots = dots.groupby(keys, as_index=False)["dice"].mean().replace({"network": profiles.TITLES})

# %%
figures["patients"] = diagrams.dice_by_patient(dots[dots["trained_on"] == arm])
plotting.show(
    figures["patients"],
    "Dice of every test scan, patient by patient: one colour and marker for each network, a short "
    "line for each patient's mean.",
)

# %%
levels = result_figures.levels(results)
if levels is None:
    print("Disc by disc: not scored in this profile, or the levels are not known.")
else:
    figures["levels"] = levels
    plotting.show(figures["levels"], result_figures.ALT["levels"])

# %%
people = dots[dots["trained_on"] == arm].groupby(["network", "subject"])["dice"].mean()
spread = people.groupby("network").agg(["mean", "std", "min", "max"]).round(3)
display(spread.rename(columns={"std": "spread between patients"}))

# %% [markdown]
# ## Is a difference more than noise?
#
# A difference between two rows means little while it is small against how much it varies from
# patient to patient, and from one seed to the next. So we take it patient by patient: the same
# people, with and without the idea.
#
# The **interval** holds the true mean difference in 95 of 100 repetitions of such a study. The
# **p** of the sign-flip test says how often differences at least as uneven would come by chance,
# were both networks alike: it goes through every choice of signs. With four patients it cannot
# fall below 2/2⁴ = 0.125, however clear the difference: few patients show little.

# %%
by_person = dots.pivot_table(index="subject", columns=["network", "trained_on"], values="dice")
comparisons = {}
if experiment.fused and {"with", "without"} <= set(experiment.profile.arms):
    for title in dict.fromkeys(dots["network"]):
        comparisons[f"{title}: with − without fusion"] = statistics.compare(
            by_person[title]["contrasts+fused"], by_person[title]["contrasts"]
        )
for title in dict.fromkeys(dots["network"]):
    if title != "FDS-CNN" and ("FDS-CNN", arm) in by_person:
        comparisons[f"FDS-CNN − {title}"] = statistics.compare(
            by_person["FDS-CNN"][arm], by_person[title][arm]
        )

# %%
differences = pd.DataFrame({
    title: {
        "mean": f"{c.mean:+.4f}", "95 % interval": f"{c.low:+.4f} to {c.high:+.4f}",
        "p": f"{c.p:.3f}", "patients better": int((c.differences > 0).sum()),
        "patients": len(c.differences),
    }
    for title, c in comparisons.items()
}).T  # fmt: skip
display(differences) if len(differences) else print("One network, one way: nothing to compare.")

# %% [markdown]
# ## The paper's own means
#
# Not every mean in the paper follows from its row. We print it as it stands and recompute it:

# %%
audit = [
    (f"Table {number}", network, values[-1], float(np.mean(values[:-1])))
    for number, lines in tables.PAPER.items() for network, values in lines.items()
]  # fmt: skip
audit = pd.DataFrame(audit, columns=["table", "network", "printed mean", "mean of its row"])
gap = (audit["printed mean"] - audit["mean of its row"]).abs()
audit["differs by more than rounding"] = gap > 1e-4
display(audit.round(4))

# %% [markdown]
# ## What the paper leaves open
#
# Much of the recipe is not in the paper. Whoever repeats it has to choose, and a choice can weigh
# more than the idea under test. These are ours; those inside the network stand in lesson 03.

# %%
with pd.option_context("display.max_colwidth", None):
    display(pd.DataFrame(open_choices(experiment.profile)).set_index("what"))

# %% [markdown]
# ## What may be concluded here

# %%
label = experiment.label()
verdict = [f"These numbers come from: {label}."]
if experiment.is_phantom:
    verdict.append("A phantom is drawn by a program: scores on it say nothing about patients.")
if "NOT COMPARABLE" in label:
    verdict.append("This profile is too short for the order of the rows to mean anything.")
if experiment.profile.seeds == 1:
    verdict.append("One seed: how much a second run would differ is not known.")
if experiment.derived:
    verdict.append(f"Derived, not measured: {', '.join(sorted(experiment.derived))} (marked †).")
if {c.subject for c in experiment.cases.values()} and len(people.index.unique("subject")) < 10:
    verdict.append("Few patients: a difference has to be large to be more than chance.")
print("\n".join(f"- {sentence}" for sentence in verdict))

# %% [markdown]
# What the paper itself may conclude is limited too: eight patients, no spread given, and nearly all
# of the gap between FDS-CNN and U-Net stems from the fat image. Where a voxel holds more water than
# fat, `inn+opp` is the water image times two, the same picture after min–max; so a small gain of
# `inn+opp` over `wat` cannot come from new information there.
#
# ## The audit, claim by claim
#
# What you ran here is one experiment. The package keeps longer ones, on real discs and on the
# phantom, and judges each claim of the paper by them. This is where that page begins; the whole of
# it, with every patient, is `reports/reference/AUDIT.md`.

# %%
page = places.root() / "reports" / "reference" / "AUDIT.md"
if page.is_file():
    start, *parts = page.read_text(encoding="utf-8").split("\n## ")
    claims = [part for part in parts if part.startswith("Claims that compare")]
    display(Markdown("\n\n".join([*start.split("\n\n")[1:], *("### " + c for c in claims)])))
else:
    print("This copy of the package has no audit page yet; `make audit` writes one.")

# %% [markdown]
# ## Check

# %%
assert len(results.query("target == 'disc'")["case"].unique()) == len(experiment.cases)
assert results["dice"].between(0, 1).all()
assert (experiment.folder / "tables" / "table1.csv").is_file()
ours = tables.table(results, 1).query("source == 'ours'")
assert set(ours["network"]) >= {profiles.TITLES[n] for n in experiment.profile.networks}
print("✅ every scan was tested, every score is a Dice, the tables are written")

# %% [markdown]
# ## Exercise 1 (5 minutes)
#
# How far do patients differ? Compute the standard deviation over patients of FDS-CNN's mean Dice
# (as in the figure). Compare it with the differences above.
#
# Hint: `people["FDS-CNN"]` is a column with one number for each patient.

# %% tags=["solution"]
### BEGIN SOLUTION
deviation = people["FDS-CNN"].std()
### END SOLUTION

# %% tags=["test"] points=2
exercises.check(deviation, float(np.std(people["FDS-CNN"].to_numpy(), ddof=1)))

# %% [markdown]
# ## Exercise 2 (5 minutes)
#
# The paper tests eight patients. Had one network been better in all eight, how small could the p of
# the sign-flip test be?
#
# Hint: each patient's sign is + or −, and the test is two-sided.

# %% tags=["solution"]
### BEGIN SOLUTION
smallest = 2 / 2**8
### END SOLUTION

# %% tags=["test"] points=2
exercises.check(smallest, statistics.sign_flip(np.arange(1.0, 9.0)))

# %% [markdown]
# ## Exercise 3 (10 minutes)
#
# In the paper's Table 1 FDS-CNN has a mean of 0.9021 and U-Net 0.8953. Name three things that you
# would have to know before you say that FDS-CNN is the better network.
#
# Hint: patients, seeds, training, choices.

# %% [markdown] tags=["written"] points=3
# ### BEGIN SOLUTION
# One point for each of up to three, such as: how much the difference varies from patient to patient
# (an interval, eight patients only); how much it varies from seed to seed; whether both networks
# were trained equally long and tuned equally hard; who was in which fold; whether anything was
# chosen on the test patients; that nearly all of the difference comes from one contrast (fat).
# ### END SOLUTION

# %%
folder = experiment.folder / "figures"
plotting.save({f"05_{key}": figure for key, figure in figures.items()}, folder)
files.write_csv(folder / "05_differences.csv", differences.reset_index(names="comparison"))
print("saved:", ", ".join(sorted(path.name for path in folder.glob("05_*"))))

# %% [markdown]
# ## What we have done
#
# We trained the whole grid, made the three tables, looked at them patient by patient, and wrote
# down what they are worth.
#
# **Limits against the paper.** The paper tests four groups of patients without saying who is in
# which, gives no number of steps, and one number for each cell. Ours gives every scan one test,
# equal steps for both ways, and every score in `metrics.csv`.
#
# **Next:** the report beside this lesson holds all five pages. To go further, run the profile
# `laptop`, name your own folder in `data_dir`, or ask for more `seeds`.

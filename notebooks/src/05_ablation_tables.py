# %% [markdown]
# # 05 · The tables: what is each idea worth?
#
# > **You will be able to:** run a whole grid of trainings · read Tables 1 to 3 beside the paper's ·
# > tell a difference from noise · say what may be concluded and what not
# >
# > **Needs:** 01 to 04. The first run trains the whole grid and takes far longer than one that
# > finds it there
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

# %% [markdown]
# **Before you go on:** in the paper's Table 1 two networks lie less than one hundredth of Dice
# apart. Suppose you train both once more, with other random numbers, and test them on other people.
# Would the same one win again? What would you have to see to believe it?

# %%
import numpy as np
import pandas as pd
from IPython.display import Markdown, display

from ivdlib import files, profiles, provenance
from ivdlib.course import exercises
from ivdlib.evaluation import scores, statistics, tables, verdicts
from ivdlib.report import diagrams, plotting, result_figures
from ivdlib.report.audit import page_one_figure
from ivdlib.training.experiment import of_parameters
from ivdlib.training.open_choices import open_choices
from ivdlib.training.run import run
from ivdlib.training.workers import most_useful

experiment = of_parameters(profile, data_dir, name, reports_dir, seeds)
reference = provenance.root() / "reports" / "reference"  # results that are kept with the package
figures = {}
print(f"Experiment in {experiment.folder.name}/: {experiment.label()}")

# %% [markdown]
# ## The grid
#
# Every network is trained in every **fold** (each time other patients are kept for the test, so in
# the end each patient is tested once), with fused contrasts and without them, for the *same number
# of steps*. More kinds of pictures then do not mean more training. With more **seeds** all of it is
# repeated with other first weights and other tiles. What is done already is read, the rest is done
# now; it may be stopped at any time and goes on when the cell is run again. Small networks do not
# fill the cores of a processor, so `most_useful` says how many trainings go side by side.

# %%
grid = list(experiment.trainings())
print(f"{len(grid)} trainings: {', '.join(dict.fromkeys(t.network for t in grid))}; "
      f"{', '.join(dict.fromkeys(profiles.arm_title(t.arm) for t in grid))}; "
      f"{len(experiment.folds)} folds; seeds: {experiment.profile.seeds}")  # fmt: skip
results = run(experiment, most_useful(experiment))
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

# %% [markdown]
# If the caption says "not comparable", the networks have only begun to learn, and you look at
# noise: the order of the rows would be another one with another seed. Therefore the same tables
# from a longer run, which is kept with the package. Its data are *crops*: real scans, each cut down
# to the surroundings of a single disc.

# %%
paths = sorted((reference / "audit" / "crops" / "tables").glob("table*.md"))
for path in paths:
    display(Markdown("REFERENCE, not of this run. " + path.read_text(encoding="utf-8")))
if not paths:
    print("This copy of the package has no reference results.")

# %% [markdown]
# Compare what *can* be compared: the order of the rows, and which column is lowest. The numbers
# themselves cannot stand beside the paper's, for a crop shows no other disc that one could confuse
# it with. And do not trust an order before you know how much it wavers: that comes below.
#
# A phantom can answer one more question. A rater who draws discs makes small errors:

# %%
exact = tables.exact_labels(results)
if len(exact):
    print("Dice against the labels as drawn, and against the discs as they are:")
    display(exact.round(4))
else:
    print("Real scans: only the labels are known, and not the discs as they are.")

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

# %% [markdown]
# Dots on the line: the sum *is* the water image, but for the factor. Dots beside it: there the
# scanner saw something else, which may be noise.

# %%
if len(algebra):
    same = [pair for pair in tables.WATER if pair in algebra.index]
    told = ", ".join(f"{p} {algebra.loc[p, 'correlation']:.2f}" for p in same)
    print(f"Correlation with the water image within the discs: {told}.")
if "wat" in experiment.derived:
    print("Here water itself was computed, as inn − fat: then wat+inn = 2 inn − fat, and inn+opp")
    print("can differ from 2 water only as far as opp differs from |water − fat|.")

# %% [markdown]
# So a network that scores higher on `fat+opp` than on `fat` has not learnt from a new contrast: it
# was shown the water image in place of the fat image. The fair question is whether a fused contrast
# beats the **best** single one. Tables 1 and 2 answer it for these data; the audit asks it too.

# %% [markdown]
# ## Patient by patient
#
# A mean hides how much people differ. Each dot is one scan (mean over its single contrasts), each
# short line the mean of a patient.

# %%
arm = "contrasts+fused" if scores.has_fusion(results) else "contrasts"
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

# %% [markdown]
# Look at one patient after the other: do the colours stand in the same order everywhere? Where they
# do not, the next patient may turn the order round.
#
# The same by level, that is, by which disc it is (`L5/S1` is the lowest):

# %%
levels = result_figures.levels(results)
if levels is None:
    print("Disc by disc: not scored in this profile, or the levels are not known.")
else:
    figures["levels"] = levels
    plotting.show(figures["levels"], result_figures.ALT["levels"])

# %% [markdown]
# And in numbers. The *spread between patients* is the standard deviation of their means:

# %%
people = dots[dots["trained_on"] == arm].groupby(["network", "subject"])["dice"].mean()
spread = people.groupby("network").agg(["mean", "std", "min", "max"]).round(3)
display(spread.rename(columns={"std": "spread between patients"}))

# %% [markdown]
# ## When a network misses one image
#
# Trained with fusion, U-Net at times finds next to no disc on `fat`, though it does well on the
# seven other images (look at its row in Table 1: did it happen here?). On `fat` alone discs are
# *dark*, on the others bright or grey. Four explanations come to mind, and each says what ought to
# help:
#
# - too few weights for two opposite tasks: then twice the feature maps help;
# - batch normalisation, whose statistics mix dark and bright: then those of fat images alone help;
# - fat is one image in eight: then drawing it more often helps;
# - the training is not there yet: then more steps help, or smaller ones.
#
# So we changed one thing at a time, with two groups of phantom people (one for the feature maps),
# two folds and three seeds (`benchmarks/fat.py`; short trainings, true regions). Each dot is one:

# %%
kept = [path for path in (reference / "fat" / "table.csv", reference / "fat_7" / "table.csv")
        if path.is_file()]  # fmt: skip
if kept:
    fat = pd.concat([pd.read_csv(path) for path in kept])
    settings = list(dict.fromkeys(fat["setting"]))
    figures["fat"], axis = plotting.new_figure(2.6)
    for k, setting in enumerate(settings):
        mine = fat.loc[fat["setting"] == setting, "fat"]
        axis.plot(mine, k + np.linspace(-0.25, 0.25, len(mine)), "o", alpha=0.6)
    axis.set(xlabel="Dice of U-Net on fat, test people", yticks=range(len(settings)),
             yticklabels=settings, xlim=(-0.03, 1))  # fmt: skip
    axis.invert_yaxis()
    alt = "Dice on fat of each training: some near zero as it is and with twice the feature maps."
    plotting.show(figures["fat"], alt)

# %%
if kept:
    failed = fat.assign(missed=fat["fat"] < 0.5).groupby("setting", sort=False)["missed"]
    display(failed.agg(["sum", "count"]).set_axis(["missed fat", "trainings"], axis=1))
    usual = fat[fat["setting"] == "as it is"]
    print(
        f"as it is, mean Dice on fat: {usual['fat'].mean():.2f} on test people, "
        f"{usual['fat, training people'].mean():.2f} on training people, "
        f"{usual['fat, own batch statistics'].mean():.2f} with statistics of fat alone"
    )

# %% [markdown]
# More feature maps do not help, and statistics of fat alone do not either. On the people that it
# was trained on the network misses fat as well, so it is no matter of new people. But no training
# misses it if fat is drawn three times as often or the training is three times as long, and fewer
# do at a third of the rate. So the network *can* do both. It gets stuck: first it learns what seven
# images share, and while these improve, little draws it towards the eighth. Such a **plateau** is
# left sooner or later, and chance decides when. A short training may end on it. (In profile `smoke`
# U-Net has a lower rate than FDS-CNN for that reason; at times it is not enough.) What to take
# home: **look at each image before you average**, and do not call a network worse because one of
# its trainings got stuck.

# %% [markdown]
# ## Is a difference more than noise?
#
# A difference between two rows means little while it is small against how much it varies from
# patient to patient, and from one seed to the next. So we take it patient by patient: the same
# people, with and without the idea. What is left is one difference for each patient, their mean,
# and an **interval** around it, which is wide where patients disagree or are few.
#
# To see what an interval is worth, let us make up studies in which we *know* that both networks are
# equally good. Each has six patients, whose differences are pure chance:
# %%
chance, made_up = np.random.default_rng(4).normal(scale=0.02, size=(20, 6)), []
for number, six in enumerate(chance, start=1):
    low, high = statistics.interval(six)
    series = "holds the truth, zero" if low <= 0 <= high else "misses it"
    made_up.append((f"study {number}", series, six.mean(), low, high))
made_up = pd.DataFrame(made_up, columns=["claim", "series", "mean", "low", "high"])
figures["made_up"] = diagrams.forest(made_up, "difference of the mean Dice (made up)")
missed = int((made_up["series"] == "misses it").sum())
alt = f"Dots and intervals of 20 made-up studies; {missed} of the intervals leave out zero."
plotting.show(figures["made_up"], alt)

# %% [markdown]
# That is the promise of a 95 % interval: in the long run, 95 of 100 hold the truth. So one in
# twenty shows a difference that is not there. Who makes twenty comparisons and tells only of the
# one that "worked" has found nothing.
#
# The **p** of the *sign-flip test* asks the same in another way. Were both networks alike, each
# patient's difference might as well have the other sign. So the test goes through every choice of
# signs and counts how often the mean is at least as far from zero as ours. With few patients there
# are few choices, and p cannot become small, however clear the difference:

# %%
floor = {n: statistics.sign_flip(np.ones(n)) for n in (2, 4, 6, 8, 12)}
display(pd.Series(floor).rename_axis("patients").to_frame("smallest p possible").T.round(4))

# %% [markdown]
# Now the comparisons of this experiment:

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

# %%
drawn = [(title, experiment.label(), c.mean, c.low, c.high) for title, c in comparisons.items()]
drawn = pd.DataFrame(drawn, columns=["claim", "series", "mean", "low", "high"]).dropna()
if len(drawn):
    figures["differences"] = diagrams.forest(drawn, "difference of the mean Dice")
    alt = "Mean difference and interval of each comparison: " + ", ".join(drawn["claim"]) + "."
    plotting.show(figures["differences"], alt)

# %% [markdown]
# An interval that crosses the line at zero does not say that both are alike. It says that these
# data cannot tell: the idea may help, do nothing or harm, by as much as the interval reaches.
#
# ## The paper's own means
#
# Not every mean in the paper follows from its row. We print it as it stands and recompute it:

# %%
means = [
    (f"Table {number}", network, values[-1], float(np.mean(values[:-1])))
    for number, lines in tables.PAPER_DICE.items() for network, values in lines.items()
]  # fmt: skip
means = pd.DataFrame(means, columns=["table", "network", "printed mean", "mean of its row"])
gap = (means["printed mean"] - means["mean of its row"]).abs()
means["differs by more than rounding"] = gap > 1e-4
display(means.round(4))

# %% [markdown]
# And where does the paper's lead of FDS-CNN over U-Net come from? By contrast:

# %%
lead = np.subtract(tables.PAPER_DICE[1]["FDS-CNN"], tables.PAPER_DICE[1]["U-Net"])[:4]
share = pd.DataFrame({
    "lead": [f"{value:.4f}" for value in lead],
    "share of the lead": [f"{value:.0%}" for value in lead / lead.sum()],
}, index=pd.Index(["wat", "fat", "inn", "opp"], name="contrast"))  # fmt: skip
display(share.T)

# %% [markdown]
# Most of it is the fat image, the one that nobody would choose to find discs in.

# %% [markdown]
# ## What the paper leaves open
#
# Much of the recipe is not in the paper. Whoever repeats it has to choose, and a choice can weigh
# more than the idea under test. These are ours; those inside the network stand in lesson 03.

# %%
with pd.option_context("display.max_colwidth", None):
    display(pd.DataFrame(open_choices(experiment)).set_index("what"))

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
if len(people.index.unique("subject")) < 10:
    verdict.append("Few patients: a difference has to be large to be more than chance.")
print("\n".join(f"- {sentence}" for sentence in verdict))

# %% [markdown]
# More in general:
#
# - The **phantom** is made up by a program. It may say whether code and physics are right, and
#   which idea matters where everything is known. It may say nothing about patients.
# - The **crops** are real Dixon scans of a few patients, each cut down to one disc. They may say
#   what fusion does to real contrasts. They may not say how well discs are *found*: a crop holds
#   just one, in the middle.
# - The **slabs** are real scans of the whole lower spine with a single contrast of another kind
#   (T2), from other scanners and raters. They may say which network copes with a large picture.
#   They may say nothing about fusion, for there is nothing to fuse.
# - The **paper** has eight patients with two scans each. It may say that the method works on these.
#   It may hardly say which network is better: it gives no spread, no interval, no number of seeds.
#
# None of them says how a network does on another hospital's scans, and none whether a doctor is
# helped.
#
# ## The audit, on one page
#
# What you ran here is one experiment. The package keeps longer ones, on all kinds of data, and
# judges ten claims of the paper by them. You know all you need to read its first page. Each row is
# a claim. Each column is a kind of data: a claim may hold on one and not on another. A number is a
# mean difference of the Dice, patient by patient, with its interval in brackets, and a sign says
# what follows. Where a network may fail in training, or come out otherwise by luck, the interval
# takes that in.

# %%
path = reference / verdicts.PAGE
page_one = path.read_text(encoding="utf-8").partition("\n![")[0] if path.is_file() else ""
if page_one:
    display(Markdown(page_one.partition("\n")[2]))
else:
    print("This copy of the package has no audit yet; `make audit` writes one.")

# %% [markdown]
# The same as a picture. A dot to the right of the line speaks for the paper; a bar that crosses the
# line leaves the claim open, unless it is short and close to zero: then there is no difference that
# matters.

# %%
if page_one:
    figures["audit"] = page_one_figure.draw(pd.read_csv(reference / verdicts.EVIDENCE))
    plotting.show(figures["audit"], page_one_figure.ALT)

# %% [markdown]
# Read it with the physics in mind. Does a fused contrast score higher than the mean of the single
# ones? It should: by the algebra two of the four *are* the water image. Does it beat the best
# single one? Does *training* with fused contrasts help, which was the paper's hope? And does the
# network of the paper win where the pictures are large and real? How all this was judged, what
# would change our mind, every patient and every experiment stand behind page one, in
# `reports/reference/AUDIT.md`.

# %% [markdown]
# ## Check

# %%
assert len(results.query("target == 'disc'")["case"].unique()) == len(experiment.cases)
assert results["dice"].between(0, 1).all()
assert (experiment.folder / "tables" / "table1.csv").is_file()
ours = tables.dice_table(results, 1).query("source == 'ours'")
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
# chosen on the test patients; that most of the difference comes from one contrast (fat).
# ### END SOLUTION

# %%
folder = experiment.folder / "figures"
plotting.save({f"05_{key}": figure for key, figure in figures.items()}, folder)
files.write_csv(folder / "05_differences.csv", differences.reset_index(names="comparison"))
print("saved:", ", ".join(sorted(path.name for path in folder.glob("05_*"))))

# %% [markdown]
# ## What we have done
#
# We trained the whole grid, made the three tables, saw why a fused contrast can look better, took
# differences patient by patient, and read what the audit says to each claim.
#
# **Limits against the paper.** The paper tests four groups of patients without saying who is in
# which, gives no number of steps, and one number for each cell. Ours gives every scan one test,
# equal steps for both ways, and every score in `metrics.csv`.
#
# **Next:** 06 takes a scan that nobody has labelled. To go further here, run the profile `laptop`,
# name your own folder in `data_dir`, or ask for more `seeds`.

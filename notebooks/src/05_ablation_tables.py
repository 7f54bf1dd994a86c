# %% [markdown]
# # 05 · The tables: what is each idea worth?
#
# > **You will be able to:** read Tables 1 to 3 beside the paper's · compute an interval, and the p
# > of a comparison with a function of your own · tell a difference from luck · say what may be
# > concluded and what may not
# >
# > **Needs:** 01 to 04. The first run trains all networks, if `make reproduce` has not done it yet
# >
# > **Study time:** 75 minutes; what is marked *further* comes on top
# >
# > **Paper:** Sect. 3.2, Tables 1, 2 and 3 · **Data:** the built-in phantom (synthetic scans), or
# > the folder in `data_dir`
#
# The paper's Table 1 ends with a winner: on average FDS-CNN reaches a Dice of 0.902, U-Net 0.895.
# But an average hides where a lead comes from. Below are the two rows image by image. On three of
# the four images the two networks are practically the same. Nearly three quarters of the lead come
# from a single image, `fat`, and that is the one that nobody would choose to find discs in: discs
# hold hardly any fat, so they are dark there.
#
# **Is FDS-CNN the better network, or has U-Net only failed on fat?**

# %% tags=["parameters"]
profile: str = "smoke"  # test, smoke, laptop or paper
data_dir: str = ""  # folder with scans; empty: the built-in phantom
name: str = ""  # name of the experiment; empty: the name of the profile
reports_dir: str = ""  # where experiments are kept; empty: reports/ of the checkout
seeds: int = 0  # trainings of each kind; 0: as many as the profile says
student: str = ""  # your name or number: some exercises then use your own scan

# %% jupyter={"source_hidden": true}
import itertools
import re

import numpy as np
import pandas as pd
from IPython.display import Markdown, display

from ivdlib import files, profiles, provenance
from ivdlib.course import exercises, own
from ivdlib.evaluation import scores, statistics, tables, verdicts
from ivdlib.report import diagrams, plotting, result_figures
from ivdlib.report.audit import page_one_figure
from ivdlib.training.experiment import of_parameters
from ivdlib.training.open_choices import open_choices
from ivdlib.training.run import run
from ivdlib.training.workers import most_useful

experiment = of_parameters(profile, data_dir, name, reports_dir, seeds)
reference = provenance.brought("reports/reference")  # results that come with the package
figures = {}

# %%
paper = pd.DataFrame(tables.PAPER_DICE[1], index=["wat", "fat", "inn", "opp", "mean"]).T
paper = paper.loc[["U-Net", "FDS-CNN"]]
paper.loc["lead of FDS-CNN"] = paper.loc["FDS-CNN"] - paper.loc["U-Net"]
lead = paper.loc["lead of FDS-CNN"].drop("mean")
display(paper.round(3))
print("share of the lead:", ", ".join(f"{n} {v:.0%}" for n, v in (lead / lead.sum()).items()))

# %% [markdown]
# **Before you go on:** suppose you train both networks once more, with other random numbers, and
# test them on other people. Would the same one win? What would you have to see to believe it?
#
# ## The grid
#
# Let us see whether the same happens here. An **ablation** takes one idea away to see what is lost.
# So every network is trained with fused contrasts and without them, for the *same number of steps*
# and in every **fold** (lesson 01: each time other patients are kept for testing, so that in the
# end each patient is tested once). Finished trainings are only read:

# %%
grid = list(experiment.trainings())
networks = ", ".join(dict.fromkeys(profiles.title(t.network) for t in grid))
ways = ", ".join(dict.fromkeys(profiles.arm_title(t.arm) for t in grid))
print(f"{len(grid)} trainings: {networks}; {ways}; {len(experiment.folds)} folds")
results = run(experiment, most_useful(experiment))

# %% [markdown]
# ## Tables 1 to 3
#
# Each number is the Dice of a 3-D scan, averaged over all scans. Each scan was scored by networks
# that had not seen its patient. Rows marked *paper* are copied from the paper: real patients, long
# training. If a caption says *not comparable*, our networks have only begun to learn.


# %%
def shorter(text):
    """A table with three decimals; its file keeps four, and notes on the paper's rounding."""
    text = re.sub(r"^Means as.*$", "", text, flags=re.M)
    return re.sub(r"\b\d\.\d{4}\b", lambda number: f"{float(number[0]):.3f}", text)


for number in tables.CAPTIONS:
    path = experiment.folder / "tables" / f"table{number}.md"
    if path.is_file():
        display(Markdown(shorter(path.read_text(encoding="utf-8"))))
    else:
        print(f"Table {number}: nothing to show here, because the data have no contrasts to fuse.")

# %% [markdown]
# Table 2 looks best, and you know why. `fat+opp` and `inn+opp` are marked with ‡, because in discs
# they *are* the water image (lesson 01). So a network that scores higher on `fat+opp` than on `fat`
# has not learnt from a new contrast: it was shown the water image in place of the fat image. Table
# 3 shows what is left if networks are trained without fused contrasts.
#
# (Rows without a network, if there are any, are what every network has to beat: a *threshold* on
# the brightness, the *logistic regression* of lesson 01b, and a *level atlas*, which knows only
# where discs usually are.)
#
# ## What happened on fat?
#
# A mean over scans hides single trainings. So we look at them one by one, for the image in
# question:

# %%
hard = "fat" if "fat" in experiment.contrasts else experiment.contrasts[0]
rows = scores.disc_rows(results)
rows = rows[(rows["contrast"] == hard) & rows["network"].isin(list(profiles.TITLES))]
rows = rows.replace({"network": profiles.TITLES})

# %%
one_by_one = rows.groupby(["network", "trained_on", "seed", "fold"])["dice"].mean()
print(f"Mean Dice on {hard}, a column for each fold:")
display(one_by_one.unstack("fold").round(2))

# %%
stuck = one_by_one[one_by_one < 0.5]
print(f"{len(stuck)} of {len(one_by_one)} trainings are below 0.5 on {hard}.")
for (network, trained_on, _, fold), value in stuck.items():
    print(f"  {network}, trained on {trained_on}, fold {fold}: {value:.2f}")

# %%
single = scores.disc_rows(results)
single = single[single["contrast"].isin(experiment.contrasts)]
single = single[single["network"].isin(list(profiles.TITLES))].replace({"network": profiles.TITLES})

# %%
parts = {"all images": single, f"without {hard}": single[single["contrast"] != hard]}
means = {title: part.groupby(["trained_on", "network"])["dice"].mean()
         for title, part in parts.items()}  # fmt: skip
display(pd.DataFrame(means).round(2))

# %% [markdown]
# Compare the two columns: does the same network lead in both? A training that misses an image
# completely pulls the mean of its network down, and so it can decide which network wins. With the
# profile `smoke` a U-Net that was trained with fused contrasts may find next to nothing on `fat`,
# although it does well on the seven other images. (Did it happen here?) Is that a weakness of
# U-Net, or bad luck? Four explanations come to mind. Each says what should help:
#
# - there are too few weights for two opposite tasks (discs are dark on fat, and bright or grey on
#   the others): then twice the feature maps help;
# - batch normalisation mixes the statistics of dark and bright: then those of fat alone help;
# - fat is one image in eight: then drawing it more often helps;
# - the training has not got there yet: then more steps help, or smaller ones.
#
# We changed one thing at a time, in short trainings, with two groups of phantom people, two folds
# and three seeds (`benchmarks/fat.py`). Each dot is one training:

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
# More feature maps do not help, and statistics of fat alone do not either. The network misses fat
# even on the people that it was trained on, so new people are not the reason. But no training
# misses it if fat is drawn three times as often or the training is three times as long. So U-Net
# *can* do it; it gets stuck. First it learns what seven images share, and while these improve,
# little draws it towards the eighth. Such a stage is a **plateau**. A training leaves it sooner or
# later, and chance decides when. A short training may end on it.
#
# Remember: **look at each image and each training before you average**, and do not call a network
# worse because one of its trainings got stuck. Nobody can say whether that happened in the paper:
# it prints one number for each image.
#
# ## Patient by patient
#
# A mean hides people, too. Each dot is one scan (mean over its single contrasts), and each short
# line is the mean of a patient.

# %%
arm = "contrasts+fused" if scores.has_fusion(results) else "contrasts"
dots = scores.disc_rows(results)
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
people = dots[dots["trained_on"] == arm].groupby(["network", "subject"])["dice"].mean()
display(people.unstack("network").round(2))

# %% [markdown]
# Are the colours in the same order in every patient? If not, the next patient may reverse the
# order. So the question becomes: how much does a difference vary from patient to patient?

# %% [markdown]
# ## Exercise 1 (5 minutes)
#
# `people["FDS-CNN"]` is a column with one number for each patient: the mean Dice of FDS-CNN. How
# much do patients differ? Compute the standard deviation of these numbers.
#
# Hint: the patients are a sample of all people, so divide by n − 1.

# %% tags=["solution"]
### BEGIN SOLUTION
deviation = people["FDS-CNN"].std()
### END SOLUTION

# %% tags=["test"] points=2
theirs = people["FDS-CNN"].to_numpy()
by_scan = dots[(dots["trained_on"] == arm) & (dots["network"] == "FDS-CNN")]["dice"]
exercises.check(deviation, float(np.std(theirs, ddof=1)) if len(theirs) > 1 else np.nan, mistakes={
    "you divided by n; for a sample divide by n − 1 (NumPy: ddof=1)": float(np.std(theirs)),
    "that is the standard error of the mean: do not divide by the square root of n":
        float(np.std(theirs, ddof=1) / np.sqrt(len(theirs))) if len(theirs) > 1 else np.nan,
    "you took scans, not patients": float(by_scan.std()),
    "you took scans, not patients, and you divided by n": float(by_scan.std(ddof=0)),
    "that is for all networks: take FDS-CNN alone": float(people.std()),
    "that is the variance: take its square root":
        float(np.var(theirs, ddof=1)) if len(theirs) > 1 else 0.0,
    "that is the mean": float(theirs.mean()),
    "per cent? A Dice goes from 0 to 1, and so does this": 100 * float(people.loc["FDS-CNN"].std()),
}, hint="the standard deviation of people['FDS-CNN'], with n − 1")  # fmt: skip

# %% [markdown]
# ## Is a difference more than luck?
#
# We test both networks on the same patients and get one **difference** for each patient. Their mean
# is what we found. How far may it be from what we would find with very many patients? Here is an
# example with six differences, which you can follow with pencil and paper:

# %%
six = np.array([0.02, -0.01, 0.03, 0.01, 0.00, 0.04])
mean = six.mean()
spread = np.sqrt(((six - mean) ** 2).sum() / 5)  # the standard deviation: n − 1, not n
error = spread / np.sqrt(6)  # a mean of six varies less than each of them: the standard error
half = 2.571 * error

# %%
print(f"mean {mean:.3f}, standard deviation {spread:.4f}, standard error {error:.4f}")
print(f"95 % interval: {mean:.3f} ± {half:.3f}, that is {mean - half:+.3f} to {mean + half:+.3f}")

# %% [markdown]
# - The **standard deviation** says how far patients differ from one another.
# - The **standard error** says how far the *mean* of this many patients may be off by chance. Four
#   times as many patients halve it.
# - 2.571 is Student's t for six values. It makes the interval wide enough to hold the true mean in
#   95 of 100 studies. (For very many values it is 1.96. With six it has to be larger, because the
#   standard deviation is itself only estimated.)
#
# So the six values say: the first network is better by 0.015, but a true difference of −0.004 or of
# +0.034 would fit as well. `statistics.interval(six)` does the same.
#
# What is such an interval worth? Let us make up 20 studies in which we *know* that both networks
# are equally good. Each has six patients, whose differences are pure chance:

# %% tags=["card"]
chance, made_up = np.random.default_rng(4).normal(scale=0.02, size=(20, 6)), []
for number, differences in enumerate(chance, start=1):
    low, high = statistics.interval(differences)
    series = "holds the truth, zero" if low <= 0 <= high else "misses it"
    made_up.append((f"study {number}", series, differences.mean(), low, high))
made_up = pd.DataFrame(made_up, columns=["claim", "series", "mean", "low", "high"])
figures["made_up"] = diagrams.forest(made_up, "difference of the mean Dice (made up)")
missed = int((made_up["series"] == "misses it").sum())
alt = f"Dots and intervals of 20 made-up studies; {missed} of the intervals leave out zero."
plotting.show(figures["made_up"], alt)

# %% [markdown]
# That is the promise of a 95 % interval: in the long run, 95 of 100 hold the truth. So about one in
# twenty shows a difference that does not exist. If you make twenty comparisons and report only the
# one that "worked", you have found nothing.
#
# ## The sign-flip test
#
# There is a second way to ask this. It does not assume a bell curve (a normal distribution), and
# you can program it yourself. If both networks were equally good, chance would decide which of them
# is better in a patient: each difference might as well have the other sign. So take **every choice
# of signs**, and count how many give a mean at least as far from zero as the one that was found.
# Their share is the **p** of the test (its *p value*).
#
# Take three patients with differences of +3, +1 and −1 hundredths. Their sum is 3. There are
# 2 × 2 × 2 = 8 choices of signs:
#
# | choice | + + + | + + − | + − + | + − − | − + + | − + − | − − + | − − − |
# |---|---|---|---|---|---|---|---|---|
# | sum | **3** (found) | 5 | 1 | 3 | −3 | −1 | −5 | −3 |
# | as far from zero as 3? | yes | yes | no | yes | yes | no | yes | yes |
#
# Six of eight, so p = 0.75: such a result easily arises by chance. Note that both sides count (the
# test is *two-sided*), and that the observed signs are one of the choices.

# %% [markdown]
# ## Exercise 2 (5 minutes)
#
# The paper tests eight patients. Suppose that FDS-CNN had been better in all eight. What is the
# smallest p that this test could give?
#
# Hint: how many choices of signs are there, and how many of them are as far from zero as all plus?

# %% tags=["solution"]
### BEGIN SOLUTION
smallest = 2 / 2**8
### END SOLUTION

# %% tags=["test"] points=2
exercises.check(smallest, statistics.sign_flip(np.arange(1.0, 9.0)), mistakes={
    "both sides count: all minus is as far from zero as all plus": 1 / 2**8,
    "that is the usual limit for p, not the smallest p that is possible": 0.05,
    "each patient doubles the number of choices: eight patients have 2**8": 2 / 8,
    "each patient doubles the number of choices, and both sides count": 1 / 8,
    "8 × 8 is not 2**8: each patient doubles the number of choices": 2 / 8**2,
    "you counted scans, not patients: two scans of a person are not two people": 2 / 2**16,
    "p is never zero: the observed signs are one of the choices": 0.0,
    "per cent? p goes from 0 to 1": 100 * 2 / 2**8,
}, hint="divide the number of choices that are as far from zero by all choices")  # fmt: skip

# %% [markdown]
# ## Exercise 3 (20 minutes)
#
# Write `sign_flip`. It gets an array with one difference for each patient and returns p: the share
# of all choices of signs whose mean is at least as far from zero as the mean of the observed
# differences. (Computers round, so let a mean that is smaller by 1e-12 count as equally far.)


# %% tags=["solution"]
def sign_flip(differences):
    """Two-sided p of the sign-flip test over patients: from 2 / 2**n to 1."""
    ### BEGIN SOLUTION
    found = abs(np.mean(differences))
    as_uneven, choices = 0, 0
    for signs in itertools.product([1, -1], repeat=len(differences)):
        choices += 1
        if abs(np.mean(np.array(signs) * differences)) >= found - 1e-12:
            as_uneven += 1
    p = as_uneven / choices
    ### END SOLUTION
    return p


# %% tags=["test"] points=4
own.check(sign_flip, student=student)

# %% [markdown]
# Now the comparisons of this experiment, with **your** p. (If `sign_flip` has not passed its check,
# the library's is used, and a line says so.) First we list them:


# %%
def differences_of(unit):
    """First minus second of each comparison: one value for each patient, or for each scan."""
    means = dots.groupby(["network", "trained_on", unit])["dice"].mean()
    names, found = list(dict.fromkeys(dots["network"])), {}
    if experiment.fused and {"with", "without"} <= set(experiment.profile.arms):
        for title in names:
            found[f"{title}: with − without fusion"] = (
                means[title, "contrasts+fused"], means[title, "contrasts"])  # fmt: skip
    for title in names if "FDS-CNN" in names else ():
        if title != "FDS-CNN":
            found[f"FDS-CNN − {title}"] = means["FDS-CNN", arm], means[title, arm]
    return found


pairs, scan_pairs = differences_of("subject"), differences_of("case")

# %%
comparisons, over_scans = {}, {}
patients, most = dots["subject"].nunique(), statistics.EXACT_UP_TO
if pairs and 2 <= patients <= most:
    with own.plugged(sign_flip):
        comparisons = {title: statistics.compare(*pair) for title, pair in pairs.items()}
        for title, (one, other) in scan_pairs.items():
            over_scans[title] = statistics.sign_flip(one - other)
elif pairs:
    print(f"{patients} patients: the library's test is used here (if n > {most}, it draws signs).")
    comparisons = {title: statistics.compare(*pair) for title, pair in pairs.items()}

# %%
differences = pd.DataFrame({
    title: {
        "mean": f"{c.mean:+.3f}", "95 % interval": f"{c.low:+.3f} to {c.high:+.3f}",
        "p": f"{c.p:.3f}", "patients better": f"{(c.differences > 0).sum()} of {patients}",
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
# Look at the row `FDS-CNN − U-Net`: that is our question. An interval that crosses zero does *not*
# say that both are equally good. It says that these data cannot tell: FDS-CNN may be better, or
# equal, or worse, by as much as the interval reaches. With four patients p cannot fall below 2/16 =
# 0.125, so p alone can never convince.
#
# And an interval that leaves out zero? It was computed over patients, and it ignores the luck of a
# training. If U-Net had missed fat in every fold, all patients would have a low score. They would
# agree, the interval would be short, and yet other trainings might reverse the result. (If it
# misses fat in one fold only, patients disagree, and the interval is wide.) That is why you looked
# at the trainings one by one first.
#
# And what if somebody counts scans instead of patients, because there are twice as many of them?
# Here are the same differences, tested by the same function:

# %%
for title, p in over_scans.items():
    print(f"{title}: p = {comparisons[title].p:.3f} over {patients} patients, "
          f"{p:.3f} over {dots['case'].nunique()} scans")  # fmt: skip
if over_scans and dots["case"].nunique() == patients:
    print("(Here each patient was scanned once, so nothing changes.)")

# %% [markdown]
# With more "cases" the p can become smaller although nothing new was found. Two scans of a person
# are not two people: if a network succeeds on one, it succeeds on the other as well. So count
# **patients**.
#
# ## What the paper leaves open
#
# To repeat the paper, you have to make choices that it does not describe. Three of these decide
# whether a U-Net leaves its plateau on fat at all:

# %%
choices = pd.DataFrame(open_choices(experiment)).set_index("what")
weighty = ["length", "learning rate over time", "tiles to train on"]
with pd.option_context("display.max_colwidth", None):
    display(choices.loc[choices.index.isin(weighty), ["paper", "ours"]])

# %% [markdown]
# With three times the steps no training missed fat. So a choice in the recipe can matter more than
# the idea that is tested, and a lead that depends on it says little about the network. The full
# list is below, in a section marked *further*.
#
# ## What may be concluded here

# %%
label = experiment.label()
verdict = [f"These numbers come from: {label}."]
if experiment.is_phantom:
    verdict.append("A phantom is drawn by a program: scores on it say nothing about patients.")
if "NOT COMPARABLE" in label:
    verdict.append("This profile is too short for the order of the rows to mean anything.")
if experiment.profile.seeds == 1:
    verdict.append(
        "Each network was trained once in each fold: nobody knows how much of this is luck."
    )
if experiment.derived:
    verdict.append(f"Derived, not measured: {', '.join(sorted(experiment.derived))} (marked †).")
if len(people.index.unique("subject")) < 10:
    verdict.append("There are few patients: a difference has to be large to be more than chance.")
print("\n".join(f"- {sentence}" for sentence in verdict))

# %% [markdown]
# ## The audit, on one page
#
# What you ran is one experiment. The package keeps longer ones, on all kinds of data, and judges
# ten claims of the paper by them. This is the **audit**, and you now know all you need to read its
# first page. Each row is a claim, each column a kind of data. A number is a mean difference of the
# Dice, patient by patient, with its interval in brackets, and a sign says what follows. If a
# network may fail in training, or turn out differently by luck, the interval takes that into
# account.
#
# Find the rows of our question: 1 (FDS-CNN against U-Net) and 8 (is fat harder?).

# %%
path = reference / verdicts.PAGE
page_one = path.read_text(encoding="utf-8").partition("\n![")[0] if path.is_file() else ""
if page_one:
    display(Markdown(page_one.partition("\n")[2]))
else:
    print("This copy of the package has no audit yet; `make audit` writes one.")

# %%
evidence = pd.read_csv(reference / verdicts.EVIDENCE) if page_one else pd.DataFrame()
asked = ("networks", "equal_weights", "equal_cost", "fat_mean")
for _, row in (
    evidence[evidence["key"].isin(asked)].dropna(subset=["low"]).iterrows() if page_one else ()
):
    print(f"{row['kind']}: {row['claim']}? {row['mean']:+.3f}, {row['verdict']}")

# %% [markdown]
# The same two rows once more, in words: **fat is harder than the other images**, whichever network
# is asked. Whether FDS-CNN beats a U-Net is another question. The *slabs* (scans with a single
# image) answer it best, because fat cannot decide it there. `reports/reference/AUDIT.md` says how
# all this was judged, and what would change our mind.

# %% [markdown]
# ## Exercise 4 (10 minutes)
#
# Back to the beginning: in the paper's Table 1 FDS-CNN has a mean of 0.9021 and U-Net 0.8953. Name
# three things that you would have to know before you say that FDS-CNN is the better network.
#
# Hint: patients, seeds, training, choices, images.

# %% [markdown] tags=["written"] points=3
# ### BEGIN SOLUTION
# One point for each of up to three, such as: how much the difference varies from patient to patient
# (an interval, eight patients only); how much it varies from seed to seed; whether both networks
# were trained equally long and tuned equally hard; who was in which fold; whether anything was
# chosen on the test patients; that most of the difference comes from one contrast (fat), on which a
# training can get stuck.
# ### END SOLUTION

# %% [markdown]
# ## Further: the audit as a picture
#
# A dot to the right of the line supports the paper. A bar that crosses the line leaves the claim
# open, unless it is short and close to zero: then there is no difference that matters.

# %%
if page_one:
    figures["audit"] = page_one_figure.draw_page_one(pd.read_csv(reference / verdicts.EVIDENCE))
    plotting.show(figures["audit"], page_one_figure.ALT)

# %% [markdown]
# ## Further: the same tables from longer trainings
#
# These are *crops*: real scans, each cut down to the surroundings of a single disc. Compare the
# order of the rows, and which column is lowest. The numbers themselves cannot be compared with the
# paper's, because a crop shows no other disc that could be confused with the right one.

# %%
paths = sorted((reference / "audit" / "crops" / "tables").glob("table*.md"))
for path in paths:
    text = shorter(path.read_text(encoding="utf-8"))
    display(Markdown("REFERENCE, not of this run. " + text))
if not paths:
    print("This copy of the package has no reference results.")

# %% [markdown]
# ## Further: disc by disc, and the hand that drew the labels
#
# `L5/S1` is the lowest disc. And a phantom can answer one more question. Its labels have the small
# errors of a drawing hand. How good are the masks, compared with the discs as they really are?

# %%
levels = result_figures.levels(results)
if levels is not None:
    figures["levels"] = levels
    plotting.show(figures["levels"], result_figures.ALT["levels"])
exact = tables.exact_labels(results)
if len(exact):
    print("Dice against the labels as drawn, and against the discs as they are:")
    display(exact.round(3))

# %% [markdown]
# ## Further: why fused contrasts score higher
#
# The signals of water and fat have slightly different frequencies. At one moment their signals add
# up (`inn` = water + fat), at another they cancel (`opp` = |water − fat|). In a voxel with more
# water than fat, `opp` is water − fat, and so
#
# - `fat+opp` = fat + water − fat = **water**,
# - `inn+opp` = water + fat + water − fat = **two times water**; min–max removes the factor.
#
# Discs are nearly all water. So inside them two of the four "new" contrasts should be the water
# image again. Is that true of these scans? We look at every disc voxel.

# %%
algebra = tables.fused_and_water(experiment.cases.values(), experiment.fused)
if len(algebra):
    algebra = algebra.set_index("contrast")
    display(algebra.round(2))
else:
    print("These data have no water and fat images to fuse.")

# %% [markdown]
# `more_water` is the share of the disc voxels with more water than fat. In these voxels, `slope`
# says how many times the water image the sum is, `correlation` how alike the two pictures are (1:
# the same), and `deviation` how far a voxel lies from that line, as a share of the mean. All are
# means over the scans.

# %%
if len(algebra):
    scans = list(experiment.cases.values())
    figures["water"] = result_figures.against_water(scans, list(experiment.fused))
    alt = "Each fused contrast against water for voxels of discs; a line where the ideal lies."
    plotting.show(figures["water"], alt)
if "wat" in experiment.derived:
    print("Here water itself was computed, as inn − fat: then wat+inn = 2 inn − fat, and inn+opp")
    print("can differ from 2 water only as far as opp differs from |water − fat|.")

# %% [markdown]
# If dots lie on the line, the sum *is* the water image, except for the factor. If they lie beside
# it, the scanner saw something else there, which may be noise. So the fair question is whether a
# fused contrast beats the **best** single one. Row 9 of the audit answers it.
#
# ## Further: the paper's own means
#
# Not every mean in the paper follows from its row. We show each mean as it is printed, and compute
# it again:

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
# ## Further: all that the paper leaves open
#
# What we chose, and why. The choices inside the networks are in lesson 03.

# %%
with pd.option_context("display.max_colwidth", None):
    display(choices)

# %% [markdown]
# ## Further: what each kind of data can show
#
# - The **phantom** is made up by a program. It can show whether code and physics are right, and
#   which idea matters if everything is known. It can show nothing about patients.
# - The **crops** are real Dixon scans of a few patients, each cut down to one disc. They can show
#   what fusion does to real contrasts. They cannot show how well discs are *found*: a crop holds
#   just one, in the middle.
# - The **slabs** are real scans of the whole lower spine with a single contrast of another kind
#   (T2), from other scanners and raters. They can show which network copes with a large picture.
#   They can show nothing about fusion, because there is nothing to fuse.
# - The **paper** has eight patients with two scans each. It can show that the method works on
#   these. It can hardly show which network is better: it gives no spread, no interval, no number of
#   seeds.
#
# None of them shows how a network does on another hospital's scans, or whether it helps a doctor.

# %% [markdown]
# ## Check

# %%
assert len(results.query("target == 'disc'")["case"].unique()) == len(experiment.cases)
assert results["dice"].between(0, 1).all()
assert (experiment.folder / "tables" / "table1.csv").is_file()
for compared in comparisons.values():  # with the student's p, and with the library's
    assert np.isclose(compared.p, statistics.sign_flip(compared.differences), equal_nan=True)
print("✅ this lesson ran as it should: every scan was tested, and each p is the library's")
exercises.tally(3)

# %%
folder = experiment.folder / "figures"
plotting.save({f"05_{key}": figure for key, figure in figures.items()}, folder)
files.write_csv(folder / "05_differences.csv", differences.reset_index(names="comparison"))
print("saved:", ", ".join(sorted(path.name for path in folder.glob("05_*"))))

# %% [markdown]
# ## What we have done
#
# Is FDS-CNN the better network, or has U-Net only failed on fat? The paper's numbers cannot tell.
# Most of its lead comes from fat, an image that a training can get stuck on, and whether it does is
# partly luck. To decide, you need each training, each patient, and an interval. You have seen how
# an interval is computed and how a test works, and read what longer experiments say.
#
# **Limits against the paper.** The paper tests four groups of patients without saying who is in
# which, gives no number of steps, and prints one number for each cell. We test every scan once,
# train both ways for equally many steps, and keep every score in `metrics.csv`.
#
# **Next:** 06 takes a scan that nobody has labelled. To go further here, run the profile `laptop`,
# name your own folder in `data_dir`, or ask for more `seeds`.

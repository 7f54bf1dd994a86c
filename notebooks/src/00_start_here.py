# %% [markdown]
# # 00 · Start here
#
# > **You will be able to:** tell whether everything is installed · run a cell and change a
# > parameter · say what a profile is · find your way through the seven lessons
# >
# > **Needs:** nothing but this folder
# >
# > **Paper:** Abstract, Sect. 1 · **Data:** one made-up scan, or one of the folder in `data_dir`
#
# Between two vertebrae of your spine lies a disc. Doctors judge it on pictures of magnetic
# resonance imaging (MRI), and measure it by drawing its outline, slice by slice. These lessons
# follow a paper that leaves the drawing to a *neural network*: Wang, Gu and Li, "Automated
# Segmentation of Intervertebral Disc Using Fully Dilated Separable Deep Neural Networks" (2018).
# You will build its network, train it, and ask of each of its claims: is it so?
#
# You need to have written some Python (functions, loops, arrays of NumPy). You need no MRI, no
# medicine, no deep learning; each word is explained where it first appears.

# %% tags=["parameters"]
profile: str = "smoke"  # test, smoke, laptop or paper
data_dir: str = ""  # folder with scans; empty: the built-in phantom
name: str = ""  # name of the experiment; empty: the name of the profile
reports_dir: str = ""  # where experiments lie; empty: reports/ of the checkout
seeds: int = 0  # trainings of each kind; 0: as many as the profile says
student: str = ""  # your name or number: some exercises have your own scan then

# %% [markdown]
# **Before you go on:** suppose that a program outlines discs and is right in 98 of 100 points of a
# picture. Is it a good program? Look at the first picture below before you answer: how much of it
# is disc? Lesson 01 counts it, and lesson 02 finds a better score.
#
# ## A cell
#
# Each grey box is a **cell**. There are two above: one with settings, and a folded one that
# installs what is missing. Click into the first and press Shift and Enter: it runs, what it prints
# stands below it, and the next one is chosen. Cells share what they know, so run them from top to
# bottom.

# %%
import shutil

import pandas as pd
from IPython.display import display

from ivdlib import files, profiles, provenance
from ivdlib.course import exercises
from ivdlib.errors import IvdlibError
from ivdlib.progress import duration
from ivdlib.report import plotting
from ivdlib.training import engines, one_scan, shipped, spine_of_scan
from ivdlib.training.experiment import of_parameters

print("It runs.")

# %% [markdown]
# ## Is everything there?
#
# A neural network is a long sum whose numbers are learnt from examples; lessons 02 and 03 take one
# apart. Ours are written with **Keras**, which leaves the arithmetic to another library:
# TensorFlow, unless you chose otherwise. They train on any processor; a graphics card (GPU) only
# makes it faster.

# %%
versions = pd.Series(provenance.versions(), name="version")
display(versions.to_frame())
print("Networks run with", provenance.device())

# %%
free = shutil.disk_usage(provenance.root()).free / 1e9
print(f"{provenance.cores()} cores, {free:.0f} GB free on this disk")
print("✅ enough for these lessons" if free > 1 else "❌ 1 GB is needed: make some room first")

# %% [markdown]
# ## What a scan looks like
#
# Let us not wait. Unless you named a folder with scans of your own, this is a person whom a program
# has drawn, a **phantom**: real patients' scans may not be passed on, and a phantom knows its own
# truth. The outlines are the discs.

# %%
experiment = of_parameters(profile, data_dir, name, reports_dir, seeds)
case = next(iter(experiment.cases.values()))
k = plotting.middle_slice(case.discs)
first = experiment.contrasts[0]

# %%
picture = plotting.contrast_grid(
    {first: case.contrasts[first][k], f"{first}, discs marked": case.contrasts[first][k]},
    case.spacing, {f"{first}, discs marked": {"disc": case.discs[k]}},
)  # fmt: skip
plotting.show(picture, f"A slice through the spine of case {case.name}, plain and with its discs.")

# %% [markdown]
# The slice is cut from front (left in the picture) to back, through the middle of the body. The
# job of these lessons, in one sentence: given the left picture, find the outlines in the right one.
#
# ## What a network finds
#
# Can a network do that? One that was trained on other people comes with the package (lesson 03
# takes its kind apart). It has never seen this person, and nobody tells it the truth:

# %%
weights = shipped.find()
network = engines.load_network(weights)
spine, _ = spine_of_scan.spine_beside(network, weights)
try:
    found = one_scan.predict_case(network, case, spine=spine)
    print(f"{found.sum():,} of {found.size:,} voxels are disc, says the network")
except IvdlibError as error:  # images of a kind that it does not know
    found = None
    print(error)

# %%
if found is not None:
    both = dict.fromkeys(("the truth", "what the network found"), case.contrasts[first][k])
    outlines = {"the truth": {"disc": case.discs[k]},
                "what the network found": {"disc": found[k]}}  # fmt: skip
    picture = plotting.contrast_grid(both, case.spacing, outlines)
    plotting.save({"00_found": picture}, experiment.folder / "figures")
    plotting.show(picture, "The same slice twice: the true discs, and what the network found.")

# %% [markdown]
# Compare the two. (Scans like these have their seven lowest discs marked. The network was taught to
# find all that it sees, so it may mark one or two more at the top.) How it does that, how well, and
# how you would know, is what you will learn here. To segment a scan of your own in the same way,
# type `ivdlib predict SCAN` (lesson 06).
#
# ## Parameters and profiles
#
# The first grey box holds the **parameters** of a lesson. A **profile** says how much is done. Each
# lesson runs in minutes with `smoke`; its networks have only begun to learn then, so look at what
# happens, not at how good it is. Set `profile = "laptop"` for numbers that mean something (hours).
# *Training* is what makes a network learn, in small *steps*; *comparable* says whether the results
# may be set beside other people's.

# %%
shown = {
    p.name: {"steps of a training": p.training.steps, "size of the networks": p.size,
             "people": p.phantom.subjects, "comparable": p.comparable}
    for p in profiles.PROFILES.values()
}  # fmt: skip
display(pd.DataFrame(shown).T)

# %% [markdown]
# All lessons of one profile share one folder, an **experiment**: what one lesson has trained, the
# next one finds. Nothing is trained twice.

# %%
print("experiment:", experiment.folder.name, "·", experiment.label())
print("folder:    ", f"{experiment.folder.parent.name}/{experiment.folder.name}/")

# %% [markdown]
# ## The lessons
#
# | lesson | you learn |
# |---|---|
# | 01 data loading | the four pictures of a Dixon scan, fusion, why patients are divided |
# | 02 spine U-Net | convolution, a first network, the region of interest |
# | 03 FDS-CNN | dilation, separable convolutions, the network of the paper |
# | 04 training | loss, optimiser, augmentation, a learning curve, test patients |
# | 05 tables | what each idea is worth, and what may be concluded |
# | 06 your own scan | check, segment, measure, and notice mistakes |
#
# Read them in order. How long they took where they were measured last:

# %%
done = sorted((experiment.folder / "notebooks").glob("[0-9][0-9]_*.ipynb"))
times = {path.stem: files.read_json(path).get("metadata", {}).get("papermill", {}).get("duration")
         for path in done}  # fmt: skip
times = {stem: duration(seconds) for stem, seconds in times.items() if seconds}
if times:
    display(pd.Series(times, name="time").to_frame())
else:
    print("Not measured in this experiment yet; make reproduce does all of them in turn.")

# %% [markdown]
# ## How to read a lesson
#
# Before a cell stands *why*, below it *what you see*. Near the end of each lesson a **check** says
# ✅ when things are as they should be, and **exercises** wait: write your answer, run the cell
# below it, and it says ✅ or ❌ with what was expected. A solution follows, folded in
# JupyterLab (its three dots open it) and in the book: look at it afterwards.
#
# When something breaks: *Kernel → Restart Kernel and Run All Cells* begins anew, and what was
# trained is kept.
#
# ## Check

# %%
assert case.discs.any() and case.discs.shape == case.shape
assert set(profiles.PROFILES) >= {"smoke", "laptop", "paper"}
record = files.read_json(experiment.folder / "record.json")
assert set(record["cases"]) == set(experiment.cases)
print("✅ installed, a scan was drawn, and the experiment has its folder")

# %% [markdown]
# ## Exercise 1 (2 minutes)
#
# How many *people* are in this experiment? A person may have been scanned more than once.
#
# Hint: `experiment.cases` holds all scans by name, and each scan knows its `subject`.

# %% tags=["solution"]
### BEGIN SOLUTION
people = len({scan.subject for scan in experiment.cases.values()})
### END SOLUTION

# %% tags=["test"] points=1
exercises.check(people, len(set(record["cases"][name]["subject"] for name in record["cases"])))

# %% [markdown]
# ## Exercise 2 (3 minutes)
#
# Which contrasts, that is, which kinds of picture, does a scan here have? Give a set of names.
#
# Hint: `case.contrasts` holds the pictures by name.

# %% tags=["solution"]
### BEGIN SOLUTION
kinds = set(case.contrasts)
### END SOLUTION

# %% tags=["test"] points=1
exercises.check(kinds, set(experiment.contrasts))

# %%
folder = experiment.folder / "figures"
plotting.save({"00_first_look": picture}, folder)
print("saved:", ", ".join(sorted(path.name for path in folder.glob("00_*"))))

# %% [markdown]
# ## What we have done
#
# We looked whether everything is there, ran cells, saw a scan, and learnt what a profile and an
# experiment are.
#
# **Limits against the paper.** Its scans come from patients; the phantom is none. Whatever is
# measured on it says "phantom", and the profile `smoke` says "not comparable".
#
# **Next:** 01 opens the four pictures of a scan.

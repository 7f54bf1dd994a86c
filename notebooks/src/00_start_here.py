# %% [markdown]
# # 00 · Start here
#
# > **You will be able to:** say what these lessons are about · run a cell, change a parameter and
# > answer an exercise · tell a person from a scan
# >
# > **Needs:** a little Python (functions, loops, NumPy arrays); no medicine, no deep learning
# >
# > **Study time:** 20 minutes
# >
# > **Paper:** Abstract, Sect. 1 · **Data:** one made-up scan, or one of the folder in `data_dir`
#
# **Begin here: click on this text, hold Shift down and press Enter five times.** The page then
# makes a picture. The first run takes about a minute, because the scans are made up first. While
# `[*]` stands to the left of a part of the page, that part is still working.
#
# Between the vertebrae, the bones of your spine, lie soft **discs**. The picture shows the same
# slice through a back twice. In one half the discs were outlined by hand. In the other they were
# outlined by a *neural network* that had never seen this person.
#
# **Which of the two did the network draw, picture 1 or picture 2?** Make up your mind before you
# read on.

# %% tags=["parameters"] jupyter={"source_hidden": true}
profile: str = "smoke"  # test, smoke, laptop or paper
data_dir: str = ""  # folder with scans; empty: the built-in phantom
name: str = ""  # name of the experiment; empty: the name of the profile
reports_dir: str = ""  # where experiments are kept; empty: reports/ of the checkout
seeds: int = 0  # trainings of each kind; 0: as many as the profile says
student: str = ""  # your name or number: some exercises then use your own scan

# %% jupyter={"source_hidden": true}
import shutil

import pandas as pd
from IPython.display import display

from ivdlib import files, profiles, provenance
from ivdlib.course import exercises
from ivdlib.errors import IvdlibError
from ivdlib.evaluation import metrics
from ivdlib.report import plotting
from ivdlib.training import engines, one_scan, shipped, spine_of_scan
from ivdlib.training.experiment import of_parameters

experiment = of_parameters(profile, data_dir, name, reports_dir, seeds)
case = next(iter(experiment.cases.values()))
weights = shipped.find()
network = engines.load_network(weights)
spine, _ = spine_of_scan.spine_beside(network, weights)

# %% tags=["front"] jupyter={"source_hidden": true}
try:
    found = one_scan.predict_case(network, case, spine=spine)
except IvdlibError as error:  # images of a kind that it does not know
    found = None
    print(f"This network cannot be used here, so both pictures were drawn by hand: {error}")
k, first = plotting.middle_slice(case.discs), experiment.contrasts[0]
drawn = {"by hand": case.discs, "by the network": case.discs if found is None else found}
order = list(drawn)[:: -1 if exercises.seed(student) % 2 else 1]
outlines = {f"picture {n}": {"discs": drawn[who][k]} for n, who in enumerate(order, start=1)}
planes = dict.fromkeys(outlines, case.contrasts[first][k])
puzzle = plotting.contrast_grid(planes, case.spacing, outlines)
plotting.show(
    puzzle, "The same slice twice: once with discs drawn by hand, once with those of the network."
)

# %% [markdown]
# You look at the spine from the side: the front of the body (A, anterior) is on the left, the back
# (P, posterior) on the right, the head above (S, superior). The picture was made by **magnetic
# resonance imaging (MRI)**. Doctors judge discs on such pictures. To measure a disc, somebody has
# to draw its outline slice by slice, and that takes hours.
#
# These lessons follow a paper that leaves the drawing to a network: Wang, Gu and Li, "Automated
# Segmentation of Intervertebral Disc Using Fully Dilated Separable Deep Neural Networks" (2018).
# **You will write the parts of such a network yourself**, train it, and check the claims of the
# paper. New terms are explained when they first appear, and the [glossary](glossary.md) lists them
# all.
#
# Is this a real person? Only if you named a folder with scans of your own. Scans of patients may
# not be passed on. So the built-in data are a **phantom**: people made up by a program, with
# outlines like those of an unsteady hand. A phantom has one advantage: we know where the discs are.
#
# ## Run a cell
#
# A lesson consists of **cells**, some with text and some with code. The code that made the picture
# is folded away, because you need not read it; click on the three dots to open it. Click into the
# cell below and press Shift and Enter. The cell runs, and its output appears below it.
#
# Each cell uses what earlier cells have computed, so run them from top to bottom. If a cell says
# `NameError: name 'case' is not defined`, an earlier cell has not run yet. Click on the first cell
# of the lesson and press Shift and Enter until you are back. (After a text, Shift and Enter only
# leads to the next cell.)

# %%
slices, *_ = case.shape
print(f"This scan is a stack of {slices} slices, and you look at slice {k}.")

# %% [markdown]
# A slice consists of pixels. Because a slice has a thickness, each pixel is really a small box,
# called a **voxel**. Now change something: in the next cell, replace `k` with another number below
# `slices`, and run the cell again. What happens to the discs as you move to the side of the body?

# %% tags=["card"]
chosen = k
picture = plotting.contrast_grid(
    {"plain": case.contrasts[first][chosen], "with the truth": case.contrasts[first][chosen]},
    case.spacing, {"with the truth": {"truth": case.discs[chosen]}},
)  # fmt: skip
plotting.show(picture, f"Slice {chosen} of a scan, plain and with its discs as drawn by hand.")

# %% [markdown]
# Here is the task of all these lessons in one sentence: **given the left picture, find the outlines
# in the right one.**
#
# The outlines drawn by hand count as the **truth**. They are orange in all pictures of these
# lessons. What a network or a function has *found* is blue and dashed.
#
# ## How an exercise works
#
# An exercise has two cells. The first has a line such as `people = None`, and below it `# YOUR CODE
# HERE`. Leave the line with `None`, and write your answer in place of `# YOUR CODE HERE`, for
# example `people = 3`. Run this cell, and then the folded one below it: that is the check.
#
# The check shows ✅, or ❌ and what is wrong. That sentence does not give the answer away. The
# folded cell would: it holds the code that computes the answer, so answer before you open it. Don't
# worry about a red ❌: it also appears before you have answered.
#
# In later lessons you write functions. With the second wrong try the check gives a hint. With the
# third it gives another hint, and an example: what is right for another input. An empty function is
# not counted as a try.
#
# **To hand a lesson in**, run all its cells, save it, and type this in a terminal:
# `ivdlib report --lesson 01 --author "Your Name"`. It makes two pages, as a PDF, with your answers,
# what the checks said, and pictures of what your functions did.

# %% [markdown]
# ## Exercise 1 (3 minutes)
#
# `experiment.cases` is a dict that holds all scans by name, and each scan has a `subject`: the
# person who was scanned. How many *people* are there? Later it will be important that one person
# may have been scanned more than once.
#
# Hint: a set keeps each name once: `len({"Ann", "Bob", "Ann"})` is 2.

# %% tags=["solution"]
### BEGIN SOLUTION
people = len({scan.subject for scan in experiment.cases.values()})
### END SOLUTION

# %% tags=["test"] points=1
listed = pd.Series({key: scan.subject for key, scan in experiment.cases.items()})
exercises.check(people, int(listed.nunique()), mistakes={
    "that is the number of scans, and a person may have been scanned more than once": len(listed),
    "that is how many scans each person has": len(listed) // listed.nunique(),
    "that is the number of slices of one scan": case.shape[0],
    "those are the people; now count them, with len(…)": {*listed},
}, hint="collect scan.subject of all scans in a set, and count what is in it")  # fmt: skip

# %% [markdown]
# ## Exercise 2 (3 minutes)
#
# MRI can take several kinds of picture of the same slice, called **contrasts**: in one, water is
# bright; in another, fat is. Which contrasts does `case` have? Give a set of names.
#
# Hint: `case.contrasts` is a dict that holds the pictures by name.

# %% tags=["solution"]
### BEGIN SOLUTION
kinds = set(case.contrasts)
### END SOLUTION

# %% tags=["test"] points=1
exercises.check(kinds, {*experiment.contrasts}, mistakes={
    "give the names themselves, not how many there are": len(experiment.contrasts),
    "those are names of scans": {*experiment.cases},
    "that is only one of them": {first},
    "put the names into a set: {…}": first,
}, hint="set(…) of a dict holds its names")  # fmt: skip

# %% [markdown]
# ## The lessons
#
# | lesson | the question | what you write |
# |---|---|---|
# | 01 data loading | What is in a scan, and who may be compared with whom? | fusion, folds |
# | 01b to a network | How can a computer learn a rule from examples? | a step of learning |
# | 02 spine U-Net | How does a network see more than single voxels? | convolution, Dice |
# | 03 FDS-CNN | How does it look far with few numbers? | its main building block |
# | 04 training | What makes it learn, and when has it learnt? | a training loop |
# | 05 tables | Which idea helps, and which difference is only luck? | a statistical test |
# | 06 your own scan | Can you trust a mask if nobody knows the truth? | measuring a disc |
#
# Read them in order. Each takes 60 to 75 minutes, writing included. Sections with *further* in
# their heading can wait.
#
# ## Parameters
#
# Near the top of each lesson a cell holds its **parameters** (in this one it is folded, too). Two
# of them matter to you.
#
# `student` is your name or number. **Write it between the quotation marks, in each lesson from 01
# on, before you run the lesson.** Some exercises then have a scan or numbers of your own, so your
# neighbour's answer is not yours. If it is empty, you get the same version as everybody without a
# name.

# %%
print(exercises.whose(student))

# %% [markdown]
# `profile` sets how much is done. A network learns in small **steps**. In each step it looks at a
# few pictures and changes its numbers a little. More steps and more people give better networks,
# but take longer:

# %%
amounts = {
    p.name: {"people": p.phantom.subjects, "steps": p.training.steps,
             "results mean something": "yes" if p.comparable else "no"}
    for p in profiles.PROFILES.values()
}  # fmt: skip
display(pd.DataFrame(amounts).T)

# %% [markdown]
# With `smoke` most lessons run in a minute or two. Its networks have only begun to learn, so look
# at what happens rather than at how good they are. `laptop` takes hours, and `paper` needs a large
# graphics card. (The network that drew one of the pictures above was trained for much longer; it
# comes with the package.)
#
# Everything made with one profile is kept in one folder, called an **experiment**. Later lessons
# find there what an earlier one has trained, so nothing is trained twice:

# %%
print(f"{experiment.folder.parent.name}/{experiment.folder.name}/")

# %% [markdown]
# If something breaks, choose *Kernel → Restart Kernel and Run All Cells*. The lesson then starts
# afresh, but trained networks are kept.
#
# ## Picture 1 or picture 2?
#
# Here is the answer to the question at the top. A **mask** says for each voxel whether it is disc.
# The **Dice** says how well two masks agree: 0 if they share nothing, 1 if they are the same. You
# will write it yourself in lesson 02.

# %%
if found is not None:
    print(*(f"Picture {n} was drawn {who}." for n, who in enumerate(order, start=1)))
    print(f"Dice of the two, over all slices: {metrics.dice(found, case.discs):.2f}")

# %%
if found is not None:
    near = {f"slice {n}": n for n in (k, max(k - 2, 0))}
    both = {title: {"truth": case.discs[n], "found": found[n]} for title, n in near.items()}
    views = {title: case.contrasts[first][n] for title, n in near.items()}
    answer = plotting.contrast_grid(views, case.spacing, both)
    plotting.save({"00_found": answer}, experiment.folder / "figures")
    plotting.show(answer, "Two slices, each with the discs drawn by hand and those found.")

# %% [markdown]
# Was it hard? Two things give the network away. Its outlines are smooth, while those of a hand
# wobble. And in scans like these only the seven lowest discs are marked by hand, but the network
# marks every disc that it sees, so it may have one or two more at the top. Apart from that, the
# outlines are much alike. But how could you tell a good outline from a bad one if nobody had drawn
# any? Lesson 06 comes back to that.
#
# ## Is everything installed?
#
# The networks are written with **Keras**, which leaves the arithmetic to another library. They run
# on any processor; a graphics card (GPU) only makes them faster.

# %%
free = shutil.disk_usage(provenance.root()).free / 1e9
print(f"{provenance.device()}, {provenance.cores()} cores, {free:.0f} GB free on this disk")
print("✅ enough for these lessons" if free > 1 else "❌ 1 GB is needed: make some room first")
display(pd.Series(provenance.versions(), name="version").to_frame())

# %% [markdown]
# ## Check

# %%
assert case.discs.any() and case.discs.shape == case.shape
assert set(profiles.PROFILES) >= {"smoke", "laptop", "paper"}
record = files.read_json(experiment.folder / "record.json")
assert set(record["cases"]) == set(experiment.cases)
plotting.save({"00_first_look": picture}, experiment.folder / "figures")
print("✅ installed, a scan was drawn, and the experiment has its folder")
exercises.tally(2)

# %% [markdown]
# ## What we have done
#
# You have seen what a network can do, run and changed cells, met two exercises, and learnt what a
# phantom, a voxel, a contrast, a profile and an experiment are.
#
# **Limits against the paper.** Its scans come from patients; the phantom's people are made up.
# Results from the phantom are labelled "phantom", and those of the profile `smoke` "not
# comparable".
#
# **Next:** 01 opens the four pictures of a scan.

# %% [markdown]
# # 01 · The data: several pictures of one spine
#
# > **You will be able to:** read a scan and say which way it lies · tell the four Dixon contrasts
# > apart and compute two of them · make the fused contrasts of the paper · divide patients into
# > folds without a leak
# >
# > **Needs:** a little Python and NumPy; nothing of MR or deep learning
# >
# > **Paper:** Sect. 2.3, 3.1 and 3.2, Fig. 3 · **Data:** the built-in phantom (synthetic scans), or
# > the folder in `data_dir`
#
# Between two vertebrae of the spine lies an **intervertebral disc**, a cushion. This series
# rebuilds a paper that finds discs in magnetic resonance (MR) images. First we look at what it has
# to work with.

# %% tags=["parameters"]
profile: str = "smoke"  # test, smoke, laptop or paper
data_dir: str = ""  # folder with scans; empty: the built-in phantom
name: str = ""  # name of the experiment; empty: the name of the profile
reports_dir: str = ""  # where experiments lie; empty: reports/ of the checkout
seeds: int = 0  # trainings of each kind; 0: as many as the profile says
student: str = ""  # your name or number: some exercises have your own scan then

# %% [markdown]
# **Before you go on:** two pictures show the same slice of the same person. In one the discs are
# bright, in the other they are dark. A computer adds the two, point by point, and has a third
# picture. Does it know more about the person than before? What might the third one be good for all
# the same?
#
# The next cell fetches what this lesson needs and opens the data.

# %%
import nibabel as nib
import numpy as np
import pandas as pd
from IPython.display import display

from ivdlib import files
from ivdlib.course import exercises, viewer
from ivdlib.data import contrasts, dixon
from ivdlib.data.quality import exchange
from ivdlib.errors import LeakageError
from ivdlib.phantom import calibration
from ivdlib.preprocessing import fusion
from ivdlib.preprocessing.folds import Fold
from ivdlib.report import diagrams, phantom_figures, plotting
from ivdlib.training.experiment import of_parameters

# %%
experiment = of_parameters(profile, data_dir, name, reports_dir, seeds)
case = next(iter(experiment.cases.values()))
figures = {}
print(f"Experiment in {experiment.folder.name}/: {experiment.label()}")

# %% [markdown]
# All lessons write into the folder of this **experiment**, and each one finds there what the one
# before has made. The line above says which data stand behind every number of this page.
#
# ## What there is
#
# A **case** is one scan of one person (the **subject** or patient) at one time (the **stage**). A
# scan is a block of **voxels**, small boxes with a grey value each. *Spacing* is the length of
# their edges. *Contrasts* are the kinds of picture in the scan, explained below; *derived* ones
# were computed instead of measured. *Disc voxels* are those that lie in a disc.

# %%
table = pd.DataFrame(
    {
        "case": c.name, "subject": c.subject, "stage": c.stage,
        "contrasts": " ".join(c.contrasts), "derived": " ".join(sorted(c.derived)),
        "voxels": " × ".join(map(str, c.shape)),
        "spacing (mm)": " × ".join(f"{s:.2f}" for s in c.spacing),
        "disc voxels": int(c.discs.sum()),
    }
    for c in experiment.cases.values()
)  # fmt: skip
print(f"{len(table)} scans of {table['subject'].nunique()} patients; the first ones:")
display(table.head(8))

# %% [markdown]
# ## A file and where its voxels lie
#
# The scans are **NIfTI** files: a block of numbers and an **affine**, a table of 4 × 4 numbers that
# turns the index of a voxel into a place in millimetres. From the affine one reads which way each
# axis of the block runs: **R**ight or **L**eft, **A**nterior (front) or **P**osterior (back),
# **S**uperior (up) or **I**nferior (down). A program that ignores it may well mirror a patient.

# %%
first = next(name for name in case.contrasts if name in case.sources)
path = case.sources[first]
image = nib.load(path)
print(f"{path.name}: shape {image.shape}, axes run to {nib.aff2axcodes(image.affine)}")
print(np.array2string(image.affine, precision=2, suppress_small=True))

# %% [markdown]
# Let us move. We start at the voxel in the middle and take one step along each axis of the file.
# How far does that bring us through the body, in millimetres? A minus sign means the other way: to
# the left, to the back, downwards.

# %%
middle = np.array(image.shape[:3]) // 2
start = nib.affines.apply_affine(image.affine, middle)
moves = {
    f"one step along axis {axis}": nib.affines.apply_affine(image.affine, middle + step) - start
    for axis, step in enumerate(np.eye(3))
}
display(pd.DataFrame(moves, index=["to the right", "to the front", "upwards"]).T.round(2))

# %% [markdown]
# Each step goes mainly one way and is as long as a voxel. Small numbers beside the large one, where
# there are any, say that the axes of the picture run a little aslant through the scanner.
#
# Scanners and programs store axes in different orders. `load_cases` therefore turns every scan to
# one order (towards right, anterior and superior) and remembers the way back. Axis 0 then counts
# the **sagittal** slices: pictures of the body from the side.

# %%
print(f"in memory: shape {case.shape}, axes run to {nib.aff2axcodes(case.affine)}")
remarks = [*case.corrections, *case.notes]
print("\n".join(remarks) or "Nothing had to be mended or assumed in this case.")

# %% [markdown]
# What if a program takes the numbers of the file as they come? We fetch the slice of one index
# twice, from the file and from memory, and draw both as if the axes ran to R, A and S. (The letters
# in the pictures say which way is A, P, S and I then.)

# %%
k = plotting.middle_slice(case.discs)
side = next(axis for axis, code in enumerate(nib.aff2axcodes(image.affine)) if code in ("R", "L"))
raw = np.asarray(image.dataobj, dtype=np.float32)
two = {
    "affine ignored": raw.take(k % raw.shape[side], axis=side),
    "affine used": case.contrasts[first][k],
}
figures["orientation"] = plotting.contrast_grid(two, case.spacing)
alt = f"Slice {k} as the numbers of the file come, and as the affine says that it lies."
plotting.show(figures["orientation"], alt)

# %% [markdown]
# In the right picture the belly is at A and the spine at P. If the file's axes run to R, A and S as
# well, the left one is the same. Otherwise it is mirrored or turned and its letters are wrong. It
# may even be another slice: where the file counts from the other side of the body, one index means
# two places. Nothing in the numbers warns of that; only the affine knows.

# %% [markdown]
# ## The contrasts
#
# One MR scan gives several pictures of the same slice. A **Dixon** scan separates the signal of
# water from that of fat and yields four: water (`wat`), fat (`fat`), in phase (`inn`, both signals
# added) and opposed phase (`opp`, one taken from the other). For each scan somebody has marked the
# discs, in patients an expert, in a phantom the program that drew it: that is the **label**, and
# here its outline lies on each picture.

# %%
singles = {name: image[k] for name, image in case.contrasts.items()}
outlines = {name: {"disc label": case.discs[k]} for name in singles}
figures["contrasts"] = plotting.contrast_grid(singles, case.spacing, outlines)
plotting.show(
    figures["contrasts"],
    f"Sagittal slice {k} of case {case.name} in the contrasts {', '.join(singles)}, one beside the "
    "other, each with the outlines of the labelled discs.",
)

# %% [markdown]
# The discs stand in the same place in each picture and look different: they hold much water and
# hardly any fat. (Each panel has its own grey scale, for the eye only.)
#
# Now look for yourself, in all three directions. Drag a slider, or reach it with the tabulator key
# and use the arrow keys. Can you follow one disc from the side, from the front and from above? (On
# paper and on a rendered page stands a still picture.)

# %%
viewer.volume(case)

# %% [markdown]
# ## Two of the four can be computed
#
# With `W` the water and `F` the fat in a voxel, the two other images should be `inn = W + F` and
# `opp = |W - F|`. Do they hold here? An *error* of 0 would be perfect: it is the mean deviation,
# divided by the mean of the image. A *correlation* of 1 would be perfect too: measured and computed
# picture then rise and fall together.

# %%
is_dixon = set(contrasts.CONTRASTS) <= set(case.contrasts)
if is_dixon:
    print(pd.Series(dixon.consistency(case.contrasts)).round(3).to_string())
    print("derived, so true by construction:", ", ".join(sorted(case.derived)) or "none")
else:
    print(
        f"Only {', '.join(case.contrasts)} here: no Dixon scan, so we skip the next two pictures."
    )

# %%
if is_dixon:
    wat, fat = singles["wat"], singles["fat"]
    made = {
        "inn, measured": singles["inn"], "wat + fat": wat + fat,
        "opp, measured": singles["opp"], "|wat − fat|": np.abs(wat - fat),
    }  # fmt: skip
    figures["dixon"] = plotting.contrast_grid(made, case.spacing)
    alt = "Measured in-phase and opposed-phase slices beside those computed from water and fat."
    plotting.show(figures["dixon"], alt)

# %% [markdown]
# Measured and computed pictures should be hard to tell apart; what differs is noise. The library
# uses the same sums to *check* data, and to derive an image that is missing. What it derived says
# so, in every table.
#
# ## When water and fat change places
#
# The scanner measures `inn` and `opp`. In each voxel it then has to decide which of two values is
# the water, and sometimes it decides wrongly in a whole region: water and fat stand **exchanged**.
# Let us do that to our own scan, in a ball of 40 mm.

# %%
if is_dixon:
    at = np.stack(np.indices(case.shape), axis=-1) * case.spacing
    ball = np.linalg.norm(at - at.mean(axis=(0, 1, 2)), axis=-1) < 40
    swapped = exchange.undo_exchange(case.contrasts, ball)  # undoing a swap is a swap
    before, after = dixon.consistency(case.contrasts), dixon.consistency(swapped)
    print(f"error of opp: {before['opp_error']:.4f} before, {after['opp_error']:.4f} after")

# %% [markdown]
# Nothing has changed: `W + F` and `|W - F|` are the same when `W` and `F` change places, so the
# sums cannot tell. The eye can: inside the ball, discs are dark in the *water* image. The library
# looks for two signs: a border where one tissue turns from water to fat without the thin dark line
# of a true border, and anatomy (fat lies under the skin, discs hold water).

# %%
if is_dixon:
    found = exchange.find_exchange(swapped, case.spacing, case.discs)
    print(f"verdict: {found.kind}; {found.share:.0%} of the body stands exchanged")
    views = {"wat, exchanged": swapped["wat"][k], "fat, exchanged": swapped["fat"][k]}
    marks = {name: {"ball": ball[k], "found": found.map[k]} for name in views}
    figures["exchange"] = plotting.contrast_grid(views, case.spacing, marks)
    alt = "Water and fat with a ball in which they were exchanged, and the region that was found."
    plotting.show(figures["exchange"], alt)

# %% [markdown]
# `ivdlib check` does this for every scan of a folder, and draws what it found. Where the evidence
# is weak it says *none* rather than guess.
#
# ## Fusion: more pictures for nothing
#
# Now to the question at the beginning. A network learns from pictures, and there are few of them.
# The paper adds two contrasts voxel by voxel and treats the sums as **fused contrasts**, additional
# pictures for training. Each image, single or fused, is then brought to the range from 0 to 1 over
# the whole scan (**min–max**): `(image - min) / (max - min)`. Our version of Fig. 3, close to the
# spine:

# %%
fused = fusion.fuse(case, experiment.fused)
if fused:
    near = plotting.around(case.discs[k], 15)
    eight = {**fusion.single(case), **fused}
    eight = {f"{chr(97 + n)}  {name}": v[k][near] for n, (name, v) in enumerate(eight.items())}
    figures["fusion"] = plotting.contrast_grid(eight, case.spacing, columns=8)
    alt = "Close-up of the spine: the four contrasts of a slice, then its four fused contrasts."
    plotting.show(figures["fusion"], alt)
else:
    print(f"Contrast {', '.join(experiment.contrasts)} alone: there is nothing to fuse.")

# %% [markdown]
# Look at the fat image and then at `fat+opp`. Where a voxel holds more water than fat, the sum is
# `F + (W - F) = W`: the fused picture shows the *water* contrast there, and the discs stand out
# again. So fusion brings nothing that the scanner had not measured. It shows it in another way.
#
# Mix your own picture: each slider is the weight of a contrast, the buttons are the paper's four.
# Which weights make discs and vertebrae look most alike?

# %%
if fused:
    display(viewer.fusion_mixer(case))

# %% [markdown]
# Whatever the weights, min–max brings the picture back to the range from 0 to 1:

# %%
ranges = {
    name: {"min before": v.min(), "max before": v.max(), "max after": fusion.min_max(v).max()}
    for name, v in case.contrasts.items()
}
display(pd.DataFrame(ranges).T.round(2))

# %% [markdown]
# ## How real is the phantom?
#
# A phantom is worth as much as it resembles what it stands for. So it is *measured*: the sizes of
# its discs beside those of the challenge's 16 scans, its grey values beside published ones. Rows
# that say **False** are where it does not; `None` is what so few slices cannot tell.

# %%
if experiment.is_phantom:
    measured = calibration.measure_phantom(experiment.data[0])
    goals = calibration.targets(measured).query("group == 'acceptance'")
    display(goals[["target", "wanted", "measured", "met"]])
    figures["calibration"] = phantom_figures.contrasts(measured.scans)
    plotting.show(figures["calibration"], phantom_figures.PHANTOM_ALT["contrasts"])
else:
    print("These are scans of your own: nothing here is made up.")

# %% [markdown]
# The whole page, with all figures: `ivdlib phantom --report`. What a network learns on it is worth
# on real scans is another question; the repository's `benchmarks/` asks it.
#
# ## Patients, not pictures, are divided
#
# A network must be judged on people whom it has not seen. In **cross-validation** the patients are
# dealt into groups, the **folds**: each fold trains on most patients and tests on the others, so
# that everybody is tested once. Two scans of one person look alike. If one of them trained and the
# other tested, the score would be too good: a **leak**. See how much alike:

# %%
cases = list(experiment.cases.values())
pair = next(([a, b] for a in cases for b in cases if a.subject == b.subject and a is not b), [])
others = [c for c in cases if pair and c.subject != pair[0].subject]
alike = {}
for scan in (*pair, *others[:1]):
    plane = scan.contrasts[first][plotting.middle_slice(scan.discs)]
    alike[f"case {scan.name}: patient {scan.subject}"] = plane

# %%
if pair:
    figures["stages"] = plotting.contrast_grid(alike, case.spacing)
    alt = f"One slice each of {', '.join(alike)}: the first two are the same person."
    plotting.show(figures["stages"], alt)
else:
    print("Everybody was scanned once here, so no two pictures show one person.")

# %% [markdown]
# Whoever has seen one scan of a person knows most of the other: the shapes of the bones, the curve
# of the spine. So the table below deals people, and a person's scans go along, of both stages.

# %%
figures["folds"] = diagrams.fold_map(experiment.folds)
plotting.show(
    figures["folds"], "Table of folds and patients: who trains and who tests in each fold."
)

# %% [markdown]
# The library refuses a leak, whoever asks for it:

# %%
try:
    Fold(1, train=("first scan",), test=("second scan",),
         subjects={"first scan": "Ann", "second scan": "Ann"})  # fmt: skip
except LeakageError as error:
    print("LeakageError:", error)

# %% [markdown]
# ## Check

# %%
assert nib.aff2axcodes(case.affine) == ("R", "A", "S")
assert all(v.min() == 0 and v.max() == 1 for v in fused.values())
tested = [c for fold in experiment.folds for c in fold.test]
assert sorted(tested) == sorted(experiment.cases), "each scan is tested once"
for fold in experiment.folds:
    sides = [{fold.subjects[c] for c in side} for side in (fold.train, fold.test)]
    assert not sides[0] & sides[1], "a patient on both sides"
print("✅ axes, ranges and folds are as they should be")

# %% [markdown]
# ## Exercise 1 (5 minutes)
#
# How much of a scan is disc? Compute the share of disc voxels, averaged over all scans. A network
# that answers "no disc" everywhere is right in all other voxels, so plain accuracy is no good score
# here; we use the Dice overlap from the next lesson on.
#
# Hint: `case.discs` is an array of `True` and `False`, and `experiment.cases` holds all scans by
# name.

# %% tags=["solution"]
### BEGIN SOLUTION
share = np.mean([scan.discs.mean() for scan in experiment.cases.values()])
### END SOLUTION

# %% tags=["test"] points=2
voxels = [scan.discs.sum() / scan.discs.size for scan in experiment.cases.values()]
exercises.check(share, sum(voxels) / len(voxels))

# %% [markdown]
# ## Exercise 2 (5 minutes)
#
# This one has your own scan, chosen by the parameter `student`. What share of its disc voxels is
# brighter in the first contrast than the mean of the whole image?
#
# Hint: a mask picks voxels: `image[mask]`.

# %%
names = sorted(experiment.cases)
yours = experiment.cases[names[exercises.seed(student) % len(names)]]
image = yours.contrasts[experiment.contrasts[0]]

# %% tags=["solution"]
### BEGIN SOLUTION
bright = (image[yours.discs] > image.mean()).mean()
### END SOLUTION

# %% tags=["test"] points=2
bright_share = np.count_nonzero(yours.discs & (image > image.mean())) / yours.discs.sum()
exercises.check(bright, bright_share, tolerance=0.001)

# %% [markdown]
# ## Exercise 3 (5 minutes)
#
# Ann was scanned twice. By mistake her first scan trains the network and her second one tests it.
# Which numbers become too good, and why does nothing in the learning curve of the training warn
# you? Two or three sentences.
#
# Hint: which scans does the curve show?

# %% [markdown] tags=["written"] points=3
# ### BEGIN SOLUTION
# Her test score becomes too good, and with it the mean over the test scans (1 point). Two scans of
# one person look alike, so the network has learnt her anatomy and is not tested on a stranger (1
# point). The learning curve shows training scans only; they are the same with and without the
# mistake, so it cannot tell (1 point).
# ### END SOLUTION

# %%
folder = experiment.folder / "figures"
plotting.save({f"01_{key}": figure for key, figure in figures.items()}, folder)
files.write_csv(folder / "01_cases.csv", table)
print("saved:", ", ".join(sorted(path.name for path in folder.glob("01_*"))))

# %% [markdown]
# ## What we have done
#
# We read the scans in one orientation, looked at their contrasts, computed two of them, fused pairs
# and dealt patients into folds.
#
# **Limits against the paper.** The challenge data may not be redistributed, so this page shows a
# phantom unless you name a folder. The paper does not say whether it adds raw or normalised values,
# over what it takes minimum and maximum, or who is in which fold: we add raw values, normalise the
# 3-D scan, and deal patients by a seed.
#
# **Next:** 02 finds the spine, so that the disc network need not look at the whole body.

# %% [markdown]
# # 01 · The data: several pictures of one spine
#
# > **You will be able to:** read a scan and say which way it lies · tell the four Dixon contrasts
# > apart and compute two of them · write the function that makes fused contrasts · write the
# > function that divides patients into folds without a leak
# >
# > **Needs:** a little Python and NumPy; no MRI and no deep learning
# >
# > **Study time:** about 70 minutes, 40 of them for the five exercises
# >
# > **Paper:** Sect. 2.3, 3.1 and 3.2, Fig. 3 · **Data:** the built-in phantom (synthetic scans), or
# > the folder in `data_dir`
#
# Between two vertebrae of the spine lies an **intervertebral disc**, a cushion. This series
# rebuilds a paper that finds discs in magnetic resonance (MR) images. A network learns from
# examples, and there are never enough of them. So this lesson asks what counts as an example.

# %% tags=["parameters"]
profile: str = "smoke"  # test, smoke, laptop or paper
data_dir: str = ""  # folder with scans; empty: the built-in phantom
name: str = ""  # name of the experiment; empty: the name of the profile
reports_dir: str = ""  # where experiments are kept; empty: reports/ of the checkout
seeds: int = 0  # trainings of each kind; 0: as many as the profile says
student: str = ""  # your name or number: some exercises then use your own scan

# %% [markdown]
# **Before you go on:** two pictures show the same slice of the same person. In one the discs are
# bright, in the other they are dark. A computer adds the two, point by point, and now there is a
# third picture. Does it tell you anything new about the person? And if the same person comes back
# for a second scan, do you then have two examples or one?
#
# Write down a guess. The last section comes back to both questions. (The next cells are folded:
# they fetch what the lesson needs.)

# %% jupyter={"source_hidden": true}
import nibabel as nib
import numpy as np
import pandas as pd
from IPython.display import display

from ivdlib import files
from ivdlib.course import exercises, own, viewer
from ivdlib.data import contrasts, dixon
from ivdlib.data.quality import exchange
from ivdlib.errors import IvdlibError, LeakageError
from ivdlib.evaluation import metrics
from ivdlib.preprocessing import fusion
from ivdlib.preprocessing.folds import Fold
from ivdlib.report import diagrams, plotting
from ivdlib.training import engines, hashes, one_scan, shipped, spine_of_scan
from ivdlib.training.experiment import Experiment, of_parameters

# %%
experiment = of_parameters(profile, data_dir, name, reports_dir, seeds)
case = next(iter(experiment.cases.values()))
figures = {}
print(f"{len(experiment.cases)} scans ({experiment.data_name})")

# %% [markdown]
# ## What there is
#
# A **case** is one scan of one person (the **subject** or patient) at one time (the **stage**). A
# scan is a block of **voxels**, small boxes that each hold one grey value. The **spacing** is the
# length of their edges. **Contrasts** are the kinds of picture in the scan, explained below. A
# *derived* contrast was computed, not measured. *Disc voxels* are the voxels that lie in a disc.

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
print(f"{table['subject'].nunique()} patients; the first scans:")
display(table.head(8))

# %% [markdown]
# Look at the spacing: a voxel is not a cube. Slices lie further apart than the pixels within a
# slice. To get millimetres from a number of voxels, multiply by the spacing.

# %% [markdown]
# ## Exercise 1 (4 minutes)
#
# How much of a scan is disc? Compute the share of disc voxels in each scan, and then the mean of
# these shares over all scans.
#
# Hint: `case.discs` is an array of `True` and `False`; `experiment.cases` holds all scans by name.

# %% tags=["solution"]
### BEGIN SOLUTION
share = np.mean([scan.discs.mean() for scan in experiment.cases.values()])
### END SOLUTION

# %% tags=["test"] points=2
counts = np.array([np.count_nonzero(scan.discs) for scan in experiment.cases.values()])
shares = counts / [scan.discs.size for scan in experiment.cases.values()]
exercises.check(
    share,
    shares.sum() / len(shares),
    mistakes={
        "per cent? A share lies between 0 and 1": 100 * shares.mean(),
        "that is one scan only; take the mean over all scans": shares[0],
        "that is the sum over the scans; divide by their number": shares.sum(),
        "that is a number of voxels; divide by all voxels of the scan": counts.mean(),
        "that is the number of disc voxels of all scans; a share is wanted": counts.sum(),
        "that is the share of the voxels that are not disc": 1 - shares.mean(),
    },
)

# %% [markdown]
# So little of a scan is disc that a program is right in almost every voxel if it always answers "no
# disc". The share of right voxels is therefore a poor score. A better one is the **Dice** of lesson
# 02, which you will already meet below: 0 means that two masks share nothing, 1 that they are
# equal.
#
# ## Where the voxels lie
#
# The scans are **NIfTI** files: a block of numbers and an **affine**, a table of 4 × 4 numbers that
# turns the index of a voxel into a place in millimetres. The affine says which way each axis of the
# block runs: towards **R**ight or **L**eft, **A**nterior (front) or **P**osterior (back),
# **S**uperior (up) or **I**nferior (down). A program that ignores it may well mirror a patient.

# %%
first = next(name for name in case.contrasts if name in case.sources)
path = case.sources[first]
image = nib.load(path)
print(f"{path.name}: shape {image.shape}, axes run to {nib.aff2axcodes(image.affine)}")
print(np.array2string(image.affine, precision=2, suppress_small=True))

# %% [markdown]
# Read it by taking one step along each axis. Where does a step lead, in millimetres? Plus means to
# the right, to the front or upwards; minus means the opposite.

# %%
middle = np.array(image.shape[:3]) // 2
start = nib.affines.apply_affine(image.affine, middle)
moves = {
    f"one step along axis {axis}": nib.affines.apply_affine(image.affine, middle + step) - start
    for axis, step in enumerate(np.eye(3))
}

# %%
display(pd.DataFrame(moves, index=["to the right", "to the front", "upwards"]).T.round(2))

# %% [markdown]
# Each step leads mainly in one direction, and is as long as a voxel. If there is a small number
# beside the large one, the patient lay a little tilted in the scanner.
#
# Scanners and programs store the axes in different orders. `load_cases` therefore brings every scan
# into one order (right, anterior, superior) and remembers how to undo it. Axis 0 then counts the
# **sagittal** slices: pictures of the body seen from the side.

# %%
print(f"in memory: shape {case.shape}, axes run to {nib.aff2axcodes(case.affine)}")
remarks = [*case.corrections, *case.notes]
print("\n".join(remarks) or "Nothing had to be corrected or assumed in this case.")

# %% [markdown]
# What if a program ignores the affine and takes the numbers as they come? We fetch the slice with
# the same index twice, from the file and from memory, and draw both as if their axes ran to R, A
# and S. The letters in the pictures say where A, P, S and I would then be.

# %%
k = plotting.middle_slice(case.discs)
side = next(axis for axis, code in enumerate(nib.aff2axcodes(image.affine)) if code in ("R", "L"))
raw = np.asarray(image.dataobj, dtype=np.float32)
two = {
    "affine ignored": raw.take(k % raw.shape[side], axis=side),
    "affine used": case.contrasts[first][k],
}
figures["orientation"] = plotting.contrast_grid(two, case.spacing)
alt = f"Slice {k} with the numbers as they are in the file, and as the affine says it lies."
plotting.show(figures["orientation"], alt)

# %% [markdown]
# In the right-hand picture the belly is at A and the spine at P. If the file's axes run to R, A and
# S as well, the left-hand one is the same. Otherwise it is mirrored or turned, and its letters are
# wrong. It may even be another slice: if the file counts from the other side of the body, the same
# index means another place. Nothing in the numbers warns you; only the affine knows.
#
# ## The contrasts
#
# One MR scan gives several pictures of the same slice. A **Dixon** scan separates the signal of
# water from that of fat and yields four: water (`wat`), fat (`fat`), in phase (`inn`, both signals
# added) and opposed phase (`opp`, one signal subtracted from the other). In every scan somebody has
# marked the discs: an expert in patients, the program that drew it in a phantom. That mask is the
# **label**. It counts as the truth, and its outline lies on each picture here.

# %% tags=["card"]
singles = {name: image[k] for name, image in case.contrasts.items()}
outlines = {name: {"truth": case.discs[k]} for name in singles}
figures["contrasts"] = plotting.contrast_grid(singles, case.spacing, outlines)
plotting.show(
    figures["contrasts"],
    f"Sagittal slice {k} of case {case.name} in the contrasts {', '.join(singles)}, one beside the "
    "other, each with the outlines of the labelled discs.",
)

# %% [markdown]
# The discs are in the same places in each picture, but they look different: they hold much water
# and hardly any fat. (Each panel has its own grey scale, for display only.)
#
# Now look for yourself. Move a slider with the mouse, or press the Tab key until it is highlighted
# and use the arrow keys. Leaf through the slices: where do the discs begin and end? From the front
# and from above the scan looks coarse, because it has few slices. (A printed page shows a still
# picture instead.)

# %%
viewer.volume(case)

# %% [markdown]
# ## Exercise 2 (4 minutes)
#
# Is "bright" a good description of a disc? This exercise has a scan of your own, if you have
# written your name behind `student` in the parameter cell. What share of its disc voxels is
# brighter than the mean of the whole image, in the first contrast?
#
# Hint: a mask picks voxels: `picture[mask]`.

# %%
names = sorted(experiment.cases)
yours = experiment.cases[names[exercises.seed(student) % len(names)]]
picture = yours.contrasts[experiment.contrasts[0]]
print(f"your scan: case {yours.name}, contrast {experiment.contrasts[0]}")
print(exercises.whose(student))

# %% tags=["solution"]
### BEGIN SOLUTION
bright = (picture[yours.discs] > picture.mean()).mean()
### END SOLUTION

# %% tags=["test"] points=2
above, disc = picture > picture.mean(), yours.discs
elsewhere = case.discs if case.discs.shape == disc.shape else disc
both = np.count_nonzero(disc & above)
exercises.check(
    bright,
    both / disc.sum(),
    tolerance=0.001,
    mistakes={
        "per cent? A share lies between 0 and 1": 100 * both / disc.sum(),
        "that is a number of voxels; divide by the number of disc voxels": both,
        "that is the whole image; look at the disc voxels only": above.mean(),
        "you divided by all voxels; divide by the disc voxels": both / disc.size,
        "that says how many bright voxels are disc; the question is how many disc voxels are "
        "bright": (both / above.sum()),
        "compare with the mean of the whole image, not of the discs": (
            np.mean(picture[disc] > picture[disc].mean())
        ),
        "compare with the mean, not with the median": np.mean(picture[disc] > np.median(picture)),
        "those are the voxels that are darker": 1 - both / disc.sum(),
        "those are the discs of `case`; the picture is of `yours`, so take yours.discs": (
            above[elsewhere].mean()
        ),
        "that says how many times as bright as the mean a disc is; a share is at most 1: count "
        "the voxels that are brighter": picture[disc].mean() / picture.mean(),
        "that is another scan; yours is in `yours`": np.mean(
            case.contrasts[experiment.contrasts[0]][case.discs]
            > case.contrasts[experiment.contrasts[0]].mean()
        ),
    },
)

# %% [markdown]
# And in the other contrasts? How many times as bright as the mean voxel is a disc voxel?

# %%
times = {name: image[case.discs].mean() / image.mean() for name, image in case.contrasts.items()}
display(pd.Series(times, name="disc / mean of the image").round(2).to_frame())

# %% [markdown]
# In the water image discs are bright. In the fat image they are dark, and so is much else: nobody
# would choose it to look for discs. Keep this in mind.
#
# ## Two of the four can be computed
#
# Are these four pictures four different things? Let `W` be the water and `F` the fat in a voxel.
# Then the other two should be `inn = W + F` and `opp = |W - F|`. The bars mean that only the size
# counts: an image shows no negative signal. Do these two formulas hold here? The *error* is the
# mean deviation divided by the mean of the image, so 0 is perfect. The *correlation* is 1 if the
# measured and the computed picture rise and fall together.

# %%
is_dixon = set(contrasts.CONTRASTS) <= set(case.contrasts)
if is_dixon:
    print(pd.Series(dixon.consistency(case.contrasts)).round(3).to_string())
    print("derived, so true by construction:", ", ".join(sorted(case.derived)) or "none")
else:
    print(f"Only {', '.join(case.contrasts)} here, so this is not a Dixon scan; on to fusion.")

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
# You can hardly tell measured and computed pictures apart; the difference is noise (random grey
# values). So two of the four pictures follow from the other two. The library uses the same formulas
# to check data, and to compute a picture that is missing. Every table calls such a picture
# *derived*.
#
# ## When water and fat change places
#
# In fact the scanner measures `inn` and `opp`, and computes water and fat. For each voxel it gets
# two values and has to decide which one is the water. Sometimes it decides wrongly in a whole
# region: water and fat are **exchanged** there. Let us do that to our own scan, in a ball with a
# radius of 40 mm.

# %%
if is_dixon:
    at = np.stack(np.indices(case.shape), axis=-1) * case.spacing
    ball = np.linalg.norm(at - at.mean(axis=(0, 1, 2)), axis=-1) < 40
    swapped = exchange.undo_exchange(case.contrasts, ball)  # undoing a swap is a swap
    before, after = dixon.consistency(case.contrasts), dixon.consistency(swapped)
    print(f"error of opp: {before['opp_error']:.4f} before, {after['opp_error']:.4f} after")

# %% [markdown]
# The error has not changed: `W + F` and `|W - F|` are the same if `W` and `F` change places. The
# formulas cannot detect an exchange. The eye can: inside the ball, discs are dark in the *water*
# image. The library looks for two signs. One is a border at which a tissue turns from water to fat
# without the thin dark line of a true border. The other is anatomy: fat lies under the skin, discs
# hold water.

# %%
if is_dixon:
    found = exchange.find_exchange(swapped, case.spacing, case.discs)
    where = {"local": "in one region", "whole": "everywhere"}.get(found.kind, "nowhere")
    print(f"water and fat are exchanged {where}: in {found.share:.0%} of the body")
    views = {"wat, exchanged": swapped["wat"][k], "fat, exchanged": swapped["fat"][k]}
    marks = {name: {"ball": ball[k], "found": found.map[k]} for name in views}
    figures["exchange"] = plotting.contrast_grid(views, case.spacing, marks)
    alt = "Water and fat with a ball in which they were exchanged, and the region that was found."
    plotting.show(figures["exchange"], alt)

# %% [markdown]
# `ivdlib check` does this for every scan of a folder and draws what it finds. If the evidence is
# weak, it says that nothing is exchanged, and does not guess.
#
# ## Fusion: more pictures for nothing
#
# Now back to the first question. The paper adds two contrasts voxel by voxel and treats the sums as
# **fused contrasts**, more pictures to learn from. It uses four: `wat+opp`, `fat+opp`, `wat+inn`
# and `inn+opp`.
#
# MR grey values have no unit, and each contrast of each scan has its own range:

# %%
ranges = {name: {"smallest": v.min(), "largest": v.max()} for name, v in case.contrasts.items()}
display(pd.DataFrame(ranges).T.round(1))

# %% [markdown]
# A network learns better if all pictures have the same range. So each of them is brought to the
# range from 0 to 1. This is called **min–max**: `(image - min) / (max - min)`. Minimum and maximum
# are those of the whole scan. If we took them slice by slice, an outer slice with nothing but noise
# would become as bright as one with discs, and slices could no longer be compared.

# %% [markdown]
# ## Exercise 3 (12 minutes)
#
# Write `fuse`. It gets two pictures of a scan, arrays of the shape (slices, rows, columns). Add
# them voxel by voxel as they are, then bring the sum to the range from 0 to 1 by min–max over the
# whole scan. If the sum is the same everywhere, there is nothing to stretch: return zeros.
#
# The check tries your function on several small inputs. If it is wrong, the check says what is
# wrong. With the second wrong try it also gives a hint. With the third it gives another hint, and
# an example: what is right for another input.


# %% tags=["solution"]
def fuse(first, second):
    """Fused contrast of two pictures of one scan: their sum, from 0 to 1 over the whole scan."""
    ### BEGIN SOLUTION
    total = first + second
    low, high = total.min(), total.max()
    fused = (total - low) / (high - low) if high > low else np.zeros(total.shape)
    ### END SOLUTION
    return fused


# %% tags=["test"] points=4
own.check(fuse, student=student)

# %% [markdown]
# ### Your function at work
#
# Within the block `with own.plugged(fuse)` the library makes all fused contrasts with *your*
# function. (Until your function has passed its check, the library uses its own and says so.) Here
# is our version of Fig. 3 of the paper, close to the spine:

# %%
fused = {}
if experiment.fused:
    with own.plugged(fuse):
        fused = fusion.fuse(case, experiment.fused)
else:
    print(f"Contrast {', '.join(experiment.contrasts)} alone: there is nothing to fuse.")

# %%
if fused:
    near = plotting.around(case.discs[k], 15)
    eight = {**fusion.single(case), **fused}
    eight = {f"{chr(97 + n)}  {name}": v[k][near] for n, (name, v) in enumerate(eight.items())}
    figures["fusion"] = plotting.contrast_grid(eight, case.spacing, columns=8)
    alt = "Close-up of the spine: the contrasts of a slice, then its fused contrasts."
    plotting.show(figures["fusion"], alt)

# %% [markdown]
# Compare the fat image with `fat+opp`. If a voxel holds more water than fat, the sum is
# `F + (W - F) = W`. So the fused picture shows the *water* there, and the discs are brighter than
# the bones again. (In pure fat the sum is nearly `2 F`; that is why the fat is brightest of all.)
# Fusion has added nothing to what the scanner measured. It only shows it in another way.
#
# Does that matter to a network? Let us ask one. A trained network comes with the package; lesson 03
# explains how it is built. It gets one picture of our scan and marks the discs. First it gets fat
# alone, then your `fat+opp` (if your function has passed its check), and then the `fat+opp` that
# the library's own function makes.

# %%
weights = shipped.find()
network = engines.load_network(weights)
spine, _ = spine_of_scan.spine_beside(network, weights)


def find_discs(contrast):
    """Mask of the discs that the network finds in one picture; empty if it refuses the scan."""
    try:
        return one_scan.predict_case(network, case, spine=spine, contrast=contrast)
    except IvdlibError as error:
        print(error)
        return np.zeros(case.shape, bool)


# %%
masks = {}
if "fat+opp" in fused:
    masks["fat"] = find_discs("fat")
    if own.passed(fuse):
        with own.plugged(fuse):
            masks["fat+opp, yours"] = find_discs("fat+opp")
    masks["fat+opp, the library's"] = find_discs("fat+opp")

# %%
dice = {name: metrics.dice(mask, case.discs) for name, mask in masks.items()}
for name, value in dice.items():
    print(f"{name:24} Dice {value:.3f}")
if masks and not own.passed(fuse):
    print("Your fuse has not passed its check yet, so its fat+opp is missing here.")

# %%
if masks:
    seen = {"fat": case.contrasts["fat"], "fat+opp": fused["fat+opp"]}
    planes, marks = {}, {}
    for name, mask in zip(seen, masks.values(), strict=False):
        planes[name] = planes[f"{name}, found"] = seen[name][k][near]
        marks[f"{name}, found"] = {"truth": case.discs[k][near], "found": mask[k][near]}
    figures["your_fuse"] = plotting.contrast_grid(planes, case.spacing, marks)
    alt = "Close-up of the fat image and of the fused picture, with the discs that were found."
    plotting.show(figures["your_fuse"], alt)

# %% [markdown]
# If your function has passed, its Dice is that of the library's. And the network, which has met
# both kinds of picture in its training, finds the discs a little better in the sum than in fat
# alone. So a fused picture holds no new information, but it can still be useful: it puts what was
# measured into a form that is easier to read. Lesson 05 asks how much the paper's network gains
# from it.
#
# Now mix a picture yourself. Each slider is the weight of one contrast, and the buttons set the
# paper's four sums. Beside your mixture you see one contrast alone, fat at first. The line below
# says how far discs and the rest of the spine are apart on average.
#
# 1. Make the mixture fat alone: set fat to 1 and the others to 0. The discs are dark.
# 2. Move the slider of opposed phase slowly from 0 to 1. Watch the discs, and the number: what is
#    it at the end? Can you still see the discs?

# %%
if fused:
    display(viewer.fusion_mixer(case))

# %% [markdown]
# With fat alone the discs are darker by about one spread (1.04 in the first scan of the phantom).
# In `fat+opp` hardly any difference is left: 0.02. Yet you still see the discs, because a thin dark
# rim parts them from the bones. An average says nothing about edges. And it hides that the rest of
# the spine is mixed: most of it is darker than the discs now, but where there is much fat it is
# brighter.
#
# All this is a phantom, unless you named a folder. To see how close it comes to real scans, run
# `ivdlib phantom --report`: it writes a page of measurements.
#
# ## Patients, not pictures, are divided
#
# Now to the second question: is a second scan of the same person a second example? Here are two
# scans of one person, and beside them a scan of another person. We have drawn the outlines of the
# *first* scan's discs into all three, moved so that the middles of the discs coincide.

# %%
cases = list(experiment.cases.values())
pair = next(([a, b] for a in cases for b in cases
             if a.subject == b.subject and a is not b and a.shape == b.shape), [])  # fmt: skip
others = [c for c in cases if pair and c.subject != pair[0].subject and c.shape == pair[0].shape]
compared = [*pair, *others[:1]]


def middle(scan, volume):
    """Slice of a volume of this scan, in the middle of its discs."""
    return volume[plotting.middle_slice(scan.discs)]


# %%
alike, laid_on = {}, {}
for scan in compared:
    laid, discs = (middle(s, s.discs) for s in (compared[0], scan))
    move = np.argwhere(discs).mean(axis=0) - np.argwhere(laid).mean(axis=0)
    laid = np.roll(laid, np.round(move).astype(int), axis=(0, 1))
    title = f"case {scan.name}: patient {scan.subject}"
    alike[title] = middle(scan, scan.contrasts[first])
    laid_on[title] = {f"discs of case {compared[0].name}": laid}
    print(f"laid on {title}: Dice {metrics.dice(laid, discs):.2f}")

# %%
if pair:
    figures["stages"] = plotting.contrast_grid(alike, case.spacing, laid_on)
    alt = f"One slice each of {', '.join(alike)}: the first two are the same person."
    plotting.show(figures["stages"], alt)
else:
    print("Everybody was scanned once here, so no two pictures show the same person.")

# %% [markdown]
# Two scans of one person are not the same picture. The bowel has moved, and the slice cuts the back
# at another place, so the bones behind the spine look different. But the discs of the first scan
# fit the second one: their distances, their tilt, the curve of the spine. They do not fit the other
# person. So if you have seen one scan of a person, you know most of the other. That matters when we
# judge a network. We must judge it on people whom it has not seen. Otherwise we only learn how well
# it remembers.
#
# In **cross-validation** the patients are dealt into groups. Each group is tested once, by a
# network that was trained on all the others. One such division into training and test is a
# **fold**. The folds of this experiment:

# %%
figures["folds"] = diagrams.fold_map(experiment.folds)
plotting.show(
    figures["folds"], "Table of folds and patients: who trains and who tests in each fold."
)

# %% [markdown]
# If one scan of a person is used for training and the other for testing, the score is too good.
# This is called a **leak**. Nothing in the numbers looks wrong, so the library checks for it: it
# refuses to make a `Fold` with a patient on both sides. Let us divide *scans* instead, and put
# every second one into the test:

# %%
subjects = {scan: experiment.cases[scan].subject for scan in names}
try:
    Fold(1, train=tuple(names[1::2]), test=tuple(names[::2]), subjects=subjects)
    print("No leak: everybody was scanned once here, so dividing scans divides people.")
except LeakageError as error:
    print("LeakageError:", error)

# %% [markdown]
# ## Exercise 4 (15 minutes)
#
# Write `patient_folds`. It gets a dict that says who was scanned, such as
# `{"01": "Ann", "02": "Bert", "03": "Ann"}`, and the number of folds. It returns one list for each
# fold, with the names of the scans that are *tested* in this fold; all others are used for
# training.
#
# - Each scan is tested exactly once.
# - All scans of a patient are in the same fold.
# - The numbers of patients in the folds differ by one at most.
#
# Many answers are right. With the dict above and two folds, `[["02"], ["01", "03"]]` is one.


# %% tags=["solution"]
def patient_folds(patient_of, number):
    """Names of the scans that each fold tests: `number` lists, each patient in one of them."""
    ### BEGIN SOLUTION
    patients = sorted(set(patient_of.values()))
    tested = [[] for _ in range(number)]
    for scan, patient in patient_of.items():
        tested[patients.index(patient) % number].append(scan)
    ### END SOLUTION
    return tested


# %% tags=["test"] points=4
own.check(patient_folds, student=student)

# %% [markdown]
# ### Your folds in an experiment
#
# We plan the same experiment again, under another name, and let your function divide the patients
# (if it has passed its check; otherwise the library's does it once more). Each fold goes through
# the library's leak check. (The library also shuffles the patients, so that the order of their
# names does not matter. Yours may do so, too.)

# %%
with own.plugged(patient_folds):
    plan = f"{experiment.name}-my-folds"  # a plan: nothing is trained, and no file is written
    mine = Experiment(plan, profile, experiment.data, reports=reports_dir or None, claim=False)
    trainings = [hashes.spine_digest(mine, fold) for fold in mine.folds]

# %%
figures["my_folds"] = diagrams.fold_map(mine.folds)
who_divided = "your function" if own.passed(patient_folds) else "the library's function"
print(f"These folds were made by {who_divided}:")
alt = f"Folds made by {who_divided}: who trains and who tests in each of them."
plotting.show(figures["my_folds"], alt)

# %%
rows = [
    {"fold": f.number, "tests scans": " ".join(f.test), "trains on": len(f.train), "training": t}
    for f, t in zip(mine.folds, trainings, strict=True)
]
display(pd.DataFrame(rows).set_index("fold"))

# %%
stored = {hashes.spine_digest(experiment, fold) for fold in experiment.folds}
print(f"{len(stored & set(trainings))} of these trainings are those of the library's folds")

# %% [markdown]
# The column *training* shows a **hash**: a short code computed from everything that affects a
# training, such as the scans of its fold. Other folds give other codes, and so do folds that a
# student's function has made. So the stored result of one division is never taken for that of
# another.

# %% [markdown]
# ## Exercise 5 (5 minutes)
#
# Ann was scanned twice. By mistake her first scan is used to train the network and her second one
# to test it. Which numbers become too good? The learning curve shows the error on the training
# scans over time. Why does nothing in it warn you? Answer in two or three sentences.
#
# Hint: which scans does the curve show?

# %% [markdown] tags=["written"] points=3
# ### BEGIN SOLUTION
# Her test score becomes too good, and with it the mean over the test scans (1 point). Two scans of
# one person look alike, so the network has learnt her anatomy and is not tested on a stranger (1
# point). The learning curve shows training scans only. It looks the same with and without the
# mistake, so it cannot tell (1 point).
# ### END SOLUTION

# %% [markdown]
# ## Check

# %%
assert nib.aff2axcodes(case.affine) == ("R", "A", "S")
assert all(np.isclose([v.min(), v.max()], [0, 1]).all() for v in fused.values())
if "fat+opp, yours" in dice:
    with_yours, with_ours = dice["fat+opp, yours"], dice["fat+opp, the library's"]
    assert abs(with_yours - with_ours) < 0.01, "your fused picture is another one"
for folds in (experiment.folds, mine.folds):
    tested = [c for fold in folds for c in fold.test]
    assert sorted(tested) == names, "each scan is tested once"
    for fold in folds:
        sides = [{fold.subjects[c] for c in side} for side in (fold.train, fold.test)]
        assert not sides[0] & sides[1], "a patient on both sides"
print("✅ this lesson ran as it should: axes, ranges, fused pictures and folds")
exercises.tally(4)

# %%
folder = experiment.folder / "figures"
plotting.save({f"01_{key}": figure for key, figure in figures.items()}, folder)
files.write_csv(folder / "01_cases.csv", table)
print("saved:", ", ".join(sorted(path.name for path in folder.glob("01_*"))))

# %% [markdown]
# ## What counts as new
#
# Back to the two questions from the beginning.
#
# - **The third picture tells nothing new about the person.** A Dixon scan measures two things; the
#   four contrasts and the fused ones are sums and differences of them. But the sum shows the same
#   facts in another way, and a network may read it more easily.
# - **A second scan of a person is not a second person.** It may help in training. But it must never
#   be on the other side of a fold, and when we count examples, we count people.
#
# If your `fuse` and your `patient_folds` have passed their checks, they did this work in the
# library.
#
# **Limits against the paper.** The challenge data may not be redistributed, so this page shows a
# phantom unless you name a folder. The paper does not say whether it adds raw or normalised values,
# over what it takes minimum and maximum, or who is in which fold. We add raw values, normalise the
# whole scan, and deal the patients at random, from a fixed seed.
#
# **Next:** 02 finds the spine, so that the disc network need not look at the whole body.

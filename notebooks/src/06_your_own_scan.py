# %% [markdown]
# # 06 · Your own scan: check, segment, measure
#
# > **You will be able to:** check a scan before you trust it · segment it with trained weights ·
# > read volumes and heights off the mask · notice when a result is wrong although nothing complains
# >
# > **Needs:** 01 and 04
# >
# > **Paper:** Fig. 1, the whole framework · **Data:** a phantom scan that no network has seen, or
# > the folder of your own scan in `scan_dir`
#
# So far every scan came with its answer. Here is one without: nobody has drawn its discs, and no
# score can tell whether the network is right. What is left is to check what goes in, to look at
# what comes out, and to know what a mistake looks like.

# %% tags=["parameters"]
profile: str = "smoke"  # test, smoke, laptop or paper
data_dir: str = ""  # folder with scans; empty: the built-in phantom
name: str = ""  # name of the experiment; empty: the name of the profile
reports_dir: str = ""  # where experiments lie; empty: reports/ of the checkout
seeds: int = 0  # trainings of each kind; 0: as many as the profile says
student: str = ""  # your name or number: some exercises have your own scan then
scan_dir: str = ""  # folder of one scan, e.g. data/mine/01; empty: a new phantom scan

# %% [markdown]
# **Before you go on:** the network will give you a mask in any case, whatever you feed it. How
# would you notice that it is wrong, if nobody tells you the truth?

# %%
import os
import shutil
import textwrap
import warnings
from dataclasses import replace

import nibabel as nib
import numpy as np
import pandas as pd
from IPython.display import display
from scipy import ndimage

# %%
from ivdlib import files, provenance
from ivdlib.course import exercises, viewer
from ivdlib.data.cases import check_cases, load_case
from ivdlib.data.quality import exchange
from ivdlib.errors import DataWarning, IvdlibError
from ivdlib.evaluation import metrics
from ivdlib.evaluation import scores as metrics_csv
from ivdlib.evaluation.disc_table import find_discs
from ivdlib.phantom import make_phantom
from ivdlib.preprocessing import fusion
from ivdlib.report import plotting
from ivdlib.report.scan_page import discs_beside
from ivdlib.training import engines, hashes, one_scan, predict, spine_of_scan, store, trial
from ivdlib.training.experiment import of_parameters

# %%
experiment = of_parameters(profile, data_dir, name, reports_dir, seeds)
figures = {}
print(f"Experiment in {experiment.folder.name}/: {experiment.label()}")

# %% [markdown]
# ## A scan that no network has seen
#
# Your scan is a folder with one file for each contrast: `01_wat.nii.gz`, `01_fat.nii.gz`,
# `01_inn.nii.gz`, `01_opp.nii.gz`. Name it in `scan_dir` above. Without one we draw a new made-up
# person, with a seed that no training used (or, with your data in `data_dir`, take a scan of the
# first fold's test side). Its labels stay behind, as if nobody had drawn them.

# %%
training = next(t for t in experiment.trainings() if t.network == "fds_cnn" and t.seed == 0)
warnings.simplefilter("ignore", DataWarning)  # `check` says all of it below
if scan_dir:
    given = load_case(scan_dir)
elif experiment.is_phantom:
    sizes = experiment.profile.phantom
    new = provenance.data_folder() / f"own-scan-{sizes.slices}-{sizes.in_plane}"
    size = {"slices": sizes.slices, "in_plane": sizes.in_plane}
    make_phantom(new, subjects=1, stages=1, seed=sizes.seed + 4711, **size)
    given = load_case(new / "01")
else:
    given = experiment.cases[training.fold.test[0]]
print(f"scan {given.name} with {', '.join(given.contrasts)}")

# %%
own = experiment.folder / "own_scan" / given.name
own.mkdir(parents=True, exist_ok=True)
for contrast in set(given.contrasts) - set(given.derived):
    shutil.copy(given.sources[contrast], own)
declared = given.sources[next(iter(set(given.contrasts) - set(given.derived)))].parent
for folder in (declared, declared.parent):  # what the data set says about its files
    for name in ("dataset.json", "subjects.csv"):
        if (folder / name).is_file():
            shutil.copy(folder / name, own)
print("copied, without labels:", ", ".join(sorted(p.name for p in own.iterdir())))

# %% [markdown]
# ## Check before you trust
#
# This scan lies in our layout already. A scanner gives DICOM files instead: `ivdlib import FOLDER
# data/mine` finds out which image is which contrast, and says what it went by.
#
# `ivdlib check` looks for what goes wrong in practice: broken files, images on different grids, one
# image under two names, water and fat exchanged. On a command line, and then from Python:

# %%
print("ivdlib check", os.path.relpath(own))
(row,) = check_cases(own)
for kind in ("errors", "warnings"):
    lines = (textwrap.fill(text, 90, subsequent_indent="  ") for text in row[kind] or ["none"])
    print(f"{kind}:", *lines, sep="\n  ")

# %%
facts = {key: row[key] for key in ("contrasts", "derived", "shape", "spacing_mm", "labels")}
facts = {key: ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else value
         for key, value in facts.items()}  # fmt: skip
facts = {key: value or "none" for key, value in facts.items()}
display(pd.Series(facts).to_frame("this scan"))

# %% [markdown]
# An *error* means: do not go on. A *warning* means: something was assumed, read what. No labels is
# neither: a scan of your own has none. And compare the table with what you know of the scan: how
# many slices, how far apart? (`ivdlib check --html` draws what it found.)
#
# ## Segment, at once
#
# A network that was trained before comes with the package. It needs nothing but the scan:

# %%
print("ivdlib predict", os.path.relpath(own))
masks = experiment.folder / "own_scan"
try:
    (ready,) = predict.predict_folder(own, out=masks / "shipped", beside=discs_beside())
    shipped = nib.as_closest_canonical(nib.load(ready)).get_fdata() > 0
    print(f"{ready.name}: {shipped.sum():,} of {shipped.size:,} voxels are disc")
except IvdlibError as error:  # a scan of a kind that it does not know
    shipped = None
    print(error)

# %%
first = next(iter(given.contrasts))
if shipped is not None:
    k = plotting.middle_slice(shipped)
    marked = {f"{first}, what was found": {"discs": shipped[k]}}
    planes = dict.fromkeys((first, *marked), given.contrasts[first][k])
    figures["shipped"] = plotting.contrast_grid(planes, given.spacing, marked)
    alt = "A slice of the scan, plain and with the discs that the network of the package found."
    plotting.show(figures["shipped"], alt)

# %% [markdown]
# Beside the mask lie the discs by number, a table of measurements, and a page, the HTML file named
# like the scan: open it from the file browser on the left. It is what you would keep of a scan.
#
# That network has seen 64 phantom people under many scanners, and real scans with another contrast
# (T2). It has not seen this one. For a phantom we know the truth, and may peek:

# %%
if shipped is not None and given.discs is not None:
    print(f"Dice with the true discs: {metrics.dice(shipped, given.discs):.3f}")

# %% [markdown]
# Scans of the challenge have their seven lowest discs marked, and the network marks all that it
# sees: that costs it some Dice. A scan of your own has no truth; the rest of this lesson is about
# what to do then.
#
# ## Segment, with a network of your own
#
# The same command takes the FDS-CNN that lesson 04 trained. Its file knows what it was trained on:
# the contrasts, the size of the tiles, and which spine network finds the region of interest.

# %%
trial.train(experiment, training, training.title)  # read, if lesson 04 has done it
weights = hashes.place_of(experiment, training) / store.WEIGHTS
network = engines.load_network(weights)
spine, _ = spine_of_scan.spine_beside(network, weights) or (None, None)
print("trained on:", ", ".join(network.passport["images"]), "· tile", network.passport["tile"])

# %%
out = masks / "masks"
command = ("ivdlib predict", os.path.relpath(own), "--weights", os.path.relpath(weights),
           "--out", os.path.relpath(out))  # fmt: skip
print(*command, sep=" \\\n  ")
(written,) = predict.predict_folder(own, weights, out)
scan = load_case(own)
mask = nib.load(written)
print(f"{written.name}: {mask.shape} voxels, as the scan's own files")

# %% [markdown]
# The network answers for each contrast and each fused contrast; the mean of these answers, cut at
# one half, is the mask. It lies on the scan's own grid, so any viewer shows both together.
#
# How good can one expect such a mask to be? That depends on how long the network was trained. The
# package keeps the scores of a longer training, on phantom people that it had not seen:

# %%
reference = provenance.root() / "reports" / "reference" / "audit" / "phantom"
kept = metrics_csv.of(reference)
if kept is not None:
    scores = kept.query("scope == 'together' and network == 'fds_cnn'")
    scores = scores.query("trained_on == 'contrasts+fused'").groupby("case")["dice"].mean()
    print("REFERENCE, not of this run: one mask a scan, FDS-CNN with fusion, phantom")
    display(scores.agg(["mean", "min", "max"]).round(3).to_frame("Dice of a scan"))
else:
    print("This copy of the package has no reference results.")
note = "" if experiment.profile.comparable else " It has only begun to learn: expect faults."
print(f"The network of this lesson: {experiment.profile.training.steps} steps.{note}")

# %% [markdown]
# ## Look
#
# Always look, in more than one slice. A number cannot tell you that the third disc is missing.

# %%
found = nib.as_closest_canonical(mask).get_fdata() > 0
middle = plotting.middle_slice(found)
slices = sorted({max(middle - 2, 0), middle, min(middle + 2, len(found) - 1)})
planes = {f"{first}, slice {k}": scan.contrasts[first][k] for k in slices}
outlines = {title: {"prediction": found[k]} for title, k in zip(planes, slices, strict=True)}

# %%
figures["prediction"] = plotting.contrast_grid(planes, scan.spacing, outlines, columns=3)
alt = f"Slices {', '.join(map(str, slices))} of the scan with the outline of the predicted discs."
plotting.show(figures["prediction"], alt)

# %% [markdown]
# Ask of each outline: is there a disc below it? And of each disc: is there an outline on it? Then
# go through all slices, and look from the front and from above too. What looks like a disc from the
# side may be a speck of two voxels. (On paper stands a still picture.)

# %%
viewer.volume(scan, found)

# %% [markdown]
# Switch the mask off and on: it is easier to see what lies below when nothing covers it.
#
# ## Measure
#
# With a mask in hand, discs can be found, named and measured. First its pieces are sorted: specks
# are left out, parts of one disc are joined, and the rest has to form a chain, one above the other.

# %%
discs = find_discs(found, scan.spacing, scan.contrasts)
for decision in (*discs.chain.decisions, *discs.names.decisions):
    print("·", decision)
print("pieces of the mask:", ndimage.label(found)[1], "· discs:", len(discs.rows))

# %% [markdown]
# Which disc is which? The lowest ones lean forwards, L5/S1 by some 30°, and they are the largest.
# So the lowest disc gets the name that fits the curve and the sizes best, if there are **five
# lumbar vertebrae**. One person in seven to ten has four or six, or one that is half sacrum, and no
# scan of the lumbar spine alone can show that. What speaks against the names:

# %%
print(*(discs.names.doubts or ["nothing was noticed"]), sep="\n")

# %% [markdown]
# Each disc is then measured in a frame of its own: heights at right angles to its middle plane, in
# the middle 10 mm from left to right, at three places from front to back. `wedge_deg` is the angle
# between its faces. (Along the axes of the image a disc that leans by 30° seems a sixth too tall.)

# %%
table = pd.DataFrame(discs.rows)
shown = ["level", "volume_ml", "height_front_mm", "height_middle_mm", "height_back_mm", "depth_mm",
         "width_mm", "wedge_deg", "tilt_deg"]  # fmt: skip
if len(table):
    display(table[shown].round(1))
print("A scan like the challenge's shows seven discs, or one or two more.")

# %% [markdown]
# ## Signs that something is wrong
#
# The numbers look equally sound whether the mask is right or not, and nothing above would have
# complained about a wrong one. Four signs cost nothing to look at: too many or too few discs; a
# disc far larger or smaller than its neighbours; a disc at the edge of the image; and contrasts
# that disagree with each other. For the last one, each image gets a mask of its own:

# %%
names = [n for n in network.passport["images"] if set(n.split("+")) <= set(scan.contrasts)]
alone = {name: one_scan.predict_case(network, scan, spine=spine, contrast=name)
         for name in names}  # fmt: skip
agreement = pd.Series({name: metrics.dice(m, found) for name, m in alone.items()}).round(3)
print("Dice of each image's own answer with the mask of all:")
print(agreement.to_string())

# %% [markdown]
# This Dice compares two *predictions*. A high value says that they agree, not that they are right:
# all of them may miss the same disc. The four signs together:

# %%
volumes = table["volume_ml"] if len(table) else pd.Series(dtype=float)
odd = volumes[(volumes < 0.4 * volumes.median()) | (volumes > 2.5 * volumes.median())]
signs = {
    "discs": len(table),
    "odd in size": len(odd),
    "at the edge": int(table["cut"].sum()) if len(table) else 0,
    "lowest agreement": float(agreement.min()),
}
display(pd.Series(signs, dtype=object).to_frame("sign"))

# %% [markdown]
# One bad sign is a reason to look again; no bad sign is no proof.
#
# ## Break it on purpose
#
# The surest way to know what a fault looks like is to make one. Two that happen: water and fat
# exchanged (lesson 01), and a scan that stands upside down in its file. What happens to the mask?

# %%
broken = {"as it is": scan.contrasts}
if {"wat", "fat"} <= set(scan.contrasts):
    everywhere = np.ones(scan.shape, bool)
    broken["water and fat exchanged"] = exchange.undo_exchange(scan.contrasts, everywhere)
broken["upside down"] = {n: np.ascontiguousarray(v[:, :, ::-1]) for n, v in scan.contrasts.items()}

# %%
answers = {
    title: one_scan.predict_case(network, replace(scan, contrasts=images), spine=spine)
    for title, images in broken.items()
}
sizes = {title: {"disc voxels": int(m.sum()), "discs": len(find_discs(m, scan.spacing).rows)}
         for title, m in answers.items()}  # fmt: skip
display(pd.DataFrame(sizes).T)

# %%
views = {title: fusion.min_max(images[first])[middle] for title, images in broken.items()}
marks = {title: {"prediction": answers[title][middle]} for title in views}
figures["broken"] = plotting.contrast_grid(views, scan.spacing, marks, columns=3)
alt = "The same slice as it is, with water and fat exchanged, and upside down, each with the mask."
plotting.show(figures["broken"], alt)

# %% [markdown]
# This network never says "I do not know this". It answers every image, also one that it should have
# refused. Would the check of lesson 01, which `ivdlib check` also makes, have noticed?

# %%
for title, images in broken.items():
    if {"wat", "fat"} <= set(images):
        seen = exchange.find_exchange(images, scan.spacing)
        print(f"{title}: {seen.kind}; {seen.share:.0%} of the body stands exchanged")

# %% [markdown]
# An exchange leaves marks, and where the evidence suffices it is found. A scan upside down is as
# good a scan as any other to such a check: that one only you can find, by looking.

# %% [markdown]
# ## Check

# %%
assert mask.shape == nib.load(next(own.glob(f"*_{first}.nii*"))).shape, "the mask lies on the scan"
assert set(np.unique(mask.get_fdata())) <= {0, 1}
assert len(table) == len(discs.rows) and set(np.unique(discs.chain.labels)) <= {*range(20)}
assert agreement.between(0, 1).all()
print("✅ the mask lies on the scan's own grid, and its discs are measured")

# %% [markdown]
# ## Exercise 1 (5 minutes)
#
# The scan has labels after all, in `given.discs` (one of your own may have none: then leave this).
# How good was the mask? Compute its Dice, and hold it against the reference above. Would one of
# the four signs have told you?
#
# Hint: `found` is the mask; `metrics.dice` compares two.

# %% tags=["solution"]
### BEGIN SOLUTION
quality = metrics.dice(found, given.discs) if given.discs is not None else 0.0
### END SOLUTION

# %% tags=["test"] points=2
truth = np.zeros_like(found) if given.discs is None else given.discs
exercises.check(quality, metrics.dice(found, truth) if given.discs is not None else 0.0)

# %% [markdown]
# ## Exercise 2 (5 minutes)
#
# The page of your scan gives each disc a volume. Compute that of the lowest disc yourself, in
# millilitres.
#
# Hint: `discs.chain.labels` is 1 in the lowest disc. A voxel has `np.prod(scan.spacing)` cubic
# millimetres, and a millilitre has 1000.

# %% tags=["solution"]
### BEGIN SOLUTION
millilitres = (discs.chain.labels == 1).sum() * np.prod(scan.spacing) / 1000
### END SOLUTION

# %% tags=["test"] points=2
exercises.check(millilitres, table["volume_ml"].iloc[0] if len(table) else 0.0)

# %% [markdown]
# ## Exercise 3 (5 minutes)
#
# A colleague sends a scan. Its page shows nine discs, and the names have question marks. What do
# you look at first, what second, and when do you refuse to give her the height of L4/5?
#
# Hint: first the picture, then what was decided and what went in.

# %% [markdown] tags=["written"] points=3
# ### BEGIN SOLUTION
# First the picture with the outlines: which of them are discs, and is the sacrum in view (1 point).
# Then what was decided and why the names are uncertain, and the input: what `ivdlib check` says,
# orientation, exchange of water and fat, whether the contrasts agree (1 point). No number while a
# disc is missing, merged, cut by the edge of the image or of unknown level: it would look as sound
# as any other (1 point).
# ### END SOLUTION

# %%
folder = experiment.folder / "figures"
plotting.save({f"06_{key}": figure for key, figure in figures.items()}, folder)
files.write_csv(folder / "06_discs.csv", table)
files.write_json(folder / "06_signs.json", signs)
print("saved:", ", ".join(sorted(path.name for path in folder.glob("06_*"))))

# %% [markdown]
# ## What we have done
#
# We checked a scan, segmented it with weights that come with the package and with weights from
# another lesson, looked at it from all sides, named and measured its discs, and saw what
# faults look like.
#
# **Limits against the paper.** Networks of the profile `smoke` have only begun to learn. Weights
# trained on the phantom are for learning, not for patients; nothing here is a medical device. The
# paper measures nothing but overlap: volumes and heights are ours.
#
# **Next:** the report beside these lessons; or the profile `laptop`, with scans of your own in
# `data_dir`.

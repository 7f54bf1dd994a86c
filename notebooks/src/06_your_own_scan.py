# %% [markdown]
# # 06 · Your own scan: check, segment, measure
#
# > **You will be able to:** check a scan before you trust it · segment it with trained weights ·
# > measure discs with a function of your own · notice when a result is wrong although nothing
# > complains
# >
# > **Needs:** 01 and 02
# >
# > **Study time:** 75 minutes; what is marked *further* comes on top
# >
# > **Paper:** Fig. 1, the whole framework · **Data:** a phantom scan that no network has seen, or
# > the folder of your own scan in `scan_dir`
#
# So far every scan came with its answer. Here is one without: nobody has drawn its discs, so no
# score can tell whether the network is right. And a network always answers, whatever you feed it.
#
# **How do you notice that a mask is wrong if nobody tells you the truth?**

# %% tags=["parameters"]
profile: str = "smoke"  # test, smoke, laptop or paper
data_dir: str = ""  # folder with scans; empty: the built-in phantom
name: str = ""  # name of the experiment; empty: the name of the profile
reports_dir: str = ""  # where experiments are kept; empty: reports/ of the checkout
seeds: int = 0  # trainings of each kind; 0: as many as the profile says
student: str = ""  # your name or number: some exercises then use your own scan
scan_dir: str = ""  # folder of one scan, e.g. data/mine/01; empty: a new phantom scan

# %% jupyter={"source_hidden": true}
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

# %% jupyter={"source_hidden": true}
from ivdlib import files, provenance
from ivdlib.course import exercises, own, viewer
from ivdlib.data.cases import check_cases, load_case, save_mask
from ivdlib.data.quality import exchange
from ivdlib.errors import DataWarning, IvdlibError, NothingFound
from ivdlib.evaluation import metrics
from ivdlib.evaluation.disc_table import find_discs
from ivdlib.phantom import make_phantom
from ivdlib.preprocessing import fusion
from ivdlib.report import plotting
from ivdlib.report.scan_page import write_page
from ivdlib.training import engines, hashes, one_scan, shipped, spine_of_scan, store, trial
from ivdlib.training.disc_files import write_disc_files
from ivdlib.training.experiment import of_parameters

experiment = of_parameters(profile, data_dir, name, reports_dir, seeds)
figures = {}

# %% [markdown]
# ## A scan that no network has seen
#
# Your scan is a folder with one file for each contrast: `01_wat.nii.gz`, `01_fat.nii.gz`,
# `01_inn.nii.gz`, `01_opp.nii.gz`. Name it in `scan_dir` above. Without one we make up a new
# person, with random numbers that no training used (or, with your data in `data_dir`, take a scan
# that is kept for testing). This one is as wide as a scan in a hospital: 36 slices.

# %%
training = next(t for t in experiment.trainings() if t.network == "fds_cnn" and t.seed == 0)
warnings.simplefilter("ignore", DataWarning)  # `check` says all of it below
warnings.simplefilter("ignore", NothingFound)
if scan_dir:
    given = load_case(scan_dir)
elif experiment.is_phantom:
    sizes = experiment.profile.phantom
    size = {"slices": 36 if sizes.slices > 2 else sizes.slices, "in_plane": sizes.in_plane}
    new = provenance.data_folder() / f"own-scan-{size['slices']}-{sizes.in_plane}"
    make_phantom(new, subjects=1, stages=1, seed=sizes.seed + 4711, **size)
    given = load_case(new / "01")
else:
    given = experiment.cases[training.fold.test[0]]

# %% [markdown]
# The images are copied into the experiment. The labels stay behind, as if nobody had drawn them:

# %% jupyter={"source_hidden": true}
folder = experiment.folder / "own_scan" / given.name
folder.mkdir(parents=True, exist_ok=True)
measured = [contrast for contrast in given.contrasts if contrast not in given.derived]
for contrast in measured:
    shutil.copy(given.sources[contrast], folder)
declared = given.sources[measured[0]].parent
for place in (declared, declared.parent):  # what the data set says about its files
    for told in ("dataset.json", "subjects.csv"):
        if (place / told).is_file():
            shutil.copy(place / told, folder)
print("copied, without labels:", ", ".join(sorted(p.name for p in folder.iterdir())))

# %% [markdown]
# ## Check before you trust
#
# `ivdlib check` looks for what goes wrong in practice: broken files, images that do not lie on one
# grid, one image under two names, water and fat exchanged. The same from Python:

# %%
print("ivdlib check", os.path.relpath(folder))
(row,) = check_cases(folder)
for kind in ("errors", "warnings"):
    lines = (textwrap.fill(text, 90, subsequent_indent="  ") for text in row[kind] or ["none"])
    print(f"{kind}:", *lines, sep="\n  ")

# %%
scan = load_case(folder)
for key in ("contrasts", "shape", "spacing_mm", "labels"):
    value = row[key]
    print(f"{key:>10}:", *(value if isinstance(value, list | tuple) else [value or "none"]))

# %% [markdown]
# An *error* means: do not go on. A *warning* means that something was assumed, so read what it was.
# Then compare `shape` (slices, front to back, foot to head) and `spacing_mm` (the edges of a voxel)
# with what you know about the scan. `ivdlib import` brings the files of a scanner (DICOM) into this
# form.
#
# ## Segment it
#
# The network that comes with the package has seen 64 phantom people and some real scans, but not
# this one. It needs nothing but the images. The command is `ivdlib predict`; from Python:

# %%
weights = shipped.find()
network = engines.load_network(weights)
spine, _ = spine_of_scan.spine_beside(network, weights)
try:
    answer = one_scan.segment_case(network, scan, spine=spine)
except IvdlibError as error:  # a scan of a kind that it does not know: then the mask is empty
    print(error)
    nothing = np.zeros(scan.shape, bool)
    answer = one_scan.Segmented(nothing, nothing.astype("f4"), {}, None)
found = answer.mask
print(f"{found.sum():,} of {found.size:,} voxels are disc, says the network")

# %% [markdown]
# It answers for each contrast and each fused contrast separately. The mean of these answers, cut at
# one half, is the mask. It is written on the scan's own grid, so that any viewer can show both:

# %%
out = experiment.folder / "own_scan" / "masks"
out.mkdir(parents=True, exist_ok=True)
save_mask(scan, found, out / f"{scan.name}_Discs.nii.gz")
mask = nib.load(out / f"{scan.name}_Discs.nii.gz")
print(f"{scan.name}_Discs.nii.gz: {mask.shape} voxels, as the scan's own files")

# %% [markdown]
# ## Look
#
# Always look at the result, in more than one slice. A number cannot tell you that the third disc is
# missing.

# %%
first = next(iter(scan.contrasts))
middle = plotting.middle_slice(found)
away = max(1, len(found) // 6)
slices = sorted({max(middle - away, 0), middle, min(middle + away, len(found) - 1)})
planes = {f"{first}, slice {k}": scan.contrasts[first][k] for k in slices}
outlines = {title: {"found": found[k]} for title, k in zip(planes, slices, strict=True)}

# %%
figures["prediction"] = plotting.contrast_grid(planes, scan.spacing, outlines, columns=3)
alt = f"Slices {', '.join(map(str, slices))} of the scan with the outline of the discs found."
plotting.show(figures["prediction"], alt)

# %% [markdown]
# Ask about each outline: is there a disc inside it? And about each disc: is there an outline around
# it? Then go through all slices, and look from the front and from above, too. What looks like a
# disc from the side may be a speck of two voxels. (A printed page shows a still picture instead.)

# %%
viewer.volume(scan, found)

# %% [markdown]
# Switch the mask off and on: it is easier to see what lies under it if nothing covers it.

# %% [markdown]
# ## Exercise 1 (5 minutes)
#
# For once we may peek. The scan has labels after all, in `given.discs` (a scan of your own may have
# none: then leave this exercise out). How good is the mask? Compute its Dice.
#
# Hint: `found` is the mask, and `metrics.dice` compares two of them, over all slices.

# %% tags=["solution"]
### BEGIN SOLUTION
quality = metrics.dice(found, given.discs) if given.discs is not None else 0.0
### END SOLUTION

# %% tags=["test"] points=2
known = np.zeros_like(found) if given.discs is None else given.discs
shared, both = int((found & known).sum()), int(found.sum() + known.sum())
right = 0.0 if given.discs is None else 2 * shared / both if both else 1.0
here = np.flatnonzero(known.any(axis=(1, 2)))
exercises.check(quality, right, tolerance=1e-4, mistakes={
    "that is one slice, not the scan": metrics.dice(found[middle], known[middle]),
    "that is the mean over slices: compare the whole scan at once":
        float(np.mean([metrics.dice(found[k], known[k]) for k in here] or [0.0])),
    "that is the share of all voxels that are right, and most are background":
        float((found == known).mean()),
    "per cent? A Dice goes from 0 to 1": 100 * right,
    "that is the Jaccard index: divide by the sum of both masks, not by their union":
        shared / max(both - shared, 1),
    "that compares two predictions; one of the two should be the truth":
        metrics.dice(found, next(iter(answer.votes.values()), found)),
}, hint="compare found with given.discs, over all slices")  # fmt: skip

# %% [markdown]
# In scans of this kind only the seven lowest discs are marked by hand, but the network marks all
# that it sees. An extra disc costs it some Dice but is not a mistake. So even if you know the
# truth, read a number together with the picture.
#
# ## Find and name the discs
#
# The mask is just a heap of voxels. First its pieces are sorted: specks are left out, parts of one
# disc are joined, and the rest has to form a chain, one disc above the other.

# %%
discs = find_discs(found, scan.spacing)
for decision in (*discs.chain.decisions, *discs.names.decisions):
    print("·", decision)
print("pieces of the mask:", ndimage.label(found)[1], "· discs:", len(discs.rows))
print("names, from below:", ", ".join(discs.names.levels))

# %% [markdown]
# A disc is named by the vertebrae around it: L5/S1 lies between the fifth lumbar vertebra (L, of
# the lower back) and the sacrum (S, the bone below it). L4/5 is the disc above it, and T12/L1 lies
# between the last thoracic vertebra (T, of the chest) and the first lumbar one. The lowest disc
# gets the name that fits the curve of the spine and the sizes best. This assumes **five lumbar
# vertebrae**. One person in seven to ten has four or six, or one that is half sacrum, and no scan
# of the lower back alone can show that. These are reasons to doubt the names:

# %%
print(*(discs.names.doubts or ["nothing was noticed"]), sep="\n")

# %% [markdown]
# ## Measure
#
# A mask becomes useful when it is measured. A disc that dries out gets lower and loses volume, so
# doctors would like to have its size in numbers. You will write the function that gives three of
# them.
#
# Voxels are not cubes: `spacing` has their edges in mm, in the order of the axes (left to right,
# back to front, foot to head). A millilitre (ml) is a cube of 10 × 10 × 10 mm.

# %% [markdown]
# ## Exercise 2 (20 minutes)
#
# Write `measure`. It gets the mask of **one** disc, as large as the scan, and the spacing. It
# returns a dict with three entries:
#
# - `volume_ml`: the volume of the disc in millilitres,
# - `width_mm`: how wide it is from left to right, from its first slice to its last, both counted,
# - `cut`: `True` if it touches an edge of the scan, on any of its six sides. Then a part of it may
#   lie outside, and the other two numbers are too small.


# %% tags=["solution"]
def measure(mask, spacing):
    """Size of one disc: a dict with volume_ml, width_mm and cut."""
    ### BEGIN SOLUTION
    volume = mask.sum() * spacing[0] * spacing[1] * spacing[2] / 1000
    places = np.nonzero(mask)
    width = (places[0].max() - places[0].min() + 1) * spacing[0]
    cut = False
    for along, size in zip(places, mask.shape, strict=True):
        if along.min() == 0 or along.max() == size - 1:
            cut = True
    sizes_of_disc = {"volume_ml": volume, "width_mm": width, "cut": cut}
    ### END SOLUTION
    return sizes_of_disc


# %% tags=["test"] points=4
own.check(measure, student=student)

# %% [markdown]
# Now your function goes to work. `ivdlib predict` writes a table of the discs, an image that
# numbers them, and a page to look at. Here all of these are made with **your** numbers. (If
# `measure` has not passed its check, the library's is used, and a line says so.)

# %%
yours = discs
if len(discs.rows):
    with own.plugged(measure):
        yours = find_discs(found, scan.spacing, scan.contrasts, answer.votes)
write_disc_files(scan, answer, yours, out)
write_page(scan, answer, yours, out, [])
table = pd.DataFrame(yours.rows)
shown = ["level", "volume_ml", "width_mm", "cut", "height_middle_mm", "depth_mm", "tilt_deg"]
if len(table):
    display(table[shown].round(1))

# %%
wide = scan.shape[0] * scan.spacing[0]
if len(table) and table["cut"].mean() > 0.5:
    print(f"This scan is only {wide:.0f} mm wide, so most of its discs are cut: volumes and widths")
    print("are those of the middle of a disc, and say nothing about its size.")
elif len(table):
    print(f"The scan is {wide:.0f} mm wide, and the discs {table['width_mm'].min():.0f} to "
          f"{table['width_mm'].max():.0f} mm. Discs of adults are 35 to 60 mm wide.")  # fmt: skip
print(f"Open the page: {os.path.relpath(out / f'{scan.name}.html')}")

# %% [markdown]
# Volume, width and cut come from `measure`. The other columns are always the library's: they need
# more thought.
# A disc that leans by 30° (`tilt_deg`), as L5/S1 does, seems a sixth too tall along the axes of the
# image. So heights are measured at right angles to the disc's own middle plane, in the middle 10 mm
# from left to right.
#
# The first row is the lowest disc. Discs get smaller towards the chest. If one is far larger or
# smaller than its neighbours, look at it again.

# %% [markdown]
# ## Signs that something is wrong
#
# The numbers look equally sound whether the mask is right or not. Four warning signs are easy to
# check: too many or too few discs, a disc far larger or smaller than its neighbours, a disc at the
# edge of the scan, and images that disagree. For the last one, each image gets its own mask:

# %%
agreement = pd.Series({n: metrics.dice(m, found) for n, m in answer.votes.items()}, dtype=float)
print("Dice of each image's own answer with the mask of all:")
print(agreement.round(2).to_string())

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
    "lowest agreement": round(float(agreement.min()), 2) if len(agreement) else 0.0,
}
display(pd.Series(signs, dtype=object).to_frame("sign"))

# %% [markdown]
# A scan of the lower back shows seven to nine discs. One bad sign is a reason to look again; the
# lack of bad signs proves nothing.
#
# ## Break it on purpose
#
# The surest way to know what a fault looks like is to make one. Two faults really happen: water and
# fat are exchanged (lesson 01), or a scan lies upside down in its file. What happens to the mask?
# (We take eight slices from the middle, to save time.)

# %%
part = slice(max(middle - 4, 0), max(middle - 4, 0) + 8)
few = {n: v[part] for n, v in scan.contrasts.items()}
broken = {"as it is": few}
if {"wat", "fat"} <= set(few):
    broken["water and fat exchanged"] = exchange.undo_exchange(few, np.ones(few["wat"].shape, bool))
broken["upside down"] = {n: np.ascontiguousarray(v[:, :, ::-1]) for n, v in few.items()}


# %%
def mask_of(images):
    """What the network finds, even if that is nothing."""
    try:
        return one_scan.predict_case(network, replace(scan, contrasts=images), spine=spine)
    except IvdlibError as error:
        print(error)
        return np.zeros(images[first].shape, bool)


answers = {title: mask_of(images) for title, images in broken.items()}
counts = {}
for title, answered in answers.items():
    sizes = [row["volume_ml"] for row in find_discs(answered, scan.spacing).rows]
    ends = {"lowest disc, ml": sizes[0], "uppermost, ml": sizes[-1]} if sizes else {}
    counts[title] = {"disc voxels": answered.sum(), "discs": len(sizes), **ends}
display(pd.DataFrame(counts).T.round(1))

# %% tags=["card"]
shown_at = middle - part.start
views = {title: fusion.min_max(images[first])[shown_at] for title, images in broken.items()}
marks = {title: {"found": answers[title][shown_at]} for title in views}
figures["broken"] = plotting.contrast_grid(views, scan.spacing, marks, columns=3)
alt = "The same slice as it is, with water and fat exchanged, and upside down, each with the mask."
plotting.show(figures["broken"], alt)

# %% [markdown]
# The number of voxels and of discs may look quite normal, and so may the outlines. The network saw
# fat images in its training, so it hardly notices the exchange. If the scan is upside down, the
# last two columns give it away: discs should get *smaller* from the lowest to the uppermost. All
# names are then wrong, but nothing complained: a network never says "I do not know this".
#
# Would the check of lesson 01, which `ivdlib check` also makes, have noticed?

# %%
for title, images in broken.items():
    if {"wat", "fat"} <= set(images):
        seen = exchange.find_exchange(images, scan.spacing)
        print(f"{title}: {seen.kind}; {seen.share:.0%} of the body is exchanged")

# %% [markdown]
# An exchange leaves marks, and if the evidence is clear, it is found. But to such a check, a scan
# that is upside down looks like any other. Only **you** can find that, by looking.
#
# Now break it yourself. Here the network sees *one* image of a slice, mixed from the contrasts by
# weights as in lesson 01; at the start it is water + opposed phase. Noise can be laid over the
# contrasts, water and fat can be exchanged, and the threshold can be moved. (The truth comes from
# `given`, if there is one.)

# %%
try:
    images = {name: image[part] for name, image in given.contrasts.items()}
    drawn = None if given.labels is None else given.labels[part]
    eight = replace(given, contrasts=images, labels=drawn, spine_mask=None, exact_mask=None)
    playground = viewer.network_playground(eight)
    figures["playground"] = playground.figure()
    display(playground)
except IvdlibError as error:
    print(error)

# %% [markdown]
# **Try it:** first move the threshold from one end to the other. Then give water the weight 1 and
# all others the weight 0, and exchange water and fat. Does it do harm? At which noise does it? And
# what would you have to see on a scan of your own to become suspicious?
#
# <details><summary>An answer</summary>
#
# The threshold hardly matters: the network is nearly always sure, and only a thin rim of each disc
# lies between. Without noise the exchange does little harm either, for the network saw fat images
# in its training. But with noise of about 0.1 the mask from water is still good, and that from fat
# is almost gone: in a fat image the discs differ less from the vertebrae, measured by the largest
# value, that of the fat under the skin. So a fault that does no harm in a good scan may do much
# harm in a poor one. And the mask does not tell you why it fails; only the picture does.
#
# </details>

# %% [markdown]
# ## Exercise 3 (10 minutes)
#
# A colleague sends you a scan. Its page shows nine discs, and the names have question marks. What
# do you look at first, and what second? When do you refuse to give her the height of L4/5?
#
# Hint: first the picture, then the decisions and the input.

# %% [markdown] tags=["written"] points=3
# ### BEGIN SOLUTION
# First the picture with the outlines: which of them are discs, and is the sacrum in view? (1 point)
# Then what was decided and why the names are uncertain, and the input: what `ivdlib check` says,
# orientation, exchange of water and fat, whether the contrasts agree (1 point). Give no number as
# long as a disc is missing, merged, cut by the edge of the image or of unknown level: it would look
# as sound as any other (1 point).
# ### END SOLUTION

# %% [markdown]
# ## Further: a network of your own
#
# The same works with the FDS-CNN that lesson 04 trained. Its file records what it was trained on:
# the contrasts, the size of the tiles, and which spine network finds the region of interest.

# %%
trial.train(experiment, training, training.title)  # read, if lesson 04 has done it
mine = hashes.place_of(experiment, training) / store.WEIGHTS
trained = engines.load_network(mine)
its_spine, _ = spine_of_scan.spine_beside(trained, mine) or (None, None)
print("trained on:", ", ".join(trained.passport["images"]), "· tile", trained.passport["tile"])

# %%
try:
    middle_part = replace(scan, contrasts=few)
    by_mine = one_scan.predict_case(trained, middle_part, spine=its_spine)
    print(f"It agrees with the mask above: Dice {metrics.dice(by_mine, found[part]):.2f}")
except IvdlibError as error:
    by_mine = np.zeros_like(found[part])
    print(error)
print(f"({experiment.profile.training.steps} steps of training; eight slices from the middle)")

# %%
pair = {"network of the package": found[middle], "network of lesson 04": by_mine[shown_at]}
figures["own_network"] = plotting.contrast_grid(
    dict.fromkeys(pair, scan.contrasts[first][middle]), scan.spacing,
    {title: {"found": plane} for title, plane in pair.items()},
)  # fmt: skip
plotting.show(figures["own_network"], "One slice with the discs that each of two networks found.")

# %% [markdown]
# ## Check

# %%
assert mask.shape == nib.load(next(folder.glob(f"*_{first}.nii*"))).shape, "one grid"
assert set(np.unique(mask.get_fdata())) <= {0, 1}
assert len(table) == len(yours.rows) == len(discs.rows)
theirs = pd.DataFrame(discs.rows)  # the library's own numbers, made before yours
for column in ("volume_ml", "width_mm", "cut") if len(table) else ():
    assert np.allclose(table[column].astype(float), theirs[column].astype(float))
assert agreement.between(0, 1).all()
print("✅ this lesson ran as it should: the mask lies on the scan's grid, its discs are measured")
exercises.tally(2)

# %%
figure_folder = experiment.folder / "figures"
figures["shipped"] = figures["prediction"]
plotting.save({f"06_{key}": figure for key, figure in figures.items()}, figure_folder)
files.write_csv(figure_folder / "06_discs.csv", table)
files.write_json(figure_folder / "06_signs.json", signs)
print("saved:", ", ".join(sorted(path.name for path in figure_folder.glob("06_*"))))

# %% [markdown]
# ## What we have done
#
# How do you notice that a mask is wrong if nobody tells you the truth? You check what goes in, look
# at what comes out in more than one slice, measure it and compare it with what is possible, ask the
# images one by one, and know what typical faults look like. No number replaces looking.
#
# **Limits against the paper.** Networks of the profile `smoke` have only begun to learn. Weights
# trained on the phantom are for learning, not for patients; nothing here is a medical device. The
# paper measures nothing but overlap: volumes and heights are ours.
#
# **Next:** read the report that comes with these lessons, or try the profile `laptop` with scans of
# your own in `data_dir`.

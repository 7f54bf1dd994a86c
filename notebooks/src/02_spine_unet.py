# %% [markdown]
# # 02 · Find the spine first: a U-Net
#
# > **You will be able to:** say what a convolution and batch normalisation do · explain the U-Net
# > and look into it · read a learning curve · compute a Dice overlap · cut the region of interest
# >
# > **Needs:** 01
# >
# > **Paper:** Sect. 2.1, Fig. 1 · **Data:** the built-in phantom (synthetic scans), or the folder
# > in `data_dir`
#
# Most of a sagittal slice is not spine: skin, fat, bowel, air. The paper first lets a small network
# find the spine and then shows only that part to the disc network, which has less to compute and
# fewer ways to be fooled.

# %% tags=["parameters"]
profile: str = "smoke"  # test, smoke, laptop or paper
data_dir: str = ""  # folder with scans; empty: the built-in phantom
name: str = ""  # name of the experiment; empty: the name of the profile
reports_dir: str = ""  # where experiments lie; empty: reports/ of the checkout
seeds: int = 0  # trainings of each kind; 0: as many as the profile says
student: str = ""  # your name or number: some exercises have your own scan then

# %% [markdown]
# **Before you go on:** to say whether a grey point belongs to a vertebra or to a bone elsewhere,
# you must look at its surroundings; to say where exactly the bone ends, you must look at the point
# itself. How would you let a program do both, if it may only ever look at 3 × 3 points at a time?
#
# The next cells fetch what this lesson needs and open the data.

# %%
import ivdlib  # noqa: F401  first, so that TensorFlow starts without its pages of messages

# isort: split
import keras
import numpy as np
import pandas as pd
from IPython.display import display
from scipy import ndimage

from ivdlib import files, networks
from ivdlib.course import exercises
from ivdlib.evaluation import metrics
from ivdlib.preprocessing import fusion
from ivdlib.preprocessing.region import enlarge, region_around, region_of, shrink
from ivdlib.preprocessing.tiles import TileGrid
from ivdlib.report import diagrams, plotting
from ivdlib.training import hashes, inference, spine_stage
from ivdlib.training.experiment import of_parameters

# %%
experiment = of_parameters(profile, data_dir, name, reports_dir, seeds)
options = experiment.profile.spine
fold = experiment.folds[0]
case = experiment.cases[fold.test[0]]
first = experiment.contrasts[0]
k = plotting.middle_slice(case.discs)
figures = {}
print(f"Experiment in {experiment.folder.name}/: {experiment.label()}")

# %% [markdown]
# ## Is there anything to leave out?
#
# The disc network works on **tiles**, small rectangles of a slice. Where a whole slice fits into
# one tile there is no background to leave out, and this stage is skipped.

# %%
uses_network = experiment.uses_spine_network
print(f"slices of case {case.name}: {case.shape[1:]} pixels, tile: {experiment.tile}")
if uses_network:
    share = spine_stage.truth(case).mean()
    print(f"The spine fills {100 * share:.0f} % of this scan: the rest can go.")
else:
    print("Slices fit into a tile: no spine network is needed, and none is trained below.")

# %% [markdown]
# ## A convolution is a small sum that wanders
#
# A **convolution** lays a small table of numbers (the *weights*, here 3 × 3) on each pixel,
# multiplies what lies below with them and adds up. The sum is the new value of the pixel. The
# weights decide what the convolution answers to. Here are three tables written by hand; a network
# *learns* its tables from examples.

# %%
plane = fusion.images_of(case.contrasts, (first,))[first][k]
edge = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]])
answers = {
    "image": plane,
    "mean of 3 × 3 pixels": ndimage.correlate(plane, np.full((3, 3), 1 / 9, np.float32)),
    "edges across the spine": np.abs(ndimage.correlate(plane, edge.T)),
    "edges along the spine": np.abs(ndimage.correlate(plane, edge)),
}

# %%
figures["convolution"] = plotting.contrast_grid(answers, case.spacing)
plotting.show(figures["convolution"], "A slice, smoothed, and its edges in the two directions.")

# %% [markdown]
# The last picture answers to upper and lower borders of discs and vertebrae, the one before to
# front and back of the column. A step of a network that turns pictures into pictures like this is a
# **layer**, and each picture that comes out is a **channel** or *feature map*. The next layer takes
# all channels in, so it can answer to edges of edges, corners, and in the end to vertebrae.
#
# ## Batch normalisation
#
# Many such layers follow each other, and the range of their numbers drifts while they learn. A
# **batch** is the handful of pictures that the network sees at a time. **Batch normalisation** (BN)
# brings each channel, over the whole batch, back to mean 0 and spread 1 (the standard deviation),
# then lets the network choose a scale and an offset. Training becomes faster and calmer. The paper
# puts one after each convolution of the U-Net. We let our four channels drift and call them back:

# %%
drift = np.stack(list(answers.values()), axis=-1)[np.newaxis] * (1, 5, 2, 20) + (0, 2, 8, -3)
channels = (0, 1, 2)  # picture, AP, SI: all but the last axis
normalised = (drift - drift.mean(channels)) / np.sqrt(drift.var(channels) + 1e-3)
by_keras = keras.layers.BatchNormalization()(drift.astype("float32"), training=True)
by_keras = keras.ops.convert_to_numpy(by_keras)
print(f"largest difference between hand and Keras: {np.abs(normalised - by_keras).max():.0e}")

# %%
panels = {f"before: {name}": drift[0, ..., c] for c, name in enumerate(answers)}
panels |= {f"after: {name}": normalised[0, ..., c] for c, name in enumerate(answers)}
figures["normalisation"] = plotting.contrast_grid(panels, case.spacing, limits=(-3, 8))
alt = (
    "Four channels that drifted, pale, dark or all white, and the same four after batch "
    "normalisation, all on one grey scale: now each shows its picture."
)
plotting.show(figures["normalisation"], alt)

# %% [markdown]
# All eight panels have the same grey scale, from −3 (black) to 8 (white). Before, a layer that
# comes next would mostly notice how high each channel lies; after, what is in it. (The network that
# is *used* takes the means and spreads that it has noted during training, for then there may be no
# batch.)
#
# ## Down, up, and what is lost on the way
#
# 3 × 3 pixels are a small window. Let us halve the picture, and halve it again: then the same
# window spans more and more of the body. The U-Net halves by **max pooling**: of each 2 × 2 pixels
# the largest stays. Back up, each pixel becomes 2 × 2 again.

# %%
pooled = keras.layers.MaxPooling2D(8, padding="same")(plane[np.newaxis, ..., np.newaxis])
small = keras.ops.convert_to_numpy(pooled)[0, ..., 0]  # three halvings in one
back = enlarge(small[np.newaxis], 8, (1, *plane.shape))[0]
steps = {
    "slice": plane, f"halved three times, {small.shape[0]} × {small.shape[1]}": small,
    "doubled three times": back, "what was lost": np.abs(plane - back),
}  # fmt: skip
figures["down_and_up"] = plotting.contrast_grid(steps, case.spacing)
alt = "A slice; small after three halvings; back at full size but coarse; the difference: edges."
plotting.show(figures["down_and_up"], alt)

# %% [markdown]
# The coarse picture still shows *that* there is a spine. *Where* it ends was lost on the way down,
# and no doubling brings it back. This is the answer to the question at the beginning: go down to
# see much, and keep the fine pictures to see exactly.
#
# ## The U-Net
#
# A **U-Net** halves the picture several times (*down*), then doubles it back to full size (*up*);
# how to double, it learns. **Skip connections** hand the fine channels of each level straight
# across to the way up. Behind each convolution and its BN stands a **ReLU**, which sets negative
# numbers to zero: without it, all convolutions in a row could do no more than one large one. At the
# end stands one number from 0 to 1 for each pixel: how likely it is spine. One level of ours, layer
# by layer:

# %%
small = shrink(plane[np.newaxis], options.factor)[0]  # it sees coarser slices: faster
config = networks.config_of("unet", options.size)
unet = networks.build("unet", config, input_shape=(*small.shape, 1))
rows = [(layer.name, str(tuple(layer.output.shape[1:])), layer.count_params())
        for layer in unet.layers if layer.name.startswith(("down0", "pool0"))]  # fmt: skip
display(pd.DataFrame(rows, columns=["layer", "output (AP, SI, channels)", "weights"]))
print(f"{config.levels} levels, {unet.count_params():,} weights in all")

# %% [markdown]
# ## Training it, fold by fold
#
# Each fold has its own spine network, trained on the training patients of that fold only. Otherwise
# a test patient would have shaped the picture that the disc network gets to see. In each **step**
# of the training the network sees a batch, is told how wrong it is, and changes each of its weights
# a little towards less wrong. Trainings that lie in the experiment's folder are not done again.

# %%
histories = {}
if uses_network:
    for part in experiment.folds:
        network = spine_stage.network(experiment, part)
        place = hashes.place(experiment, hashes.spine_digest(experiment, part))
        histories[f"fold {part.number}"] = pd.read_csv(place / "history.csv")
        seconds = files.read_json(place / "record.json")["seconds_training"]
        print(f"fold {part.number}: {options.steps} steps, {seconds:.0f} s of training")
else:
    print("Skipped: slices fit into a tile.")

# %% [markdown]
# The **loss** says how wrong the network is on the pictures of a step; training pushes it down. A
# **learning curve** shows how far it has come.

# %%
if histories:
    figures["curve"] = diagrams.learning_curve(histories)
    first_row, last_row = (histories[f"fold {fold.number}"].iloc[i]["loss"] for i in (0, -1))
    alt = f"Training loss of the spine networks, from {first_row:.2f} to {last_row:.2f}."
    plotting.show(figures["curve"], alt)

# %% [markdown]
# A curve that falls says that the network fits its *training* patients better and better. Where it
# still falls at its end, more steps would help; how good the network is for other people, it cannot
# say.
#
# ## Into the network
#
# Now we follow one slice of a test patient through the network of its fold, and look at one channel
# on each level: the one that varies most. (Where no spine network is needed, we look into one that
# has learnt nothing.) Above, from left to right, the way down; below, from left to right, the way
# up.

# %%
trained = spine_stage.network(experiment, fold).model if uses_network else unet
stages = ["down0", "down1", "down2", "down3", "bottom", "up3", "up2", "up1", "up0"]
inner = [trained.get_layer(f"{stage}_relu2").output for stage in stages]
look = keras.Model(trained.input, [*inner, trained.output])

# %%
seen = np.zeros((1, *trained.input_shape[1:]), np.float32)
seen[0, : small.shape[0], : small.shape[1], 0] = small
maps = [keras.ops.convert_to_numpy(answer)[0] for answer in look(seen, training=False)]
liveliest = [m[..., m.std(axis=(0, 1)).argmax()] for m in maps]
names = [f"{stage}\n{m.shape[0]} × {m.shape[1]} × {m.shape[2]}"
         for stage, m in zip([*stages, "probability"], maps, strict=True)]  # fmt: skip

# %%
figures["feature_maps"] = plotting.contrast_grid(
    dict(zip(names, liveliest, strict=True)), case.spacing, columns=5
)
alt = (
    "One feature map of each level of the spine U-Net. Above, the way down: sharp at first, then "
    "coarser and coarser. Below, the way up: finer again, and at the end the probability of spine."
)
plotting.show(figures["feature_maps"], alt)

# %% [markdown]
# Downwards the maps become small and many. On the coarsest you will hardly know the slice again,
# but each of its pixels has seen a large part of the body. On the way up they become sharp again,
# for the fine borders come over the skips. Now we cut one skip, the finest, by setting what it
# hands across to zero. Both pictures below have the same grey scale.

# %%
way_up = keras.Model([look.outputs[7], look.outputs[0]], trained.output)
with_skip = way_up([maps[7][np.newaxis], maps[0][np.newaxis]], training=False)
without = way_up([maps[7][np.newaxis], 0 * maps[0][np.newaxis]], training=False)
both = [keras.ops.convert_to_numpy(answer)[0, ..., 0] for answer in (with_skip, without)]
figures["skip"] = plotting.contrast_grid(
    {"with all skips": both[0], "the finest one cut": both[1]},
    case.spacing, limits=(np.min(both), np.max(both)),
)  # fmt: skip
alt = "Probability of spine for the same slice, with all skips and with the finest skip cut."
plotting.show(figures["skip"], alt)

# %% [markdown]
# What came from below still says roughly where the spine is. What is missing on the right came over
# the skip: fine borders, and with them certainty. (After a handful of steps of training both
# pictures say hardly anything.)
#
# ## How good is it? The Dice overlap
#
# The **Dice** of two masks is twice the number of voxels in both, divided by the sum of the voxels
# in each: `2 * |A and B| / (|A| + |B|)`. It is 1 for equal masks and 0 where nothing overlaps. Here
# it is counted over the whole 3-D scan, on patients on whom the network was *not* trained.

# %%
if uses_network:
    scores = experiment.metrics().query("target == 'spine'")
    print(f"Dice of the spine, test patients ({experiment.label()}):")
    display(scores[["fold", "subject", "case", "dice"]].round(3).reset_index(drop=True))
    print(f"mean {scores['dice'].mean():.3f}, lowest {scores['dice'].min():.3f}")

# %% [markdown]
# A network that sees slices averaged over some pixels can only give blocks of so many pixels. What
# would a perfect one reach? We average the *true* mask, cut it at one half, and enlarge it again:

# %%
true = spine_stage.truth(case)
for side in (1, 2, 4, 8):
    blocks = shrink(true, side) >= inference.THRESHOLD
    best = metrics.dice(enlarge(blocks, side, case.shape), true)
    print(f"{side} × {side} pixels: at best {best:.3f}")

# %% [markdown]
# Here the spine is averaged because a region of interest need not be sharp, and a step takes a
# fraction of the time. The recipe `better` (`ivdlib grid --recipe better`) takes whole slices,
# which need a longer training: on real slabs they gave a better mask after 800 steps, and a worse
# one after 300.
#
# ## The region of interest
#
# The mask is widened by a margin in millimetres, so that a bulging disc is not cut off. Outside it
# the image becomes zero. The band of the slice that holds the spine is then cut into tiles. This is
# Fig. 1 of the paper, for a test patient:

# %%
spine = None
if uses_network:
    network = spine_stage.network(experiment, fold)
    spine = spine_stage.find_spine(network.model, experiment, case)
    print(f"spine found in this scan: Dice {metrics.dice(spine, spine_stage.truth(case)):.3f}")

# %%
region = region_of(
    spine, case.shape, case.spacing, experiment.tile, options.margin
)  # fmt: skip
grid = TileGrid(case.shape, experiment.tile, region.window)
print(f"{len(grid.positions)} tiles, band of {region.window[1] - region.window[0]} pixels")

# %%
figures["overview"] = plotting.region_overview(
    plane, case.spacing, region.window, experiment.tile,
    [start[1:] for start in grid.positions if start[0] == k],
    None if spine is None else spine[k],
    None if region.mask is None else region.mask[k],
)  # fmt: skip
alt = (
    f"Five panels: a slice, {'the spine found in it' if uses_network else 'the slice once more'}, "
    "the region of interest with its band marked, the tiles on it, and an empty panel for the disc "
    "probability of lesson 04."
)
plotting.show(figures["overview"], alt)

# %% [markdown]
# After a handful of steps the mask may be poor: then the region is poor too, or the whole image is
# kept where nothing was found. The printed Dice says which of these you are looking at.
#
# ## Check

# %%
assert region.window[1] - region.window[0] >= min(experiment.tile[0], case.shape[1])
assert np.allclose(normalised, by_keras, atol=1e-2)
assert np.allclose(both[0], maps[-1][..., 0], atol=1e-4), "the way up is a part of the network"
if uses_network:
    assert spine.shape == case.shape and spine.dtype == bool
    assert set(scores["case"]) == set(experiment.cases), "each scan is tested once"
    assert len(histories) == len(experiment.folds)
print("✅ region, masks and scores are as they should be")

# %% [markdown]
# ## Exercise 1 (5 minutes)
#
# Why a margin? Take the *true* spine of `case` and a margin of 0 mm. Which share of all voxels is
# kept? Print the share for a margin of 15 mm too: what does the safety cost?
#
# Hint: `region_around(spine_stage.truth(case), case.spacing, experiment.tile[0], margin)` gives a
# region with a `mask`, an array of `True` and `False`.

# %% tags=["solution"]
### BEGIN SOLUTION
narrow = region_around(spine_stage.truth(case), case.spacing, experiment.tile[0], margin=0.0)
kept_share = narrow.mask.mean()
wide = region_around(spine_stage.truth(case), case.spacing, experiment.tile[0], margin=15.0)
print(f"a margin of 15 mm keeps {wide.mask.mean():.0%}, no margin {kept_share:.0%}")
### END SOLUTION

# %% tags=["test"] points=2
exercises.check(
    kept_share, spine_stage.truth(case).mean(), tolerance=0.001
)  # a margin of 0 is the spine itself

# %% [markdown]
# ## Exercise 2 (3 minutes)
#
# A network marks 100 pixels as spine; 80 are spine in truth; 60 of them are the same. What is the
# Dice overlap? Work it out on paper.
#
# Hint: twice what both share, over the sum of both.

# %% tags=["solution"]
### BEGIN SOLUTION
overlap = 2 * 60 / (100 + 80)
### END SOLUTION

# %% tags=["test"] points=1
pixels = np.arange(180)[np.newaxis]
marked, true = pixels < 100, (pixels >= 40) & (pixels < 120)
exercises.check(overlap, metrics.dice(marked, true), hint="look at the hint above")

# %% [markdown]
# ## Exercise 3 (5 minutes)
#
# The region of interest can be too large or too small. Which of the two costs more Dice of the
# discs in the end, and why can the second network not mend it?
#
# Hint: what does the disc network see outside the region?

# %% [markdown] tags=["written"] points=2
# ### BEGIN SOLUTION
# Too small costs more (1 point): what lies outside the region is set to zero, so a disc voxel that
# was left out is lost whatever the second network does; background that was kept may still be
# refused by it (1 point).
# ### END SOLUTION

# %%
folder = experiment.folder / "figures"
plotting.save({f"02_{key}": figure for key, figure in figures.items()}, folder)
if uses_network:
    files.write_csv(folder / "02_spine_dice.csv", scores[["fold", "subject", "case", "dice"]])
print("saved:", ", ".join(sorted(path.name for path in folder.glob("02_*"))))

# %% [markdown]
# ## What we have done
#
# We saw convolution, batch normalisation, and the way down and up with its skips as pictures,
# trained a U-Net for the spine in each fold, scored it on people it had not seen, and cut the
# region of interest.
#
# **Limits against the paper.** The paper does not say which masks of the spine it trained on, how
# wide the margin is, or how good the network was. Our phantom brings a true mask; for data with
# disc labels only, a tube around the discs stands in for it. Our network sees coarser slices
# (averaged pixels), which is faster.
#
# **Next:** 03 builds the disc network, FDS-CNN, piece by piece.

# %% [markdown]
# # 02 · Find the spine first: a U-Net
#
# > **You will be able to:** score a mask with a Dice overlap that you wrote · write a convolution
# > and run a trained network with it · explain the U-Net, its loss and batch normalisation · look
# > into a network · cut the region of interest
# >
# > **Needs:** 01, 01b · **Study time:** 75 minutes, 40 of them for writing
# >
# > **Paper:** Sect. 2.1, Fig. 1 · **Data:** the built-in phantom (synthetic scans), or the folder
# > in `data_dir`
#
# Most of a sagittal slice is not spine but skin, fat, bowel and air. The paper first lets a small
# network find the spine, and then shows only that part to the disc network. So the disc network has
# less to compute, and there is less to mislead it.

# %% tags=["parameters"]
profile: str = "smoke"  # test, smoke, laptop or paper
data_dir: str = ""  # folder with scans; empty: the built-in phantom
name: str = ""  # name of the experiment; empty: the name of the profile
reports_dir: str = ""  # where experiments are kept; empty: reports/ of the checkout
seeds: int = 0  # trainings of each kind; 0: as many as the profile says
student: str = ""  # your name or number: some exercises then use your own inputs

# %% [markdown]
# **The question of this lesson:** to say whether a grey pixel belongs to a vertebra or to a bone
# elsewhere, you must look at its surroundings; to say where exactly the bone ends, you must look at
# the pixel itself. How can a program do both if it only ever looks at 3 × 3 pixels at a time?
#
# The next cell is folded away: it imports what this lesson needs. The one after it opens the data.

# %% jupyter={"source_hidden": true}
import ivdlib  # noqa: F401  first, so that TensorFlow starts without its pages of messages

# isort: split
import keras
import numpy as np
import pandas as pd
from IPython.display import display
from scipy import ndimage

from ivdlib import files, networks
from ivdlib.course import exercises, own, viewer
from ivdlib.course.own.lesson02 import on_tile, with_first_layer
from ivdlib.errors import IvdlibError
from ivdlib.evaluation import metrics
from ivdlib.preprocessing import fusion
from ivdlib.preprocessing.region import enlarge, region_around, region_of, shrink
from ivdlib.preprocessing.tiles import TileGrid
from ivdlib.report import diagrams, network_drawings, paper_figures, plotting
from ivdlib.training import (
    engines,
    hashes,
    inference,
    one_scan,
    shipped,
    spine_of_scan,
    spine_stage,
    weights,
)
from ivdlib.training.experiment import of_parameters

# %%
experiment = of_parameters(profile, data_dir, name, reports_dir, seeds)
options = experiment.profile.spine
fold = experiment.folds[0]
case = experiment.cases[fold.test[0]]
first = experiment.contrasts[0]
true = spine_stage.truth(case)
k = plotting.middle_slice(case.discs)
plane = fusion.images_of(case.contrasts, (first,))[first][k]  # one slice, from 0 to 1
figures = {}
print(f"Experiment in {experiment.folder.name}/: {experiment.label()}")

# %% [markdown]
# ## The goal, and how to score it
#
# A network that finds spines comes with the package; it was trained on other people. This is what
# it makes of one of our scans. By the end of the lesson you will know what happens inside.

# %% tags=["card"]
network = weights.load_model(shipped.find("spine"))
factor = network.passport["factor"]  # it sees averaged slices, which is faster
found = inference.predict_spine(network.model, case.contrasts, factor, case.spacing)
planes = dict.fromkeys(("slice", "true spine", "found by the network"), plane)
outlines = {"true spine": {"truth": true[k]}, "found by the network": {"found": found[k]}}
figures["goal"] = plotting.contrast_grid(planes, case.spacing, outlines, columns=3)
alt = "A slice; the same with the true spine; and with the spine that the network found."
plotting.show(figures["goal"], alt)

# %% [markdown]
# The two outlines look alike. How alike? We need a number. Counting the pixels that are right would
# not work: most pixels are background, so a mask with nothing in it would be right nearly
# everywhere.
#
# The **Dice overlap** ignores what is background in both masks. It is twice the number of voxels in
# both masks, divided by the number in one plus the number in the other:
#
# $$\mathrm{Dice} = \frac{2\,|A \cap B|}{|A| + |B|}$$
#
# It is 1 for equal masks and 0 for masks that share nothing.

# %% [markdown]
# ## Exercise 1 (2 minutes)
#
# A network marks 100 pixels as spine. In truth 80 pixels are spine. 60 pixels are in both masks.
# What is the Dice overlap? Work it out on paper.
#
# Hint: twice the pixels that both share, divided by the sum of both.

# %% tags=["solution"]
### BEGIN SOLUTION
overlap = 2 * 60 / (100 + 80)
### END SOLUTION

# %% tags=["test"] points=1
pixels = np.arange(180)[np.newaxis]
marked, labelled = pixels < 100, (pixels >= 40) & (pixels < 120)
exercises.check(
    overlap, metrics.dice(marked, labelled), tolerance=0.006,  # two decimals will do
    mistakes={
        "the factor 2 is missing": np.sum(marked & labelled) / 180,
        "that is the Jaccard index: divide by the sum of both masks, not by their union": (
            np.sum(marked & labelled) / np.sum(marked | labelled)
        ),
        "per cent? Dice is a share, from 0 to 1": 100 * metrics.dice(marked, labelled),
        "you divided by the network's mask alone": np.sum(marked & labelled) / np.sum(marked),
        "you divided by the true mask alone": np.sum(marked & labelled) / np.sum(labelled),
    },
)  # fmt: skip

# %% [markdown]
# ## Exercise 2 (8 minutes)
#
# Write `dice(a, b)` for two masks. Both are arrays of `True` and `False` of the same shape: a
# slice, or a whole scan. `a & b` is the mask of what both share, and `a.sum()` counts what is
# `True`.
#
# One case needs a decision: what if both masks are empty? Nothing was there and nothing was marked,
# so the two agree: return 1.


# %% tags=["solution"]
def dice(a, b):
    """Overlap of two masks (True and False, same shape): 0 to 1; 1 if both are empty."""
    ### BEGIN SOLUTION
    both = (a & b).sum()
    size = a.sum() + b.sum()
    value = 2 * both / size if size > 0 else 1.0
    ### END SOLUTION
    return value


# %% tags=["test"] points=3
own.check(dice, student=student)

# %% [markdown]
# Now your function goes to work. Within the next block the library scores with *your* `dice`, not
# with its own. (Until yours has passed the check above, the library's is used, and a line says so.)

# %%
with own.plugged(dice):
    your_score = metrics.dice(found, true)
library_score = metrics.dice(found, true)
print(f"Dice of the spine in the whole scan: {your_score:.3f}")
print(f"by the library's own function: {library_score:.3f}")

# %% [markdown]
# This is the number that papers report. It is computed over the whole 3-D scan, not slice by slice.
# Otherwise an empty slice could score 1 and raise the mean.
#
# ## Your own hand (8 minutes)
#
# Is a Dice of 0.9 good? You will know when you have drawn a disc yourself. The next cell lets the
# package's disc network find all discs, so that you have somebody to compete with.

# %%
weights_file = shipped.find()
disc_network = engines.load_network(weights_file)
spine_finder, _ = spine_of_scan.spine_beside(disc_network, weights_file)
try:
    discs = one_scan.predict_case(disc_network, case, spine=spine_finder)
except IvdlibError as error:  # images of a kind that it does not know
    discs = None
    print(f"The network cannot be used here, so you draw against the truth alone: {error}")

# %% [markdown]
# 1. Draw the outline of the disc in the middle of the picture: once around it with the mouse, or
#    point by point with Tab and the arrow keys.
# 2. Press *keep it and draw again*. Your first drawing is hidden; draw the same disc once more.
# 3. Press *show the truth*. Only now the numbers appear, so that you cannot copy. Then move a point
#    or two and watch the numbers.

# %%
drawing = viewer.draw_disc(case, discs)
figures["drawing"] = drawing.figure()
drawing

# %% [markdown]
# The *mean distance* is how far the one outline is from the other on average. The *95 % distance*
# is what 95 % of these distances do not exceed, so one bad corner shows. The phantom's labels are
# drawn by a made-up rater whose hand trembles; the truth here is the disc as it really is. When you
# are done, run the next cell. (If you have drawn nothing, it scores an example.)

# %%
drawing.scores().round(2)

# %% [markdown]
# **How far apart are your two drawings? Is the network further from the truth than you are from
# yourself?**
#
# <details><summary>What to look for</summary>
#
# Compare the row of your two drawings with *the network – the truth*. Two drawings by one hand
# differ too, mostly along the rim, where a voxel is half disc and half something else. As long as
# the network is as close to the truth as you are to yourself, this disc cannot tell which of you is
# better. Now look at *one voxel too wide*: by eye it is hard to tell from the truth, but on so
# small a disc its Dice is far below 1. So a Dice of 0.9 in this slice can mean a rim thinner than a
# voxel, and 1.0 is out of reach for any hand. A network that comes much closer to the labels than
# two raters come to each other has learnt the habits of one rater.
#
# </details>
#
# ## A convolution: nine numbers that slide over the image
#
# How does a network get from grey values to a mask? By many small steps of the same kind. A
# **convolution** lays a small table of numbers, the **kernel** (its numbers are called *weights*),
# on a pixel and its eight neighbours. It multiplies each pixel by the number that lies on it and
# adds up the products. The sum is one pixel of the result. Then the table moves on by one pixel.

# %%
tiny = np.array([[1, 1, 1, 1, 1, 1], [1, 1, 1, 1, 1, 1], [1, 1, 5, 5, 5, 1],
                 [1, 1, 5, 5, 5, 1], [1, 1, 1, 1, 1, 1]])  # fmt: skip
kernel = np.array([[-1, -1, -1], [0, 0, 0], [1, 1, 1]])
answer = ndimage.correlate(tiny, kernel, mode="constant")  # zeros around the image
figures["window"] = network_drawings.convolution_step(tiny, kernel, answer, (1, 3))
alt = (
    "An image of 5 by 6 numbers with a window of 3 by 3 marked, a kernel of 3 by 3, the result of "
    "5 by 6 with one pixel marked, and below the nine products whose sum that pixel is."
)
plotting.show(figures["window"], alt)

# %% [markdown]
# This kernel takes what lies below a pixel and subtracts what lies above. If nothing changes, the
# sum is 0; at the upper border of the bright patch it is large. At the border of the image some of
# the nine pixels are missing. We take zeros in their place (*zero padding*), so the result is as
# large as the image. Other kernels respond to other things:

# %%
ahead = np.array([[-1, -2, -1], [0, 0, 0], [1, 2, 1]])  # first axis: front to back
answers = {
    "image": plane,
    "mean of 3 × 3 pixels": ndimage.correlate(plane, np.full((3, 3), 1 / 9, np.float32)),
    "borders in front and behind": np.abs(ndimage.correlate(plane, ahead)),
    "borders above and below": np.abs(ndimage.correlate(plane, ahead.T)),
}

# %%
figures["convolution"] = plotting.contrast_grid(answers, case.spacing)
alt = (
    "A slice; the slice smoothed; bright lines in front of and behind the column, which run along "
    "it; bright lines above and below discs and vertebrae, which run across it."
)
plotting.show(figures["convolution"], alt)

# %% [markdown]
# The third picture shows lines that run *along* the spine: the front and the back of the column.
# The fourth shows lines *across* it: upper and lower borders of vertebrae and discs. We wrote these
# kernels by hand. A network *learns* its kernels from examples.

# %% [markdown]
# ## Exercise 3 (20 minutes)
#
# Write `convolve(image, kernel, rate=1)`. It returns an array as large as `image`. Outside the
# image, all pixels count as zero.
#
# You need no loop over the pixels. Each of the nine weights multiplies a shifted copy of the
# *whole* image, and the result is the sum of these nine copies:
#
# 1. Put `rate` rows and columns of zeros on each side of the image (`np.pad`).
# 2. Begin with a result of zeros, as large as the image.
# 3. For each place `i, j` of the kernel, add the part of the padded image that belongs to this
#    place, multiplied by `kernel[i, j]`. The part is as large as the image.
#
# With `rate=1` the nine pixels lie side by side. With `rate=2` the kernel is pulled apart and takes
# every second pixel (lesson 03 needs that). Use the kernel as it is, without flipping it.
# (Mathematicians flip it; networks do not.)


# %% tags=["solution"]
def convolve(image, kernel, rate=1):
    """Sum of nine shifted copies of an image, each times one weight; zeros around the image."""
    ### BEGIN SOLUTION
    padded = np.pad(image, rate)
    rows, columns = image.shape
    value = np.zeros((rows, columns))
    for i in range(3):
        for j in range(3):
            top, left = i * rate, j * rate
            value = value + kernel[i, j] * padded[top : top + rows, left : left + columns]
    ### END SOLUTION
    return value


# %% tags=["test"] points=5
own.check(convolve, student=student)

# %% [markdown]
# ## Your convolution in a trained network
#
# In the network's first step, 8 learnt kernels turn one slice into 8 new pictures. Each picture is
# called a **channel** or *feature map*, and such a step is called a **layer**. The next cell runs
# the trained network once more, but *your* `convolve` computes its first layer (the library's, if
# yours has not passed its check). All other layers are computed by Keras, the library in which our
# networks are written.

# %%
model = network.model
small = on_tile(shrink(plane[np.newaxis], factor)[0], model.input_shape[1:3])
true_small = on_tile(shrink(true[k : k + 1], factor)[0] >= 0.5, small.shape)

# %%
with own.plugged(convolve) as at_work:
    with_yours = with_first_layer(model, at_work["convolve"])(small)
by_keras = keras.ops.convert_to_numpy(model(small[np.newaxis, ..., np.newaxis]))[0, ..., 0]
print(f"largest difference between the two answers: {np.abs(with_yours - by_keras).max():.0e}")

# %%
whose = "your" if own.passed(convolve) else "the library's"
titles = {f"first layer by {whose} convolve": with_yours, "all by Keras": by_keras}
dices = [metrics.dice(answer >= 0.5, true_small) for answer in titles.values()]
titles = [f"{title}: Dice {score:.3f}" for title, score in zip(titles, dices, strict=True)]
masks = [{"found": answer >= 0.5} for answer in (with_yours, by_keras)]
figures["yours"] = plotting.contrast_grid(
    dict.fromkeys(titles, small), case.spacing, dict(zip(titles, masks, strict=True)), columns=2
)
alt = f"The spine found in a slice, first layer by {whose} convolve, and all by Keras: the same."
plotting.show(figures["yours"], alt)

# %% [markdown]
# The title says whose `convolve` that was. If it was yours, then your function finds the spine: the
# numbers in the 8 kernels were learnt in training, but what is *done* with them is your code. What
# do the 8 kernels respond to?

# %%
learnt = keras.ops.convert_to_numpy(model.get_layer("down0_conv1").kernel)[:, :, 0]
maps = {
    f"channel {n + 1}": at_work["convolve"](small, learnt[..., n]) for n in range(learnt.shape[-1])
}
figures["first_layer"] = plotting.contrast_grid(maps, case.spacing)
alt = "What the kernels of the first layer make of the slice: borders and brightness."
plotting.show(figures["first_layer"], alt)

# %% [markdown]
# Nobody told the network to look for borders, but many of its kernels do. The next layer takes in
# all 8 channels, so it can respond to borders of borders. Later layers respond to corners, and in
# the end to vertebrae.
#
# Each convolution is followed by a **ReLU**, which sets negative numbers to zero. Without it,
# several convolutions in a row could do no more than one large one, because a sum of sums is a sum.
#
# ## Down, up, and what is lost on the way
#
# A window of 3 × 3 pixels is small. Let us halve the picture, and halve it again: then the same
# window spans more and more of the body. The U-Net halves by **max pooling**: the largest of each
# 2 × 2 pixels stays. On the way back each pixel becomes 2 × 2 again.

# %%
pooled = keras.layers.MaxPooling2D(8, padding="same")(plane[np.newaxis, ..., np.newaxis])
coarse = keras.ops.convert_to_numpy(pooled)[0, ..., 0]  # three halvings in one
back = enlarge(coarse[np.newaxis], 8, (1, *plane.shape))[0]
steps = {
    "slice": plane, f"halved three times, {coarse.shape[0]} × {coarse.shape[1]}": coarse,
    "doubled three times": back, "what was lost": np.abs(plane - back),
}  # fmt: skip
figures["down_and_up"] = plotting.contrast_grid(steps, case.spacing)
alt = "A slice; small after three halvings; back at full size but coarse; the difference: edges."
plotting.show(figures["down_and_up"], alt)

# %% [markdown]
# The coarse picture still shows *that* there is a spine. *Where* it ends was lost on the way down,
# and doubling does not bring it back. This is the answer to the question at the beginning: go down
# to see more, and keep the fine pictures to see exactly.
#
# ## The U-Net
#
# A **U-Net** does just that. It halves the picture several times (*down*), then doubles it back to
# full size (*up*); how it doubles is learnt too. **Skip connections** hand the fine channels of
# each level straight across to the way up. At the end there is one number from 0 to 1 for each
# pixel: how likely it is spine. This is the network whose first layer you have computed:

# %%
config = networks.config_from_dict("unet", network.passport["config"])
figures["unet"] = network_drawings.unet(config, model.input_shape[1:3])
alt = (
    f"The U-Net as a letter V: {config.levels} levels down on the left, the picture halved and the "
    "channels doubled at each, the bottom, and the same levels up on the right. A dashed arrow "
    "runs from each level on the left to its counterpart on the right."
)
plotting.show(figures["unet"], alt)

# %% [markdown]
# Each box stands for two 3 × 3 convolutions, each with its batch normalisation (explained below)
# and its ReLU. Here are the first boxes, layer by layer. (AP is the axis between the front and the
# back of the body, SI the axis between head and feet.) The first convolution has 8 kernels of nine
# weights, and one **offset** for each kernel, a number that is added to its result: 80 numbers.

# %%
rows = [(layer.name, str(tuple(layer.output.shape[1:])), layer.count_params())
        for layer in model.layers if layer.name.startswith(("down0", "pool0"))]  # fmt: skip
display(pd.DataFrame(rows, columns=["layer", "output (AP, SI, channels)", "numbers in it"]))
print(f"all layers together hold {model.count_params():,} numbers")

# %% [markdown]
# ## What is learnt, and how: the loss
#
# At first all weights are random, and the answer is worthless. The **loss** is a number that says
# how wrong the answer is for pictures whose truth is known. It is near 0 if each pixel of spine
# gets a probability near 1 and all others one near 0. **Training** goes in small **steps**. In each
# step the network sees a **batch**, a handful of pictures, and every weight changes a little in the
# direction that makes the loss smaller. (How that direction is found was the subject of 01b.)
#
# Each **fold** (lesson 01) has its own spine network, trained on the training patients of that fold
# only. Otherwise a test patient would influence the picture that the disc network sees. Finished
# trainings are not repeated. First we check whether a slice is larger than a **tile**, the piece
# that the disc network can take in at once. If not, there is nothing to leave out.
#
# The cell after the next one trains a small U-Net for each fold. With the profile `smoke` that
# takes two to four minutes the first time; later it only reads the result.

# %%
uses_network = experiment.uses_spine_network
print(f"slices of case {case.name}: {case.shape[1:]} pixels, tile: {experiment.tile}")
if not uses_network:
    print("Slices fit into a tile: no spine network is needed, and none is trained below.")

# %%
histories = {}
for part in experiment.folds if uses_network else ():
    spine_stage.network(experiment, part)
    place = hashes.place(experiment, hashes.spine_digest(experiment, part))
    histories[f"fold {part.number}"] = pd.read_csv(place / "history.csv")
    seconds = files.read_json(place / "record.json")["seconds_training"]
    print(f"fold {part.number}: {options.steps} steps, {seconds:.0f} s of training")

# %% [markdown]
# The **learning curve** shows the loss after each step:

# %%
if histories:
    figures["curve"] = diagrams.learning_curve(histories)
    first_row, last_row = (histories[f"fold {fold.number}"].iloc[i]["loss"] for i in (0, -1))
    alt = f"Training loss of the spine networks, from {first_row:.2f} to {last_row:.2f}."
    plotting.show(figures["curve"], alt)

# %% [markdown]
# A falling curve says that the network fits its *training* patients better and better. If it still
# falls at its end, more steps would help. It cannot say how good the network is on other people.
# For that we need the Dice on patients who were kept out of the training:

# %%
if uses_network:
    scores = experiment.metrics().query("target == 'spine'")
    print(f"Dice of the spine, test patients. The spine networks had {options.steps} steps each.")
    print(f"{experiment.label()} (steps here: those of a disc network)")
    display(scores[["fold", "subject", "case", "dice"]].round(3).reset_index(drop=True))
    print(f"mean {scores['dice'].mean():.3f}, lowest {scores['dice'].min():.3f}")

# %% [markdown]
# ## Batch normalisation
#
# While many layers learn at once, the numbers in the channels drift: one becomes huge, another
# fades. The next layer then mostly notices how large a channel is, not what it shows. **Batch
# normalisation** (BN) brings each channel back to mean 0 and standard deviation 1, taken over all
# pixels of the batch, and then lets the network choose a scale and an offset. Training becomes
# faster and more stable. In the paper's U-Net, each convolution is followed by one. Here we let
# four channels drift and then normalise them:

# %%
drift = np.stack(list(answers.values()), axis=-1)[np.newaxis] * (1, 5, 2, 20) + (0, 2, 8, -3)
axes = (0, 1, 2)  # picture, AP, SI: all but the last, the channels
normalised = (drift - drift.mean(axes)) / np.sqrt(drift.var(axes) + 1e-3)
layer = keras.layers.BatchNormalization()
keras_says = keras.ops.convert_to_numpy(layer(drift.astype("float32"), training=True))
print(f"largest difference between hand and Keras: {np.abs(normalised - keras_says).max():.0e}")

# %%
panels = {f"before: {title}": drift[0, ..., c] for c, title in enumerate(answers)}
panels |= {f"after: {title}": normalised[0, ..., c] for c, title in enumerate(answers)}
figures["normalisation"] = plotting.contrast_grid(panels, case.spacing, limits=(-3, 8))
alt = (
    "Four channels that drifted, pale, dark or all white, and the same four after batch "
    "normalisation, all on one grey scale: now each shows its picture."
)
plotting.show(figures["normalisation"], alt)

# %% [markdown]
# All eight panels have the same grey scale, from −3 (black) to 8 (white). Note one difference
# between training and use. In training, mean and standard deviation come from the batch. Later
# there may be only a single picture, so the layer takes the values that it recorded during
# training. It thus holds four numbers for each channel: scale, offset, recorded mean and recorded
# variance (the square of the standard deviation). With 8 channels these are the 32 in the table
# above.
#
# ## Into the network
#
# Now we follow a slice through the trained network and look at one channel on each level, the one
# that varies most. `keras.Model(input, outputs)` gives us what we need: the same layers with the
# same weights, but its outputs are the maps in between.

# %%
stages = ["down0", "down1", "down2", "down3", "bottom", "up3", "up2", "up1", "up0"]
inner = [model.get_layer(f"{stage}_relu2").output for stage in stages]
look = keras.Model(model.input, [*inner, model.output])
seen = look(small[np.newaxis, ..., np.newaxis], training=False)
seen = [keras.ops.convert_to_numpy(m)[0] for m in seen]  # each (AP, SI, channels)
liveliest = [m[..., m.std(axis=(0, 1)).argmax()] for m in seen]

# %%
titles = [f"{stage}\n{m.shape[0]} × {m.shape[1]} × {m.shape[2]}"
          for stage, m in zip([*stages, "probability"], seen, strict=True)]  # fmt: skip
figures["feature_maps"] = plotting.contrast_grid(
    dict(zip(titles, liveliest, strict=True)), case.spacing, columns=5
)
alt = (
    "One feature map of each level of the spine U-Net. Above, the way down: sharp at first, then "
    "coarser and coarser. Below, the way up: finer again, and at the end the probability of spine."
)
plotting.show(figures["feature_maps"], alt)

# %% [markdown]
# Above, from left to right, is the way down: the maps become small and many. On the coarsest you
# will hardly recognise the slice, but each of its pixels has seen a large part of the body. Below
# is the way up: the maps become sharp again, thanks to what comes over the skips.
#
# (The chequered pattern in `up0` comes from the doubling, which fills 2 × 2 pixels with four
# different sums.)
#
# What are the skips worth? Let us cut one at a time. On each level, the layer `up…_conv1` takes in
# the channels of the skip first and then those from below. If its weights for the skip are zero,
# nothing comes over it:


# %%
def without_skip(level):
    """Probability of spine, by a copy of the network in which one skip is cut."""
    copy = weights.load_model(shipped.find("spine")).model
    layer = copy.get_layer(f"up{level}_conv1")
    kernels, offsets = layer.get_weights()  # kernels: 3, 3, channels in, channels out
    kernels[:, :, : config.base * 2**level] = 0
    layer.set_weights([kernels, offsets])
    return keras.ops.convert_to_numpy(copy(small[np.newaxis, ..., np.newaxis]))[0, ..., 0]


# %%
cuts = {"all skips": by_keras}
cuts |= {f"without that of level {level}": without_skip(level) for level in range(config.levels)}
cuts = {f"{title}\nDice {metrics.dice(answer >= 0.5, true_small):.3f}": answer
        for title, answer in cuts.items()}  # fmt: skip
figures["skip"] = plotting.contrast_grid(cuts, case.spacing, limits=(0, 1), columns=5)
alt = f"Probability of spine for the same slice: {', '.join(cuts)}.".replace("\n", ", ")
plotting.show(figures["skip"], alt)

# %% [markdown]
# Level 0 is the finest. Did you expect it to matter most? A spine has a smooth outline, so this
# network hardly misses the finest pixels, but it fails without the coarser skips. (It was trained
# with all of them and relies on them. A network that is trained without a skip may find another
# way; the package has one for discs, `no_skips`.)
#
# ## Further: how good could it be?
#
# A network that sees averaged slices can only answer in blocks of as many pixels. How good would a
# perfect one be? We average the *true* mask, cut it at one half, and enlarge it again:

# %%
for side in (1, 2, 4, 8):
    blocks = shrink(true, side) >= inference.THRESHOLD
    best = metrics.dice(enlarge(blocks, side, case.shape), true)
    print(f"{side} × {side} pixels: at best {best:.3f}")

# %% [markdown]
# We average the slices here because a region of interest need not be sharp, and a step of training
# then takes only a fraction of the time.
#
# ## The region of interest
#
# What do we do with the spine? The mask is widened by a **margin** in millimetres, so that a
# bulging disc is not cut off. Outside it the image becomes zero. The margin has a price:

# %% [markdown]
# ## Exercise 4 (6 minutes)
#
# Take the *true* spine of this scan, `true`. What share of all voxels is kept with a margin of 0
# mm, and what share with 15 mm? Put both into a list: `shares = [without margin, with 15 mm]`.
#
# Hint: `region_around(true, case.spacing, experiment.tile[0], margin)` gives a region with a
# `mask`, an array of `True` and `False`.

# %% tags=["solution"]
### BEGIN SOLUTION
regions = [region_around(true, case.spacing, experiment.tile[0], margin) for margin in (0.0, 15.0)]
shares = [region.mask.mean() for region in regions]
### END SOLUTION

# %% tags=["test"] points=2
far = ndimage.distance_transform_edt(~true, sampling=case.spacing)
kept = np.array([true.mean(), (far <= 15 + 1e-3).mean()])
in_pixels = (ndimage.distance_transform_edt(~true) <= 15).mean()
exercises.check(
    shares, kept, tolerance=0.001,
    mistakes={
        "per cent? a share lies between 0 and 1": 100 * kept,
        "the two are exchanged: without a margin comes first": kept[::-1],
        "both have no margin": kept[[0, 0]],
        "both have a margin of 15 mm": kept[[1, 1]],
        "those are numbers of voxels; divide by the number of all voxels": kept * true.size,
        "15 pixels are not 15 mm": np.array([kept[0], in_pixels]),
        "one slice, not the scan": np.array([true[k].mean(), (far[k] <= 15 + 1e-3).mean()]),
    },
)  # fmt: skip

# %% [markdown]
# The margin keeps a good deal of background, but it is worth it, as Exercise 5 will show. The band
# of the slice that holds the region is cut into **tiles**, small rectangles on which the disc
# network works. This is Fig. 1 of the paper, for a test patient and with the spine network of that
# fold:

# %%
spine = None
if uses_network:
    of_fold = spine_stage.network(experiment, fold)
    spine = spine_stage.find_spine(of_fold.model, experiment, case)
    print(f"spine found in this scan: Dice {metrics.dice(spine, true):.3f}")

# %%
region = region_of(spine, case.shape, case.spacing, experiment.tile, options.margin)
grid = TileGrid(case.shape, experiment.tile, region.window)
print(f"{len(grid.positions)} tiles, band of {region.window[1] - region.window[0]} pixels")

# %%
figures["overview"] = paper_figures.region_overview(
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
# This network had far fewer steps of training than the one that comes with the package. If its mask
# is poor, the region is poor too; if it finds nothing, the whole image is kept. The printed Dice
# tells you which of these you are looking at.

# %% [markdown]
# ## Exercise 5 (4 minutes)
#
# The region of interest can be too large or too small. Which of the two lowers the final Dice of
# the discs more, and why can the second network not repair it?
#
# Hint: what does the disc network see outside the region?

# %% [markdown] tags=["written"] points=2
# ### BEGIN SOLUTION
# Too small costs more (1 point): what lies outside the region is set to zero, so a disc voxel that
# was left out is lost whatever the second network does; it may still reject background that was
# kept (1 point).
# ### END SOLUTION

# %% [markdown]
# ## Check

# %%
assert np.isclose(your_score, library_score), "your dice and the library's agree"
assert np.isclose(*dices), "the network finds the same spine with your first layer"
assert np.allclose(normalised, keras_says, atol=1e-2)
assert region.window[1] - region.window[0] >= min(experiment.tile[0], case.shape[1])
if uses_network:
    assert spine.shape == case.shape and spine.dtype == bool
    assert set(scores["case"]) == set(experiment.cases), "each scan is tested once"
    assert len(histories) == len(experiment.folds)
print("✅ this lesson ran as it should: Dice, first layer, region and scores")
exercises.tally(4)

# %%
folder = experiment.folder / "figures"
plotting.save({f"02_{key}": figure for key, figure in figures.items()}, folder)
if uses_network:
    files.write_csv(folder / "02_spine_dice.csv", scores[["fold", "subject", "case", "dice"]])
print("saved:", ", ".join(sorted(path.name for path in folder.glob("02_*"))))

# %% [markdown]
# ## What we have done
#
# Two functions were yours to write: the Dice overlap, and a convolution that can compute the first
# layer of a trained network. So how does a network see both the surroundings and the exact border,
# with 3 × 3 pixels at a time? It halves the picture until 3 × 3 pixels span much of the body, and
# gets the fine borders back over the skips. We trained a U-Net for each fold, scored it on people
# whom it had not seen, and cut the region of interest.
#
# **Limits against the paper.** The paper does not say which masks of the spine it trained on, how
# wide the margin is, or how good the network was. Our phantom brings a true mask; for data with
# disc labels only, a tube around the discs stands in for it. Our network sees coarser slices
# (averaged pixels), which is faster.
#
# **Next:** 03 takes the disc network apart, and puts it together from your own layers.

# %% [markdown]
# # 03 · FDS-CNN: build the disc network from your own layers
#
# > **You will be able to:** count the weights of a plain and of a separable convolution · say what
# > dilation brings and what a hole is · write a separable convolution and an Xception module that
# > work in a trained network · tell what the paper says from what we chose
# >
# > **Needs:** 02 · **Study time:** 75 minutes, 45 of them for writing
# >
# > **Paper:** Sect. 2.2, 3.2, Fig. 2 · **Data:** one scan of the built-in phantom,
# > or of the folder in `data_dir`
#
# FDS-CNN stands for *fully dilated separable convolutional neural network*. Every word of that name
# is explained below. At the end, a network made of *your* layers takes trained weights and finds
# the discs.

# %% tags=["parameters"]
profile: str = "smoke"  # test, smoke, laptop or paper
data_dir: str = ""  # folder with scans; empty: the built-in phantom
name: str = ""  # name of the experiment; empty: the name of the profile
reports_dir: str = ""  # where experiments are kept; empty: reports/ of the checkout
seeds: int = 0  # trainings of each kind; 0: as many as the profile says
student: str = ""  # your name or number: some exercises then use your own inputs

# %% [markdown]
# **The question of this lesson:** the U-Net halves the picture to see more of it at once, and so it
# loses detail. The paper wants to see just as much but halve the picture only once. How can nine
# weights look further without a smaller picture, and what might they overlook?
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
from ivdlib.course.own.places import take_weights
from ivdlib.course.own.rates import check_rates
from ivdlib.errors import IvdlibError
from ivdlib.evaluation import metrics
from ivdlib.networks import cost
from ivdlib.networks.xception import BLOCKS, SHORTCUTS, WIDTHS
from ivdlib.preprocessing import fusion
from ivdlib.progress import track
from ivdlib.report import architecture, diagrams, network_drawings, plotting
from ivdlib.training import one_scan, shipped, spine_of_scan, weights
from ivdlib.training.deviations import deviations
from ivdlib.training.experiment import of_parameters

# %%
experiment = of_parameters(profile, data_dir, name, reports_dir, seeds)
size = experiment.profile.size
config = networks.config_of("fds_cnn", size)
rng = np.random.default_rng(0)
figures = {}
print(f"Experiment in {experiment.folder.name}/: {experiment.label()}; network size: {size}")

# %% [markdown]
# ## Separable: fewer weights
#
# Pictures inside a network have many **channels** (*feature maps*). A plain 3 × 3 convolution has a
# kernel of nine weights for *each pair* of a channel that comes in and a channel that goes out. A
# **depthwise separable** convolution does the job in two steps. First it filters each channel alone
# over nine places (*depthwise*: one kernel for each channel). Then it mixes all channels at a
# single place (*pointwise*, a 1 × 1 convolution: one weight for each pair).

# %%
case = next(iter(experiment.cases.values()))
first = experiment.contrasts[0]
k = plotting.middle_slice(case.discs)
near = plotting.around(case.discs[k], 15)
inputs = {title: image[k][near] for title, image in fusion.single(case).items()}
borders = np.array([[-1, -2, -1], [0, 0, 0], [1, 2, 1]])
kernels = {"in front, behind": borders, "above, below": borders.T, "mean": np.full((3, 3), 1 / 9),
           "sharper": np.array([[0, -1, 0], [-1, 5, -1], [0, -1, 0]])}  # fmt: skip

# %%
steps = {
    f"{channel}: {title}": ndimage.correlate(image, kernel)
    for (channel, image), (title, kernel) in zip(inputs.items(), kernels.items(), strict=False)
}
steps["one sum of all"] = sum(w * v for w, v in zip((1, -1, 2, 1), steps.values(), strict=False))
figures["separable"] = plotting.contrast_grid(steps, case.spacing, columns=5)
alt = f"Close-ups of the spine: {', '.join(steps)}. The sum shows something of each of the others."
plotting.show(figures["separable"], alt)

# %% [markdown]
# Here the contrasts of a scan play the part of channels. All pictures but the last show the
# depthwise step: each channel has its own kernel. The last one shows the pointwise step: one weight
# for each channel, and the sum is *one* new channel. For 64 new channels, 64 such sums are made of
# the same few pictures. A plain convolution would filter each channel anew for each of the sums. In
# NumPy each of the two steps is one line, and Keras agrees:

# %%
layer = keras.layers.SeparableConv2D(5, 3, padding="same", use_bias=False)
noise = rng.normal(size=(1, 12, 12, 4)).astype("float32")  # one picture with four channels
by_keras = keras.ops.convert_to_numpy(layer(noise))[0]
depthwise, pointwise = (keras.ops.convert_to_numpy(w) for w in layer.weights)
each = [ndimage.correlate(noise[0, ..., c], depthwise[..., c, 0], mode="constant")
        for c in range(4)]  # depthwise: every channel with its own kernel  # fmt: skip
by_hand = np.stack(each, axis=-1) @ pointwise[0, 0]  # pointwise: a weighted sum of the channels
print(f"largest difference between hand and Keras: {np.abs(by_hand - by_keras).max():.1e}")

# %% [markdown]
# What does it save?

# %% [markdown]
# ## Exercise 1 (4 minutes)
#
# A separable 3 × 3 convolution takes 64 channels in and gives 128. How many weights does it have,
# without offsets (biases)? Work it out on paper.
#
# Hint: the depthwise step does not know how many channels come out.

# %% tags=["solution"]
### BEGIN SOLUTION
count = 3 * 3 * 64 + 64 * 128
### END SOLUTION

# %% tags=["test"] points=2
asked = keras.layers.SeparableConv2D(128, 3, use_bias=False)
asked.build((None, 32, 32, 64))
exercises.check(
    count, asked.count_params(),
    mistakes={
        "you counted a plain convolution, which has nine weights for each pair": 9 * 64 * 128,
        "the depthwise step has nine weights for each channel that comes IN": 9 * 128 + 64 * 128,
        "each channel that comes in has one kernel, whatever comes out; the second step has one "
        "weight for each pair": 9 * 64 + 9 * 128,
        "nine weights for all channels together? each channel has nine of its own": 9 + 64 * 128,
        "that is the pointwise step alone": 64 * 128,
        "that is the depthwise step alone": 9 * 64,
        "you counted the offsets too": asked.count_params() + 128,
    },
)  # fmt: skip

# %% [markdown]
# Here are the numbers for as many channels out as in:

# %%
counts = []
for channels in (16, 64, 256, 728):
    plain = keras.layers.Conv2D(channels, 3, use_bias=False)
    separated = keras.layers.SeparableConv2D(channels, 3, use_bias=False)
    for layer in (plain, separated):
        layer.build((None, 32, 32, channels))
    counts.append((channels, plain.count_params(), separated.count_params()))
counts = pd.DataFrame(counts, columns=["channels", "plain", "separable"])
counts["times less"] = (counts["plain"] / counts["separable"]).round(1)
display(counts)

# %% [markdown]
# The paper says "8 to 9 times" less to compute; the ratio is the same for weights and for
# multiplications. By hand it is `9·c·c / (9·c + c·c) = 9·c / (9 + c)`, which comes near nine only
# if there are many channels `c`.
#
# ## Dilated: a wider view
#
# **Dilation** pulls the nine places apart. With *rate* 2 the convolution takes every second pixel:
# it sees further with the same nine weights, and the picture keeps its size. (You have written this
# in lesson 02: it is the `rate` of your `convolve`.) What one output pixel can see is its
# **receptive field**. Here are the fields of three convolutions, one after the other. Orange: the
# output pixel. Darker blue: seen in more ways. White: never seen.

# %% tags=["card"]
stacks = [(1, 1, 1), (2, 2, 2), config.rates[-1]]
explorer = viewer.receptive_field(stacks)
figures["dilation"] = explorer.figure()
explorer

# %% [markdown]
# Rates 1, 1, 1 see little. Rates 2, 2, 2 see further, but leave **holes**, pixels that are never
# seen, as if you looked through a grid (hence the name *gridding*). Rates 1, 2, 5 see further still
# and leave no hole. The sliders change the rates (first choose which of the three stacks). Keep a
# question in mind while you play: how wide can three convolutions see, at most, without a hole? You
# will find the answer at the end of the lesson.

# %% [markdown]
# ## Exercise 2 (3 minutes)
#
# Three 3 × 3 convolutions with the rates 1, 2 and 4 follow each other. How many pixels wide is the
# receptive field?
#
# Hint: each one reaches as many pixels to each side as its rate.

# %% tags=["solution"]
### BEGIN SOLUTION
wide = 1 + 2 * (1 + 2 + 4)
### END SOLUTION

# %% tags=["test"] points=2
exercises.check(
    wide, len(diagrams.coverage((1, 2, 4))),
    mistakes={
        "you added the widths of the three; the second one begins where the first one ends, so "
        "add what each adds on both sides": 3 + 5 + 9,
        "to one side only? a convolution reaches to both": 1 + 1 + 2 + 4,
        "rate 4 alone reaches that far; the others add to it": 9,
        "1 + 2 + 4 counts one side only, and not the pixel itself (7 is also the width without "
        "dilation, which would be rates 1, 1 and 1)": 1 + 2 + 4,
        "the pixel itself is missing": 2 * (1 + 2 + 4),
        "that is how many pixels it sees, not how wide it is": len(diagrams.coverage((1, 2, 4)))**2,
    },
)  # fmt: skip

# %% [markdown]
# ## Exercise 3 (5 minutes)
#
# With rates 2, 2, 2 the field has holes. Find three rates, none of them above 3, that reach at
# least as far as 2, 2, 2 (13 pixels) and leave no hole.
#
# Hint: try some with `diagrams.coverage(rates)`; it counts, for each pixel, in how many ways it is
# seen.

# %% tags=["solution"]
### BEGIN SOLUTION
rates = (1, 2, 3)
### END SOLUTION

# %% tags=["test"] points=2
check_rates(rates, number=3, highest=3, least=13)

# %% [markdown]
# ## The brick: separable and dilated
#
# Now you build it. A Keras layer is made and then called, in one line: `y = keras.layers.ReLU()(x)`
# makes a ReLU and calls it on the map `x`; `y` is the map that comes out. No numbers flow yet:
# Keras only notes which layer follows which, and the weights come later.

# %% [markdown]
# ## Exercise 4 (12 minutes)
#
# Write `separable(x, filters, rate)` with four layers, each called on the result of the one before:
#
# 1. A **depthwise** convolution, `DepthwiseConv2D`, with kernel size 3. It is the one that is
#    dilated (`dilation_rate`). `padding="same"` puts zeros around the map, so that its size stays
#    the same.
# 2. `BatchNormalization`, with Keras's own settings.
# 3. The **pointwise** convolution, a `Conv2D` with `filters` channels and kernel size 1.
# 4. `BatchNormalization` again.
#
# Both convolutions get `use_bias=False`: an offset would be useless, because the normalisation
# after it removes it and has its own. There is no ReLU here; it comes in the next exercise.


# %% tags=["solution"]
def separable(x, filters, rate):
    """Depthwise 3 × 3 (dilated), normalisation, pointwise 1 × 1, normalisation."""
    ### BEGIN SOLUTION
    how = {"padding": "same", "dilation_rate": rate, "use_bias": False}
    each_alone = keras.layers.DepthwiseConv2D(3, **how)(x)
    each_alone = keras.layers.BatchNormalization()(each_alone)
    mixed = keras.layers.Conv2D(filters, kernel_size=1, use_bias=False)(each_alone)
    y = keras.layers.BatchNormalization()(mixed)
    ### END SOLUTION
    return y


# %% tags=["test"] points=4
own.check(separable, student=student)

# %% [markdown]
# The check gave your layers some weights and compared their output with that of the library's
# layer. Now the real thing: an FDS-CNN that was trained on other people comes with the package. We
# build the same network anew, but with *your* `separable` in every place where it fits. Then each
# of your layers takes the trained weights that belong to its place. (If yours has not passed its
# check, all layers are the library's, and no number goes into yours.)

# %%
trained = weights.load_model(shipped.find("fds_cnn"))
tile = tuple(trained.passport["tile"])
shipped_config = networks.config_from_dict("fds_cnn", trained.passport["config"])

# %%
with own.plugged(separable):
    with_bricks = networks.build("fds_cnn", shipped_config, (*tile, 1))
number = take_weights(with_bricks, trained.model)
print(f"{number:,} trained numbers went into your layers")

# %%
plane = fusion.single(case)[first][k]
starts = [max(0, (side - t) // 2) for side, t in zip(plane.shape, tile, strict=True)]
here = tuple(slice(start, start + t) for start, t in zip(starts, tile, strict=True))
seen = np.zeros((1, *tile, 1), np.float32)
part = plane[here]
seen[0, : part.shape[0], : part.shape[1], 0] = part
answers = {
    "built of these bricks": keras.ops.convert_to_numpy(with_bricks(seen))[0, ..., 0],
    "the library's network": keras.ops.convert_to_numpy(trained.model(seen))[0, ..., 0],
}

# %%
panels = {"a tile": seen[0, ..., 0], **answers}
figures["bricks"] = plotting.contrast_grid(panels, case.spacing, columns=3)
alt = "A tile; the probability of disc by the network of these bricks; the same by the library's."
plotting.show(figures["bricks"], alt)
brick_difference = float(np.abs(np.subtract(*answers.values())).max())
print(f"largest difference between the two: {brick_difference:.0e}")

# %% [markdown]
# ## The body: modules of Xception
#
# **Xception** is a network made of separable convolutions in **modules**. A module holds three of
# them and a **shortcut**, a way around them: what goes in is added to what comes out. So a module
# only has to learn what to *change*, and a signal can pass through many modules without fading. If
# the number of channels changes, the two cannot be added as they are. Then the shortcut has a 1 × 1
# convolution with its normalisation (`conv`); otherwise `x` itself is added (`sum`). A ReLU comes
# *before* each separable convolution, so that the sum at the end is not cut at zero.

# %%
widths = tuple(shipped_config.channels(w) for w in WIDTHS[BLOCKS.index("entry1")])
figures["module"] = network_drawings.xception_module(widths, (1, 2, 5), "conv")
alt = (
    "A module: x goes through three times a ReLU and a separable convolution, with rates 1, 2 and "
    "5; below, a 1 by 1 convolution with batch normalisation leads around them; both are added."
)
plotting.show(figures["module"], alt)

# %% [markdown]
# ## Exercise 5 (20 minutes)
#
# Write `xception_module(x, widths, rates, shortcut)`. `widths` and `rates` have three numbers each.
#
# 1. For each width and its rate, call a ReLU and then your `separable`. The first ReLU is called on
#    `x`, each further one on the result before. Keep the result of each `separable` in a list,
#    `outputs`.
# 2. The way around also begins at `x`, before any ReLU. If `shortcut` is `"conv"`, it is a `Conv2D`
#    with the last of the widths and kernel size 1, without offsets, followed by a
#    `BatchNormalization`. If `shortcut` is `"sum"`, it is `x` itself.
# 3. Replace the last of the outputs by the sum of itself and the way around:
#    `keras.layers.Add()([one, other])`.
#
# The function returns all three outputs, because one of FDS-CNN's skips begins inside a module.


# %% tags=["solution"]
def xception_module(x, widths, rates, shortcut):
    """Three times a ReLU and a separable convolution, and a way around: three outputs."""
    ### BEGIN SOLUTION
    outputs = []
    inside, around = x, x
    for width, rate in zip(widths, rates, strict=True):
        active = keras.layers.ReLU()(inside)
        inside = separable(active, width, rate)
        outputs.append(inside)
    if shortcut == "conv":
        around = keras.layers.Conv2D(widths[-1], kernel_size=1, use_bias=False)(x)
        around = keras.layers.BatchNormalization()(around)
    outputs[-1] = keras.layers.Add()([inside, around])
    ### END SOLUTION
    return outputs


# %% tags=["test"] points=5
own.check(xception_module, student=student)

# %% [markdown]
# ## A network of your modules
#
# Now FDS-CNN is built with your modules, as soon as they have passed their check, and takes the
# trained weights. How often does the *library* call your functions? There are six modules, so it
# calls `xception_module` six times. Each of them calls your `separable` three times by itself; the
# library calls it only once more, for the second convolution of the network.
#
# Fewer than half of the trained numbers go into your layers. The others belong to layers that are
# of another kind: the first convolution, which halves the picture; the last three of the body and
# those of the pyramid and the decoder, which have a ReLU between their two steps; and a few 1 × 1
# convolutions. You will meet them below.

# %%
with own.plugged(separable, xception_module):
    built = networks.build("fds_cnn", shipped_config, (*tile, 1))
number = take_weights(built, trained.model)
print(f"{number:,} of {built.count_params():,} trained numbers went into your layers")

# %% [markdown]
# This network segments a whole scan, and so does the library's own. Nothing is trained here, but it
# takes about a quarter of a minute.

# %%
yours = weights.Network(built, trained.passport)
spine, _ = spine_of_scan.spine_beside(trained, shipped.find("fds_cnn"))
masks = {}
both = {"built of these modules": yours, "the library's": trained}
for title, network in track(both.items(), "looking for discs", len(both)):
    try:
        masks[title] = one_scan.predict_case(network, case, spine=spine, contrast=first)
    except IvdlibError as error:  # images of a kind that it does not know
        print(error)

# %%
dices = {title: metrics.dice(mask, case.discs) for title, mask in masks.items()}
for title, score in dices.items():
    print(f"{title}: Dice of the discs {score:.3f}")
if masks:
    seen = {f"{title}\nDice {dices[title]:.3f}": mask[k][near] for title, mask in masks.items()}
    outlines = {title: {"truth": case.discs[k][near], "found": mask}
                for title, mask in seen.items()}  # fmt: skip
    planes = dict.fromkeys(seen, case.contrasts[first][k][near])
    figures["yours"] = plotting.contrast_grid(planes, case.spacing, outlines, columns=2)
    alt = f"Discs found in a slice and their truth, twice: {', '.join(seen)}.".replace("\n", ", ")
    plotting.show(figures["yours"], alt)

# %% [markdown]
# The two agree. (Does this prove anything? If you leave out a ReLU, or use a rate of 4 instead of
# 5, the weights still fit, because neither of these has weights. But the check above refuses the
# module.)
#
# ## The body, module by module
#
# The paper makes three changes to Xception. All convolutions are separable and dilated, with
# different rates. There is only **one down-sampling**, a convolution with *stride* 2: it computes
# every second pixel and so halves the picture. And there are half as many feature maps; our smaller
# sizes have even fewer. The *entry flow* has three modules. In the *middle flow* one module is
# repeated. The *exit flow* has one more module, and then three convolutions without a shortcut.

# %%
body = pd.DataFrame(
    {
        "module": block, "times": config.middle_units if block == "middle" else 1,
        "feature maps": " ".join(str(config.channels(w)) for w in widths),
        "stride": " ".join(map(str, strides)), "rates": " ".join(map(str, rates)), "shortcut": way,
    }
    for block, widths, strides, rates, way in zip(
        BLOCKS, WIDTHS, config.strides, config.rates, SHORTCUTS, strict=True
    )
)  # fmt: skip
display(body)

# %% [markdown]
# How far does it see? Here is the receptive field after some of its convolutions:

# %%
network = networks.build("fds_cnn", config, input_shape=(*experiment.tile, 1))
layers = cost.layer_table(network).set_index("name")  # a row for each convolution of the network
shown = layers.filter(regex="conv|entry.*sep3|middle.*1_sep3|exit.*sep3|decoder2", axis=0)
columns = {"kind": "kind", "output": "map (AP, SI, channels)", "receptive_field": "field (side)"}
display(shown[list(columns)].rename(columns=columns))
field = layers["receptive_field"].iloc[-1]
print(f"the last of {len(layers)} convolutions sees {field} × {field} pixels")
print(f"a tile has {experiment.tile[0]} × {experiment.tile[1]}")

# %% [markdown]
# Read the table from top to bottom: after the first convolution the map never shrinks again, but
# the field keeps growing. In the end it is *larger than the tile*. What lies outside a tile does
# not exist for the network; it sees zeros there. So each output pixel can see the whole tile, and
# an even wider view would add nothing.
#
# ## Further: what does a pixel look at?
#
# That a pixel *can* see the whole tile does not mean that it does. One can ask a trained network:
# by how much would its answer at this pixel change if the image changed a little, here or there?
# That is the **gradient** of the answer with respect to the image; a picture of its size is called
# a **saliency map**. This one is the mean over the contrasts of the slice. On the left, a cross
# marks the pixel. On the right, the darker a place, the more it matters for the answer at that
# pixel; half of all that matters lies within the small orange square. The solid frame is what the
# layers could see of the tile. (The enlargement at the end of the network makes the field two
# pixels wider than the table says.)

# %%
try:
    looking = viewer.saliency(case)
    figures["saliency"] = looking.figure()
    display(looking)
except IvdlibError as error:  # a scan of a kind that the networks do not know
    print(error)

# %% [markdown]
# Click a place in the picture, or go there with the arrow keys (with the shift key in larger
# steps); the sliders do the same. **Try it:** stay at one place and compare FDS-CNN with the
# network that was trained without dilation. Which of the two looks further, and how much of its
# field does each of them use?
#
# <details><summary>An answer</summary>
#
# In a disc, FDS-CNN has half of what it looks at within some 25 pixels, while it could see more
# than 300; nine tenths lie within some 70. Without dilation both squares are about two thirds as
# wide. So dilation does make the network look further, but much less far than the table of fields
# suggests: most ways through the layers lead back to places near the pixel. The numbers change from
# place to place; at the end of a tile the network looks away from the edge, for it sees nothing
# beyond.
#
# </details>
#
# ## Pyramid, skips, decoder
#
# What follows the body? Figure 2 of the paper is not available to us; this one is drawn from the
# configuration:

# %%
figures["architecture"] = architecture.architecture(config, experiment.tile)
plotting.show(
    figures["architecture"],
    "Block diagram of FDS-CNN: image, eight modules of the Xception body, spatial pyramid with its "
    "branches, three dashed skips from early modules, decoder, enlargement, probability.",
)

# %% [markdown]
# - The **pyramid** is called ASPP, *atrous spatial pyramid pooling* (*atrous*, from the French for
#   "with holes", is another word for dilated). Five branches look at the same map side by side: a
#   1 × 1 convolution, which sees the place itself; three separable ones with large rates, which see
#   further and further around it; and the mean of the whole map. Their channels are stacked, and a
#   1 × 1 convolution mixes them.
# - **Dropout** then sets a random share of the numbers to zero, in training only, so that the
#   network does not rely on single numbers.
# - The **skips** bring three early, sharper stages back in, as in the U-Net; each passes through a
#   1 × 1 convolution. The first begins inside a module, which is why your module returns three
#   outputs.
# - The **decoder**, two more separable convolutions, refines the result. A 1 × 1 convolution turns
#   its channels into one number for each pixel. The picture is enlarged to twice its size; new
#   pixels are mixtures of their neighbours (*bilinear*). The **sigmoid** turns each number into a
#   probability.
#
# ## Compared with the others
#
# The paper compares with two networks: the U-Net of lesson 02, and **DeepLabv3+**, which is built
# on Xception too and shrinks the picture much more on its way. A **multiply–add** is one product
# that goes into a sum; the work of a convolution is counted in them. The table has two more U-Nets:
# one with as many weights as FDS-CNN, one with as many multiply–adds. FDS-CNN has to beat both
# before we may call it better.

# %%
beside = cost.comparison(experiment.tile, [size]).set_index("network")
multiply_adds = (beside["multiply_adds"] / 1e6).map("{:,.0f} million".format)
display(pd.DataFrame({
    "weights that learn": beside["parameters"].map("{:,}".format),
    "multiply–adds for one tile": multiply_adds,
}))  # fmt: skip

# %% [markdown]
# Few weights do not mean few computations: FDS-CNN keeps its maps large, so each weight is used in
# many more places than in the other two. And how much does each of its separable convolutions save,
# compared with a plain one in the same place?

# %%
saved = cost.savings(network)
display(saved["times"].describe()[["min", "50%", "max"]].round(2).to_frame("times less"))
eight = int((saved["times"] >= 8).sum())
print(f"at least 8 times in {eight} of {len(saved)}; all together", end=" ")
print(f"{saved['standard'].sum() / saved['multiply_adds'].sum():.1f} times")

# %% [markdown]
# So "8 to 9 times" is true only of wide layers: the narrower a network, the further it is from the
# claim. The smallest value, below one, belongs to the very first convolution: it has many kernels
# for its one channel. Read literally, the paper has one kernel there, and then the whole network
# would see the result of a single filter.
#
# ## Trained without a part, or the part cut
#
# What is each part worth? The package brings FDS-CNNs that were **trained without** dilation,
# without skips, without the pyramid, and a U-Net. Leaving out a part before training is called an
# **ablation**. One can also cut a part *after* training, a **lesion**: all rates are set to 1, or
# the maps that the skips or the pyramid bring are set to zero. The other layers still expect what
# is no longer there, and never learnt to do without it.

# %%
try:
    playground = viewer.network_playground(case)
    figures["playground"] = playground.figure()
    display(playground)
except IvdlibError as error:
    print(error)

# %% [markdown]
# Orange, solid: the truth. Blue, dashed: what the network found. On the right, its probability of
# disc. Everything can be changed: who answers, which slice and which mixture of contrasts it sees,
# how much noise lies over it, and from which probability on a pixel is called disc.
#
# **Try it:** choose each *lesion* of FDS-CNN and write down the Dice. Then set the lesion to *none*
# and choose the three networks that were *trained without* the same parts. Would you give the same
# answer to the question what a part is worth?
#
# <details><summary>An answer</summary>
#
# No. If the rates are set to 1 or the skips are cut, the trained network finds hardly anything; it
# survives only the loss of the pyramid. Yet the networks that were trained without one of these
# parts are nearly as good as the whole one, for they found other ways. A lesion shows what *this*
# network relies on, an ablation what networks need. Even this comparison is not quite fair: the
# whole FDS-CNN was trained for 4,000 steps, the other three for 1,500, and this is a single slice.
# Lesson 05 compares networks that were trained alike, on all scans. (An outline around a disc that
# nobody has marked costs Dice, too.)
#
# </details>
#
# ## What the paper leaves open, and what we chose
#
# The text describes ideas, not layers. Each choice below is a field of the configuration, so you
# can try another reading. (*Logits* are the numbers before the sigmoid. *Softmax* turns two numbers
# for each pixel, one for background and one for disc, into two shares that add up to 1.)

# %%
where = layers.index[layers["stride"] > 1]
choices = [
    ("place of the one down-sampling", ", ".join(where), "second or third layer"),
    ("rates", config.rates[-1], "(1, 2, 3); (1, 2, 4); others for each layer"),
    (
        "repeats of the middle module",
        config.middle_units,
        "16 or 8, depending on which Xception is meant",
    ),
    ("rates of the pyramid", config.aspp_rates, "(3, 6, 12); (12, 24, 36)"),
    ('"third layer convolution"', f"convolution {config.first_skip} of entry1", "its last one"),
    ("first convolutions", config.stem, "plain ones, because there is only one channel"),
    ("kernels of the very first", config.stem_depth_multiplier, "1, read literally"),
    ("what is enlarged at the end", config.upsample, "the features before the last layer"),
    ("last layer", config.head, "two channels and softmax"),
]
display(pd.DataFrame(choices, columns=["open", "ours", "other readings"]))

# %% [markdown]
# ## Further: where this experiment differs
#
# The profile `paper` follows the paper most closely. This experiment differs from it as follows:

# %%
different = pd.DataFrame(deviations(experiment))
with pd.option_context("display.max_colwidth", None):
    display(different) if len(different) else print("Nowhere: all is as in the profile `paper`.")

# %% [markdown]
# ## Check

# %%
assert np.allclose(by_hand, by_keras, atol=1e-5)
assert (diagrams.coverage(config.rates[-1]) > 0).all(), "holes in a module"
assert (layers["stride"] > 1).sum() == 1, "only one down-sampling"
assert brick_difference < 1e-4, "a network with your bricks answers as the library's"
assert cost.parameters(built) == cost.parameters(trained.model)
assert len(set(np.round(list(dices.values()), 3))) <= 1, "your network finds the same discs"
print("✅ this lesson ran as it should: no holes, and both networks find the same discs")
exercises.tally(5)

# %%
folder = experiment.folder / "figures"
plotting.save({f"03_{key}": figure for key, figure in figures.items()}, folder)
files.write_json(
    folder / "03_weights.json", {"size": size, "weights": beside["parameters"].to_dict()}
)
print("saved:", ", ".join(sorted(path.name for path in folder.glob("03_*"))))

# %% [markdown]
# ## What we have done
#
# How can nine weights look further without a smaller picture? They move apart. They might overlook
# the pixels in holes, but well-chosen rates leave no holes. Two functions were yours to write: a
# convolution that is split in two, and a module made of it. A trained FDS-CNN can be built of such
# modules, and it finds the discs.
#
# And how wide can three convolutions see without a hole? **27 pixels, with rates 1, 3, 9**: the
# first sees 3 pixels side by side, the second puts three such groups side by side (9), the third
# three of those (27). Each pixel is then seen in exactly one way, so nothing wider can be without
# holes: 3 · 3 · 3 ways cannot cover more than 27 pixels.
#
# **Limits against the paper.** Nobody has published the layers of FDS-CNN; ours is one careful
# reading. The paper's baselines have "fewer channels" than the originals; it does not say how many
# fewer.
#
# **Next:** 04 trains this network.

# %% [markdown]
# # 03 · FDS-CNN: the disc network, piece by piece
#
# > **You will be able to:** count the weights of a plain and of a separable convolution · say what
# > dilation brings and what a hole is · put FDS-CNN together from its parts · tell what the paper
# > says from what we chose
# >
# > **Needs:** 02
# >
# > **Paper:** Sect. 2.2, Fig. 2 · **Data:** one scan of the built-in phantom,
# > or of the folder in `data_dir`
#
# FDS-CNN stands for *fully dilated separable convolutional neural network*. Every word of that name
# is explained below; at the end the network of this experiment is built and measured against two
# others.

# %% tags=["parameters"]
profile: str = "smoke"  # test, smoke, laptop or paper
data_dir: str = ""  # folder with scans; empty: the built-in phantom
name: str = ""  # name of the experiment; empty: the name of the profile
reports_dir: str = ""  # where experiments lie; empty: reports/ of the checkout
seeds: int = 0  # trainings of each kind; 0: as many as the profile says
student: str = ""  # your name or number: some exercises have your own scan then

# %% [markdown]
# **Before you go on:** the U-Net halves the picture to see more of it at once, and loses detail by
# that. The paper wants to see as much and halve only once. How can nine weights look further
# without a smaller picture, and what might they overlook then?
#
# The next cells fetch what this lesson needs and open the experiment.

# %%
import ivdlib  # noqa: F401  first, so that TensorFlow starts without its pages of messages

# isort: split
from dataclasses import replace

import keras
import numpy as np
import pandas as pd
from IPython.display import display
from scipy import ndimage

from ivdlib import files, networks
from ivdlib.course import exercises, viewer
from ivdlib.networks import BilinearUpsampling, cost
from ivdlib.networks.xception import BLOCKS, SHORTCUTS, WIDTHS
from ivdlib.preprocessing import fusion
from ivdlib.report import architecture, diagrams, plotting
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
# Pictures inside a network have many **channels** (*feature maps*). A plain 3 × 3 convolution looks
# at all channels and all nine places at once, and has a table for each pair of a channel that comes
# in and one that goes out. A **depthwise separable** one does it in two steps: first each channel
# alone over nine places (*depthwise*), then all channels at a single place (*pointwise*, 1 × 1).

# %%
case = next(iter(experiment.cases.values()))
k = plotting.middle_slice(case.discs)
near = plotting.around(case.discs[k], 15)
inputs = {name: image[k][near] for name, image in fusion.single(case).items()}
edges = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]])
tables = {"edges along": edges, "edges across": edges.T, "mean": np.full((3, 3), 1 / 9),
          "sharper": np.array([[0, -1, 0], [-1, 5, -1], [0, -1, 0]])}  # fmt: skip

# %%
steps = {
    f"{name}: {title}": ndimage.correlate(channel, table)
    for (name, channel), (title, table) in zip(inputs.items(), tables.items(), strict=False)
}
steps["one sum of all"] = sum(w * v for w, v in zip((1, -1, 2, 1), steps.values(), strict=False))
figures["separable"] = plotting.contrast_grid(steps, case.spacing, columns=5)
alt = f"Close-ups of the spine: {', '.join(steps)}. The sum shows something of each of the others."
plotting.show(figures["separable"], alt)

# %% [markdown]
# Here the contrasts of a scan play the channels. All but the last picture are the depthwise step:
# each channel has one table of its own. The last one is the pointwise step: one weight for each
# channel, and the sum is *one* new channel. For 64 new channels, 64 such sums are made of the same
# few pictures. A plain convolution would filter each channel anew for each sum. Keras does these
# two steps too; in NumPy they are a line each:

# %%
layer = keras.layers.SeparableConv2D(5, 3, padding="same", use_bias=False)
noise = rng.normal(size=(1, 12, 12, 4)).astype("float32")
by_keras = keras.ops.convert_to_numpy(layer(noise))[0]
depthwise, pointwise = (keras.ops.convert_to_numpy(w) for w in layer.weights)
each = [  # depthwise: every channel with its own table
    ndimage.correlate(noise[0, ..., c], depthwise[..., c, 0], mode="constant") for c in range(4)
]
by_hand = np.stack(each, axis=-1) @ pointwise[0, 0]  # pointwise: a weighted sum of the channels
print(f"largest difference between hand and Keras: {np.abs(by_hand - by_keras).max():.1e}")

# %% [markdown]
# What does it save? Keras counts the weights for us, for as many channels out as in:

# %%
counts = []
for channels in (16, 64, 256, config.channels(728)):
    plain = keras.layers.Conv2D(channels, 3, use_bias=False)
    separable = keras.layers.SeparableConv2D(channels, 3, use_bias=False)
    for layer in (plain, separable):
        layer.build((None, 32, 32, channels))
    counts.append((channels, plain.count_params(), separable.count_params()))
counts = pd.DataFrame(counts, columns=["channels", "plain", "separable"])
counts["times less"] = (counts["plain"] / counts["separable"]).round(1)
display(counts.sort_values("channels", ignore_index=True))

# %% [markdown]
# The paper says "8 to 9 times" less to compute; for weights and for multiplications it is the same
# sum. By hand: `9·c·c / (9·c + c·c) = 9·c / (9 + c)`, which comes near nine only where there are
# many channels `c`.

# %% [markdown]
# ## Dilated: a wider view
#
# **Dilation** pulls the nine places apart: with *rate* 2 the convolution takes every second pixel.
# It sees further with the same nine weights, and without shrinking the picture. What one output
# pixel can see is its **receptive field**. Three layers with rate 2 leave **holes**, pixels that
# are never seen, as if one looked through a grid (hence *gridding*); 1, 2 and 5 leave none.
# (Orange: the output pixel. Darker blue: seen on more ways. White: never seen.)

# %%
figures["dilation"] = diagrams.draw_receptive_field([(1, 1, 1), (2, 2, 2), config.rates[-1]])
plotting.show(
    figures["dilation"],
    "Receptive fields of three stacks of three convolutions: rates 1, 1, 1 are dense and small; "
    f"rates 2, 2, 2 leave a pattern of holes; rates {config.rates[-1]} reach far and are dense.",
)

# %% [markdown]
# Try other rates. Can you find three with a wider view than the last ones, and still no holes?

# %%
viewer.receptive_field([(1, 1, 1), (2, 2, 2), config.rates[-1]])

# %% [markdown]
# ## The body: a modified Xception
#
# **Xception** is a network made of separable convolutions in modules. A module has a *shortcut*, a
# way around it, so that the signal can pass unchanged; where the number of channels changes, a 1 ×
# 1 convolution stands on the way around (`conv`), else the two are just added (`sum`). The paper
# makes three changes: all convolutions are dilated, with different rates, and separable; there is
# only **one down-sampling** (a step that halves the picture, *stride* 2); and half as many feature
# maps. Smaller sizes of ours have fewer still.

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
# The library builds the network from such lists. How far does it see?

# %%
quick = replace(config, bn_momentum=0.0)  # normalisations note means and spreads at once: see below
network = networks.build("fds_cnn", quick, input_shape=(*experiment.tile, 1))
layers = cost.layer_table(network)  # a row for each convolution, read off the network
columns = ["name", "kind", "output", "stride", "rate", "receptive_field", "parameters"]
display(layers[columns].iloc[[0, 1, 2, 3, 4, -3, -2, -1]])
seen = layers["receptive_field"].iloc[-1]
print(f"{len(layers)} convolutions; the last one sees a square of {seen} × {seen} pixels,")
print(f"a tile has {experiment.tile[0]} × {experiment.tile[1]}")

# %% [markdown]
# ## Pyramid, skips, decoder
#
# Behind the body stands a **spatial pyramid** (ASPP): branches with different rates look at the
# same place from near and from far and are joined. **Skips** bring three early, sharper stages back
# in. The **decoder** refines, and the picture is enlarged to full size. The output is the
# probability of disc in each pixel. Figure 2 of the paper is not available to us; this one is drawn
# from the configuration:

# %%
figures["architecture"] = architecture.architecture(config, experiment.tile)
plotting.show(
    figures["architecture"],
    "Block diagram of FDS-CNN: image, eight modules of the Xception body, spatial pyramid with its "
    "branches, three dashed skips from early modules, decoder, enlargement, probability.",
)

# %% [markdown]
# ## Put together, cell by cell
#
# Now we build it ourselves. We need two bricks: `three` is a dilated separable 3 × 3 convolution
# with its batch normalisations, `one` is a 1 × 1 convolution with its own. `relu` says where the
# negative numbers are set to zero. The widths are those of Xception; `config.channels` makes them
# smaller. First comes the *stem*, two convolutions, and in it the only down-sampling:

# %%
bricks = config.convolutions()
three, one, maps = bricks.three, bricks.one, config.channels
image = keras.Input((*experiment.tile, 1), name="image")
many = config.stem_depth_multiplier
x = three(image, maps(32), "conv1", stride=2, relu="after", depth_multiplier=many)
stem = three(x, maps(64), "conv2", rate=2, relu="after")
print("image", image.shape[1:], "→ stem", stem.shape[1:])

# %% [markdown]
# A module: three convolutions with rates that leave no holes, and a way around them.


# %%
def module(x, name, widths, around):
    """Three dilated separable convolutions and a shortcut; gives what comes out of each."""
    outputs = [x]
    for n, (width, rate) in enumerate(zip(widths, (1, 2, 5), strict=True), 1):
        y = three(outputs[-1], maps(width), f"{name}_sep{n}", rate=rate, relu="before")
        outputs.append(y)
    if around == "conv":
        x = one(x, maps(widths[-1]), f"{name}_shortcut", relu="none")
    outputs[-1] = keras.layers.add([outputs[-1], x])
    return outputs[1:]


# %% [markdown]
# The *entry flow* has three modules. In the *middle flow* one module is repeated. The *exit flow*
# has one more, and then three convolutions without a shortcut.

# %%
entry1 = module(stem, "entry1", (128, 128, 128), "conv")
entry2 = module(entry1[-1], "entry2", (256, 256, 256), "conv")
entry = module(entry2[-1], "entry3", (728, 728, 728), "conv")[-1]
middle = entry
for unit in range(1, config.middle_units + 1):
    middle = module(middle, f"middle{unit}", (728, 728, 728), "sum")[-1]
print("entry flow", entry.shape[1:], "→ middle flow", middle.shape[1:])

# %%
body_end = module(middle, "exit1", (728, 1024, 1024), "conv")[-1]
for n, (width, rate) in enumerate(((1536, 1), (1536, 2), (2048, 5)), 1):
    body_end = three(body_end, maps(width), f"exit2_sep{n}", rate=rate, relu="inside")
print("exit flow", body_end.shape[1:])

# %% [markdown]
# The pyramid: five branches look at the same place from near and far, the last of them at the mean
# of the whole map. *Dropout* sets a random share of the numbers to zero, in training only, so that
# the network does not rely on single ones.

# %%
branches = [one(body_end, maps(256), "aspp_1x1")]
for n, rate in enumerate((6, 12, 18), 1):
    branches.append(three(body_end, maps(256), f"aspp_sep{n}", rate=rate, relu="inside"))
mean = keras.layers.GlobalAveragePooling2D(keepdims=True)(body_end)
mean = one(mean, maps(256), "aspp_pool")
branches.append(keras.layers.UpSampling2D(body_end.shape[1:3])(mean))
pyramid = one(keras.layers.concatenate(branches), maps(256), "aspp_project")
pyramid = keras.layers.Dropout(config.dropout)(pyramid)
print(len(branches), "branches, joined:", pyramid.shape[1:])

# %% [markdown]
# The skips: three earlier stages, each through a 1 × 1 convolution, stand beside the pyramid. The
# decoder refines, one number a pixel comes out, the picture is doubled, and the *sigmoid* turns any
# number into a probability from 0 to 1.

# %%
early = {"third_layer": entry1[config.first_skip - 1], "entry": entry, "middle": middle}
skips = [one(stage, maps(48), f"skip_{name}") for name, stage in early.items()]
x = keras.layers.concatenate([pyramid, *skips])
for n in (1, 2):
    x = three(x, maps(256), f"decoder{n}", relu="inside")
x = BilinearUpsampling(2)(keras.layers.Conv2D(1, 1, name="logits")(x))
ours = keras.Model(image, keras.layers.Activation("sigmoid")(x))

# %% [markdown]
# Is it the library's network? A fresh network is no good for a comparison: the signal fades on its
# way through so many layers, and it answers one half whatever it sees. So the library's network
# looks at one tile, of random numbers, as in training, and its batch normalisations note means and
# spreads. Then we copy all weights, layer by layer, and show both networks the same tile.

# %%
tile = rng.random((1, *experiment.tile, 1), dtype=np.float32)
network(tile, training=True)
for layer in ours.layers:
    if layer.trainable_weights:
        layer.set_weights(network.get_layer(layer.name).get_weights())
answer_of_tile = keras.ops.convert_to_numpy(network(tile, training=False))
answer_of_ours = keras.ops.convert_to_numpy(ours(tile, training=False))

# %%
stages = {"stem": stem, "entry1": entry1[-1], "entry2": entry2[-1], "entry3": entry,
          "middle": middle, "exit": body_end, "pyramid": pyramid,
          "decoder": ours.get_layer("decoder2").output, "probability": ours.output}  # fmt: skip
display(pd.DataFrame({name: s.shape[1:] for name, s in stages.items()},
                     index=["AP", "SI", "channels"]).T)  # fmt: skip

# %%
print(f"weights: {cost.parameters(ours):,} ours, {cost.parameters(network):,} the library's")
print(f"largest difference: {np.abs(answer_of_ours - answer_of_tile).max():.0e}")
print(f"untrained, both say {answer_of_tile.min():.2f} to {answer_of_tile.max():.2f}: no idea yet")
assert answer_of_tile.std() > 0.001, "a constant answer would make the comparison worthless"

# %% [markdown]
# The same network, then. The picture is halved once, at the very beginning, and has its size from
# there to the last step but one. (Is this check worth something? Change a rate in `module` from 5
# to 4 and run these cells again: the weights still fit, but the answers differ.)
#
# ## Set beside the others
#
# The two networks that the paper compares with: the U-Net of lesson 02, and **DeepLabv3+**, which
# also stands on Xception and shrinks the picture much more on its way. A **multiply–add** is one
# product that goes into a sum; the work of a convolution is counted in them. Two more U-Nets stand
# below: one with as many weights as FDS-CNN, one with as many multiply–adds. Who says that FDS-CNN
# is better has to beat both.

# %%
beside = cost.comparison(experiment.tile, [size]).set_index("network")
multiply_adds = (beside["multiply_adds"] / 1e6).map("{:,.0f} million".format)
display(pd.DataFrame({
    "weights that learn": beside["parameters"].map("{:,}".format),
    "multiply–adds for one tile": multiply_adds,
}))  # fmt: skip

# %% [markdown]
# Few weights do not mean few computations: FDS-CNN keeps its maps large, so each weight is
# used in many more places than in the other two. And how much do its separable convolutions save,
# each of them, against plain ones in the same place?

# %%
saved = cost.savings(network)
display(saved["times"].describe()[["min", "50%", "max"]].round(2).to_frame("times less"))
eight = int((saved["times"] >= 8).sum())
print(f"at least 8 times in {eight} of {len(saved)}; all together", end=" ")
print(f"{saved['standard'].sum() / saved['multiply_adds'].sum():.1f} times")

# %% [markdown]
# So "8 to 9 times" is true of wide layers and of nothing else: the narrower a network, the further
# it is from the claim. The least, below one, is the very first convolution: it takes many filters
# for its one channel, where the paper, read literally, takes one.
#
# ## What the paper leaves open, and what we chose
#
# The text describes ideas, not layers. Each choice below is a field of the configuration, so
# another reading can be tried.

# %%
where = layers.loc[layers["stride"] > 1, "name"]
choices = [
    ("place of the one down-sampling", ", ".join(where), "second or third layer"),
    ("rates", config.rates[-1], "(1, 2, 3); (1, 2, 4); other for each layer"),
    ("repeats of the middle module", config.middle_units, "16 or 8, by the Xception meant"),
    ("rates of the pyramid", config.aspp_rates, "(3, 6, 12); (12, 24, 36)"),
    ('"third layer convolution"', f"convolution {config.first_skip} of entry1", "its last one"),
    ("first convolutions", config.stem, "plain ones, as there is one channel only"),
    ("filters of the very first", config.stem_depth_multiplier, "1, read literally"),
    ("what is enlarged at the end", config.upsample, "the features before the last layer"),
    ("last layer", config.head, "two channels and softmax"),
]
display(pd.DataFrame(choices, columns=["open", "ours", "other readings"]))

# %% [markdown]
# Where this experiment differs from our fullest reading of the paper (profile `paper`):

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
assert cost.parameters(ours) == cost.parameters(network)
assert np.allclose(answer_of_ours, answer_of_tile, atol=1e-5), "ours is the library's network"
assert answer_of_tile.shape == tile.shape
assert answer_of_tile.min() >= 0 and answer_of_tile.max() <= 1
print("✅ separable by hand, no holes, one down-sampling, our network is the library's")

# %% [markdown]
# ## Exercise 1 (5 minutes)
#
# A separable 3 × 3 convolution takes 64 channels in and gives 128. How many weights has it (no
# offsets)? Work it out on paper.
#
# Hint: the depthwise step does not know how many channels come out.

# %% tags=["solution"]
### BEGIN SOLUTION
weights = 3 * 3 * 64 + 64 * 128
### END SOLUTION

# %% tags=["test"] points=2
layer = keras.layers.SeparableConv2D(128, 3, use_bias=False)
layer.build((None, 32, 32, 64))
exercises.check(weights, layer.count_params())

# %% [markdown]
# ## Exercise 2 (5 minutes)
#
# Three 3 × 3 convolutions with the rates 1, 2 and 4 follow each other. How many pixels wide is the
# receptive field?
#
# Hint: each reaches as far as its rate to both sides.

# %% tags=["solution"]
### BEGIN SOLUTION
wide = 1 + 2 * (1 + 2 + 4)
### END SOLUTION

# %% tags=["test"] points=2
exercises.check(wide, len(diagrams.coverage((1, 2, 4))))

# %% [markdown]
# ## Exercise 3 (5 minutes)
#
# With rates 2, 2, 2 the field has holes. Find three rates, none of them above 3, that reach at
# least as far as 2, 2, 2 (13 pixels) and leave no hole.
#
# Hint: try some with `diagrams.coverage(rates)`; it counts for each pixel on how many ways it is
# seen.

# %% tags=["solution"]
### BEGIN SOLUTION
rates = (1, 2, 3)
### END SOLUTION

# %% tags=["test"] points=2
seen = diagrams.coverage(rates) if rates and max(rates) <= 3 else np.zeros(1)
dense = None if rates is None else bool(len(rates) == 3 and len(seen) >= 13 and seen.all())
exercises.check(dense, True, hint="begin with a rate of 1: it fills the gaps of the others")

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
# We split a convolution in two, pulled it apart without leaving holes, built the whole network from
# modules, pyramid, skips and decoder, saw that it is the library's, and counted.
#
# **Limits against the paper.** Nobody has published the layers of FDS-CNN; ours is one careful
# reading. The paper's baselines have "fewer channels" than the originals, by how much it does not
# say.
#
# **Next:** 04 trains this network.

# %% [markdown]
# # 01b · Learning from examples: from a threshold to a network
#
# > **You will be able to:** say what a weight, a loss and a gradient are · work out a gradient by
# > hand and check it · write one step of learning yourself, and let it find discs · say why a
# > network needs surroundings, many kernels, and several layers
# >
# > **Needs:** 01; what a derivative is
# >
# > **Study time:** about 70 minutes, writing included
# >
# > **Paper:** what it takes for granted · **Data:** the built-in phantom (synthetic scans), or the
# > folder in `data_dir`
#
# Nobody can write a formula for what a disc looks like. Programs that find discs *learn* it: they
# start with meaningless numbers and change them, example by example.

# %% tags=["parameters"]
profile: str = "smoke"  # test, smoke, laptop or paper
data_dir: str = ""  # folder with scans; empty: the built-in phantom
name: str = ""  # name of the experiment; empty: the name of the profile
reports_dir: str = ""  # where experiments are kept; empty: reports/ of the checkout
seeds: int = 0  # trainings of each kind; 0: as many as the profile says
student: str = ""  # your name or number: your exercises then have their own numbers

# %% [markdown]
# **The question of this lesson:** how does a program find out by itself which numbers find a disc?
# And what must it be allowed to *see*, so that such numbers exist at all?
#
# The [glossary](glossary.md) explains every term of the lessons. (The next cells are folded: they
# fetch what the lesson needs.)

# %% jupyter={"source_hidden": true}
import ivdlib  # noqa: F401  first, so that TensorFlow starts without its pages of messages

# isort: split
import numpy as np
import pandas as pd
from IPython.display import display

from ivdlib.course import exercises, own, voxels
from ivdlib.errors import IvdlibError
from ivdlib.evaluation import metrics
from ivdlib.preprocessing import fusion
from ivdlib.report import diagrams, learning_figures, plotting
from ivdlib.training import atlas, baselines, engines, one_scan, shipped, spine_of_scan
from ivdlib.training.experiment import of_parameters

# %%
experiment = of_parameters(profile, data_dir, name, reports_dir, seeds)
fold = experiment.folds[0]
train = [experiment.cases[scan] for scan in fold.train]
case = experiment.cases[fold.test[0]]
k = plotting.middle_slice(case.discs)
figures, scores = {}, {}

# %% [markdown]
# We train on the scans in `train` and test on `case`, a scan of a person who is not among them.
#
# ## The simplest program: a threshold
#
# Lesson 01 showed that discs are bright in the water image and dark in the fat image. So let us
# call every voxel *disc* that is brighter (or darker) than one value, the **threshold**. First look
# at the grey values, of discs and of everything else:

# %%
used = [c for c in ("wat", "fat") if c in experiment.contrasts] or [experiment.contrasts[0]]
images = {c.name: fusion.images_of(c.contrasts, tuple(used)) for c in (*train, case)}
truth = np.concatenate([c.discs.ravel() for c in train])
grey = {i: np.concatenate([images[c.name][i].ravel() for c in train]) for i in used}
figures["grey_values"] = learning_figures.grey_values(
    {i: (values[truth], values[~truth]) for i, values in grey.items()}
)
alt = "Histograms of grey values: those of discs lie in the middle of those of everything else."
plotting.show(figures["grey_values"], alt)

# %% [markdown]
# (The tall bars near 0 are cut off. In `wat` they are mostly air. In `fat` most voxels of discs are
# in them, too: a disc is as dark as air there.) Discs do differ from most of the rest, but they
# have few voxels, and some of the rest looks like them. How good is the best threshold? We measure
# with the **Dice** overlap: twice the voxels that are in both masks, divided by the voxels of the
# one plus those of the other. 1 is perfect, 0 means that nothing was found. (You will write it in
# lesson 02.) Of the thresholds 0.05, 0.10, 0.15 and so on we take the one that has the best Dice on
# the training people:

# %%
masks = {}
for image in used:
    masks[image] = baselines.threshold(train, [case], image, images)[case.name]
    scores[f"threshold ({image})"] = metrics.dice(masks[image], case.discs)
    print(f"best threshold on {image}: Dice {scores[f'threshold ({image})']:.3f}")

# %%
planes = {f"threshold on {i}": images[case.name][i][k] for i in used}
marks = {
    title: {"found": masks[i][k], "truth": case.discs[k]}
    for title, i in zip(planes, used, strict=True)
}
figures["threshold"] = plotting.contrast_grid(planes, case.spacing, marks)
alt = "What the best thresholds mark: much of the body, and of the discs only a part."
plotting.show(figures["threshold"], alt)

# %% [markdown]
# A threshold cannot find discs. It is a single number and sees a single grey value. Let us give the
# program more numbers, and a way to find them.
#
# ## A weighted sum, and a chance
#
# The **features** of a voxel are what a program knows about it. Here they are the grey values in
# our images. We multiply each feature by a number of its own, its **weight**, and add up. One more
# weight, the **bias**, is added whatever the features are. To have it in the same sum, we let the
# first feature of every voxel be 1:
#
# `sum = w0 · 1 + w1 · water + w2 · fat`
#
# A positive sum means "disc". How sure are we? The **sigmoid** turns any sum into a number between
# 0 and 1, the **chance** that the voxel is disc: `chance = 1 / (1 + exp(-sum))`. This program is
# called **logistic regression**. Almost every network for segmentation ends with one.
#
# ## How wrong is it? The loss
#
# To improve, a program needs one number that says how wrong it is: the **loss**. Ours is the
# **cross-entropy**. For a voxel that *is* disc it is `-log(chance)`; for one that is not, it is
# `-log(1 - chance)`. Being sure and right costs almost nothing; being sure and wrong costs a lot.

# %%
figures["loss"] = learning_figures.sigmoid_and_loss()
alt = "Left: the sigmoid rises from 0 to 1. Right: the loss is high where chance and truth differ."
plotting.show(figures["loss"], alt)

# %% [markdown]
# ## One voxel by hand
#
# Take one voxel of a disc and three weights that we made up, and compute step by step. (Features
# are scaled so that 0 is the average: this voxel is brighter than average in water, and darker in
# fat.)

# %%
one = np.array([1.0, 0.6, -0.8])  # a one, water, fat
w = np.array([-1.0, 0.5, 0.5])  # bias, weight of water, weight of fat
z = w @ one
p = 1 / (1 + np.exp(-z))
print(f"sum    = -1.0 · 1 + 0.5 · 0.6 + 0.5 · (-0.8) = {z:.3f}")
print(f"chance = 1 / (1 + exp({-z:.3f}))             = {p:.3f}")
print(f"loss   = -log({p:.3f})                       = {-np.log(p):.3f}")

# %% [markdown]
# The chance is only 0.25, although the voxel is disc: these weights are poor. In which direction
# should each of them change?
#
# ## Which way is down? The gradient, by the chain rule
#
# If a weight changes a little, the sum changes; then the chance changes; then the loss. How fast
# one quantity changes with another is a *slope* (the derivative). The **chain rule** says that the
# slope of the whole chain is the *product* of the slopes of its links:
#
# 1. From the chance to the loss `-log(chance)`, the slope is `-1 / chance`.
# 2. From the sum to the chance, the slope is that of the sigmoid, `chance · (1 - chance)`.
# 3. From a weight to the sum, the slope is that weight's feature.

# %%
links = [one[1], p * (1 - p), -1 / p]  # for the weight of water
figures["chain"] = learning_figures.chain(
    {"weight of water": w[1], "sum": z, "chance": p, "loss": -np.log(p)}, links
)
alt = "Four boxes, weight, sum, chance and loss. Values go forward; slopes come back as factors."
plotting.show(figures["chain"], alt)
print(f"product: {links[0]:.3f} · {links[1]:.3f} · {links[2]:.3f} = {np.prod(links):.3f}")

# %% [markdown]
# The product of links 1 and 2 is `-(1 - chance)`, which is `chance - 1`. For a voxel that is *not*
# disc the same steps give `chance - 0`. So for every voxel, with a truth of 1 or 0, the slope for
# each weight is
#
# `(chance - truth) · feature`
#
# The slopes for all weights together are the **gradient**. No logarithm is left, and the formula is
# easy to read: the error times what was seen.
#
# Do not just believe it, check it. Nudge each weight by a millionth and see how much the loss
# changes (this method is called **finite differences**):


# %%
def loss_of(weights):
    return -np.log(1 / (1 + np.exp(-weights @ one)))


by_hand = (p - 1) * one
nudged = [(loss_of(w + 1e-6 * unit) - loss_of(w)) / 1e-6 for unit in np.eye(3)]
rows = ["bias", "weight of water", "weight of fat"]
display(pd.DataFrame({"by hand": by_hand, "by nudging": nudged}, index=rows).round(3))

# %% [markdown]
# The slope of the water weight is negative: a *larger* weight gives a smaller loss. Downhill is
# *against* the gradient, so we subtract it. How far we go is the **learning rate** times the
# gradient. One such change of all weights is a **step**, and learning by such steps is called
# **gradient descent**.

# %%
rate = 1.0
stepped = w - rate * by_hand
print(f"weights {w} -> {stepped.round(3)}, loss {loss_of(w):.3f} -> {loss_of(stepped):.3f}")

# %%
figures["step"] = learning_figures.step_downhill(
    lambda value: loss_of(np.array([w[0], value, w[2]])), w[1], by_hand[1], rate, rows[1]
)
alt = "The loss over the weight of water falls; a step goes down along the slope at its start."
plotting.show(figures["step"], alt)

# %% [markdown]
# (The picture moves the weight of water alone; the printed step moves all three.)

# %% [markdown]
# ## Exercise 1 (5 minutes)
#
# The next cell gives you a voxel that is **not** disc, and weights. Work out the slope of the
# voxel's loss for the weight of **fat** (the last one). Use paper and a calculator, or NumPy.
#
# Hint: first the sum, then the chance, then `(chance - truth) · feature`.

# %%
drawn = np.random.default_rng(exercises.seed(student))
mine = np.array([1.0, *drawn.uniform(0.3, 0.9, 2).round(1)])  # a one, water, fat; not disc
my_weights = np.array([-0.5, *drawn.uniform(0.4, 1.2, 2).round(1)])
print("features", mine, "weights", my_weights)
print(exercises.whose(student))

# %% tags=["solution"]
### BEGIN SOLUTION
my_chance = 1 / (1 + np.exp(-(mine * my_weights).sum()))
slope = (my_chance - 0) * mine[2]
### END SOLUTION

# %% tags=["test"] points=2
_odds = np.exp(my_weights @ mine)
_share = _odds / (1 + _odds)
exercises.check(
    slope,
    _share * mine[2],
    tolerance=0.01,
    mistakes={
        "that is the slope for a voxel that is disc; this one is not": (_share - 1) * mine[2],
        "the sign is wrong: it is chance minus truth, and the truth is 0": -_share * mine[2],
        "that is the error alone; multiply it by the feature": _share,
        "that is the slope for the weight of water; the last weight is that of fat": (
            _share * mine[1]
        ),
        "you multiplied by the weight; multiply by the feature": _share * my_weights[2],
        "you used the sum, not the chance: the sigmoid is missing": my_weights @ mine * mine[2],
        "the factor chance · (1 - chance) has cancelled already": (
            _share**2 * (1 - _share) * mine[2]
        ),
        "the first link of the chain is missing, from the chance to the loss": (
            _share * (1 - _share) * mine[2]
        ),
        "look at the sign in exp: the chance is 1 / (1 + exp(-sum))": (1 - _share) * mine[2],
    },
    hint="compute the sum of all three products first",
)

# %% [markdown]
# ## All voxels at once
#
# Each voxel pulls the weights in its own direction. So we take the **mean** of all losses, and the
# gradient is the mean of all gradients. With all voxels in one table, a row for each, the code is
# only a few lines:
#
# | name | shape | what it is |
# |---|---|---|
# | `features` | (voxels, features) | one row for each voxel; the first column is all ones |
# | `weights` | (features,) | the bias first |
# | `truth` | (voxels,) | `True` for disc |
# | `rate` | a number | the learning rate |
#
# `features @ weights` computes all sums at once, and `features.T @ errors` adds up, for each
# feature, what the voxels say about its weight.

# %% [markdown]
# ## Exercise 2 (20 minutes)
#
# Write one step of gradient descent on the mean cross-entropy: sums, chances, the gradient (a mean
# over the voxels), and the new weights. Return new weights and leave the old ones unchanged.


# %% tags=["solution"]
def logistic_step(weights, features, truth, rate):
    """Weights after one step of gradient descent on the mean cross-entropy."""
    ### BEGIN SOLUTION
    sums = np.dot(features, weights)
    chances = 1 / (1 + np.exp(-sums))
    gradient = features.T @ (chances - truth) / len(truth)
    new_weights = weights - rate * gradient
    ### END SOLUTION
    return new_weights


# %% tags=["test"] points=4
own.check(logistic_step, student=student)

# %% [markdown]
# ## Let it learn
#
# We draw 5,000 voxels from each training scan and bring every feature to mean 0 and spread
# (standard deviation) 1, so that one learning rate suits all of them. In each step the function
# sees some of the voxels, a **batch**. When every voxel has been used once, an **epoch** is over.
# The voxels are then shuffled and dealt again. Whatever learns in this lesson gets 80 epochs.

# %%
step = own.yours(logistic_step)
alone = voxels.draw(train, lambda scan: images[scan.name].values(), 5000)


def learn(drawn, epochs=80, size=2000, rate=1.0):
    """Weights after some epochs, and how the loss fell."""
    weights, curve = np.zeros(drawn.features.shape[1]), []
    for features, truth in voxels.batches(drawn.features, drawn.truth, size, epochs):
        chances = np.clip(1 / (1 + np.exp(-features @ weights)), 1e-9, 1 - 1e-9)
        curve.append(-np.mean(np.where(truth, np.log(chances), np.log(1 - chances))))
        weights = step(weights, features, truth, rate)
    return weights, curve


# %%
curves = {}
weights, curves["grey values"] = learn(alone)
figures["falling"] = learning_figures.losses(curves)
alt = f"The loss falls from {curves['grey values'][0]:.2f} to {curves['grey values'][-1]:.2f}."
plotting.show(figures["falling"], alt)

# %% [markdown]
# The loss falls: the program learns. It does so with your function, if that has passed its check;
# otherwise a line above says that the library's was used. The loss starts at 0.69, which is
# `-log(0.5)`: weights of zero give everything a chance of one half. The curve is jagged because
# each batch has different voxels.
#
# Where does it say "disc"? With two features each voxel is a point in a plane, and all points with
# the same sum lie on a line. We draw the line where the chance is 1 in 20. On its grey side, where
# there is more water and less fat, the chance is higher. (About 2 of 100 voxels are disc, so the
# program seldom has reason to be surer. Below, we use the threshold with the best Dice on the
# training voxels.) The picture shows the part of the plane in which discs lie: a narrow strip at
# the bottom, since discs hold hardly any fat.

# %%
if len(used) == 2:
    early, _ = learn(alone, epochs=3)
    figures["border"] = learning_figures.borders(
        alone.features[:, 1:], alone.truth, [f"{i}, scaled" for i in used],
        {"after three epochs": early, "at the end": weights}, chance=0.05,
    )  # fmt: skip
    alt = "Voxels by water and fat: most disc voxels lie below the line, and so do many others."
    plotting.show(figures["border"], alt)
else:
    print("One contrast only: voxels lie on a line here, and there is no plane to draw.")


# %%
def sigmoid_of(weights):
    """The chances that these weights give."""
    return lambda features: 1 / (1 + np.exp(-features @ weights))


found = {"one voxel": alone.find(sigmoid_of(weights), case)}
by_grey_value = f"logistic regression ({', '.join(used)})"
scores[by_grey_value] = metrics.dice(found["one voxel"], case.discs)
print(f"Dice on the test person: {scores[by_grey_value]:.3f}")

# %% [markdown]
# Learning works: the loss has fallen. Yet compare this Dice with those of the thresholds: next to
# nothing is gained. One reason is that the steps make the loss small, and a small loss is not a
# large Dice. The main reason is that no line through these points *can* be good: other tissue has
# the same grey values. More steps will not help. Other features might.
#
# ## Your function in the place of the library's
#
# Tables in such papers need a row that shows what is possible *without* a network (a **baseline**).
# The library's baseline is a logistic regression with better features: an **atlas** (how often a
# disc lay here in other people), the grey value, and the grey value after smoothing by 1.5 and by
# 3 mm. In the next cell your step fits it (if your function has passed its check), and then the
# library's own method does.
#
# From here on, every program sees one image only. It is the fat image, if there is one: the harder
# one, for in water a disc is simply bright.

# %%
image = used[-1]  # fat, if there is a fat image
atlases = atlas.atlases_of(train, [case])
with own.plugged(logistic_step):
    row = baselines.logistic(train, [case], [image], images, 0, atlases)
by_you = metrics.dice(row[case.name], case.discs)
usual = baselines.logistic(train, [case], [image], images, 0, atlases)
by_library = metrics.dice(usual[case.name], case.discs)
if own.passed(logistic_step):
    print(f"Dice of the baseline on {image}, fitted by your step: {by_you:.3f}")
print(f"Dice of the baseline on {image}, fitted by the library: {by_library:.3f}")

# %% [markdown]
# If your step was used, the two agree closely, but not to the last digit: the library goes downhill
# by another method, on all voxels at once. How good are the atlas alone and a trained network on
# the same scan? A trained FDS-CNN, the network of the paper, comes with the package. It gets the
# same image as the others, but it was trained for much longer.

# %%
scores["atlas (no image)"] = metrics.dice(
    atlas.level_atlas(train, [case], atlases)[case.name], case.discs
)
scores[f"logistic regression with atlas ({image})"] = by_you
weights_file = shipped.find()
network = engines.load_network(weights_file)
spine, _ = spine_of_scan.spine_beside(network, weights_file)
try:
    fds = one_scan.predict_case(network, case, spine=spine, contrast=image)
    scores[f"FDS-CNN of the package ({image})"] = metrics.dice(fds, case.discs)
except IvdlibError as error:  # images of a kind that it does not know
    print(error)

# %%
display(pd.Series(scores, name="Dice").round(3).to_frame())

# %% [markdown]
# (In brackets: the images that the program sees.)
#
# ## Let it look around: one learnt convolution
#
# What distinguishes a disc from other dark places in the fat image? You can see it: *bone marrow
# above, bone marrow below*. So let the features of a voxel be the grey values of **nine** pixels:
# itself and its eight neighbours in the slice. The step is the same, now with ten weights. Nine
# weights that are laid on a pixel and its neighbours are called a **kernel**, and doing this at
# every pixel of a picture is a **convolution**.
#
# Which neighbours? We try pixels next to each other, and pixels that lie further apart:

# %%
learnt, dice_apart = {}, {}
for apart in (1, 2, 4, 8):
    nine = voxels.draw(
        train, lambda scan, n=apart: voxels.neighbours(images[scan.name][image], n), 5000
    )
    learnt[apart], curves[f"nine pixels, {apart} apart"] = learn(nine)
    mask = nine.find(sigmoid_of(learnt[apart]), case)
    dice_apart[apart] = metrics.dice(mask, case.discs)

# %%
table = pd.DataFrame({"Dice": dice_apart})
table.insert(0, "width in mm", [2 * n * case.spacing[2] for n in table.index])
display(table.rename_axis("pixels apart").round(2))

# %%
figures["kernels"] = learning_figures.kernels(
    {f"pixels {n} apart": learnt[n][1:].reshape(3, 3) for n in learnt}
)
alt = "Four learnt 3 × 3 kernels. The wide ones weigh the disc's row against those beside it."
plotting.show(figures["kernels"], alt)

# %% [markdown]
# The kernels are drawn as the slices are: top is up, left is the belly. Nobody told the program
# about vertebrae. Yet in the kernel whose pixels lie 8 apart, the middle row (along the disc) has
# one sign and the rows above and below have the other: it has learnt "*dark here, bright above and
# below*" (in a water image: the other way round). The kernel whose pixels touch is no higher than
# the inside of a disc, so it sees no bone. It learns little more than a blur, and its Dice is about
# that of a single grey value.
#
# This is one half of the answer: **what a program can see decides what it can learn.** This is what
# the wide kernel makes of the slice, and what it marks:

# %%
chance = sigmoid_of(learnt[8])(nine.of_case(case)).reshape(case.shape)
found["nine pixels"] = nine.find(sigmoid_of(learnt[8]), case)
scores[f"one learnt kernel, 8 pixels apart ({image})"] = dice_apart[8]
views = {image: images[case.name][image][k], "chance": chance[k], "found": chance[k]}
marks = {t: {"found": found["nine pixels"][k], "truth": case.discs[k]} for t in ("found",)}
figures["convolution"] = plotting.contrast_grid(views, case.spacing, {"found": marks["found"]})
alt = "A slice, the chance that one learnt kernel gives, and what it marks beside the true discs."
plotting.show(figures["convolution"], alt)

# %% [markdown]
# It marks discs, but also whatever else is dark between two bright places: gaps in the belly, and
# air beside the slanting skin. (In the phantom some marks lie in the air at the upper right. MR
# pictures can fold over: there the uppermost rows show the skin of the lower edge once more, and
# the kernel takes it for bone.)
#
# ## Why many, and why deep
#
# One kernel is one weighted sum, and there are simple things that no weighted sum can say.
# "There is a border here" is one: bright above and dark below, **or** dark above and bright below.
# Try to find weights `a`, `b` and a bias `c` for these four pairs of pixels, so that the sum is
# positive for each "yes" and negative for each "no":

# %%
pairs = pd.DataFrame({"above": [0, 1, 0, 1], "below": [0, 0, 1, 1]})
pairs["border?"] = ["no", "yes", "yes", "no"]
pairs["one sum"] = ["c", "a + c", "b + c", "a + b + c"]
pairs["kernel 1"] = np.maximum(pairs["above"] - pairs["below"], 0)
pairs["kernel 2"] = np.maximum(pairs["below"] - pairs["above"], 0)
pairs["kernel 1 + kernel 2"] = pairs["kernel 1"] + pairs["kernel 2"]
display(pairs)

# %% [markdown]
# It cannot be done. The two "yes" sums add up to `a + b + 2c`, which would have to be positive. The
# two "no" sums add up to the same, which would have to be negative. *Two* kernels can do it, if
# each is followed by something that is not a sum: the **ReLU**, which sets negative numbers to
# zero. The next sum then adds what the two have found. Without the ReLU, a sum of sums would be
# just another sum.
#
# That is a network: kernels, ReLU, and a weighted sum of their results. Each such stage is a
# **layer**. How do the *inner* weights learn? By the chain rule again, with two more links: the
# error goes back through the outer weight and through the ReLU (slope 1 if the sum was positive,
# else 0) to the inner kernel. Going back layer by layer like this is called **backpropagation**:


# %%
def with_one(rows):
    return np.concatenate([np.ones((len(rows), 1)), rows], axis=1)


def two_layer_step(inner, outer, features, truth, rate):
    """One step of a network: kernels, ReLU, a weighted sum, the sigmoid."""
    middle = np.maximum(features @ inner, 0)  # what each kernel finds
    error = (1 / (1 + np.exp(-with_one(middle) @ outer)) - truth) / len(truth)
    back = np.outer(error, outer[1:]) * (middle > 0)  # through outer weight and ReLU
    return inner - rate * features.T @ back, outer - rate * with_one(middle).T @ error


# %%
drawn_weights = np.random.default_rng(1)
inner = drawn_weights.normal(size=(10, 8)) / np.sqrt(5)  # eight kernels, random at first
outer = np.zeros(9)
for features, of_batch in voxels.batches(nine.features, nine.truth, 2000, 80):  # 80 epochs again
    inner, outer = two_layer_step(inner, outer, features, of_batch, 1.0)


# %%
def network_chance(features):
    return sigmoid_of(outer)(with_one(np.maximum(features @ inner, 0)))


found["eight kernels"] = nine.find(network_chance, case)
by_eight = f"eight kernels with ReLU, 8 pixels apart ({image})"
scores[by_eight] = metrics.dice(found["eight kernels"], case.discs)
display(pd.Series(scores, name="Dice").sort_values().round(3).to_frame())

# %% tags=["card"]
marks = {title: {"found": mask[k], "truth": case.discs[k]} for title, mask in found.items()}
planes = dict.fromkeys(marks, images[case.name][image][k])
figures["found"] = plotting.contrast_grid(planes, case.spacing, marks)
alt = "What is found from one voxel's grey values, by one learnt kernel, and by eight with ReLU."
plotting.show(figures["found"], alt)

# %% [markdown]
# The nine pixels, the voxels, the epochs and the rule of learning are the same, but there are eight
# kernels instead of one, and a second layer. FDS-CNN does what this network does, with many more
# kernels and layers.
#
# Layers have one more effect. A pixel of the second layer sees 3 × 3 pixels of the first, each of
# which has seen 3 × 3 pixels itself. Together, all pixels that a result depends on form its
# **receptive field**. It grows with every layer:

# %%
figures["field"] = diagrams.draw_receptive_field([(1,), (1, 1), (1, 1, 1)])
alt = "Receptive fields of one, two and three layers of 3 × 3 kernels: 3, 5 and 7 pixels wide."
plotting.show(figures["field"], alt)

# %% [markdown]
# (The *rates* above the pictures are dilation rates, not learning rates: how far apart the pixels
# of each kernel lie. With 1 they touch. Dark blue pixels are seen most often.)

# %% [markdown]
# ## Exercise 3 (5 minutes)
#
# A disc together with half of each neighbouring vertebra is about 40 mm high. How many layers of
# 3 × 3 kernels (with pixels that touch) does it take until the receptive field is at least 40 mm
# high? The next cell gives you `high`, the height of a pixel in mm. Give a whole number.
#
# Hint: how many pixels does each further layer add, above and below together?

# %%
high = round(float(case.spacing[2]), 4)  # the file holds a number such as 1.24999998
print(f"a pixel is {high} mm high")

# %% tags=["solution"]
### BEGIN SOLUTION
pixels = 40.0 / high
layers = int(np.ceil((pixels - 1) / 2))
### END SOLUTION

# %% tags=["test"] points=2
_fields = [(1 + 2 * n) * high for n in range(1000)]
_enough = next(n for n, mm in enumerate(_fields) if mm >= 40 - 1e-6)
_all_pixels = int(np.ceil(40 / high - 1e-6))
_three = -(-_all_pixels // 3)
exercises.check(
    layers,
    _enough,
    mistakes={
        "you let each layer add three pixels; it adds one above and one below": _three,
        "you let each layer add one pixel; it adds one above and one below": _all_pixels - 1,
        "that is the height in pixels; each layer adds two of them": _all_pixels,
        "you took the 40 for pixels; it is in millimetres": 20,
        "that is one layer short: the field must reach 40 mm": _enough - 1,
    },
    hint="the first layer sees 3 pixels, two layers see 5",
)

# %% [markdown]
# So many layers, only to see one disc and its neighbours! Lessons 02 and 03 show two ways out:
# halve the picture (the U-Net), or spread the kernel as we did above (**dilation**, the idea of the
# paper).

# %% [markdown]
# ## Exercise 4 (5 minutes)
#
# The logistic regression on grey values has a small loss, and 98 of 100 voxels are right if it says
# "no disc" everywhere. Yet its Dice is poor. How can all three be true? And will ten times as many
# steps help? Answer in two or three sentences.
#
# Hint: of which voxels are there most, and what does each of the three numbers count?

# %% [markdown] tags=["written"] points=3
# ### BEGIN SOLUTION
# Only about 2 of 100 voxels are disc; loss and share of right voxels are means over all of them, so
# the many easy voxels elsewhere decide (1 point). The Dice counts only voxels that are disc or are
# called disc, so it shows what was missed (1 point). More steps do not help: the loss has stopped
# falling, and voxels with equal grey values get equal chances whatever the weights; other features,
# such as neighbours, are needed (1 point).
# ### END SOLUTION

# %% [markdown]
# ## Check

# %%
assert np.allclose(by_hand, nudged, atol=1e-4), "the gradient by hand is not the gradient"
first, last = np.mean(curves["grey values"][:3]), np.mean(curves["grey values"][-3:])
assert last < first, "the loss did not fall"
assert abs(by_you - by_library) < 0.1, "your step fits another baseline than the library's"
print("✅ this lesson ran as it should: gradient, learning and the library's baseline")
exercises.tally(3)

# %%
folder = experiment.folder / "figures"
plotting.save({f"01b_{key}": figure for key, figure in figures.items()}, folder)
print("saved:", ", ".join(sorted(path.name for path in folder.glob("01b_*"))))

# %% [markdown]
# ## What we have done
#
# **The answer to the question at the beginning.** A program finds its numbers by steps downhill: it
# computes how wrong it is, the chain rule says how each number should change, and a function such
# as `logistic_step` changes them. Whether good numbers exist depends on what it may see: one grey
# value is worth almost nothing, nine pixels that reach the bones are worth more, and eight kernels
# with a ReLU between two sums much more.
#
# **Limits against the paper.** The paper compares FDS-CNN with other networks, not with rows like
# these; a logistic regression that is far behind says nothing about which network is best. One test
# person is not enough for a comparison: lesson 05 takes all of them.
#
# **Next:** 02 stacks learnt convolutions into a U-Net, which finds the spine.

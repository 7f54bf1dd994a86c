# %% [markdown]
# # 04 · Training: how a network learns
#
# > **You will be able to:** write an augmentation and a training loop, and train a network with
# > them · explain loss, learning rate and Adam · read a learning curve · put tiles back into a scan
# > · say who may decide that a network is good enough
# >
# > **Needs:** 01b, 02, 03 · **Study time:** 75 minutes, 55 of them for writing
# >
# > **Paper:** Sect. 3.1, Fig. 1 and 4 · **Data:** the built-in phantom (synthetic scans), or the
# > folder in `data_dir`
#
# A network begins with random numbers and finds nothing. Then it repeats one small move hundreds or
# thousands of times: look at a few pictures, see how wrong it was, change each weight a little. In
# this lesson you write that move, and you watch a network learn with it.

# %% tags=["parameters"]
profile: str = "smoke"  # test, smoke, laptop or paper
data_dir: str = ""  # folder with scans; empty: the built-in phantom
name: str = ""  # name of the experiment; empty: the name of the profile
reports_dir: str = ""  # where experiments are kept; empty: reports/ of the checkout
seeds: int = 0  # trainings of each kind; 0: as many as the profile says
student: str = ""  # your name or number: some exercises then use your own inputs

# %% [markdown]
# **The question of this lesson:** with every step the network gets better on the pictures that it
# is shown. When has it learnt enough, and how would you know?
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

from ivdlib.course import exercises, own
from ivdlib.report import diagrams, paper_figures, plotting
from ivdlib.training.experiment import of_parameters

# %%
experiment = of_parameters(profile, data_dir, name, reports_dir, seeds)
options, tile = experiment.profile.training, experiment.tile
first = experiment.contrasts[0]
figures = {}
print(f"Experiment in {experiment.folder.name}/: {experiment.label()}")

# %% [markdown]
# ## Who trains the network, and who tests it
#
# Lesson 01 divided the people into folds. In each fold the network is trained on some people and
# tested on the others. The scans of the others are kept away from everything that follows until the
# training is done.

# %%
fold = experiment.folds[0]
inner = fold.inner()  # the training people again, one of them set aside
case, watched, test_scan = (
    experiment.cases[names[0]] for names in (inner.train, inner.test, fold.test)
)
for what, names in {
    "trained on": inner.train, "set aside, to be watched": inner.test, "tested": fold.test,
}.items():  # fmt: skip
    print(f"{what}: person", ", ".join(sorted({fold.subjects[c] for c in names})))

# %% [markdown]
# There are three groups, because you will *watch* your network while it learns, on a person whom it
# does not train on. This cannot be somebody from the test side. Whoever watches also decides: you
# stop when the picture looks good, and you keep the learning rate that looked best. A person whom
# you chose by can no longer tell you how good the network is on new people. So one person of the
# *training* side is set aside to be watched (the **inner** patient), and the test side stays shut
# until the end.
#
# The network sees **tiles**: pieces of a slice, cut from the region of interest of lesson 02. Here
# are all tiles that your network will train on, in one contrast, each with its **truth**, the mask
# of its discs. (AP is the axis between front and back, SI the axis between head and feet.)

# %%
from ivdlib.preprocessing import fusion
from ivdlib.preprocessing.tiles import TileGrid
from ivdlib.training import spine_stage

regions = spine_stage.regions_once(experiment, fold)


def image_of(scan):
    """First contrast of a scan, black outside its region of interest."""
    image = fusion.images_of(scan.contrasts, [first])[first]
    return regions[scan.name].apply(image)


# %%
def tiles_of(scan, slices=slice(None)):
    """Tiles of some slices of a scan, and their truths."""
    image, discs = image_of(scan)[slices], scan.discs[slices]
    grid = TileGrid(image.shape, tile, regions[scan.name].window)
    return grid.cut(image), grid.cut(discs)


pairs = [tiles_of(experiment.cases[case_name]) for case_name in inner.train]
tiles, truths = (np.concatenate(part) for part in zip(*pairs, strict=True))
print(f"{len(tiles)} tiles of {tile[0]} × {tile[1]} pixels; {100 * truths.mean():.1f} % is disc")

# %% [markdown]
# ## Augmentation: one picture, many lessons
#
# That is not much. The paper has twelve scans to train on, and we have fewer here. A network soon
# knows so few pictures by heart and fails on the next person; this is called **overfitting**. So
# each tile is changed a little every time it is drawn, and the network never sees the same tile
# twice. This is called **augmentation**. The paper does two things: it turns tiles, and it sets up
# to 15 % of the pixels of a tile to random values.
#
# One rule must not be broken: whatever moves in the picture must also move in its truth. Otherwise
# you teach the network that discs lie beside the discs.
#
# ## Exercise 1 (12 minutes)
#
# Write `augment`. First turn the tile and its truth by the same angle, about the middle, as
# `ndimage.rotate` does with `reshape=False`. The image mixes neighbouring pixels (`order=1`). The
# truth takes the nearest pixel (`order=0`), because there is nothing between disc and no disc. Then
# give a `share` of the pixels of the turned *image* new random values between 0 and 1, drawn from
# `rng`, a random generator of NumPy: `rng.random(shape)` draws an array of numbers from 0 to 1.


# %% tags=["solution"]
def augment(image, mask, degrees, share, rng):
    """Tile (AP, SI) and its truth (True and False), turned; the tile with random pixels."""
    ### BEGIN SOLUTION
    turned = ndimage.rotate(image, degrees, reshape=False, order=1)
    truth = ndimage.rotate(mask, degrees, reshape=False, order=0)
    chosen = rng.random(image.shape) < share
    noisy = np.where(chosen, rng.random(image.shape), turned)
    ### END SOLUTION
    return noisy, truth


# %% tags=["test"] points=4
own.check(augment, student=student)

# %% [markdown]
# ### Your augmentation at work
#
# Here is one tile at three angles. The outline is its truth. (Until your function has passed the
# check, the library's takes its place, and a line says so.)

# %%
number = int(np.argmax(truths.sum(axis=(1, 2))))
angles = (-options.rotation, 0.0, options.rotation)
with own.plugged(augment) as at_work:
    changes = [
        at_work["augment"](tiles[number], truths[number], angle, 0.0, np.random.default_rng(0))
        for angle in angles
    ]
titles = [f"turned by {angle:.0f}°".replace("-", "−") for angle in angles]
turned_tiles = dict(zip(titles, (image for image, _ in changes), strict=True))
turned_masks = {t: {"truth": m} for t, (_, m) in zip(titles, changes, strict=True)}

# %%
figures["rotation"] = plotting.contrast_grid(
    turned_tiles, case.spacing, turned_masks, columns=3, limits=(0, 1)
)
alt = "A tile as it is, and turned to both sides, each with its truth turned along."
plotting.show(figures["rotation"], alt)

# %% [markdown]
# The outline fits the discs in each of the three. The corners are black, because the tile ends
# there. The library cuts a larger piece before it turns the tile, so its corners show the rest of
# the slice.
#
# Now the random pixels:

# %%
shares = [options.noise_max_share * part for part in (1 / 3, 2 / 3, 1)]
with own.plugged(augment) as at_work:
    noisy = {
        f"{100 * share:.0f} % random pixels": at_work["augment"](
            tiles[number], truths[number], 0.0, share, np.random.default_rng(0)
        )[0]
        for share in shares
    }
figures["noise"] = plotting.contrast_grid(noisy, case.spacing, columns=3, limits=(0, 1))
alt = "The tile three times with a share of its pixels set to random values: " + ", ".join(noisy)
plotting.show(figures["noise"], alt)

# %% [markdown]
# You can still see the discs, and the network has to see them, too. It learns to trust the
# neighbourhood and not the single pixel. Whether that helps on clean images is a claim of the
# paper; lesson 05 tests it.
#
# The tiles that a network sees in one step are a **batch**. The library's batches look like this
# (the library also draws at random where each tile begins, and it uses fused contrasts if the data
# have them):

# %%
from ivdlib.preprocessing.augmentation import Augmentation
from ivdlib.preprocessing.sampler import TileSampler, TrainingImage

training = next(
    t for t in experiment.trainings()
    if (t.network, t.fold.number, t.seed) == ("fds_cnn", fold.number, 0)
)  # fmt: skip
kinds = fusion.images_of(case.contrasts, experiment.training_images(training.arm, case.name))
region = regions[case.name]
drawn = [TrainingImage(region.apply(v), case.discs, region.window) for v in kinds.values()]
x, y = map(np.array, Augmentation(tile)(*TileSampler(drawn, tile, options, seed=0).draw(0)))

# %%
shown = {f"tile {n + 1} of the batch": x[n, ..., 0] for n in range(min(4, len(x)))}
masks = {title: {"truth": y[n, ..., 0] > 0} for n, title in enumerate(shown)}
figures["batch"] = plotting.contrast_grid(shown, case.spacing, masks, limits=(0, 1))
plotting.show(figures["batch"], "Tiles of one batch, turned, each with its truth.")

# %% [markdown]
# All that the network will ever know about discs comes from such handfuls.
#
# ## Loss: how wrong is an answer?
#
# The network gives each pixel a probability of disc. The **loss** turns all these answers into one
# number, which is 0 if they are perfect. Lesson 01b used the **cross-entropy**. It punishes each
# pixel on its own, and most of all if the network was sure of a wrong answer. **Soft Dice** is one
# minus the Dice of lesson 02, with probabilities in place of a mask; it punishes a poor overlap as
# a whole. The paper names no loss; ours is the sum of the two. What do some answers to the batch
# above cost?

# %%
from ivdlib.networks import losses
from ivdlib.training.gradients import value_and_gradient  # for exercise 2

answers = {
    "the truth": y, "no disc anywhere": 0 * y, "disc everywhere": 0 * y + 1,
    "one half everywhere": 0 * y + 0.5, "right, but unsure": 0.3 + 0.4 * y,
}  # fmt: skip
costs = {
    title: (float(losses.cross_entropy(y, p)), float(losses.soft_dice(y, p)))
    for title, p in answers.items()
}
display(pd.DataFrame(costs, index=["cross-entropy", "soft Dice"]).T.round(2))

# %% [markdown]
# Read the row "no disc anywhere". Most pixels are background, so most of that answer is right, and
# the cross-entropy is lower than for "disc everywhere"; but soft Dice shows that nothing was found.
# The last row is a perfect mask if you cut it at one half. It still costs something, because the
# loss wants the network to be sure.
#
# ## One step: which way, and how far?
#
# In lesson 01b you computed a **gradient** by hand: for each weight, how much the loss grows if the
# weight grows a little. A step goes the other way. For a network with many layers the chain rule
# does the same, layer by layer from the last to the first, and a framework (a library such as
# TensorFlow) does it for us.
#
# How far should each weight go? **Adam**, the method of the paper, remembers two things about each
# weight: the recent *mean* of its gradient, so that it does not zigzag, and the recent *size* of
# its gradient, by which it divides. The result is a move of about 1, which is multiplied by the
# **learning rate**. Here it is in five lines:


# %%
def adam(gradient, memory, step):
    """How an array of weights should move; `memory` is a list [mean, size], first [0.0, 0.0]."""
    memory[0] = 0.9 * memory[0] + 0.1 * gradient
    memory[1] = 0.999 * memory[1] + 0.001 * gradient**2
    mean = memory[0] / (1 - 0.9**step)  # makes up for a memory that begins with zero
    size = memory[1] / (1 - 0.999**step)  # steps are counted from 1
    return mean / (np.sqrt(size) + 1e-7)


# %% [markdown]
# Let it train the smallest network there is: two weights that tell disc from background by the grey
# value of a pixel alone (the logistic regression of 01b). Its gradient fits into one line:

# %%
grey, disc = x.ravel().astype(float), y.ravel()
grey = (grey - grey.mean()) / grey.std()


def learn(rate, steps, weights=(0.0, 0.0), memory=None, done=0):
    """Some steps of Adam; gives the loss before each, the weights and the memory after the last."""
    weights, memory, curve = np.array(weights), memory or [0.0, 0.0], []
    for step in range(done + 1, done + steps + 1):
        p = 1 / (1 + np.exp(-np.clip(weights[0] + weights[1] * grey, -500, 500)))
        curve.append(float(losses.cross_entropy(disc, p)))
        slope = np.array([np.mean(p - disc), np.mean((p - disc) * grey)])
        weights = weights - rate * adam(slope, memory, step)
    return curve, weights, memory


# %% [markdown]
# **What can go wrong?** First of all, the rate. Here are the same network and the same 40 steps
# with three rates:

# %%
rates = {"too low: 0.01": 0.01, "about right: 0.3": 0.3, "too high: 30": 30.0}
curves = {title: learn(rate, 40)[0] for title, rate in rates.items()}
frames = {t: pd.DataFrame({"step": range(1, 41), "loss": c}) for t, c in curves.items()}
figures["rates"] = diagrams.learning_curve(frames)
axes = figures["rates"].axes[0]
axes.set_ylim(0, 1.7)  # the highest peaks would flatten all else
axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=3, frameon=False, fontsize=9)
alt = "Loss over 40 steps: a low rate crawls, the right one falls, a high one leaps up and down."
plotting.show(figures["rates"], alt)

# %%
ends = {
    t: {"at the start": c[0], "highest": max(c), "at the end": c[-1]} for t, c in curves.items()
}
display(pd.DataFrame(ends).T.round(2))

# %% [markdown]
# The low rate makes progress, but would need many more steps. The high one leaps over the goal,
# turns back, leaps over it again, and ends no better than it began. The right one is there after
# twenty steps.
#
# Now try it with a network that looks for discs: a small U-Net. When you let go of the slider, or
# press an arrow key on it, the network is trained at that rate for a moment. This happens live, on
# the tiles from above at half their size, and always from the same first weights and with the same
# batches. So whatever differs is due to the rate. Above, you see what the network finds in a slice
# of the person set aside, step by step. (Where no slider runs, you see three trainings: the lowest
# rate, one between, and the highest.)

# %%
from ivdlib.course import viewer

aside, aside_truths = tiles_of(watched)
most = int(np.argmax(aside_truths.sum(axis=(1, 2))))
explorer = viewer.learning_rate(
    tiles, truths, (aside[most], aside_truths[most]), watched.spacing, min(40, 4 * options.steps)
)
for rate, sentence in explorer.verdicts().items():
    print(f"rate {rate}: {sentence}")
explorer

# %% [markdown]
# **Question:** with the lowest rate and with the highest one, the network finds the discs badly.
# How can you tell from curve and film which of the two it is?
#
# <details><summary>An answer</summary>
#
# With a rate that is too low, the curve is calm and leads down, and the film hardly changes from
# one picture to the next: the way is right, and more steps would get there. With one that is too
# high, the loss leaps, often above where it began, and the mask changes between far too much and
# nothing, or stays empty: the first steps threw the weights so far off that more steps do not help.
#
# </details>
#
# No rate is right for every network. So you try a few, on people who are not used for testing.
#
# ## Exercise 2 (22 minutes)
#
# Now the loop itself, for a real network. `value_and_gradient(model, loss)` gives you a function
# `ask`. Call it with the images and the truths of a batch, each of shape (4, AP, SI, 1). It returns
# the loss and the gradient: a list with an array for each of `model.trainable_weights`, in the same
# order.
#
# Write `train`. In each step:
#
# 1. draw four tiles at random: `rng.integers(len(tiles), size=4)` gives their numbers;
# 2. call `augment(image, mask, degrees, share, rng)` on each of them and its truth, with an angle
#    from −15 to 15 degrees and a share from 0 to 0.15, both drawn anew with
#    `rng.uniform(low, high)`;
# 3. stack the four images, and the four truths (`np.stack`, then `[..., np.newaxis]`), and call
#    `ask`;
# 4. move each weight with `adam` from above (each weight has a memory of its own);
#    `weight.assign_sub(amount)` subtracts an amount from a weight;
# 5. keep the loss.
#
# The check lets your loop train a network of two weights and watches it.


# %% tags=["solution"]
def train(model, tiles, truths, steps, rate, augment, rng):
    """Make `steps` steps of Adam, on four augmented tiles each; return the loss before each."""
    ask = value_and_gradient(model, losses.cross_entropy_and_dice)
    memories = [[0.0, 0.0] for _ in model.trainable_weights]
    ### BEGIN SOLUTION
    curve = []
    for step in range(1, steps + 1):
        images, masks = [], []
        for k in rng.integers(len(tiles), size=4):
            degrees, share = rng.uniform(-15, 15), rng.uniform(0, 0.15)
            image, mask = augment(tiles[k], truths[k], degrees, share, rng)
            images.append(image)
            masks.append(mask)
        loss, gradient = ask(np.stack(images)[..., np.newaxis], np.stack(masks)[..., np.newaxis])
        for weight, part, memory in zip(model.trainable_weights, gradient, memories, strict=True):
            weight.assign_sub(rate * adam(part, memory, step))
        curve.append(loss)
    ### END SOLUTION
    return curve


# %% tags=["test"] points=6
own.check(train, student=student)

# %% [markdown]
# ### Your loop at work
#
# Your function now trains a small version of the U-Net of lesson 02, which learns in half a minute.
# (If `train` or `augment` has not passed its check, the library's is used, and a line says so.) The
# network knows nothing yet: its weights are random. The last steps have a fifth of the rate.
#
# Every few steps we look at two slices: one of a scan that it trains on, and one of the person set
# aside, which is **held out** of the training. In a live notebook you can watch the masks change
# while it trains. A film strip of it stays. (If you have seen enough, stop the cell with the black
# square above. The film then ends there, and the network is as it was at that step.)

# %%
from ivdlib import networks
from ivdlib.evaluation import metrics
from ivdlib.training import inference

keras.utils.set_random_seed(0)
small = networks.UNetConfig(base=4, levels=3, bn_momentum=0.8)
model = networks.build("unet", small, (*tile, 1))
parts = {0.02: min(160, 2 * options.steps), 0.004: min(60, options.steps)}  # steps by rate
steps = sum(parts.values())
print(f"{model.count_params():,} weights, {steps} steps")


# %%
def scene(scan):
    """What the theatre looks at: the slice of a scan with most disc."""
    return viewer.Scene(image_of(scan), scan.discs, regions[scan.name], scan.spacing)


scenes = {"trained on": scene(case), "held out": scene(watched)}
stage, curve = viewer.Theatre(scenes, steps), []

# %% tags=["card"]
with (
    own.plugged(train, augment) as at_work,
    stage.follow(model, "training the small U-Net"),
):
    rng = np.random.default_rng(exercises.seed(student))
    for rate, count in parts.items():
        curve += at_work["train"](model, tiles, truths, count, rate, at_work["augment"], rng)

# %%
looks = pd.DataFrame(stage.dice)  # Dice of the slices, by step
figures["own_film"] = stage.figure()
trained, unseen = looks.iloc[-1]
print(f"after {steps} steps: Dice {trained:.2f} where it trained, {unseen:.2f} where it did not")
print(f"the rate fell to a fifth at step {parts[0.02]}")

# %% [markdown]
# The loop did this: nobody told it what a disc is. Go through the strips from left to right. At
# first the network finds nothing, or discs everywhere; then it learns that most of a picture is not
# disc, and only then where the discs are. The loss wobbles from step to step, because each batch is
# a different handful; with a fifth of the rate, it wobbles less. That is what the last part is for.
#
# ## Overfitting: learnt by heart
#
# The distance between the two Dice is what the network knows about *these* pictures but not about
# people in general. You can make it overfit on purpose: give it almost no pictures. Here is the
# same network with the same first weights and the same loop. But all that it gets is one slice of
# one person, always as it is, without augmentation.

# %%
middle = plotting.middle_slice(case.discs)
few, few_truths = tiles_of(case, slice(middle, middle + 1))
keras.utils.set_random_seed(0)
narrow = networks.build("unet", small, (*tile, 1))
narrow_stage = viewer.Theatre(scenes, parts[0.02])


def as_it_is(image, mask, degrees, share, rng):
    """No augmentation."""
    return image, mask


# %%
with own.plugged(train) as at_work, narrow_stage.follow(narrow, "training on one slice"):
    rng = np.random.default_rng(exercises.seed(student))
    at_work["train"](narrow, few, few_truths, parts[0.02], 0.02, as_it_is, rng)

# %%
figures["overfitting"] = narrow_stage.figure()
rows = {
    f"{len(tiles)} tiles, augmented": looks.loc[: parts[0.02]].iloc[-1],
    f"{len(few)} tiles, as they are": pd.DataFrame(narrow_stage.dice).iloc[-1],
}
ends = pd.DataFrame(rows).T
ends["distance"] = ends["trained on"] - ends["held out"]
display(ends.round(2))

# %%
wide, close = ends["distance"]
if close > wide + 0.02:
    print(f"With one slice the two are farther apart, by {close - wide:.2f}: it overfits more.")
else:
    print("In this run one slice did not move the two farther apart: see the answer below.")

# %% [markdown]
# Compare the two strips, and the two curves on the right. Where the upper curve goes on to climb
# and the lower one stays behind or falls, the network learns this slice by heart: its noise, and
# the shape of this one person.
#
# **Question:** which of the two trainings has the lower loss at the end, and is it the better
# network? And what if the curves did *not* part?
#
# <details><summary>An answer</summary>
#
# The loss is measured on the tiles that the network trains on. Few tiles that never change are soon
# known by heart, so this loss is the lower one, if the training is long enough. It says nothing
# about other people. For them only the held-out slice counts, and so would your choice between the
# two networks. If the curves do not part, the training may have been too short to learn anything by
# heart (with the profile `test` it is), or the two people may be so alike that one of them tells
# all about the other. A single slice of a single person can also be lucky: this is why the paper
# tests on all patients in turn.
#
# </details>
#
# ## Exercise 3 (3 minutes)
#
# The library's training below has `options.steps` steps of `options.batch` tiles. How many tiles
# does the network see in all? (Many of them come from the same scan, turned a little.)
#
# Hint: a step takes one batch.

# %% tags=["solution"]
### BEGIN SOLUTION
seen = options.steps * options.batch
### END SOLUTION

# %% tags=["test"] points=1
exercises.check(
    seen, sum([options.batch] * options.steps),
    mistakes={
        "that is the number of steps; each takes a batch": options.steps,
        "that is one batch; there are many steps": options.batch,
        "multiply them; do not add them": options.steps + options.batch,
        "a batch holds tiles, not scans; leave out the number of scans": (
            sum([options.batch] * options.steps) * len(fold.train)
        ),
    },
)  # fmt: skip

# %% [markdown]
# ## Further: stop and go on
#
# A long training is interrupted sooner or later. A **checkpoint** is a file from which it can go
# on. What must be in it? The weights, you might think. Let us stop the tiny network after 30 steps
# and go on in two ways: with everything that it had, and with its weights alone. (The rate is high,
# to make the difference clear.)

# %%
whole = learn(3.0, 50)[0]
half, weights, memory = learn(3.0, 30)
forgets = half + learn(3.0, 20, weights)[0]
goes_on = half + learn(3.0, 20, weights, memory, done=30)[0]
ways = {"never stopped": whole, "weights and memory": goes_on, "weights alone": forgets}
frames = {title: pd.DataFrame({"step": range(1, 51), "loss": c}) for title, c in ways.items()}

# %%
figures["resume"] = diagrams.learning_curve(frames)
axes = figures["resume"].axes[0]
axes.lines[0].set(linewidth=9, alpha=0.3, marker="")  # a broad band, so that the next one shows
axes.axvline(30.5, color=plotting.BLACK, linestyle="dotted", linewidth=1)
axes.legend(frameon=False, fontsize=9)
alt = (
    "Resumed with its memory, the curve stays within the band of the training that never stopped; "
    "with the weights alone it leaves the band."
)
plotting.show(figures["resume"], alt)

# %%
apart = {t: np.abs(np.subtract(c, whole)).max() for t, c in ways.items() if c is not whole}
display(pd.Series(apart).round(3).to_frame("largest difference to never stopped"))

# %% [markdown]
# The dotted line is where it stopped. With Adam's memory it goes on as if nothing had happened: the
# curve stays within the band. With the weights alone Adam starts from scratch: its first moves are
# as long as the rate allows, and they destroy what was learnt. The library saves weights, memory
# and the number of steps; the tiles of a step follow from the seed and that number.
#
# ## The training of the paper's network
#
# FDS-CNN has at least ten times as many weights as the small U-Net and sees all contrasts, so it
# takes longer. The library trains it, with a loop like yours; lesson 05 needs the result. A
# finished training is read from the experiment's folder.
#
# This network trains on *all* people of the training side, also on the one whom you watched above:
# the more people, the better. So nobody is left to be watched, since a test patient may not be. The
# slice in the film is one that it trains on. It shows you that the network learns, and not how good
# it will be on others.

# %%
from ivdlib import files
from ivdlib.training import hashes, store, trial

with viewer.Theatre({"trained on": scenes["trained on"]}, options.steps) as big_stage:
    trial.train(experiment, training, training.title, big_stage.note)
place = hashes.place_of(experiment, training)
history, record = pd.read_csv(place / "history.csv"), files.read_json(place / "record.json")
print(
    f"{training.title}: {record['seconds_training']:.0f} s on {record['device']}, in {place.name}/"
)

# %% [markdown]
# The name of the folder is a fingerprint of everything that affects the result: scans, network,
# settings, seed. If you change one of them, it is another training in another folder. These are its
# settings:

# %%
settings = {
    "steps": options.steps,
    "tiles in a batch": options.batch,
    "learning rate": options.learning_rate,
    "schedule of the rate": options.schedule,
    "largest turn, degrees": options.rotation,
    "share of tiles with random pixels": options.noise_probability,
}
display(pd.Series(settings).to_frame("value"))

# %% [markdown]
# A schedule says how the rate changes: `cosine` lets it fall to zero along half a wave, so that the
# last steps are small. Your rate fell once. (An **epoch**, a word that you will meet elsewhere, is
# as many steps as it takes to see every training image once.)

# %%
figures["curve"] = diagrams.learning_curve({training.title: history})
begin, end = history["loss"].iloc[0], history["loss"].iloc[-1]
alt = f"Training loss of {training.title}, from {begin:.2f} to {end:.2f}."
plotting.show(figures["curve"], alt)

# %% [markdown]
# | the curve … | … says |
# |---|---|
# | falls, then stays flat | it has learnt all that it will learn at this rate |
# | still falls at the end | a longer training would help |
# | leaps up and down | the rate is too high, or the batch too small |
# | hardly falls at all | the rate is too low, or something is broken: look at a batch first |
#
# A short training shows little of a curve. Here are the curves of a long one, kept with the
# package: the same network on real discs.

# %%
from ivdlib import provenance

reference = provenance.brought("reports/reference")  # results that come with the package
longer = {}
for path in sorted((reference / "audit" / "crops" / "trainings").glob("*/record.json")):
    made = files.read_json(path)
    if (made.get("network"), made.get("arm"), made.get("seed")) == ("fds_cnn", "with", 0):
        longer[f"fold {made['fold']}"] = pd.read_csv(path.with_name("history.csv"))

# %%
if longer:
    figures["curve_reference"] = diagrams.learning_curve(dict(sorted(longer.items())))
    print("REFERENCE, not of this run: FDS-CNN with fusion, real disc crops, profile laptop")
    alt = "Reference: training loss of each fold over a long training; steep first, then flat."
    plotting.show(figures["curve_reference"], alt)
else:
    print("This copy of the package has no reference results.")

# %% [markdown]
# They are steep at first, then flatter and flatter. But this is the loss on *training* tiles. It
# says whether the network learns, not how good it is on other people: a network that overfits has a
# beautiful curve. So why not stop when the Dice of the test people is best?
#
# ## Why no test patient may choose
#
# Look at your own training first. Suppose that you had stopped when the rate fell, or at the end:

# %%
for rate, part in {0.02: looks.loc[1 : parts[0.02]], 0.004: looks.loc[parts[0.02] + 1 :]}.items():
    if len(part):
        last, best = part["held out"].iloc[-1], part["held out"].max()
        print(f"rate {rate}: last look {last:.3f}, best of {len(part)} looks {best:.3f}")

# %% [markdown]
# If the best look beats the last one, is that a better network? Or was it lucky with this slice?
# Suppose that a training no longer improves, and its Dice only wobbles from look to look by 0.02.
# Here are a thousand made-up studies of this kind, each with a true Dice of 0.80. Half of them
# report the last of 40 looks, the others the best:

# %%
wobble = 0.80 + 0.02 * np.random.default_rng(0).normal(size=(1000, 40))
kept = {
    "the last look": wobble[:500, -1].mean(),
    "the best of 40 looks, chosen on the test patients": wobble[500:].max(axis=1).mean(),
}
display(pd.Series(kept).round(3).to_frame("Dice that is reported, mean"))

# %% [markdown]
# The second number does not mean a better network. It is luck that was picked out. How much of it
# is there in real trainings? We tried it on real discs, with a long training whose rate fell to
# zero:

# %%
from ivdlib.evaluation import comparisons, statistics
from ivdlib.evaluation import scores as metrics_csv

rows = metrics_csv.of(reference / "audit" / "crops_leak_epoch")
if rows is not None:
    last, best = (
        comparisons.side(rows, "unet", scope=scope) for scope in ("volume", metrics_csv.BEST)
    )
    gain = comparisons.difference(best, last)
    interval = statistics.shown_interval(gain.low, gain.high)
    print(f"U-Net, {len(gain.differences)} patients: best of 40 looks {gain.mean:+.4f}, {interval}")

# %% [markdown]
# Next to nothing: a hundredth of the gain in the made-up studies. If the rate falls to zero, the
# curve settles, and if nothing wobbles, there is nothing to pick. So was the worry unfounded? For
# that training, yes. But you only know that afterwards, and the false gain grows with the wobble
# and with everything else that is chosen the same way: thresholds, rates, seeds, networks.
# Therefore **no test patient chooses anything here**: the number of steps is fixed beforehand, the
# weights at the end are kept (or the mean of the last ones), and the threshold is one half.
#
# If something must be chosen, set a *training* patient aside and choose on that one. (Even that is
# not quite clean if the choice then holds in every fold, because the person set aside is a test
# patient in another fold. The audit of lesson 05 names these people.)
#
# ## From tiles to a scan
#
# The network answers tile by tile; a doctor wants a scan. So the answers are put back where their
# tiles were cut, which the paper calls **splicing**. Tiles may overlap, and some stick out beyond
# the edge of the image.
#
# ## Exercise 4 (12 minutes)
#
# Write `splice`. `tiles` is an array (tiles, AP, SI); `positions` has, for each tile, the slice,
# the row and the column of its first pixel in the volume; `shape` is the shape of the volume. If
# several tiles cover a pixel, it gets their mean; if none does, it gets zero. A row or column may
# be negative, and a tile may end beyond the volume: leave out what sticks out.


# %% tags=["solution"]
def splice(tiles, positions, shape):
    """Tiles put back into a volume of this shape: their mean, or zero where none lies."""
    ### BEGIN SOLUTION
    total, number = np.zeros(shape), np.zeros(shape)
    for patch, (plane, row, column) in zip(tiles, positions, strict=True):
        top, left = max(row, 0), max(column, 0)
        part = patch[top - row : shape[1] - row, left - column : shape[2] - column]
        here = (plane, slice(top, top + part.shape[0]), slice(left, left + part.shape[1]))
        total[here] += part
        number[here] += 1
    volume = total / np.maximum(number, 1)
    ### END SOLUTION
    return volume


# %% tags=["test"] points=4
own.check(splice, student=student)

# %% [markdown]
# ### Your splicing at work
#
# First with the network that you trained. If tiles overlap by half of their width, there is more to
# compute. Is their mean a better mask?

# %%
halves = {}
for overlap in (0.0, 0.5):
    with own.plugged(splice):
        halves[overlap] = inference.predict_images(
            model, {"": image_of(test_scan)}, regions[test_scan.name], overlap
        )[""]
    score = metrics.dice(halves[overlap] >= 0.5, test_scan.discs)
    print(f"tiles share {100 * overlap:.0f} % of their width: Dice {score:.3f}")

# %%
k = plotting.middle_slice(test_scan.discs)
figures["splice"] = plotting.contrast_grid(
    {"side by side": halves[0.0][k], "overlapping by half": halves[0.5][k],
     "difference": np.abs(halves[0.5] - halves[0.0])[k]},
    test_scan.spacing, columns=3, limits=(0, 1),
)  # fmt: skip
alt = "Probability of disc, spliced from tiles side by side and overlapping, and their difference."
plotting.show(figures["splice"], alt)

# %% [markdown]
# They differ at the seams, where a tile does not see what lies beyond its edge. Now the same with
# the FDS-CNN that comes with the package, which was trained for hours on 64 other people:

# %%
import warnings

from ivdlib.errors import DataWarning, IvdlibError
from ivdlib.training import engines, one_scan, shipped, spine_of_scan

warnings.simplefilter("ignore", DataWarning)
shipped_network = engines.load_network(shipped.find())
finder, _ = spine_of_scan.spine_beside(shipped_network, shipped.find())


def shipped_dice():
    """Dice of the package's network on the test scan."""
    found = one_scan.predict_case(shipped_network, test_scan, spine=finder)
    return metrics.dice(found, test_scan.discs)


# %%
try:
    library_dice = shipped_dice()
    with own.plugged(splice):
        your_dice = shipped_dice()
    if own.passed(splice):
        print(f"with your splice: Dice {your_dice:.3f}")
    print(f"with the library's: Dice {library_dice:.3f}")
except IvdlibError as error:  # a scan of a kind that it does not know
    your_dice = library_dice = 0.0
    print(error)

# %% [markdown]
# ## Exercise 5 (3 minutes)
#
# A pixel counts as disc if its probability is at least one half. What is the Dice of the test
# *scan* with a threshold of 0.3 instead? The probabilities that your network gives it are in
# `halves[0.0]`.
#
# Hint: `metrics.dice` compares two masks of one shape; the truth is `test_scan.discs`.

# %% tags=["solution"]
### BEGIN SOLUTION
lower = metrics.dice(halves[0.0] >= 0.3, test_scan.discs)
### END SOLUTION

# %% tags=["test"] points=2
low, usual = halves[0.0] >= 0.3, halves[0.0] >= 0.5
exercises.check(
    lower, 2 * float((low & test_scan.discs).sum()) / max(1, low.sum() + test_scan.discs.sum()),
    tolerance=1e-4,
    mistakes={
        "that is the threshold of one half": metrics.dice(usual, test_scan.discs),
        "one slice, not the scan": metrics.dice(low[k], test_scan.discs[k]),
        "per cent? Dice is a share, from 0 to 1": 100 * metrics.dice(low, test_scan.discs),
        "you took the pixels below 0.3; take those above": metrics.dice(~low, test_scan.discs),
        "that is the share of the pixels that are right": float((low == test_scan.discs).mean()),
    },
)  # fmt: skip

# %% [markdown]
# ## Exercise 6 (5 minutes)
#
# Suppose that the threshold of 0.3 gave a higher Dice on this scan. Why may you not use it from now
# on? And what would you do instead?
#
# Hint: on which side of the fold is the scan?

# %% [markdown] tags=["written"] points=3
# ### BEGIN SOLUTION
# The scan is a test scan (1 point). A threshold that was chosen on it fits it by construction, so
# the score would be too good for people whom the network has not seen (1 point). Choose it on a
# patient of the *training* side who was set aside, and test once (1 point).
# ### END SOLUTION

# %% [markdown]
# ## Scores on people it has not seen
#
# Back to FDS-CNN, trained above with the settings of this profile. The table shows the Dice over
# the whole 3-D scan, for each contrast. Each row is the mean of a patient's scans.

# %%
scores = metrics_csv.read_scores(place / metrics_csv.METRICS)
scores = scores[scores["scope"] == "volume"]
print(f"Dice of the discs on test patients ({experiment.label()}):")
wide = scores.pivot_table(index="subject", columns="contrast", values="dice")
wide.loc["mean of all scans"] = scores.groupby("contrast")["dice"].mean()
display(wide[list(experiment.images)].round(2))

# %% [markdown]
# If the line above says "not comparable", the network has only begun to learn. Here are two results
# to compare it with, from this package's records and from the paper:

# %%
beside = []
for path in sorted((reference / "audit" / "crops" / "tables").glob("table[12].csv")):
    row = pd.read_csv(path).query("network == 'FDS-CNN'").set_index("source")
    beside.append(row.drop(columns=["network", "Mean", "scans"]))
if beside:
    print("REFERENCE, not of this run: real disc crops, profile laptop (ours); the paper's scans")
    display(pd.concat(beside, axis=1).round(3))

# %% [markdown]
# ## Look at an answer
#
# Numbers hide what went wrong; pictures show it. Here is one test scan, drawn by a seed and not by
# its score. The network is loaded again from its weights file, as anyone else would load it.

# %%
from ivdlib.training.weights import load_model

network = load_model(place / store.WEIGHTS)
chosen = experiment.cases[str(np.random.default_rng(0).choice(fold.test))]

# %%
region, k = regions[chosen.name], plotting.middle_slice(chosen.discs)
images = fusion.images_of(chosen.contrasts, experiment.contrasts)
probability = inference.predict_images(network, images, region)

# %%
masks = {name: p >= inference.THRESHOLD for name, p in probability.items()}
dice = {name: metrics.dice(mask, chosen.discs) for name, mask in masks.items()}
print(f"case {chosen.name}:", ", ".join(f"{name} {value:.3f}" for name, value in dice.items()))

# %%
everything = np.any([chosen.discs[k], *(mask[k] for mask in masks.values())], axis=0)
near = plotting.around(everything, 10)
planes = {name: image[k][near] for name, image in images.items()}
found = {name: mask[k][near] for name, mask in masks.items()}
figures["prediction"] = paper_figures.overlay(planes, found, chosen.discs[k][near], chosen.spacing)
alt = (
    f"Part of slice {k} of case {chosen.name}, a test scan. Above, each contrast with outlines "
    "of what was found and of the truth; below, the mask that was found beside the true one."
)
plotting.show(figures["prediction"], alt)

# %% [markdown]
# (Fig. 4 of the paper shows the same.) Look where the two outlines differ. Is it at the rim, where
# a pixel is half disc, or somewhere else? Experts, too, differ by a rim one pixel wide. But a
# missing disc, or one where there is none, is a mistake.
#
# Here is the whole path of this slice, now with the panel that lesson 02 left empty:

# %%
spine = None
if experiment.uses_spine_network:
    spine_network = spine_stage.network(experiment, fold).model
    spine = spine_stage.find_spine(spine_network, experiment, chosen)[k]
kept = None if region.mask is None else region.mask[k]
grid = TileGrid(chosen.shape, tile, region.window)
figures["overview"] = paper_figures.region_overview(
    images[first][k], chosen.spacing, region.window, tile,
    [position[1:] for position in grid.positions if position[0] == k],
    spine, kept, probability[first][k],
)  # fmt: skip
alt = f"The slice, the spine found, its region, its tiles, and the probability of disc ({first})."
plotting.show(figures["overview"], alt)

# %% [markdown]
# The last panel is what the network says before it is cut at one half: bright where it is sure of
# disc. From left to right you have Fig. 1 of the paper.
#
# ## Further: on a GPU
#
# Nothing in this notebook says where it runs. A processor (CPU) has a few cores that can do
# anything; a graphics card (**GPU**) has thousands that do the same sum on different pixels at the
# same time, which is what a convolution needs. If the framework finds a GPU, it is used:

# %%
from ivdlib.networks import backend, replicas

compilers = {True: "XLA", "auto": "XLA where it can", False: "none, the framework's own kernels"}
shared = len(replicas.visible())
machine = {
    "networks run with": provenance.device(),
    "compiler": compilers[backend.jit_compile()],
    "precision of a step": backend.precision(options.precision),
    "a batch is shared by": f"{shared} GPUs" if shared else "nobody: one device does it all",
}
with pd.option_context("display.max_colwidth", None):
    display(pd.Series(machine).to_frame("here"))

# %% [markdown]
# - **Compiler:** XLA merges many small operations into a few large ones. That pays off on a GPU; on
#   a CPU it made a step of this network slower (`reports/reference/speed/xla`), so it is off there.
# - **Precision:** `float32` keeps about seven digits of a number. `bfloat16` keeps two or three in
#   half the memory: 1.001 becomes 1, so the weights stay in `float32`, and only the numbers that
#   pass between the layers are short.
# - **Memory:** in training, the output of each layer has to be kept until the gradient is known.
#   These maps, not the weights, fill a GPU; if it is full, take a smaller batch.
# - **Several GPUs**, such as the two of the paper, share a batch of sixteen tiles: each computes
#   the gradient of its part, and the step uses the mean of them.
#
# How much faster is it? Here are the fastest trainings of FDS-CNN, size `tiny`, in this package's
# records:

# %%
rows = []
for path in sorted(reference.glob("**/trainings/*/record.json")):
    made = files.read_json(path)
    if made.get("network") == "fds_cnn" and made["config"]["width"] == 0.125:
        last = pd.read_csv(path.with_name("history.csv")).iloc[-1]
        sizes = (" × ".join(map(str, made["tile"])), made["options"].get("batch", 16))
        rows.append((made["device"], *sizes, last["seconds"] / last["step"]))
speed = pd.DataFrame(rows, columns=["device", "tile", "tiles a step", "seconds a step"])
speed = speed.groupby(["tile", "tiles a step", "device"]).min().round(3)
display(speed) if len(speed) else print("This copy of the package has no reference results.")

# %% [markdown]
# Compare rows with the same tile and the same number of tiles in a step. The more there is to do in
# a step, the more a GPU gains; small tiles leave most of it idle. Two devices add up numbers in a
# different order, so do not expect the same last digits. Results agree within rounding, and so do
# the conclusions.
#
# ## Check

# %%
assert not set(fold.train) & set(fold.test)
assert test_scan.name not in fold.train, "the scan that is looked at trains nothing"
assert watched.name not in (*inner.train, *fold.test), "who is watched trains and tests nothing"
assert steps in stage.dice["held out"], "the training was watched to its end"
assert len(curve) == steps and np.isfinite(curve).all()
assert np.allclose(goes_on, whole), "with its whole state a training goes on as if never stopped"
assert abs(your_dice - library_dice) < 1e-3, "your splice gives the mask of the library's"
assert set(scores["case"]) == set(fold.test), "only test scans are scored"
assert history["step"].iloc[-1] == options.steps, "all steps were made, no best one was picked"
written = scores[scores["case"] == chosen.name].set_index("contrast")["dice"]
for name, value in dice.items():
    assert abs(value - written[name]) < 0.01, f"{name}: reloaded weights give another Dice"
print("✅ this lesson ran as it should: trained to the end, scored on test patients only")
exercises.tally(5)

# %%
folder = experiment.folder / "figures"
plotting.save({f"04_{key}": figure for key, figure in figures.items()}, folder)
summary = {
    "training": training.title,
    "label": experiment.label(),
    "case": chosen.name,
    "dice": dice,
}
files.write_json(folder / "04_prediction.json", summary)
print("saved:", ", ".join(sorted(path.name for path in folder.glob("04_*"))))

# %% [markdown]
# ## What we have done
#
# Three parts of a training were yours to write: the augmentation, the loop, and the way from tiles
# back to a scan. With such parts a network learns to find discs, in minutes or in hours.
#
# **And the question?** A network has learnt enough if its loss stays flat *and* it segments new
# people as well as you need: people who were used neither to train it nor to choose anything. The
# curve of the training cannot tell you that, and the test people may be used only once.
#
# **Limits against the paper.** Loss, number of steps, range of rotation and the share of noisy
# tiles are ours; the paper gives none of them. It trained on two graphics cards with sixteen tiles
# in a batch. Several cards under TensorFlow could not be tried here: tests let two parts of a CPU
# stand in for them.
#
# **Next:** 05 trains the whole grid of networks and compares its tables with the paper's.

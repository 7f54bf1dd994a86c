"""The training theatre: when it looks, what it shows meanwhile, and what stays."""

import base64
import io
import re

import ipywidgets
import keras
import numpy as np
import pytest
from matplotlib import image

from ivdlib import networks
from ivdlib.course.own.lesson04_train import train
from ivdlib.course.viewer import theatre
from ivdlib.course.viewer.theatre import Scene, Stopped, Theatre
from ivdlib.evaluation import metrics
from ivdlib.options import TrainingOptions
from ivdlib.preprocessing.region import Region, whole_image
from ivdlib.preprocessing.sampler import TileSampler, TrainingImage
from ivdlib.report import plotting
from ivdlib.training import inference
from ivdlib.training.trainer import Trainer

TILE = (16, 16)


def make_scene(seed=0, region=None):
    rng = np.random.default_rng(seed)
    picture = rng.random((3, 20, 24), dtype=np.float32)
    truth = np.zeros(picture.shape, bool)
    truth[1, 6:12, 8:16] = True
    truth[2, 6:9, 8:16] = True
    picture[truth] += 1
    return Scene(picture / 2, truth, region or whole_image(picture.shape), (4.0, 1.5, 1.0))


@pytest.fixture(scope="module")
def network():
    keras.utils.set_random_seed(0)
    return networks.build("unet", networks.UNetConfig(base=2, levels=1), (*TILE, 1))


@pytest.fixture
def shown(monkeypatch):
    """What is displayed, and what takes its place: (data, metadata) of each."""
    bundles = []

    class Handle:
        def update(self, thing):
            bundles.append(thing._repr_mimebundle_())

    def display(thing, display_id=False):
        bundles.append(thing._repr_mimebundle_())
        return Handle() if display_id else None

    monkeypatch.setattr(theatre, "display", display)
    return bundles


@pytest.fixture
def lab(monkeypatch):
    monkeypatch.setattr(theatre, "in_lab", lambda: True)


def play(stage, network, steps):
    for step in range(steps):
        stage.note(step, 2.0 - step / 100, network)


def test_a_look_is_the_networks_answer_to_the_slice_with_most_disc(network):
    mask = np.zeros((3, 20, 24), bool)
    mask[:, 4:14, 4:20] = True
    scene = make_scene(region=Region(mask, (4, 20)))
    frame = scene.look(7, network)
    whole = inference.predict_images(network, {"": scene.image}, scene.region)[""][1] >= 0.5
    near = plotting.around(scene.truth[1], theatre.MARGIN)
    np.testing.assert_array_equal(frame.masks["found"], whole[near])
    np.testing.assert_array_equal(frame.masks["truth"], scene.truth[1][near])
    assert frame.step == 7 and frame.dice == metrics.dice(whole, scene.truth[1])


def test_dice_counts_what_is_found_far_from_the_picture_shown(network, monkeypatch):
    scene = make_scene()
    found = scene.truth[1:2].astype(np.float32)
    found[0, -1, -1] = 1
    monkeypatch.setattr(inference, "predict_images", lambda *_: {"": found})
    monkeypatch.setattr(theatre, "MARGIN", 1)
    frame = scene.look(0, network)
    assert not (frame.masks["found"] & ~frame.masks["truth"]).any() and frame.dice < 1


def test_it_looks_some_thirty_times_and_at_the_first_and_last_step(network, shown):
    stage = Theatre({"held out": make_scene()}, 220)
    with stage:
        play(stage, network, 220)
        stage.look(220, network)
    steps = [frame.step for frame in stage.films["held out"]]
    assert steps[0] == 0 and steps[-1] == 220 and len(set(steps)) == len(steps)
    assert theatre.LOOKS <= len(steps) <= theatre.LOOKS + 3
    assert len(stage.losses) == 220 and list(stage.dice["held out"]) == steps


def test_of_a_short_training_it_sees_every_step(network, shown):
    with Theatre({"held out": make_scene()}, 2) as stage:
        play(stage, network, 2)
        stage.look(2, network)
        stage.look(2, network)  # once is enough
    assert list(stage.dice["held out"]) == [0, 1, 2]


def test_away_from_a_live_notebook_there_is_the_film_strip_alone(network, shown):
    with Theatre({"trains": make_scene(1), "held out": make_scene()}, 6) as stage:
        play(stage, network, 6)
        assert shown == []
    ((data, metadata),) = shown
    assert set(data) == {"image/png", "text/plain"}
    alt = metadata["image/png"]["alt"]
    assert alt == data["text/plain"] == stage.alt
    last = stage.films["held out"][-1].dice
    assert f"step 5: Dice {last:.2f}" in alt and "held out" in alt and "loss from 2.00" in alt
    picture = image.imread(io.BytesIO(base64.b64decode(data["image/png"])))
    assert min(picture.shape[:2]) > 300


def test_in_a_live_notebook_one_picture_changes_and_the_film_takes_its_place(network, shown, lab):
    with Theatre({"trains": make_scene(1), "held out": make_scene()}, 40) as stage:
        ((data, _),) = shown
        assert data["application/vnd.jupyter.widget-view+json"]["model_id"] == stage.widget.model_id
        seen = []
        stage.widget.observe(lambda change: seen.append(change["new"]), "value")
        play(stage, network, 40)
        assert len(shown) == 1
    assert len(set(seen)) == len(stage.films["trains"]) == 40
    assert seen[-1].count("<img") == 1 and seen[-1].count("<svg") == 2
    assert "Step 39 of 40, loss 1.61" in seen[-1]
    labels = re.findall(r'(?:alt|aria-label)="([^"]+)"', seen[-1])
    assert len(labels) == 3 and all(label.strip() for label in labels)
    assert len(shown) == 2 and set(shown[1][0]) == {"image/png", "text/plain"}


def test_an_interrupted_training_keeps_what_was_seen(network, shown, lab):
    stage = Theatre({"held out": make_scene()}, 60)
    with pytest.raises(Stopped, match=r"Stopped after step 11 of 60\.") as stopped, stage:
        play(stage, network, 12)
        raise KeyboardInterrupt
    assert stopped.value._render_traceback_() == [str(stopped.value)]
    assert isinstance(stopped.value, KeyboardInterrupt) and stopped.value.__suppress_context__
    assert len(stage.losses) == 12 and [*stage.dice["held out"]] == [0, 2, 4, 6, 8, 10]
    assert "image/png" in shown[-1][0] and "step 10" in shown[-1][1]["image/png"]["alt"]


def test_stopped_before_the_first_step_there_is_nothing_to_show(shown, lab):
    with pytest.raises(Stopped, match="after step 0"), Theatre({"held out": make_scene()}, 60) as s:
        raise KeyboardInterrupt
    assert len(shown) == 1 and s.widget.value == "" and "No look" in s.alt


def test_a_fault_of_the_training_stays_what_it_is(network, shown):
    with pytest.raises(ZeroDivisionError), Theatre({"held out": make_scene()}, 60) as stage:
        play(stage, network, 3)
        _ = 1 / 0
    assert len(shown) == 1


def test_it_watches_the_librarys_trainer_and_changes_nothing(shown):
    scene = make_scene()
    options = TrainingOptions(steps=6, batch=2, learning_rate=1e-2, tile=TILE, tiles="all")
    sampler = TileSampler(
        [TrainingImage(scene.image, scene.truth, (0, 20))], TILE, options, 0
    )  # fmt: skip
    engine = Trainer("unet", networks.UNetConfig(base=2, levels=1), TILE, options)
    alone = engine.fit(sampler, 0, "alone")
    weights = engine.model.get_weights()
    with Theatre({"trains": scene}, 6) as stage:
        watched = engine.fit(sampler, 0, "watched", watch=stage.note)
    assert [row["loss"] for row in watched] == [row["loss"] for row in alone]
    for ours, theirs in zip(engine.model.get_weights(), weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert stage.losses == {int(row["step"]): row["loss"] for row in watched}
    assert list(stage.dice["trains"]) == [1, 2, 3, 4, 5, 6]


def test_it_follows_a_loop_that_somebody_wrote(shown, monkeypatch):
    monkeypatch.setenv("IVDLIB_PROGRESS", "off")
    keras.utils.set_random_seed(0)
    model = networks.build("unet", networks.UNetConfig(base=2, levels=1), (*TILE, 1))
    scene, rng = make_scene(), np.random.default_rng(0)
    tiles, truths = scene.image[:, :16, :16], scene.truth[:, :16, :16]
    stage = Theatre({"held out": scene}, 5)
    with stage.follow(model, "training"):
        curve = train(model, tiles, truths, 5, 0.01, lambda image, mask, *_: (image, mask), rng)
    assert list(stage.losses.items()) == list(enumerate(curve))
    assert list(stage.dice["held out"]) == [0, 1, 2, 3, 4, 5]
    last = scene.look(5, model)
    np.testing.assert_array_equal(
        stage.films["held out"][-1].masks["found"], last.masks["found"]
    )  # fmt: skip
    assert "step 5" in shown[-1][0]["text/plain"]


def test_of_a_training_that_was_there_already_it_says_so(shown, capsys):
    with Theatre({"held out": make_scene()}, 5):
        pass
    assert shown == [] and "there already" in capsys.readouterr().out


def test_no_figure_is_made_while_it_trains(network, shown, lab, monkeypatch):
    """A figure takes longer than a step."""
    stage = Theatre({"held out": make_scene()}, 6)
    with stage, monkeypatch.context() as patch:
        patch.setattr(Theatre, "figure", lambda self: pytest.fail("a figure"))
        play(stage, network, 6)
    assert isinstance(stage.widget, ipywidgets.HTML)

"""A hash depends on what decides and on nothing else."""

import pytest
from quick_experiment import begin

from ivdlib.training import hashes
from ivdlib.training.grid import Training

pytestmark = pytest.mark.usefixtures("tiny_networks")


def test_the_quiet_arm_differs_in_nothing_but_the_random_pixels(phantom, tmp_path):
    made = begin(tmp_path, phantom, arms=["with", "quiet", "without"])
    listed = list(made.trainings())
    assert [t.arm for t in listed] == ["with", "without"] * 2 + ["quiet"] * 2  # compiled together
    assert made.options("with", "unet") == made.options("without", "unet") == made.profile.training
    quiet = made.options("quiet", "unet")
    assert quiet.noise_probability == 0 and made.options("with", "unet").noise_probability > 0
    assert made.training_images("quiet", "01") == made.training_images("with", "01")
    fields = {t.arm: hashes.disc_fields(made, t) for t in listed}
    differ = {k for k in fields["with"] if fields["with"][k] != fields["quiet"][k]}
    assert differ <= {"arm", "options", "train", "test", "region"}  # the folds are others, too


def test_a_network_with_a_rate_of_its_own(phantom, tmp_path):
    """What is done, and its hash, are as if the rate had been said for all."""
    own = begin(tmp_path, phantom, training__unet_rate=0.5)
    all_ = begin(tmp_path, phantom, "all", training__learning_rate=0.5)
    plain = begin(tmp_path, phantom, "plain")
    assert own.options("with", "unet") == all_.options("with", "unet")
    for other in ("fds_cnn", "deeplabv3plus", "fds_cnn:no_skips"):
        assert own.options("with", other) == plain.options("with", other)
    sized = begin(tmp_path, phantom, "sized", training__unet_rate=0.5,
                  training__unet_equal_cost_rate=0.25)  # fmt: skip
    rates = {name: sized.options("with", name).learning_rate
             for name in ("unet", "unet:equal_weights", "unet:equal_cost")}  # fmt: skip
    assert rates == {"unet": 0.5, "unet:equal_weights": 0.5, "unet:equal_cost": 0.25}
    first = next(own.trainings())
    assert first.network == "unet"
    assert hashes.disc_digest(own, first) == hashes.disc_digest(all_, next(all_.trainings()))


def test_how_tiles_are_placed_counts_only_if_they_are(phantom, tmp_path):
    """The new draw is always in the hash; the old one is what silence means."""
    even, old = (
        begin(tmp_path, phantom, name, training__placement=name) for name in ("even", "clipped")
    )
    first = next(even.trainings())
    assert hashes.disc_fields(even, first)["options"]["placement"] == "even"
    assert "placement" not in hashes.disc_fields(old, first)["options"]
    assert (
        hashes.disc_digest(even, first) != hashes.disc_digest(old, first)
        and even.digest != old.digest
    )
    alike = [
        begin(tmp_path, phantom, f"{name}_whole", training__tile=[64, 64], training__placement=name)
        for name in ("even", "clipped")
    ]
    assert alike[0].digest == alike[1].digest and alike[0].config == alike[1].config
    assert len({hashes.disc_digest(made, first) for made in alike}) == 1


def test_the_tolerance_of_a_region_counts_only_if_there_is_one(phantom, tmp_path):
    """As above: rounding decided before, which is what silence means."""
    made = [
        begin(tmp_path, phantom, name, spine__tolerance=value)
        for name, value in (("new", 1e-4), ("old", 0.0))
    ]
    first = next(made[0].trainings())
    assert [hashes.disc_fields(one, first)["region"].get("tolerance") for one in made] == [
        1e-4,
        None,
    ]
    assert made[0].digest != made[1].digest
    digests = {hashes.spine_digest(one, one.folds[0]) for one in made}
    assert len(digests) == 1  # the network does not depend on what is done with its mask
    for other in ({"training__tile": [64, 64]}, {"spine__region": "none"}):
        alike = [
            begin(
                tmp_path, phantom, f"{next(iter(other))}{value:g}", **other, spine__tolerance=value
            )
            for value in (1e-4, 0.0)
        ]
        assert alike[0].digest == alike[1].digest and alike[0].config == alike[1].config
        assert len({hashes.disc_digest(one, first) for one in alike}) == 1


def test_a_hash_depends_on_what_decides_and_on_nothing_else(finished, phantom, tmp_path):
    first = next(finished.trainings())
    same = begin(tmp_path, phantom, "other_name", seeds=3, arms=["with"])
    digest = hashes.disc_digest(finished, first)
    assert hashes.disc_digest(same, first) == digest
    found = {digest}
    found.add(hashes.disc_digest(finished, Training("unet", first.arm, first.fold, 1)))
    found.add(hashes.disc_digest(finished, Training("unet", "without", first.fold, 0)))
    found.add(hashes.disc_digest(finished, Training("fds_cnn", first.arm, first.fold, 0)))
    found.add(hashes.disc_digest(finished, Training("unet", first.arm, finished.folds[1], 0)))
    for number, change in enumerate(
        ({"training__steps": 9}, {"spine__margin": 1.0}, {"spine__steps": 9},
         {"spine__region": "true"}, {"spine__mask": False}, {"score_discs": False})
    ):  # fmt: skip
        found.add(hashes.disc_digest(begin(tmp_path, phantom, f"e{number}", **change), first))
    assert len(found) == 11
    # What is done with the spine's mask leaves the network that finds it alone.
    other = begin(tmp_path, phantom, "margin", spine__margin=1.0, spine__mask=False)
    fold = first.fold
    assert hashes.spine_digest(other, fold) == hashes.spine_digest(finished, fold)

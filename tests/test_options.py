"""Options: what of them differs from the defaults."""

import json

from ivdlib import profiles
from ivdlib.options import TrainingOptions, essence
from ivdlib.profiles import profile


def test_the_essence_is_what_differs_from_the_defaults():
    assert essence(TrainingOptions(placement="clipped")) == {}  # what old hashes mean by silence
    assert essence(TrainingOptions()) == {"placement": "even"}  # a new default is always written
    old = {"training.steps": 5, "training.placement": "clipped", "spine.mask": False}
    found = essence(profile("paper", old))
    assert found["training"] == {"steps": 5}
    assert found["spine"] == {"mask": False, "tolerance": 1e-4}  # likewise a new default
    assert "spine" not in essence(profile("paper", {"spine.tolerance": 0.0}))
    assert "phantom" not in found and found["seeds"] == 3
    for name in profiles.PROFILES:  # whatever a hash is made of can be written as JSON
        json.dumps(essence(profile(name)))

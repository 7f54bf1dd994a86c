"""A passport of weights as trainings write it."""

from ivdlib import networks

TINY = networks.UNetConfig(base=2, levels=1)
SPACING = [[2.0, 2.0], [1.25, 1.25], [1.25, 1.25]]
CARD = {"network": "unet", "config": TINY.to_dict(), "tile": (16, 12), "images": ["wat", "fat"],
        "target": "disc", "channels": 1, "neighbours": 0, "spine": "5b1e000000000001",
        "margin": 15.0, "gap": 5.0, "mask": True, "spacing": SPACING,
        "field": [[100.0, 100.0], [200.0, 200.0]], "disc_mm": [3.0, 5.0]}  # fmt: skip

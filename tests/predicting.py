"""Call `predict` and look at what it wrote."""

from ivdlib import cli
from ivdlib.networks import UNetConfig

CONFIG = UNetConfig(base=2, levels=1)


def predict(*arguments):
    return cli.main(["predict", *(str(a) for a in arguments)])


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())

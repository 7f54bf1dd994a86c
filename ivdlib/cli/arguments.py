"""Arguments that several commands share."""

from __future__ import annotations

import argparse
import os
from pathlib import Path


def value(text: str, like: object = None) -> object:
    """Read `500`, `1e-3`, `true` or `a,b` as the value that it replaces, `like`, or as it looks."""
    if isinstance(like, tuple):
        return tuple(value(part, like[0] if like else "") for part in text.split(",") if part)
    if isinstance(like, str):
        return text
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return {"true": True, "false": False, "none": None}.get(text.lower(), text)


def whole_numbers(text: str) -> frozenset[int]:
    """Read `1,2,3`."""
    try:
        return frozenset(int(part) for part in text.split(","))
    except ValueError:
        message = f"{text!r} is no list of whole numbers such as 1,2,3"
        raise argparse.ArgumentTypeError(message) from None


def positive(text: str) -> int:
    """Read a whole number of 1 or more."""
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of 1 or more")
    return int(text)


def add_discs(sub: argparse.ArgumentParser, of: str = "") -> None:
    """Add which labels are disc."""
    sub.add_argument(
        "--discs",
        type=whole_numbers,
        metavar="N[,N]",
        help=f"label values{of} that are disc (default: dataset.json, else 1)",
    )


def add_derive(sub: argparse.ArgumentParser, then: str = "") -> None:
    """Add whether missing contrasts are derived."""
    sub.add_argument(
        "--derive-missing",
        action=argparse.BooleanOptionalAction,
        default=True,
        help=f"compute a missing contrast from two others, if that takes no guess{then}",
    )


def add_load(sub: argparse.ArgumentParser) -> None:
    """Add how scans are read, see `cases.load_cases`."""
    add_discs(sub)
    sub.add_argument(
        "--spine",
        type=whole_numbers,
        metavar="N[,N]",
        help="label values that belong to the spine (default: dataset.json, else all, if "
        "there are more than those of the discs)",
    )
    add_derive(sub, ", and mark it")
    sub.add_argument(
        "--label-grid",
        choices=("voxel", "affine"),
        default="voxel",
        help="if labels have another affine: take them voxel by voxel, or resample them",
    )


def load_options(args: argparse.Namespace) -> dict:
    """Collect what `add_load` added."""
    return {
        name: getattr(args, name) for name in ("discs", "spine", "derive_missing", "label_grid")
    }


def add_workers(sub: argparse.ArgumentParser) -> None:
    """Add how many trainings run side by side."""
    sub.add_argument(
        "--workers",
        type=positive,
        help="how many trainings run side by side (default: as many as are quickest)",
    )


def add_machine(sub: argparse.ArgumentParser) -> None:
    """Add threads and device."""
    sub.add_argument("--threads", type=positive, help="how many cores to use (default: all)")
    sub.add_argument(
        "--device",
        choices=("cpu", "gpu"),
        help="what to compute on (default: a GPU, if there is one)",
    )


def configure_machine(args: argparse.Namespace) -> None:
    """Set threads and device for this process, and for workers if there are any."""
    from ivdlib.networks import backend

    backend.configure(args.threads, args.device, getattr(args, "workers", None) or 1)
    hand_down(args)


def need_to_train(*extras: str) -> None:
    """Refuse what trains without Keras, these extras or the backend asked for; loads nothing."""
    from ivdlib.extras import need
    from ivdlib.networks.quiet import need_backend

    need("training", *extras)
    need_backend()


def hand_down(args: argparse.Namespace) -> None:
    """Hand threads and device down to processes of their own: kernels, workers."""
    for name in ("threads", "device"):
        if getattr(args, name) is not None:
            os.environ[f"IVDLIB_{name.upper()}"] = str(getattr(args, name))


def add_experiment(sub: argparse.ArgumentParser) -> None:
    """Add which experiment is meant."""
    sub.add_argument("--profile", default="smoke", help="test, smoke, laptop or paper")
    sub.add_argument(
        "--data", metavar="DIR", help="a folder of scans (default: the built-in phantom)"
    )
    sub.add_argument("--name", help="name of the experiment's folder (default: the profile's)")
    sub.add_argument(
        "--reports", metavar="DIR", help="the folder that holds experiments (default: reports)"
    )
    sub.add_argument(
        "--seeds",
        type=positive,
        help="how often each network is trained, each time with another seed",
    )


def print_results(folder: Path) -> None:
    """Show the tables of an experiment in short, and where everything lies."""
    from ivdlib.evaluation.in_short import IN_SHORT
    from ivdlib.report.results import SEGMENTATIONS

    print("\n" + (folder / "tables" / IN_SHORT).read_text(encoding="utf-8"))
    picture = folder / "figures" / f"{SEGMENTATIONS[0]}.png"
    if picture.is_file():
        print(f"picture: {picture}")
    print(f"tables:  {folder / 'tables'}\nresults: {folder}")

"""`grid`: the trainings of the tables, without notebooks."""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ivdlib.cli.arguments import (
    add_experiment,
    add_load,
    add_machine,
    add_workers,
    configure_machine,
    load_options,
    need_to_train,
    print_results,
    value,
)

if TYPE_CHECKING:
    from ivdlib.training.declared import Declared


def add_grid(add) -> None:
    """Define `ivdlib grid`."""
    sub = add(
        "grid",
        "train all networks of Tables 1, 2 and 3, without notebooks",
        "Trains each network with and without fusion, for equally many steps, in each fold and\n"
        "with each seed. If you call it again, it does only what is missing.\n\n"
        "  ivdlib grid --data DIR --profile laptop --name mine\n"
        "  ivdlib grid --experiment benchmarks/audit/crops.toml --plan\n"
        "  ivdlib grid --networks fds_cnn,unet --set training.steps=500",
    )
    add_experiment(sub)
    sub.set_defaults(profile=None)
    sub.add_argument(
        "--experiment", metavar="FILE", help="a file that declares an experiment (TOML)"
    )
    sub.add_argument(
        "--tensorboard", metavar="DIR", help="also write learning curves for TensorBoard there"
    )
    sub.add_argument(
        "--recipe",
        help="paper (default), or better: four changes that the paper does not make; the spine "
        "network then trains for at least 800 steps",
    )
    sub.add_argument("--plan", action="store_true", help="only say what is left to train")
    add_workers(sub)
    sub.add_argument(
        "--scheduler",
        metavar="ADDRESS",
        help="let the workers of this Dask scheduler train (tcp://…)",
    )
    sub.add_argument(
        "--networks", help="which of fds_cnn,unet,deeplabv3plus to train (default: all)"
    )
    sub.add_argument(
        "--folds", type=int, help="number of folds (default: 4, or fewer if there are few patients)"
    )
    sub.add_argument(
        "--split",
        metavar="CSV",
        help="a table with your own folds: columns case (or subject) and fold",
    )
    sub.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="FIELD=VALUE",
        help="override a field of the profile, e.g. training.steps=500",
    )
    add_load(sub)
    add_machine(sub)
    sub.set_defaults(run=run_grid)


def _declared(args: argparse.Namespace) -> Declared:
    """What the file of --experiment says, and in its place what the command line says."""
    from ivdlib.training import declared

    if args.experiment:
        found = declared.load(args.experiment, args.recipe)
    else:
        found = declared.Declared("", "", "smoke", recipe=args.recipe or "paper")
    profile = args.profile or found.profile
    found = replace(found, profile=profile, name=args.name or found.name or profile)
    return replace(found, fields={**found.fields, **_overrides(args, profile)})


def _overrides(args: argparse.Namespace, profile: str) -> dict[str, object]:
    from ivdlib import profiles
    from ivdlib.errors import ConfigError

    base = profiles.profile(profile)
    found: dict[str, object] = {}
    for item in args.set:
        key, equals, text = item.partition("=")
        if not equals:
            raise ConfigError(f"--set takes FIELD=VALUE, e.g. training.steps=500, not {item!r}.")
        found[key.strip()] = value(text.strip(), like=profiles.current(base, key.strip()))
    if args.networks:
        found["networks"] = tuple(args.networks.split(","))
    for name in ("folds", "seeds"):
        if getattr(args, name) is not None:
            found[name] = getattr(args, name)
    return found


def run_grid(args: argparse.Namespace) -> int:
    """`ivdlib grid`."""
    from ivdlib import profiles

    need_to_train()
    wanted = _declared(args)
    profiles.profile(wanted.profile, wanted.overrides)  # refuse before anything is loaded
    data = args.data or wanted.folders()
    configure_machine(args)
    from ivdlib.report import result_figures
    from ivdlib.training import curves, workers
    from ivdlib.training.experiment import Experiment
    from ivdlib.training.run import run

    if args.tensorboard:
        os.environ[curves.VARIABLE] = str(Path(args.tensorboard).resolve() / wanted.name)
    curves.need_tensorboard()
    experiment = Experiment(
        wanted.name,
        wanted.profile,
        data,
        overrides=wanted.overrides,
        reports=args.reports,
        split=args.split,
        load=load_options(args),
        claim=not args.plan,
    )
    for sentence in wanted.short_of(experiment):
        print(f"{wanted.name}: {sentence}.", file=sys.stderr)
    if args.plan:
        from ivdlib.training import plan

        print(plan.plan_text(wanted.name, plan.plan(experiment)))
        return 0
    processes = args.workers or (1 if args.scheduler else workers.most_useful(experiment))
    run(experiment, processes, args.scheduler)
    result_figures.write_figures(experiment.folder)
    print_results(experiment.folder)
    return 0

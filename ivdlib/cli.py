"""The command `ivdlib`: arguments in, one clear sentence out when something is wrong."""

from __future__ import annotations

import argparse
import os
import sys
import warnings
from collections.abc import Sequence

from ivdlib import __version__
from ivdlib.errors import DataWarning, IvdlibError

INTERRUPTED = 130
"""Exit status after Ctrl-C, as of every program that a signal ended."""


def _value(text: str) -> object:
    """Read `500`, `1e-3`, `true` or `a,b` as what it looks like."""
    if "," in text:
        return tuple(_value(part) for part in text.split(",") if part)
    if text.lower() in {"true", "false", "none"}:
        return {"true": True, "false": False, "none": None}[text.lower()]
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _numbers(text: str) -> frozenset[int]:
    try:
        return frozenset(int(part) for part in text.split(","))
    except ValueError:
        message = f"{text!r} is no list of whole numbers such as 1,2,3"
        raise argparse.ArgumentTypeError(message) from None


def _positive(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of 1 or more")
    return int(text)


class _Help(argparse.ArgumentDefaultsHelpFormatter, argparse.RawDescriptionHelpFormatter):
    """Keep the line breaks of descriptions and show defaults."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        if action.default in (None, False, argparse.SUPPRESS, ()):
            return action.help
        return super()._get_help_string(action)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="ivdlib",
        description="Fully dilated separable networks for intervertebral-disc segmentation: read, "
        "run, reproduce, teach.",
    )
    parser.add_argument("--version", action="version", version=f"ivdlib {__version__}")
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def add(name: str, text: str, more: str = "") -> argparse.ArgumentParser:
        sub = commands.add_parser(
            name, help=text, description=f"{text[0].upper()}{text[1:]}.\n\n{more}".rstrip(),
            formatter_class=_Help,
        )  # fmt: skip
        sub.add_argument("--debug", action="store_true", default=argparse.SUPPRESS,
                         help="show the traceback of an error")  # fmt: skip
        return sub

    for define in (_phantom, _check, _grid, _reproduce, _lesson, _predict, _score, _info):
        define(add)
    return parser


def _add_load(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("--discs", type=_numbers, metavar="N[,N]",
                     help="label values that are disc (default: dataset.json, else 1)")  # fmt: skip
    sub.add_argument("--spine", type=_numbers, metavar="N[,N]",
                     help="label values that belong to the spine (default: dataset.json, else all "
                     "where there are more than the discs)")  # fmt: skip
    sub.add_argument("--derive-missing", action="store_true",
                     help="compute a missing wat, fat or inn from two others, and mark it")  # fmt: skip
    sub.add_argument("--label-grid", choices=("voxel", "affine"), default="voxel",
                     help="labels with another affine: take them voxel by voxel, or resample")  # fmt: skip


def _load_options(args: argparse.Namespace) -> dict:
    return {
        "discs": args.discs,
        "spine": args.spine,
        "derive_missing": args.derive_missing,
        "label_grid": args.label_grid,
    }


def _add_machine(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("--threads", type=_positive, help="cores to use (default: all)")
    sub.add_argument("--device", choices=("cpu", "gpu"), help="default: a GPU where there is one")


def _configure(args: argparse.Namespace) -> None:
    """Threads and device, for this process and for the kernels that it starts."""
    from ivdlib import backend

    backend.configure(args.threads, args.device)


def _phantom(add) -> None:
    sub = add("phantom", "make synthetic Dixon scans in the layout of the challenge",
              "Interrupted, it leaves whole scans only; called again, it goes on where it stopped.\n"
              "The same seed gives the same bytes, with any number of workers.")  # fmt: skip
    sub.add_argument("out", help="folder to make, e.g. data/phantom")
    sub.add_argument("--subjects", type=int, default=8, help="number of people")
    sub.add_argument("--stages", type=int, default=2, help="scans a person, as before and after")
    sub.add_argument("--seed", type=int, default=0, help="of everything")
    sub.add_argument("--slices", type=int, default=36, help="the central sagittal slices")
    sub.add_argument("--in-plane", type=int, default=256, help="pixels a side over 320 mm")
    sub.add_argument("--workers", type=_positive, help="processes (default: all cores)")
    sub.set_defaults(run=run_phantom)


def run_phantom(args: argparse.Namespace) -> int:
    """`ivdlib phantom`."""
    from ivdlib import provenance
    from ivdlib.phantom import make_phantom

    make_phantom(
        args.out, subjects=args.subjects, stages=args.stages, seed=args.seed, slices=args.slices,
        in_plane=args.in_plane, workers=args.workers or provenance.cores(),
    )  # fmt: skip
    print(f"phantom: {args.subjects} subjects × {args.stages} stages in {args.out}")
    return 0


def _check(add) -> None:
    sub = add("check", "look for faults in a folder of scans",
              "One line a case; exit status 1 where a case cannot be used.")  # fmt: skip
    sub.add_argument("folder")
    sub.add_argument("--json", action="store_true", help="for machines: one JSON document")
    sub.set_defaults(run=run_check)


def run_check(args: argparse.Namespace) -> int:
    """`ivdlib check`."""
    import json

    from ivdlib.cases import check_cases

    rows = check_cases(args.folder)
    bad = [row for row in rows if row["errors"]]
    if args.json:
        print(json.dumps({"folder": str(args.folder), "cases": rows}, indent=1))
        return 1 if bad else 0
    for row in rows:
        shape = "×".join(map(str, row["shape"] or ())) or "?"
        copies = "".join(f", {a} is a copy of {b}" for a, b in row["copies"])
        derived = f", derived: {' '.join(row['derived'])}" if row["derived"] else ""
        print(f"{row['case']}: {'ERROR' if row['errors'] else 'ok'}, subject {row['subject']}, "
              f"{shape}, {' '.join(row['contrasts'])}{copies}{derived}")  # fmt: skip
        for text in row["errors"]:
            print(f"  error: {text}")
    notes: dict[str, int] = {}
    for row in rows:
        for text in row["warnings"]:
            notes[text] = notes.get(text, 0) + 1
    for text, count in notes.items():
        print(f"warning ({count} of {len(rows)} cases): {text}")
    print(f"{len(rows)} cases, {len(bad)} with errors")
    return 1 if bad else 0


def _add_experiment(sub: argparse.ArgumentParser, seeds: bool = True) -> None:
    sub.add_argument("--profile", default="smoke", help="test, smoke, laptop or paper")
    sub.add_argument("--data", metavar="DIR", help="folder of scans (default: the phantom)")
    sub.add_argument("--name", help="name of the experiment's folder (default: the profile's)")
    sub.add_argument("--reports", metavar="DIR", help="where experiments lie (default: reports)")
    if seeds:
        sub.add_argument("--seeds", type=_positive, help="trainings of each kind")


def _grid(add) -> None:
    sub = add("grid", "run the grid of Tables 1, 2 and 3 without notebooks",
              "Every network, with and without fusion at equal steps, every fold, every seed. Called "
              "again, it\ndoes only what is missing.\n\n"
              "  ivdlib grid --data DIR --profile laptop --name mine\n"
              "  ivdlib grid --networks fds_cnn,unet --set training.steps=500")  # fmt: skip
    _add_experiment(sub)
    sub.add_argument("--networks", help="some of fds_cnn,unet,deeplabv3plus (default: all)")
    sub.add_argument("--folds", type=int, help="folds of patients (default: 4, as patients allow)")
    sub.add_argument("--split", metavar="CSV", help="own folds: columns case, fold")
    sub.add_argument("--set", action="append", default=[], metavar="FIELD=VALUE",
                     help="override a field of the profile, e.g. training.steps=500")  # fmt: skip
    _add_load(sub)
    _add_machine(sub)
    sub.set_defaults(run=run_grid)


def _overrides(args: argparse.Namespace) -> dict[str, object]:
    from ivdlib.errors import ConfigError

    found: dict[str, object] = {}
    for item in args.set:
        key, equals, text = item.partition("=")
        if not equals:
            raise ConfigError(f"--set takes FIELD=VALUE, e.g. training.steps=500, not {item!r}.")
        found[key.strip()] = _value(text.strip())
    if args.networks:
        found["networks"] = tuple(args.networks.split(","))
    for name in ("folds", "seeds"):
        if getattr(args, name) is not None:
            found[name] = getattr(args, name)
    return found


def run_grid(args: argparse.Namespace) -> int:
    """`ivdlib grid`."""
    from ivdlib import profiles

    overrides = _overrides(args)
    profiles.profile(args.profile, overrides)  # refuse before anything is loaded
    _configure(args)
    from ivdlib.experiment import Experiment

    experiment = Experiment(
        args.name or args.profile, args.profile, args.data, overrides=overrides,
        reports=args.reports, split=args.split, load=_load_options(args),
    )  # fmt: skip
    experiment.run()
    _print_tables(experiment.folder)
    return 0


def _print_tables(folder) -> None:
    for path in sorted((folder / "tables").glob("table*.md")):
        print("\n" + path.read_text(encoding="utf-8"), end="")
    print(f"\nresults: {folder}")


def _reproduce(add) -> None:
    sub = add("reproduce", "the main job: the lessons in order, then tables and reports",
              "  ivdlib reproduce                                  the phantom, profile smoke\n"
              "  ivdlib reproduce --profile laptop --data data/ivdm3seg --name mine")  # fmt: skip
    _add_experiment(sub)
    _add_machine(sub)
    sub.set_defaults(run=run_reproduce)


def run_reproduce(args: argparse.Namespace) -> int:
    """`ivdlib reproduce`."""
    from ivdlib.lessons import reproduce

    _hand_down(args)
    folder = reproduce(
        args.profile, args.data or "", args.name or "", args.reports or "", args.seeds or 0
    )
    _print_tables(folder)
    for report in sorted(folder.glob("report.*")):
        print(f"report:  {report}")
    return 0


def _hand_down(args: argparse.Namespace) -> None:
    """Threads and device for kernels, which are processes of their own."""
    for name in ("threads", "device"):
        if getattr(args, name) is not None:
            os.environ[f"IVDLIB_{name.upper()}"] = str(getattr(args, name))


def _lesson(add) -> None:
    sub = add("lesson", "run one lesson by papermill; the executed copy goes to the experiment",
              "  ivdlib lesson 05 -p profile laptop -p data_dir data/ivdm3seg")  # fmt: skip
    sub.add_argument("number", help="01 to 05")
    sub.add_argument("-p", "--parameter", nargs=2, action="append", default=[],
                     metavar=("NAME", "VALUE"), help="a parameter of the lesson")  # fmt: skip
    _add_machine(sub)
    sub.set_defaults(run=run_lesson)


def run_lesson(args: argparse.Namespace) -> int:
    """`ivdlib lesson`."""
    from ivdlib import lessons

    _hand_down(args)
    print(f"executed: {lessons.lesson(args.number, dict(args.parameter))}")
    return 0


def _predict(add) -> None:
    sub = add("predict", "segment the discs of scans; the masks lie on the scans' own grid",
              "Without --contrast the probability is averaged over all images that the network was "
              "trained on.")  # fmt: skip
    sub.add_argument("input", help="a folder of scans, the folder of one scan, or one NIfTI file")
    sub.add_argument("--weights", required=True, help="a model.weights.h5 of a training")
    sub.add_argument("--out", required=True, metavar="DIR", help="gets CASE_Discs.nii.gz")
    sub.add_argument("--spine-weights", metavar="FILE",
                     help="the spine network (default: that of the same experiment)")  # fmt: skip
    sub.add_argument("--no-region", action="store_true", help="skip the spine stage")
    sub.add_argument("--contrast", help="one image, e.g. wat or wat+opp")
    sub.add_argument("--derive-missing", action="store_true",
                     help="compute a missing wat, fat or inn from two others")  # fmt: skip
    _add_machine(sub)
    sub.set_defaults(run=run_predict)


def run_predict(args: argparse.Namespace) -> int:
    """`ivdlib predict`."""
    _configure(args)
    from ivdlib.application import predict_folder

    for path in predict_folder(
        args.input, args.weights, args.out, spine_weights=args.spine_weights,
        use_region=not args.no_region, contrast=args.contrast, derive_missing=args.derive_missing,
    ):  # fmt: skip
        print(path)
    return 0


def _score(add) -> None:
    sub = add("score", "score predicted masks against the truth",
              "Two NIfTI files, or a folder of CASE_Discs.nii.gz and a folder of labelled cases.\n"
              "Dice of the volume; per disc Dice, average surface distance and distance of the "
              "centres\n(challenge-style: a predicted voxel belongs to the nearest disc of the truth).")  # fmt: skip
    sub.add_argument("pred", help="mask, or folder of masks")
    sub.add_argument("truth", help="labels, or folder of cases")
    sub.add_argument("--discs", type=_numbers, default=frozenset({1}), metavar="N[,N]",
                     help="label values that are disc, in both (default: 1)")  # fmt: skip
    sub.add_argument("--json", action="store_true", help="for machines: one JSON document")
    sub.set_defaults(run=run_score)


def run_score(args: argparse.Namespace) -> int:
    """`ivdlib score`."""
    import json

    from ivdlib.scoring import score_files, score_folders

    many = os.path.isdir(args.pred)
    found = (score_folders if many else score_files)(args.pred, args.truth, args.discs)
    if args.json:
        print(json.dumps({"cases": found} if many else found, indent=1))
        return 0
    for scores in found if many else [found]:
        if many:
            print(f"case {scores['case']}")
        _print_scores(scores)
    if many:
        mean = sum(scores["volume"]["dice"] for scores in found) / len(found)
        print(f"mean Dice over {len(found)} scans: {mean:.4f}")
    return 0


def _print_scores(scores: dict) -> None:
    print(f"volume: Dice {scores['volume']['dice']:.4f}")
    print("disc  level    Dice    ASD mm  centre mm")
    for row in scores["discs"]:
        edge = "  (touches the border)" if row["touches_border"] else ""
        print(f"{row['disc']:>4}  {row['level'] or '–':<7}  {row['dice']:.4f}  {row['asd_mm']:6.2f}  "
              f"{row['centre_distance_mm']:9.2f}{edge}")  # fmt: skip


def _info(add) -> None:
    sub = add("info", "versions, backend, devices")
    sub.add_argument("--json", action="store_true", help="for machines: one JSON document")
    sub.set_defaults(run=run_info)


def run_info(args: argparse.Namespace) -> int:
    """`ivdlib info`."""
    import json

    import keras

    from ivdlib import backend, places, provenance

    found = {
        "versions": provenance.versions(),
        "backend": keras.backend.backend(),
        "device": provenance.device(),
        "gpu": backend.has_gpu(),
        "cores": provenance.cores(),
        "folder": str(places.root()),
    }
    if args.json:
        print(json.dumps(found, indent=1))
        return 0
    for key, value in found.items():
        if isinstance(value, dict):
            value = ", ".join(f"{name} {version}" for name, version in value.items())
        print(f"{key:<9} {value}")
    return 0


def _show_warning(message, category, filename, lineno, file=None, line=None) -> None:
    """Print our own warnings as a line; others as Python does."""
    if issubclass(category, DataWarning):
        print(f"warning: {message}", file=sys.stderr)
    else:
        _python_warning(message, category, filename, lineno, file, line)


_python_warning = warnings.showwarning


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments : sequence of str, optional
        Default: those of the process.

    Returns
    -------
    int
        0; 1 where something is wrong with data or configuration; 2 for a wrong call; 130 after
        Ctrl-C.
    """
    args = _parser().parse_args(arguments)
    warnings.showwarning = _show_warning
    try:
        return args.run(args)
    except IvdlibError as error:
        if args.debug:
            raise
        print(f"ivdlib: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        if args.debug:
            raise
        print("\nivdlib: interrupted; nothing is half-written, and the same command goes on from "
              "the last checkpoint.", file=sys.stderr)  # fmt: skip
        return INTERRUPTED
    except MemoryError:
        if args.debug:
            raise
        print("ivdlib: out of memory; use fewer or smaller scans, or a smaller profile.",
              file=sys.stderr)  # fmt: skip
        return 1
    except OSError as error:
        if args.debug:
            raise
        print(f"ivdlib: {error.filename or 'a file'}: {error.strerror or error}.", file=sys.stderr)
        return 1
    except Exception as error:  # a fault of ours: say so in a sentence, the traceback on request
        if args.debug:
            raise
        print(f"ivdlib: unexpected {type(error).__name__}: {error}. This is a fault of ivdlib; run "
              "the same command with --debug and report it.", file=sys.stderr)  # fmt: skip
        return 70
    finally:
        warnings.showwarning = _python_warning

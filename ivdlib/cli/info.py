"""`info`: what is installed, and what a network is made of."""

from __future__ import annotations

import argparse
from pathlib import Path

from ivdlib.errors import ConfigError
from ivdlib.files import json_text


def add_info(add) -> None:
    """Define `ivdlib info`."""
    sub = add(
        "info",
        "show versions, backend and devices, or the layers of a network and their cost",
        "With --network it prints a row for each convolution: its output (height × width ×\n"
        "channels), dilation rate, receptive field in pixels of the input (with a + if it also\n"
        "sees a mean over the whole image), parameters, and multiply–adds of one tile in\n"
        "millions; then both totals. With --compare it shows the three networks side by side.",
    )
    sub.add_argument("--network", help="fds_cnn, unet or deeplabv3plus")
    sub.add_argument("--size", default="paper", help="tiny, laptop or paper")
    sub.add_argument("--variant", help="FDS-CNN without one of its ideas, such as no_skips")
    sub.add_argument(
        "--tile",
        nargs=2,
        type=int,
        default=(112, 128),
        metavar="N",
        help="size of the input in pixels, AP and SI",
    )
    sub.add_argument("--figure", metavar="FILE", help="draw FDS-CNN into a .svg, .png or .pdf")
    sub.add_argument(
        "--paper",
        action="store_true",
        help="list the sections of the paper and the modules that follow them",
    )
    sub.add_argument("--compare", action="store_true", help="compare the cost of all networks")
    sub.add_argument("--json", action="store_true", help="print one JSON document, for programs")
    sub.set_defaults(run=run_info)


def run_info(args: argparse.Namespace) -> int:
    """`ivdlib info`."""
    if args.paper:
        from ivdlib.cli import paper

        print(paper.listing())
    elif args.network:
        _network(args)
    elif args.variant or args.figure:
        raise ConfigError("--variant and --figure need --network fds_cnn.")
    elif args.compare:
        _compare(args)
    else:
        _machine(args)
    return 0


def _machine(args: argparse.Namespace) -> None:
    from ivdlib import provenance
    from ivdlib.networks import quiet

    name, gpu = _backend() if quiet.has_framework() else (None, False)
    found = {
        "versions": provenance.versions(),
        "backend": name,
        "device": provenance.device(),
        "gpu": gpu,
        "cores": provenance.cores(),
        "folder": str(provenance.root()),
    }
    if args.json:
        print(json_text(found))
        return
    found["backend"] = name or "none: networks are trained after pip install 'ivdlib[cpu]'"
    for key, text in found.items():
        if isinstance(text, dict):
            text = ", ".join(f"{name} {version}" for name, version in text.items())
        print(f"{key:<9} {text}")


def _backend() -> tuple[str, bool]:
    """Keras' backend, and whether it has a GPU."""
    import keras

    from ivdlib.networks import backend

    return keras.backend.backend(), backend.has_gpu()


def _network(args: argparse.Namespace) -> None:
    from ivdlib import networks
    from ivdlib.networks import cost

    config = networks.config_of(args.network, args.size, args.variant)
    # Three channels where a network has classes, as published; else one.
    channels = 3 if getattr(config, "classes", 1) > 1 else 1
    model = networks.build(args.network, config, (*args.tile, channels))
    rows, bytes_ = cost.layer_table(model), cost.memory(model)
    if args.json:
        found = {"config": config.to_dict(), "layers": rows.to_dict("records"), "memory": bytes_}
        print(json_text(found))
    else:
        _print(rows)
        print(
            f"\nOne tile of {args.tile[0]} × {args.tile[1]} pixels: "
            f"{rows['multiply_adds'].sum() / 1e9:.2f} × 10⁹ multiply–adds; maps of "
            f"{bytes_['inference'] / 2**20:.0f} MiB at a time, "
            f"{bytes_['training'] / 2**20:.0f} MiB kept for the gradient (float32)."
        )
        saved = cost.savings(model)
        if len(saved):
            good = int((saved["times"] >= 8).sum())
            whole = saved["standard"].sum() / saved["multiply_adds"].sum()
            print(
                f"Standard 3 × 3 convolutions in place of the {len(saved)} separable ones: "
                f"{whole:.2f} times their multiply–adds; {saved['times'].min():.2f} to "
                f"{saved['times'].max():.2f} times by layer, at least 8 times in {good} of them."
            )
    if args.figure:
        _draw(args, config)


def _print(rows) -> None:
    heads = ("name", "output", "rate", "field", "parameters", "10⁶ m–a", "all par.", "all 10⁶ m–a")
    lines = [heads]
    for row in rows.itertuples():
        field = "image" if not row.receptive_field else str(row.receptive_field)
        lines.append((
            row.name, " × ".join(map(str, row.output)), str(row.rate),
            field + (" +" if row.whole_image and row.receptive_field else ""),
            f"{row.parameters:,}", f"{row.multiply_adds / 1e6:,.1f}",
            f"{row.all_parameters:,}", f"{row.all_multiply_adds / 1e6:,.1f}",
        ))  # fmt: skip
    _columns(lines)


def _columns(lines: list[tuple[str, ...]]) -> None:
    """Print lines of cells in columns: two of words, then numbers to the right."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        cells = (
            c.rjust(w) if k > 1 else c.ljust(w)
            for k, (c, w) in enumerate(zip(line, widths, strict=True))
        )
        print("  ".join(cells).rstrip())


def _compare(args: argparse.Namespace) -> None:
    from ivdlib.networks import cost

    rows = cost.comparison(tuple(args.tile))
    if args.json:
        print(rows.to_json(orient="records", indent=1))
        return
    lines = [("network", "size", "parameters", "10⁶ m–a", "maps, MiB", "in training")]
    lines += [
        (
            row.network, row.size, f"{row.parameters:,}", f"{row.multiply_adds / 1e6:,.1f}",
            f"{row.inference_bytes / 2**20:,.1f}", f"{row.training_bytes / 2**20:,.1f}",
        )
        for row in rows.itertuples()
    ]  # fmt: skip
    _columns(lines)


def _draw(args: argparse.Namespace, config) -> None:
    from ivdlib import files
    from ivdlib.networks import FDSCNNConfig
    from ivdlib.report import architecture

    if not isinstance(config, FDSCNNConfig):
        raise ConfigError("--figure draws FDS-CNN only; leave it out, or say --network fds_cnn.")
    path = Path(args.figure)
    if path.suffix not in (".svg", ".png", ".pdf"):
        raise ConfigError(f"--figure {path} must end with .svg, .png or .pdf.")
    with files.atomic(path) as temporary:
        architecture.architecture(config, tuple(args.tile)).savefig(temporary, dpi=200)

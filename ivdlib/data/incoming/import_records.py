"""What an import writes beside the images: what was taken for what, who is who, what was left."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ivdlib import provenance
from ivdlib.data.contrasts import CONTRASTS
from ivdlib.data.incoming.grouping import IncomingScan
from ivdlib.data.incoming.volume import LeftOut
from ivdlib.files import private, read_json, sha256_json, write_csv, write_json

TABLE, RECORD = "import.csv", "import.json"

_FILE = re.compile(r"^[^:]*(?=: its pixels )")
"""Name of a file at the head of a reason: it may be a patient's."""


def rows_of(scan: IncomingScan) -> list[dict[str, Any]]:
    """Rows of `import.csv`, as text: a row an image."""
    rows = []
    for name in sorted(scan.images, key=CONTRASTS.index):
        volume = scan.images[name]
        facts = {k: str(v) for k, v in volume.facts.items() if v not in (None, "")}
        rows.append({"case": scan.case, "contrast": name, "why": volume.why, **facts})
    return rows


def read_done(out: Path) -> dict[str, list[dict[str, Any]]]:
    """Rows of an earlier import by case, of images that are still there."""
    import pandas as pd

    table = pd.read_csv(out / TABLE, dtype=str, keep_default_na=False)
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in table.to_dict("records"):
        row = {k: v for k, v in row.items() if v != ""}
        if (out / row["case"] / f"{row['case']}_{row['contrast']}.nii.gz").is_file():
            found[row["case"]].append(row)
    return found


def write_imported(out: Path, done: dict[str, list[dict[str, Any]]]) -> None:
    """Write `import.csv`: a row an image."""
    import pandas as pd

    rows = [row for case in sorted(done) for row in done[case]]
    table = pd.DataFrame(rows, columns=None if rows else ["case", "contrast", "why"])
    write_csv(out / TABLE, table.fillna(""))


def write_people(out: Path, scans: list[IncomingScan]) -> None:
    """Write `subjects.csv`; rows of cases that are not in this import stay as they are."""
    import pandas as pd

    path, columns = out / "subjects.csv", ["case", "subject", "stage"]
    old = pd.read_csv(path, dtype=str, keep_default_na=False) if path.is_file() else None
    new = pd.DataFrame([(s.case, s.subject, s.stage) for s in scans], columns=columns)
    if old is not None:  # a row that somebody corrected stays
        new = pd.concat([old, new[~new["case"].isin(old["case"])]])
    there = new["case"].map(lambda case: (out / case).is_dir())
    write_csv(path, new[there].sort_values("case"))


def write_left_out(out: Path, source: Path, left_out: Sequence[LeftOut]) -> None:
    """Write what was left out: of this folder as it is now, of others as it was."""
    path, folder = out / RECORD, sha256_json(str(source.resolve()))[:16]
    before = read_json(path).get("left_out", []) if path.is_file() else []
    found = Counter((_shortly(x.what), _FILE.sub("a file", x.why)) for x in left_out)
    left = [{"folder": folder, "series": what, "why": why, "times": n}
            for (what, why), n in found.items()]  # fmt: skip
    kept = [one for one in before if one["folder"] != folder]
    write_json(path, provenance.record(left_out=kept + left))


def write_all_left(path: Path, left_out: Sequence[LeftOut]) -> Path | None:
    """Write a line for each thing that was left out, as it is called; for its owner alone."""
    import pandas as pd

    if not left_out:
        return None
    table = pd.DataFrame([(x.what, x.why) for x in left_out], columns=["what", "why"])
    with private():
        write_csv(path, table)
    return path


def _shortly(what: str) -> str:
    """`series 5 of sub-001`: names of series are free text, and stay out of what is written."""
    subject = re.search(r" of sub-\w+$", what)
    number = re.match(r"series \d+", what)
    return (number[0] if number else "a file") + (subject[0] if subject else "")

"""Names of people and of scans: when two are one, and when nobody can tell.

`P01` and `p01 ` are one person. `P01_pre` and `P01_post` may be one person at two times, or two
people: names alone cannot tell, so whoever divides people asks (`doubts`).
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import takewhile
from typing import Any

from ivdlib.data.remarks import Remark, listed

FROM_NAME = "case name"
"""Where a subject is from that nobody has written down."""

_BORDER = re.compile(r"(?<=[^\W\d_])(?=\d)|(?<=\d)(?=[^\W\d_])")
_NUMBER = re.compile(r"\b\d+( |$)")
"""A number that is not the inside of a word: in `P01_a` and `01`, not in `IVDM3Seg`."""

_ENTITY = re.compile(r"_(ses|part|acq|run|echo|rec|dir|ce|task|desc|space|chunk|mod)-[^_]+")
"""What BIDS may say of a scan behind the name of the person."""

_PERSON = re.compile(r"sub-[^_]+")
"""BIDS says who it is: nothing is made of what others are called."""

_TITLE = re.compile(r"^(sub|subj|subject)(?=[\W\d_])[\W_]*(?=.)")
_ACCENT = re.compile("[\u0300-\u036f]")  # signs that stand on a Latin letter

_STATE = (
    r"(pre|post|pra) ?(op|operativ|operative|flight|surgery|treatment|hdt)|pre|post|before|"
    "after|baseline|bl|follow ?up|fu|early|late|old|new|initial|final|rescan|retest|repeat|vorher|"
    "nachher|vor|nach|verlauf|kontrolle|alt|neu|avant|apres|bdc|hdt|loaded|unloaded|supine|upright|"
    "prone|standing|morgens|abends|morning|evening|copy( of)?|kopie( von)?|anon(ym|ymized|ymised)?"
)
"""Words for a time, a posture or a copy. In front of a number they name a group: `old_01`."""

_COUNTED = r"visit|session|ses|time ?point|tp|time|day|week|wk|month|year|first|second|third|termin"

_TIMES = {
    "sure": re.compile(  # wherever it stands
        rf"^({_STATE})(?=[. ]\d)|\b({_STATE}|{_COUNTED})\b([. ]\d{{1,2}}\b)?|"
        r"\b\d+\.(st|nd|rd|th)\b|(?<=[. ])[vt]\.\d\b|"
        r"(?<=[. ])(\d{1,3}\.(mo|days?|wks?|weeks?|months?|yrs?|years?)|0\.[dwmy])$"
    ),
    "short": re.compile(  # behind a number, or where not all names begin so
        r"(?<=[. ])(scan|exam|mri?|run|[djmswy])[. ]\d$|(?<=\d[. ])[^\W\d_]$|"
        r"\b(19|20)\d{6}\b|\b(19|20)\d\d[. ]\d\d[. ]\d\d\b|"
        r"\b[0-3]\d ?[01]\d ?(19|20)\d\d\b"
    ),
    "year": re.compile(r"(?<=[. ])20[12]\d$"),  # as short, where it is but a few
    "long": re.compile(  # behind a number
        r"(?<=[. ])((scan|exam|mri?|run|day|[djmswy])[. ]\d{2,3}|\d{1,2}\.[dwmy])$"
    ),
    "digit": re.compile(r"(?<=[. ])\d$"),  # as short, but where the same goes on to 10 and more
    "count": re.compile(r"(?<=[. ])\d{2,7}$"),
}
"""What may tell a time in a name as `_spread` gives it, and where that is believed."""


def key(name: object) -> str:
    """What is equal for spellings of one name: letters' case, blanks, Unicode's forms aside."""
    text = "".join(c for c in str(name) if unicodedata.category(c) != "Cf")  # signs of no width
    text = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(unicodedata.normalize("NFKC", text).split())


def unified(people: Mapping[str, Any]) -> dict[str, Any]:
    """Scan → person, each person in one spelling: that which stands first in the mapping."""
    first: dict[str, Any] = {}
    return {scan: first.setdefault(key(person), person) for scan, person in people.items()}


def one_of_two(people: Mapping[str, Any]) -> list[tuple[list[str], Remark]]:
    """Find people whose names differ as spellings of one do, such as `P03` and `P3`.

    Of a mapping of scan → person; gives the scans, and a remark as `questions` does.
    """
    spelt: dict[tuple[str, ...], dict[str, Any]] = defaultdict(dict)
    for person in people.values():
        if pieces := _spelling(person):
            spelt[pieces].setdefault(key(person), person)
    return [
        (
            [scan for scan, person in people.items() if key(person) in some],
            Remark(
                f"the subjects {' and '.join(repr(str(who)) for who in [*some.values()][:2])} "
                "differ as two spellings of one name do (in zeros, separators, accents, or a "
                "leading sub-)",
                "write one spelling if it is one person, or a name that tells them apart",
            ),
        )
        for some in spelt.values()
        if len(some) > 1
    ]


def _spelling(name: object) -> tuple[str, ...]:
    """Words and numbers of a person's name; equal where these are spelt in two ways."""
    name = re.sub(r"^(\d+)[.,]0+$", r"\1", _TITLE.sub("", key(name)))
    return _pieces(re.sub(r"(?<=[^\W\d_]) (?=[^\W\d_])", "", _parted(name)))


def meant(name: str, others: Collection[str]) -> str:
    """Say which of other names may stand for a name; "" where none looks like it.

    Examples
    --------
    >>> meant("01", ["1", "2"])
    '1 looks like 01: leading zeros were lost, as spreadsheets do'
    """
    same = [other for other in others if _spelling(other) == _spelling(name)]
    parts = [re.fullmatch(r"(0*)\d+([.,]0+)?", key(one)) for one in (name, *same[:1])]
    if len(parts) == 2 and all(parts):
        (here, there), (whole, decimal) = zip(*(part.groups("") for part in parts), strict=True)
        zeros = len(there) - len(here)
        told = [f"leading zeros were {'lost' if zeros < 0 else 'added'}"] if zeros else []
        told += [f"a decimal was {'added' if decimal else 'lost'}"] if whole != decimal else []
        by = ", as spreadsheets do" if zeros <= 0 else ""
        return f"{same[0]} looks like {name}: {' and '.join(told)}{by}"
    near = same + difflib.get_close_matches(name, others, 1, 0.8)
    return f"{near[0]} looks like {name}" if near else ""


def doubts(people: Iterable[str], more: Iterable[Iterable[str]] = ()) -> list[tuple[str, ...]]:
    """Find names that may be of one person as well as of several.

    Parameters
    ----------
    people : iterable of str
        All people of a folder: `scan_1`, `scan_2`, … is a series of people where nobody is called
        otherwise.
    more : iterable of iterable of str
        Groups that are in doubt for another reason.

    Returns
    -------
    list of tuple of str
        Groups of two names or more, by the alphabet: names that differ in zeros and separators
        alone (`P1`, `P-01`); that begin with another name (`anna`, `anna_2`); that differ in what
        tells a time (`P01_pre`, `P01_post`; `P01a`, `P01b`; `01_1`, `01_2`); or in anything behind
        a number, where others begin otherwise (`P01_left`, `P01_right`, `P02_left`).

    Examples
    --------
    >>> doubts(["P01_pre", "P01_post", "P02_pre"])
    [('P01_post', 'P01_pre')]
    >>> doubts(["scan_01", "scan_02", "scan_03"])
    []
    """
    names = {name: text for name in sorted(set(people)) if (text := _spread(name))}
    return [some for some in merged((*_may_be_one(names), *more)) if len(some) > 1]


def by_number(name: object) -> list[int | str]:
    """Sort names by this as people count: P9 before P10."""
    parts = re.split(r"(\d+)", str(name))
    return [int(part) if part.isdecimal() else part for part in parts]


def merged(groups: Iterable[Iterable[Any]]) -> list[tuple[Any, ...]]:
    """Join groups that share a member; each is sorted, and so are they."""
    group: dict[Any, set] = {}
    for some in groups:
        joined = set().union(*(group.get(one, {one}) for one in some))
        group |= dict.fromkeys(joined, joined)
    return sorted({tuple(sorted(some)) for some in group.values()})


def questions(
    people: Mapping[str, str], more: Iterable[Iterable[str]] = ()
) -> list[tuple[list[str], Remark]]:
    """What must be asked where nobody has written down who was scanned.

    Parameters
    ----------
    people : mapping of str to str
        Scan → person, as read from the names.
    more : iterable of iterable of str
        People who are in doubt for another reason, see `doubts`.

    Returns
    -------
    list of (list of str, Remark)
        The scans that it is about; what cannot be told, and how to say it.
    """
    keys = [key(scan) for scan in people]
    scan_of = {person: scan for scan, person in reversed([*people.items()])}
    found = []
    for some in doubts(scan_of, more):
        scans = [scan for scan, person in people.items() if person in some]
        first = sorted(scan_of[person] for person in some)
        begin = key(stem(first))
        others = sum(name.startswith(begin) for name in keys) > len(scans)
        a, b, c = *first[:2], first[0] if others else stem(first)
        own = "another" if _spelling(a) == _spelling(b) else b  # else `one_of_two` asks again
        text = Remark(
            f"{listed(first)} may be one person scanned several times or several people, and the "
            "names do not say which",
            "write a subjects.csv beside the scans, with a line for each case below the line "
            f'case,subject: "{a},{c}" and "{b},{c}" if they are one person, "{a},{a}" and '
            f'"{b},{own}" if each is a person of its own',
        )
        found.append((scans, text))
    return found


def _may_be_one(names: Mapping[str, str]) -> Iterator[list[str]]:
    """Names that may be of one person; the groups overlap, and some hold a single name."""
    whole: dict[tuple[str, ...], list[str]] = defaultdict(list)
    rests: dict[tuple[str, ...], list[tuple[str, str, bool]]] = defaultdict(list)
    begins: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for name, text in names.items():
        whole[_pieces(text)].append(name)
        rests[_pieces(text.replace("retest", "test"))].append((name, "sure", False))
        for kind, pattern in _TIMES.items():
            rest = re.sub("[. ]{2,}", " ", pattern.sub("", text)).strip(". ")
            if rest != text and (rest or kind == "sure"):
                rests[_pieces(rest)].append((name, kind, bool(_NUMBER.search(rest))))
        number = _NUMBER.search(text)
        if number and number.end() < len(text):
            begins[_pieces(text[: number.end()])].append(name)
    for pieces, some in whole.items():
        for end in range(1, len(pieces)):
            yield whole.get(pieces[:end], []) + some
    for found in rests.values():
        kinds = {kind for _, kind, _ in found}
        others = _otherwise({name for name, *_ in found}, names)
        counted = "count" in kinds and kinds <= {"digit", "count", "year"}
        few = sum(kind == "year" for _, kind, _ in found) == len({n for n, *_ in found}) < 4
        yield [
            name
            for name, kind, behind in found
            if kind == "sure"
            or len(kinds) > 1
            and not counted
            or ((kind == "short" or kind == "year" and few) and (behind or others))
            or (kind == "long" and behind)
            or (kind == "digit" and (behind or others) and not counted)
        ]
    yield from (some for some in begins.values() if _otherwise(some, names))


def _otherwise(some: Collection[str], names: Collection[str]) -> bool:
    """Whether others are called otherwise, which makes a series of people of these unlikely."""
    return len(some) < len(names) and not all(_PERSON.fullmatch(key(name)) for name in some)


def _spread(name: str) -> str:
    """Name with a blank for what separates, and a point between a word and a number: `p.01 a`."""
    return _parted(_ENTITY.sub("", key(name)))


def _parted(name: str) -> str:
    """As `_spread`, of a name without anything else in it; `Müller` is `muller` then."""
    plain = _ACCENT.sub("", unicodedata.normalize("NFKD", name))
    plain = re.sub(r"([aou])e(?=[a-z]{2}|(?<=[a-z]..)[a-z])", r"\1", plain)  # Mueller
    return _BORDER.sub(".", " ".join(re.findall(r"[^\W_]+", plain)))


def _pieces(text: str) -> tuple[str, ...]:
    return tuple(piece.lstrip("0") or "0" for piece in re.split(r"[. ]", text) if piece)


def stem(names: Iterable[str]) -> str:
    """What several names begin with; the first of them where that is nothing.

    Examples
    --------
    >>> stem(["P01_post", "P01_pre"]), stem(["anna", "anna2"])
    ('P01', 'anna')
    """
    words = [re.findall(r"[^\W\d_]+|\d+|[\W_]+", name) for name in names]
    same = takewhile(lambda some: len(set(map(key, some))) == 1, zip(*words, strict=False))
    return "".join(some[0] for some in same).rstrip(" _-.") or "".join(words[0])

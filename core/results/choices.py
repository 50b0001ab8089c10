"""Which of many results a page offers first, and by which names they are told apart."""

from collections import Counter
from collections.abc import Sequence

from core.request.catalog import METHODS, TASKS
from core.results import library
from core.results.library import Entry
from core.results.names import points_name

SEPARATOR = " · "  # between the data, the checkpoint and the pruning in an entry's name
SOURCES = {
    "written": "Written for this project",
    "hub": "From the Hub",
    "folder": "From a folder (GLUE, or one's own)",
}


def task_title(name: str) -> str:
    """Names a task, also one that the catalog does not know (any more)."""
    return TASKS[name].title if name in TASKS else name


def told_apart(entries: Sequence[Entry]) -> dict[str, str]:
    """Names results by what tells them apart: the pruning, and of the rest what they do not all share.

    Args:
        entries: The results that are offered together.

    Returns:
        A name for each key; no two are the same.
    """
    parts = {entry.key: _parts(entry) for entry in entries}
    varying = [len(set(values)) > 1 for values in zip(*parts.values(), strict=True)]
    names = {
        key: SEPARATOR.join([own[0], *(part for part, varies in zip(own[1:], varying[1:], strict=True) if varies)])
        for key, own in parts.items()
    }
    return _numbered(names)


def _parts(entry: Entry) -> tuple[str, str, str, str]:
    """Pruning, points, checkpoint and data."""
    data, checkpoint, pruning = ("", "", *entry.name.rsplit(SEPARATOR, 2))[-3:]
    return pruning, points_name(entry.points), checkpoint, data


def _numbered(names: dict[str, str]) -> dict[str, str]:
    """Numbers what still has one name, in the order given."""
    count, seen = Counter(names.values()), Counter[str]()
    numbered = {}
    for key, name in names.items():
        seen[name] += 1
        numbered[key] = f"{name} ({seen[name]} of {count[name]})" if count[name] > 1 else name
    return numbered


def counterpart(entry: Entry, among: Sequence[Entry]) -> Entry | None:
    """Picks what a result is first compared with: its random control, else what a control is the control of.

    Args:
        entry: The result.
        among: The results at hand.

    Returns:
        Another result, on the same examples where there is one; None where there is no other.
    """
    others = [other for other in among if other.key != entry.key]
    controls = [other for other in library.companions(entry, others) if other.method != entry.method]
    controlled = [other for other in others if entry in library.companions(other, [entry]) and _has_control(other)]
    same = [other for other in others if other.fingerprint == entry.fingerprint and other.points == entry.points]
    return next(iter([*controls, *controlled, *same, *others]), None)


def _has_control(entry: Entry) -> bool:
    return entry.method in METHODS and METHODS[entry.method].control is not None

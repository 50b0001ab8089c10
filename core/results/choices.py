"""Which of many results a page offers first, what each is judged beside, and the labels that distinguish them."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Protocol

from core.request.catalog import METHODS, TASKS
from core.results.library import Entry
from core.results.names import points_name

SEPARATOR = " · "  # between the data, the checkpoint and the pruning in an entry's name
SOURCES = {
    "written": "Written for this project",
    "hub": "From the Hub",
    "folder": "From a folder (GLUE, or one's own)",
}


def task_title(name: str) -> str:
    """Return a task's title, or its bare name where the catalog does not know the task."""
    return TASKS[name].title if name in TASKS else name


# ---------------------------------------------------------------- what belongs together


class Pruning(Protocol):
    """How a model was pruned, as an `Entry` and a `PruningRecord` both say it."""

    @property
    def method(self) -> str:
        """A key of METHODS."""

    @property
    def scope(self) -> str | None:
        """Where a weight method pruned."""

    @property
    def seed(self) -> int:
        """Of the pruning."""


def is_control(pruning: Pruning, controlled: Pruning) -> bool:
    """Whether a pruning is the random control of another one."""
    method = METHODS.get(controlled.method)
    return method is not None and pruning.method == method.control and pruning.scope == controlled.scope


def is_isolated(pruning: Pruning, whole: Pruning) -> bool:
    """Whether a pruning does to one layer alone what another one does to the whole model."""
    return (pruning.scope or "").startswith("layer:") and (pruning.method, pruning.seed) == (whole.method, whole.seed)


def companions(entry: Entry, among: Iterable[Entry]) -> tuple[Entry, ...]:
    """Return what a result is judged beside: the seeds of its random control, and each layer pruned alone.

    Whether the files allow a comparison, `core.findings.comparable` decides when they are read.
    """
    return tuple(
        candidate
        for candidate in among
        if candidate.key != entry.key
        and _measured_alike(candidate, entry)
        and (is_control(candidate, entry) or is_isolated(candidate, entry))
    )


def counterpart(entry: Entry, among: Sequence[Entry]) -> Entry | None:
    """Pick the result that another one is first compared with.

    This is its random control, else what it is itself a control or a single layer of, else any result on the same
    examples and points, else any at all; None where there is no other.
    """
    candidates = [candidate for candidate in among if candidate.key != entry.key]
    alike = [candidate for candidate in candidates if _measured_alike(candidate, entry)]
    controls = [candidate for candidate in alike if is_control(candidate, entry)]
    wholes = [candidate for candidate in alike if is_control(entry, candidate) or is_isolated(entry, candidate)]
    on_same_examples = [
        candidate
        for candidate in candidates
        if (candidate.fingerprint, candidate.points) == (entry.fingerprint, entry.points)
    ]
    return next(iter([*controls, *wholes, *on_same_examples, *candidates]), None)


def _measured_alike(entry: Entry, other: Entry) -> bool:
    return (entry.checkpoint, entry.fingerprint, entry.points) == (other.checkpoint, other.fingerprint, other.points)


# ---------------------------------------------------------------- labels


def distinguishing_labels(entries: Sequence[Entry]) -> dict[str, str]:
    """Label results that are offered together: by the pruning, and by whatever else they do not all share.

    Returns:
        A label for each key; no two are the same.
    """
    parts = {entry.key: _parts(entry) for entry in entries}
    varies = [len(set(values)) > 1 for values in zip(*parts.values(), strict=True)]
    labels = {
        key: SEPARATOR.join([own[0], *(part for part, shown in zip(own[1:], varies[1:], strict=True) if shown)])
        for key, own in parts.items()
    }
    return _numbered(labels)


def _parts(entry: Entry) -> tuple[str, str, str, str]:
    """Pruning, points, checkpoint and data."""
    data, checkpoint, pruning = ("", "", *entry.name.rsplit(SEPARATOR, 2))[-3:]
    return pruning, points_name(entry.points), checkpoint, data


def _numbered(labels: dict[str, str]) -> dict[str, str]:
    """Add numbers to equal labels, in the order given."""
    count, seen = Counter(labels.values()), Counter[str]()
    numbered = {}
    for key, label in labels.items():
        seen[label] += 1
        numbered[key] = f"{label} ({seen[label]} of {count[label]})" if count[label] > 1 else label
    return numbered

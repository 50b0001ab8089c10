"""Choose among many results: which are offered, which comes first, and what each is judged beside."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from operator import attrgetter
from typing import Any

from core.request.catalog import METHODS, TASKS
from core.request.scope import at_attention, run_of
from core.request.sweep_request import AUTO, AUTO_TITLE, DEFAULT_REQUEST
from core.results.cut import Result
from core.results.library import Entry, OfAnyKind
from core.results.schema import Pruning
from core.results.store import is_shipped

_setting = attrgetter("method", "seed", "controls")  # of a pruning, beside its scope
_method = attrgetter("checkpoint", "method")  # of an entry or a request
_model_and_examples = attrgetter("checkpoint", "dtype", "fingerprint")  # of an entry
_examples_and_points = attrgetter("fingerprint", "points", "dtype")
PAIR = ("sst2", "cola")  # the tasks of the published heatmaps, side by side


def task_title(name: str) -> str:
    """Return a task's title, or its bare name if the catalog lacks the task."""
    return TASKS[name].title if name in TASKS else AUTO_TITLE if name == AUTO else name


def offered(entries: Sequence[Entry], keys: Collection[str] = ()) -> list[Entry]:
    """Return the results to choose from: sweeps of all amounts, and those that are asked for by their key.

    Sweeps in small steps that stop at a damage serve the others, and are offered only where there is nothing else.
    """
    return [entry for entry in entries if entry.until_damage is None or entry.key in keys] or list(
        entries
    )


def settings(entries: Sequence[Entry], with_alone: bool = False) -> list[Entry]:
    """Return the results in the table of all results: no random controls and no small steps, unless nothing is left.

    Some layers pruned alone are in it if asked for: the Layers page shows them together.
    """
    whole = [entry for entry in entries if entry.controls is None and entry.until_damage is None]
    return (
        [entry for entry in whole if with_alone or run_of(entry.scope) is None]
        or whole
        or list(entries)
    )


def shown_first(entries: Sequence[Entry], page: str = "") -> list[Entry]:
    """Return the results that a page shows if its address names none: the first of them that can be read.

    Args:
        entries: The available ones.
        page: Its name; the pages that are not named here show the published pair.
    """
    whole = offered(entries)
    preferences: dict[str, Callable[[Entry], bool]] = {
        "Story": lambda entry: (
            _method(entry) == _method(DEFAULT_REQUEST) and entry.source != "written"
        ),
        "Sentences": lambda entry: entry.source == "written",  # whose texts are kept
        "Compare": lambda entry: bool(companions(entry, whole)),
    }
    preferred = filter(preferences[page], whole) if page in preferences else published_pair(entries)
    return [*preferred, *whole]


def published_pair(
    entries: Sequence[Entry], like: Entry | None = None, with_single_layers: bool = False
) -> list[Entry]:
    """Return the pair of results on both published tasks that is most like another result, such as the one on show.

    Both are of attention blocks, over all layers, of models with equally many: with as many as that one, by its method
    or the one that it controls, if there are such; else by the first method that has both, of the shipped ones before
    the visitor's own, the deepest. GLUE comes before written sentences, and a model whose halves, or single layers,
    were pruned alone before others.
    """
    layers, method = (len(like.points), like.controls or like.method) if like else (0, "")
    by_task: dict[str, dict[tuple[object, ...], Entry]] = {task: {} for task in PAIR}
    runs = [(run, entry) for entry in entries if (run := run_of(entry.scope))]
    isolated = {
        _model_and_examples(entry) for run, entry in runs if (len(run) == 1) == with_single_layers
    }

    def preference(entry: Entry) -> tuple[bool, bool]:
        return entry.source == "written", _model_and_examples(entry) not in isolated

    for entry in sorted(entries, key=preference):
        is_whole = entry.scope in ("encoder", None) and entry.until_damage is None
        if entry.task in PAIR and is_whole and at_attention(entry.points):
            likeness = (
                len(entry.points) == layers,
                entry.method == method,
                -list(METHODS).index(entry.method),
            )
            by_task[entry.task].setdefault(
                (*likeness, is_shipped(entry.key), len(entry.points)), entry
            )
    shared = set.intersection(*map(set, by_task.values()))
    return [by_task[task][max(shared)] for task in PAIR] if shared else []


def middle_of(amounts: Sequence[float]) -> float:
    """Return the amount to show first where both ends say little."""
    return amounts[len(amounts) // 2]


# ---------------------------------------------------------------- what belongs together


def is_of_model(entry: OfAnyKind, result: Result) -> bool:
    """Whether an entry has a result's checkpoint and task; that of a sweep holds only the names of both."""
    revision = "" if isinstance(entry, Entry) else entry.revision
    is_alike = (entry.checkpoint, entry.task) == (result.checkpoint.id, result.task.name)
    return is_alike and revision in ("", result.checkpoint.revision)


def trained_of(
    result: Result, listed: Mapping[str, Iterable[OfAnyKind]], read: Callable[[Any], Any]
) -> dict[str, Any]:
    """Read the first study of cuts and the first recovery of a result's model; None for what is missing.

    Args:
        result: The result.
        listed: Those available, by the keys of TRAINED, as in what is returned.
        read: Reads one; None if it cannot.
    """
    fitting = {
        name: [entry for entry in entries if is_of_model(entry, result)]
        for name, entries in listed.items()
    }
    return {name: next(filter(None, map(read, entries)), None) for name, entries in fitting.items()}


def is_control(pruning: Pruning, controlled: Pruning) -> bool:
    """Whether a pruning is the random control of another one: it removes as much of each matrix or layer."""
    return (pruning.controls, pruning.scope) == (controlled.method, controlled.scope)


def is_same(pruning: Pruning, compared: Pruning) -> bool:
    """Whether two prunings differ in nothing but their amounts."""
    return bool(pruning.scope == compared.scope and _setting(pruning) == _setting(compared))


def is_isolated(pruning: Pruning, whole: Pruning) -> bool:
    """Whether a pruning does to some layers alone what another does to the whole model."""
    return bool(run_of(pruning.scope) and _setting(pruning) == _setting(whole))


def _beside(entry: Entry, among: Iterable[Entry]) -> list[Entry]:
    """Return the other results of a checkpoint on the same examples."""
    place = _model_and_examples(entry)
    return [
        other for other in among if other.key != entry.key and _model_and_examples(other) == place
    ]


def companions(entry: Entry, among: Iterable[Entry]) -> list[Entry]:
    """Return the results that another is judged beside: its random controls, and the same pruning in other steps.

    `core.findings.comparable` decides, once the files are read, whether they may be compared.
    """
    at_points = (other for other in _beside(entry, among) if other.points == entry.points)
    return [other for other in at_points if is_control(other, entry) or is_same(other, entry)]


def alone(entry: Entry, among: Iterable[Entry]) -> list[Entry]:
    """Return every layer and run of layers pruned alone like a result of all layers; they have points of their own."""
    return [
        other
        for other in _beside(entry, () if run_of(entry.scope) else among)
        if is_isolated(other, entry)
    ]


def methods_beside(entry: Entry, among: Iterable[Entry]) -> list[Entry]:
    """Return the methods measured like a result, each by one sweep over all amounts: no controls, no single layers."""
    methods: dict[object, Entry] = {}
    for other in among:
        is_whole = (other.controls, other.until_damage, run_of(other.scope)) == (None, None, None)
        is_beside = other.checkpoint == entry.checkpoint and _examples_and_points(
            other
        ) == _examples_and_points(entry)
        if is_whole and is_beside:
            methods.setdefault((other.method, other.scope), other)
    return list(methods.values())


def counterpart(entry: Entry, among: Iterable[Entry]) -> Entry | None:
    """Pick the result that another is first compared with; None if there is none.

    In order of preference: its random control; the result that it controls, or of which it prunes a single layer; any
    result on the same examples and points; any result.
    """

    def preference(other: Entry) -> tuple[bool, ...]:
        on_same_examples = _examples_and_points(other) == _examples_and_points(entry)
        is_beside = on_same_examples and other.checkpoint == entry.checkpoint
        return (
            is_beside and is_control(other, entry),
            is_beside and (is_control(entry, other) or is_isolated(entry, other)),
            on_same_examples,
        )

    return max((other for other in among if other.key != entry.key), key=preference, default=None)

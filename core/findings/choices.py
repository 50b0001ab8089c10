"""Choose among many results: what is offered, what comes first, what each is judged beside."""

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
_subject = attrgetter("checkpoint", "method")  # of an entry or a request
_model_and_examples = attrgetter("checkpoint", "dtype", "fingerprint")  # of an entry
_examples_and_points = attrgetter("fingerprint", "points", "dtype")
PAIR = ("sst2", "cola")  # the tasks of the published heatmaps, side by side


def task_title(name: str) -> str:
    """Return a task's title, or its bare name if the catalog lacks the task."""
    if name == AUTO:
        return AUTO_TITLE
    return TASKS[name].title if name in TASKS else name


def offered(entries: Sequence[Entry], keys: Collection[str] = ()) -> list[Entry]:
    """Return the results to choose from: sweeps of all amounts, and those with one of the keys.

    Sweeps in small steps that stop at a damage are offered only where there is nothing else.
    """
    whole = [entry for entry in entries if entry.until_damage is None or entry.key in keys]
    return whole or list(entries)


def settings(entries: Sequence[Entry], with_alone: bool = False) -> list[Entry]:
    """Return the results in the table of all results.

    It leaves out random controls and small steps, unless nothing else is left. Layers pruned alone
    are listed on request: the Layers page shows them together.
    """
    whole = [entry for entry in entries if entry.controls is None and entry.until_damage is None]
    listed = [entry for entry in whole if with_alone or run_of(entry.scope) is None]
    return listed or whole or list(entries)


def shown_first(entries: Sequence[Entry], page: str = "") -> list[Entry]:
    """Return the results that a page shows if its address names none; the first readable counts.

    Args:
        entries: The available ones.
        page: Its name; pages without a preference of their own show the published pair.
    """
    whole = offered(entries)
    if page == "Story":
        preferred = [
            entry
            for entry in whole
            if entry.source != "written" and _subject(entry) == _subject(DEFAULT_REQUEST)
        ]
    elif page == "Sentences":  # the texts of written examples are kept
        preferred = [entry for entry in whole if entry.source == "written"]
    elif page == "Compare":
        preferred = [entry for entry in whole if companions(entry, whole)]
    else:
        preferred = published_pair(entries)
    return [*preferred, *whole]


def published_pair(
    entries: Sequence[Entry],
    like: Entry | None = None,
    with_single_layers: bool = False,
) -> list[Entry]:
    """Return the results on both published tasks that are most like another result.

    Both are of attention blocks, over all layers, of models with equally many. Preferred are as
    many as that result has, and its method or the one that it controls; then the first method that
    has both, shipped results, and the deepest model. GLUE comes before written sentences, and a
    model whose halves, or single layers, were pruned alone before others.
    """
    depth = len(like.points) if like else 0
    method = (like.controls or like.method) if like else ""
    isolated = set()
    for entry in entries:
        run = run_of(entry.scope)
        if run and (len(run) == 1) == with_single_layers:
            isolated.add(_model_and_examples(entry))

    def preference(entry: Entry) -> tuple[bool, bool]:
        return entry.source == "written", _model_and_examples(entry) not in isolated

    by_task: dict[str, dict[tuple[object, ...], Entry]] = {task: {} for task in PAIR}
    for entry in sorted(entries, key=preference):
        is_whole = entry.scope in ("encoder", None) and entry.until_damage is None
        if entry.task in PAIR and is_whole and at_attention(entry.points):
            likeness = (
                len(entry.points) == depth,
                entry.method == method,
                -list(METHODS).index(entry.method),
                is_shipped(entry.key),
                len(entry.points),
            )
            by_task[entry.task].setdefault(likeness, entry)
    shared = set.intersection(*map(set, by_task.values()))
    if shared:
        return [by_task[task][max(shared)] for task in PAIR]
    return []


def middle_of(amounts: Sequence[float]) -> float:
    """Return the amount to show first where both ends say little."""
    return amounts[len(amounts) // 2]


# ---------------------------------------------------------------- what belongs together


def is_of_model(entry: OfAnyKind, result: Result) -> bool:
    """Whether an entry has a result's checkpoint and task; a sweep's entry has no revision."""
    checkpoint = result.checkpoint
    if (entry.checkpoint, entry.task) != (checkpoint.id, result.task.name):
        return False
    return isinstance(entry, Entry) or entry.revision == checkpoint.revision


def trained_of(
    result: Result,
    listed: Mapping[str, Iterable[OfAnyKind]],
    read: Callable[[Any], Any],
) -> dict[str, Any]:
    """Read the first study of cuts and the first recovery of a result's model; None for a lack.

    Args:
        result: The result.
        listed: Those available, by the keys of TRAINED, as in what is returned.
        read: Reads one; None if it cannot.
    """
    trained = {}
    for name, entries in listed.items():
        fitting = (read(entry) for entry in entries if is_of_model(entry, result))
        trained[name] = next(filter(None, fitting), None)
    return trained


def is_control(pruning: Pruning, controlled: Pruning) -> bool:
    """Whether a pruning is another one's random control: it removes as much of each matrix."""
    return pruning.controls == controlled.method and pruning.scope == controlled.scope


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
    """Return the results that another is judged beside: random controls, other steps.

    `core.findings.comparable` decides, once the files are read, whether they may be compared.
    """
    return [
        other
        for other in _beside(entry, among)
        if other.points == entry.points and (is_control(other, entry) or is_same(other, entry))
    ]


def alone(entry: Entry, among: Iterable[Entry]) -> list[Entry]:
    """Return each run of layers pruned alone like a result of all layers, whatever the points."""
    if run_of(entry.scope):
        return []
    return [other for other in _beside(entry, among) if is_isolated(other, entry)]


def methods_beside(entry: Entry, among: Iterable[Entry]) -> list[Entry]:
    """Return the methods measured like a result: one sweep each, over all layers and amounts."""
    methods: dict[object, Entry] = {}
    for other in among:
        is_whole = not (other.controls or other.until_damage or run_of(other.scope))
        is_beside = _model_and_examples(other) == _model_and_examples(entry)
        if is_whole and is_beside and other.points == entry.points:
            methods.setdefault((other.method, other.scope), other)
    return list(methods.values())


def counterpart(entry: Entry, among: Iterable[Entry]) -> Entry | None:
    """Pick the result that another is first compared with; None if there is none.

    In order of preference: its random control; the result that it controls, or of which it prunes
    a single layer; any result on the same examples and points; any result.
    """

    def preference(other: Entry) -> tuple[bool, ...]:
        on_same_examples = _examples_and_points(other) == _examples_and_points(entry)
        is_beside = on_same_examples and other.checkpoint == entry.checkpoint
        return (
            is_beside and is_control(other, entry),
            is_beside and (is_control(entry, other) or is_isolated(entry, other)),
            on_same_examples,
        )

    return max(
        (other for other in among if other.key != entry.key),
        key=preference,
        default=None,
    )

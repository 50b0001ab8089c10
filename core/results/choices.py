"""Choose among many results: which comes first, what each is judged beside, and labels that tell them apart."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence

from core.request.catalog import DEFAULT_MEASURES, EMBEDDED, MEASURES, RECIPE, TASKS
from core.request.scope import layer_of
from core.request.tasks import AUTO, AUTO_TITLE
from core.results.library import Entry
from core.results.names import in_sentence, listed, name_of, points_name
from core.results.schema import Pruning

SEPARATOR = " · "  # between the data, the checkpoint and the pruning in an entry's name
SOURCES = {
    "written": "Written for this project",
    "hub": "From the Hub",
    "folder": "From a folder (GLUE or your own)",
    "file": "From a file of your own",
}


def task_title(name: str) -> str:
    """Return a task's title, or its bare name if the catalog lacks the task."""
    return TASKS[name].title if name in TASKS else AUTO_TITLE if name == AUTO else name


def offered(entries: Sequence[Entry], asked: Collection[str] = ()) -> list[Entry]:
    """Return the results to choose from: sweeps of all amounts, and those that are asked for by their key.

    Sweeps in small steps that stop at a damage serve the others, and so do seed twins that nothing was removed from.
    They are offered only where there is nothing else.
    """

    def serves(entry: Entry) -> bool:
        is_yardstick = entry.unpruned and family_of(entry.checkpoint) == family_of(entry.against or "") != ""
        return entry.key not in asked and (is_yardstick or entry.until_damage is not None)

    return [entry for entry in entries if not serves(entry)] or list(entries)


def settings(entries: Sequence[Entry]) -> list[Entry]:
    """Return what a grid has a row for: no random controls and no small steps, unless there is nothing else.

    A checkpoint against another one has no row: its layers have no similarity of their own.
    """
    whole = [entry for entry in entries if entry.controls is None and entry.until_damage is None]
    return [entry for entry in whole or entries if entry.against is None]


# ---------------------------------------------------------------- what belongs together


def is_control(pruning: Pruning, controlled: Pruning) -> bool:
    """Whether a pruning is the random control of another one: it removes as much of each matrix or layer."""
    return (pruning.controls, pruning.scope) == (controlled.method, controlled.scope)


def is_same(pruning: Pruning, compared: Pruning) -> bool:
    """Whether two prunings differ in nothing but their amounts."""
    return pruning.scope == compared.scope and _how(pruning) == _how(compared)


def is_isolated(pruning: Pruning, whole: Pruning) -> bool:
    """Whether a pruning does to one layer alone what another does to the whole model."""
    return layer_of(pruning.scope) is not None and _how(pruning) == _how(whole)


def is_isolated_control(pruning: Pruning, whole: Pruning) -> bool:
    """Whether a pruning is the random control of what another does to the whole model, on one layer alone."""
    return layer_of(pruning.scope) is not None and pruning.controls == whole.method


def _how(pruning: Pruning) -> tuple[str, int, str | None]:
    return pruning.method, pruning.seed, pruning.controls


def _on_what(entry: Entry) -> tuple[str, str | None, str, tuple[str, ...]]:
    """Return what the numbers of two results have in common if they were measured alike."""
    return entry.checkpoint, entry.against, entry.fingerprint, entry.points


def companions(entry: Entry, among: Iterable[Entry]) -> tuple[Entry, ...]:
    """Return the results that another is judged beside: its random controls, and the same pruning in other steps.

    `core.findings.comparable` decides, once the files are read, whether they may be compared. Against another
    checkpoint, nothing is judged.
    """
    alike = (other for other in among if _on_what(other) == _on_what(entry) and other.key != entry.key)
    beside = tuple(other for other in alike if is_control(other, entry) or is_same(other, entry))
    return beside if entry.against is None else ()


def isolated(entry: Entry, among: Iterable[Entry]) -> tuple[Entry, ...]:
    """Return each layer pruned alone, with its random controls; they have points of their own."""
    alike = (other for other in among if _on_what(other)[:3] == _on_what(entry)[:3] and other.key != entry.key)
    alone = tuple(other for other in alike if is_isolated(other, entry) or is_isolated_control(other, entry))
    return alone if entry.against is None else ()


def twins(entry: Entry, among: Iterable[Entry]) -> tuple[Entry, ...]:
    """Return the results of checkpoints against each other that differ from a result's only in the seed, if at all."""
    family = family_of(entry.checkpoint)
    alike = (other for other in among if family and other.against and _on_what(other)[2:] == _on_what(entry)[2:])
    return tuple(other for other in alike if {*map(family_of, (other.checkpoint, other.against or ""))} == {family})


def family_of(checkpoint: str) -> str:
    """Return what seed twins share, by the name of their recipe or of an embedded one's folder; else empty."""
    if checkpoint.startswith(RECIPE):
        return checkpoint.removeprefix(RECIPE).rpartition("-seed-")[0]
    folders = {known.id: known.folder for known in EMBEDDED.values()}
    return folder.name if (folder := folders.get(checkpoint)) else ""


def seed_of(checkpoint: str) -> str:
    """Return which seed twin a checkpoint of a family is; the embedded ones are those of seed 0."""
    return checkpoint.rpartition("-seed-")[2] if checkpoint.startswith(RECIPE) else "0"


def control_seeds(entry: Entry, among: Iterable[Entry]) -> set[int]:
    """Return the seeds of a result's random control, of those swept until a damage; of one layer, of all."""
    controls = (other for other in companions(entry, among) if is_control(other, entry))
    return {other.seed for other in controls if (other.until_damage, layer_of(entry.scope)) != (None, None)}


def methods_beside(entry: Entry, among: Iterable[Entry]) -> tuple[Entry, ...]:
    """Return the methods measured like a result, each by one sweep over all amounts: no controls, no single layers."""
    methods: dict[object, Entry] = {}
    for other in among:
        is_whole = (other.controls, other.until_damage, layer_of(other.scope)) == (None, None, None)
        if is_whole and _on_what(other) == _on_what(entry):
            methods.setdefault((other.method, other.scope), other)
    return tuple(methods.values())


def everywhere(entry: Entry, among: Sequence[Entry]) -> tuple[Entry, ...]:
    """Return the same pruning on every checkpoint and task, after attention blocks, one sweep of each.

    Sentences written for this project are few, and left out. Against another checkpoint, it is no pruning to compare.
    """
    found: dict[object, Entry] = {}
    for other in offered(among):
        at_attention = all(point.endswith(".attention") for point in other.points)
        is_alone = other.against is entry.against is None
        if is_alone and at_attention and is_same(other, entry) and other.source != "written":
            found.setdefault((other.checkpoint, other.task), other)
    return tuple(found.values())


def counterpart(entry: Entry, among: Iterable[Entry]) -> Entry | None:
    """Pick the result that another is first compared with; None if there is none.

    In order of preference: its random control; the result that it controls, or of which it prunes a single layer;
    against another checkpoint, the same pruning without it; any result on the same examples and points; any result.
    """

    def preference(other: Entry) -> tuple[bool, ...]:
        alike = _on_what(other) == _on_what(entry)
        on_same_examples = other.against is None and _on_what(other)[2:] == _on_what(entry)[2:]
        without = on_same_examples and bool(entry.against) and other.checkpoint == entry.checkpoint
        return (
            alike and is_control(other, entry),
            alike and (is_control(entry, other) or is_isolated(entry, other)),
            without and is_same(other, entry),
            on_same_examples,
        )

    return max((other for other in among if other.key != entry.key), key=preference, default=None)


# ---------------------------------------------------------------- labels


def distinguishing_labels(entries: Sequence[Entry]) -> dict[str, str]:
    """Label results that are offered together by their pruning and by whatever else they do not share.

    Returns:
        A different label for each key: equal ones are numbered in the order given.
    """
    parts = [_parts(entry) for entry in entries]
    varies = [len(set(values)) > 1 for values in zip(*parts, strict=True)]
    labels = [SEPARATOR.join(part for k, part in enumerate(own) if k == 0 or (varies[k] and part)) for own in parts]
    count, seen = Counter(labels), Counter[str]()
    for k, label in enumerate(labels):
        seen[label] += 1
        labels[k] = f"{label} ({seen[label]} of {count[label]})" if count[label] > 1 else label
    return dict(zip((entry.key for entry in entries), labels, strict=True))


def _parts(entry: Entry) -> tuple[str, str, str, str, str]:
    """Return the names of pruning, points, measures, checkpoint and data."""
    data, checkpoint, _ = ("", "", *entry.name.rsplit(SEPARATOR, 2))[-3:]
    further = [in_sentence(MEASURES[measure].title) for measure in entry.measures if measure not in DEFAULT_MEASURES]
    measures = f"also by {listed(further)}" if further else ""
    return name_of(entry), points_name(entry.points), measures, checkpoint, data

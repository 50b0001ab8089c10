"""Which result is on show, and which one beside it: read once at the top of a page, and chosen in its boxes.

A visitor's choice stands in the address, and links carry it to the next page (`ui.address.carried`). Nothing else
remembers it: without one, every page shows its default.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from operator import attrgetter

import streamlit as st

from core.findings.choices import SEPARATOR, companions, counterpart, is_control, offered, task_title
from core.findings.words.lab import columns_name, meanings_name
from core.request.catalog import DEFAULT_MEASURES, MEASURES, METHODS
from core.request.scope import run_of
from core.results import store
from core.results.cut import CutStudy
from core.results.kinds import Result
from core.results.library import CutEntry, Entry, entry_of
from core.results.names import in_sentence, listed, name_of, points_name
from core.results.schema import SweepResult
from ui.address import offer, parameters_on_show, set_parameter, show
from ui.results import at_hand, by_key, studies_at_hand, study_by_key
from ui.shared import once

OWN, OWN_MODEL = "own", "model"  # in the Lab's address: its settings begin with a model of the visitor's own
DECIDE = "decide"  # in the Lab's address: its settings are to decide a verdict that is inconclusive for this reason
_measured = attrgetter("checkpoint", "fingerprint")  # of an entry
PAIR = ("sst2", "cola")  # the tasks of the published heatmaps, side by side
SOURCES = {
    "written": "Written for this project",
    "hub": "From the Hub",
    "folder": "From a folder (GLUE or your own)",
    "file": "From a file of your own",
}
# Boxes that shorten the list of results to those that share what stands in them with the one on show.
BOXES: Mapping[str, Callable[[Entry], str]] = {
    "Task": lambda entry: task_title(entry.task),
    "Checkpoint": lambda entry: entry.name.rsplit(SEPARATOR, 2)[-2],
    "Examples": lambda entry: SOURCES[entry.source],
}


@dataclass(frozen=True)
class ViewState:
    """What a page shows.

    Attributes:
        entries: The results at hand, those on show among them.
        result: The one on show; None where there is none.
        other: The one shown beside it; None on pages that show a single one.
        studies: The studies of cuts at hand, where the page shows one.
        study: The one on show; None where there is none.
    """

    entries: tuple[Entry, ...] = ()
    result: SweepResult | None = None
    other: SweepResult | None = None
    studies: tuple[CutEntry, ...] = ()
    study: CutStudy | None = None

    @property
    def shown(self) -> SweepResult:
        """The result on show, of a page that needs one."""
        assert self.result is not None
        return self.result

    @property
    def offered(self) -> list[Entry]:
        """The whole sweeps, and what is on show."""
        return offered(self.entries, [shown.key for shown in (self.result, self.other) if shown])


def one_result(prefer: Callable[[Entry], bool] | None = None) -> ViewState:
    """Read the result that the page shows: the address's, else the first that it prefers, else the published one."""
    entries = at_hand()
    preferred = filter(prefer, offered(entries)) if prefer else published_pair(entries)
    return _state(entries, _on_show("result", [*preferred, *offered(entries)]))


def two_results() -> ViewState:
    """Read the two results that the page compares, or none; without the address, one and its random control."""
    whole = offered(at_hand())
    state = one_result(lambda entry: bool(companions(entry, whole)))
    beside = counterpart(once(entry_of, state.result), state.offered) if state.result else None
    other = _on_show("other", [beside] if beside else ())
    return _state(state.entries, state.result if other else None, other)


def result_if_asked() -> ViewState:
    """Read the result that the address names; the page has something else to show where it names none."""
    return _state(at_hand(), _on_show("result"))


def one_study() -> ViewState:
    """Read the study of cuts that the page shows: the address's, else one of the result's that the address names.

    Without either, it is the first that can be read.
    """
    studies, key = studies_at_hand(), st.query_params.get("study")
    study = study_by_key(key) if key else None
    if study is None:
        set_parameter("study", None)
        asked = next((entry.key for entry in at_hand() if entry.key == st.query_params.get("result")), None)
        result = by_key(asked) if asked else None
        fitting = [entry for entry in studies if result is None or _is_of(entry, result)]
        study = next(filter(None, (study_by_key(entry.key) for entry in fitting)), None)
    linked = [once(entry_of, study)] if study and study.key not in {entry.key for entry in studies} else []
    return ViewState(studies=(*studies, *linked), study=study)


def on_one_model(state: ViewState) -> tuple[str, str]:
    """Return the key of the result on show, and of a study of cuts of its checkpoint and task; beside a study likewise.

    Either is empty where there is none.
    """
    result = state.result.key if state.result else st.query_params.get("result", "")
    shown = state.result or state.study
    if shown is None:
        return result, ""
    if state.study is None:
        return result, next((entry.key for entry in studies_at_hand() if _is_of(entry, shown)), "")
    fitting = [entry.key for entry in offered(at_hand(), [result]) if _is_of(entry, shown)]
    return result if result in fitting else next(iter(fitting), result), state.study.key


def _is_of(entry: Entry | CutEntry, known: Result) -> bool:
    """Whether an entry is of another result's checkpoint and task; that of a sweep knows only what both are called."""
    revision = entry.revision if isinstance(entry, CutEntry) else ""
    is_alike = (entry.checkpoint, entry.task) == (known.checkpoint.id, known.task.name)
    return is_alike and revision in ("", known.checkpoint.revision)


def choose_study(state: ViewState) -> None:
    """Offer other studies than the one on show."""
    assert state.study is not None
    labels = _numbered([entry.name.rpartition(SEPARATOR)[0] for entry in state.studies])
    keys = [entry.key for entry in state.studies]
    offer("Study", dict(zip(keys, labels, strict=True)), state.study.key, "study", partial(set_parameter, "study"))


def _on_show(parameter: str, defaults: Iterable[Entry] = ()) -> SweepResult | None:
    """Read the result that a parameter names, else the first of the defaults; of what cannot be read, that is said."""
    key = st.query_params.get(parameter)
    result = by_key(key) if key else None
    if result is None:
        set_parameter(parameter, None)
        result = next(filter(None, (by_key(entry.key) for entry in defaults)), None)
    if result:
        parameters_on_show()[parameter] = result.key
    return result


def _state(entries: tuple[Entry, ...], result: SweepResult | None, other: SweepResult | None = None) -> ViewState:
    known = {entry.key for entry in entries}
    linked = [once(entry_of, shown) for shown in (result, other) if shown and shown.key not in known]
    return ViewState((*entries, *linked), result, other)


def published_pair(entries: Iterable[Entry], like: Entry | None = None) -> list[Entry]:
    """Return the results of both published tasks that are most like another one, such as the one on show.

    Both are of attention blocks, over all layers, of models with equally many: with as many as that one, by its method
    or the one that it controls, if there are such; else by the first method that has both, of the shipped ones before
    the visitor's own, the deepest. GLUE comes before written sentences, and a model whose halves were pruned alone, of
    which the story has most to tell, before others.
    """
    layers, method = (len(like.points), like.controls or like.method) if like else (0, "")
    found: dict[str, dict[tuple[object, ...], Entry]] = {task: {} for task in PAIR}
    entries = list(entries)
    halved = {_measured(entry) for entry in entries if len(run_of(entry.scope) or ()) > 1}
    for entry in sorted(entries, key=lambda entry: (entry.source == "written", _measured(entry) not in halved)):
        is_whole = entry.scope in ("encoder", None) and all(point.endswith(".attention") for point in entry.points)
        if entry.task in PAIR and is_whole and entry.against is None and entry.until_damage is None:
            first = len(entry.points) == layers, entry.method == method, -list(METHODS).index(entry.method)
            found[entry.task].setdefault((*first, store.is_shipped(entry.key), len(entry.points)), entry)
    kinds = set.intersection(*map(set, found.values()))
    return [found[task][max(kinds)] for task in PAIR] if kinds else []


def playlist(state: ViewState, alike: Sequence[Entry]) -> dict[str, str]:
    """Return the keys that one steps through from the result on show, each with a title that says how it differs.

    These are the published pair and a random control of each, where it is one of them.

    Args:
        state: What the page shows.
        alike: What is stepped through otherwise.
    """
    pair = published_pair(state.entries, once(entry_of, state.shown))
    controls = [[other for other in companions(side, state.entries) if is_control(other, side)] for side in pair]
    drawn = [min(seeds, key=lambda other: (other.until_damage or 0, other.seed)) for seeds in controls if seeds]
    titles = {entry.key: f"{task_title(entry.task)}: {in_sentence(name_of(entry))}" for entry in (*pair, *drawn)}
    return titles if state.shown.key in titles else distinguishing_labels(alike)


def choose_result(state: ViewState, label: str = "Result") -> list[Entry]:
    """Offer other results than the one on show.

    Returns:
        Those that share with it what stands in the boxes above the list.
    """
    own, left = once(entry_of, state.shown), state.offered
    for box, of in BOXES.items():
        values = {value: value for value in map(of, left)}
        if len(values) > 1:
            offer(box, values, of(own), box.lower(), partial(_show_first, own, left, of))
        left = [entry for entry in left if of(entry) == of(own)]
    beside = partial(set_parameter, "result")  # on Compare, the other one stays
    offer(label, distinguishing_labels(left), own.key, "result", beside if state.other else show)
    return left


def _show_first(own: Entry, among: Iterable[Entry], of: Callable[[Entry], str], value: str) -> None:
    """Show the first result with this value, of the same pruning where there is one."""
    fitting = (entry for entry in among if of(entry) == value)
    show(min(fitting, key=lambda entry: name_of(entry) != name_of(own)).key)


def distinguishing_labels(entries: Sequence[Entry]) -> dict[str, str]:
    """Label results that are offered together by their pruning and by whatever else they do not share.

    Returns:
        A different label for each key: equal ones are numbered in the order given.
    """
    parts = [_parts(entry) for entry in entries]
    varies = [len(set(values)) > 1 for values in zip(*parts, strict=True)]
    labels = [SEPARATOR.join(part for k, part in enumerate(own) if k == 0 or (varies[k] and part)) for own in parts]
    return dict(zip((entry.key for entry in entries), _numbered(labels), strict=True))


def _numbered(labels: Sequence[str]) -> list[str]:
    """Tell equal labels apart by numbers."""
    count, seen, told = Counter(labels), Counter[str](), []
    for label in labels:
        seen[label] += 1
        told.append(f"{label} ({seen[label]} of {count[label]})" if count[label] > 1 else label)
    return told


def _parts(entry: Entry) -> tuple[str, ...]:
    """Return the names of pruning, points, measures, checkpoint, data and what was read of it."""
    data, checkpoint, _ = ("", "", *entry.name.rsplit(SEPARATOR, 2))[-3:]
    further = [in_sentence(MEASURES[measure].title) for measure in entry.measures if measure not in DEFAULT_MEASURES]
    measures = f"also by {listed(further)}" if further else ""
    read = columns_name(entry.columns), meanings_name(entry.label_map)
    return name_of(entry), points_name(entry.points), measures, checkpoint, data, *read

"""Which results belong together, and which is offered first."""

from collections.abc import Callable

import pytest

from core.findings import choices
from core.findings.choices import offered, published_pair
from core.findings.words.choices import distinguishing_labels
from core.results.library import Entry, entry_of
from core.results.schema import SweepResult
from tests.builders import make_result, with_own_key, with_own_labels


def result(**settings: object) -> SweepResult:
    return make_result(
        **{
            "num_layers": 2,
            "amounts": (0.0, 0.5),
            "num_examples": 20,
            **settings,
        }
    )


ALONE = {"scope": "layer:0", "points": "layer"}
SHELF = {
    name: entry_of(result(**settings))
    for name, settings in {
        "magnitude": {},
        "fine": {"amounts": (0.0, 0.1), "until_damage": 0.3},
        "control 0": {"method": "random"},
        "control 1": {"method": "random", "seed": 1},
        "wanda": {"method": "wanda"},
        "wanda again": {"method": "wanda", "amounts": (0.0, 0.4)},
        "its control": {"method": "random", "controls": "wanda"},
        "all linear": {"scope": "all-linear"},
        "units": {"method": "random-neuron", "scope": None},
        "alone": ALONE,
        "alone, control 1": {"method": "random", "seed": 1, **ALONE},
        "alone, control 2": {"method": "random", "seed": 2, **ALONE},
        "both": {"points": "both"},
        "written": {"source": "written"},
        "cola": {"task": "cola"},
    }.items()
}


@pytest.mark.parametrize(
    ("find", "of", "found"),
    [
        (choices.companions, "magnitude", ["fine", "control 0", "control 1"]),
        (choices.companions, "wanda", ["wanda again", "its control"]),
        (choices.alone, "magnitude", ["alone"]),
        (choices.alone, "control 1", ["alone, control 1"]),
        (
            choices.methods_beside,
            "magnitude",
            ["magnitude", "wanda", "all linear"],
        ),
    ],
)
def test_what_belongs_together(
    find: Callable[..., tuple[Entry, ...]], of: str, found: list[str]
) -> None:
    beside = find(SHELF[of], list(SHELF.values()))
    assert [name for name, entry in SHELF.items() if entry in beside] == found


def test_what_serves_other_results_is_offered_only_where_there_is_nothing_else() -> None:
    entries = [SHELF["magnitude"], SHELF["fine"]]
    assert offered(entries) == entries[:1]
    assert offered(entries, [SHELF["fine"].key]) == entries
    assert offered(entries[1:]) == entries[1:]


# ---------------------------------------------------------------- as a list names them

MAGNITUDE = "Magnitude pruning of the encoder"


def test_results_of_one_name_differ_by_the_columns_or_by_what_values_mean() -> None:
    first = with_own_labels(result(), ("good", "bad"))
    columns = first.task.columns.model_copy(update={"label": "tone"})  # type: ignore[union-attr]
    changes = (
        {"columns": columns, "fingerprint": "b"},
        {"label_map": {"meh": "bad"}, "fingerprint": "c"},
    )
    others = [with_own_key(first, task=first.task.model_copy(update=change)) for change in changes]
    entries = [entry_of(own) for own in (first, *others)]

    labels = list(distinguishing_labels(entries).values())

    assert len({entry.name for entry in entries}) == 1
    assert ["“tone”" in label for label in labels] == [False, True, False]
    assert ["“meh” means bad" in label for label in labels] == [False, False, True]


def test_the_deepest_pair_whose_sides_have_equally_many_layers_is_the_published_one() -> None:
    deep, shallow = (
        [make_result(task=task, num_layers=layers) for task in ("cola", "sst2")]
        for layers in (12, 6)
    )
    deeper = make_result(num_layers=24)  # there is none for CoLA
    cola, sst2, *others = map(entry_of, [*deep, *shallow, deeper])
    assert (
        published_pair([*others, cola, sst2])
        == published_pair([sst2, cola, *others])
        == [sst2, cola]
    )


@pytest.mark.parametrize(
    ("other", "labels"),
    [
        ("control 1", [MAGNITUDE, "Seed 1: random pruning, matched to magnitude"]),
        ("fine", [f"1 of 2 · {MAGNITUDE}", f"2 of 2 · {MAGNITUDE}"]),
    ],
)
def test_labels_say_the_pruning_and_what_differs(other: str, labels: list[str]) -> None:
    entries = [SHELF["magnitude"], SHELF[other]]

    assert list(distinguishing_labels(entries).values()) == labels


def test_no_two_labels_are_the_same() -> None:
    labels = distinguishing_labels(list(SHELF.values()))

    assert len(set(labels.values())) == len(SHELF)

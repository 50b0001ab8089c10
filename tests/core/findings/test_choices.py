"""Which results belong together, and which is offered first."""

from collections.abc import Callable

import pytest

from core.findings import choices
from core.findings.choices import counterpart, family_of, offered
from core.results.library import Entry, entry_of
from core.results.schema import SweepResult
from tests.builders import against, make_result
from tests.core.findings.made import twin


def result(**settings: object) -> SweepResult:
    return make_result(**{"num_layers": 2, "amounts": (0.0, 0.5), "num_examples": 20, **settings})


ALONE = {"scope": "layer:0", "points": "layer"}
SHELF = {
    name: entry_of(found if isinstance(found, SweepResult) else result(**found))
    for name, found in {
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
        "against": against(result(), 3),
        "against, alone": against(result(scope="layer:0"), 3),
        "against, control": against(result(method="random"), 3),
    }.items()
}


@pytest.mark.parametrize(
    ("find", "of", "found"),
    [
        (choices.companions, "magnitude", ["fine", "control 0", "control 1"]),
        (choices.companions, "wanda", ["wanda again", "its control"]),
        (choices.companions, "against", []),
        (choices.isolated, "magnitude", ["alone", "alone, control 1", "alone, control 2"]),
        (choices.isolated, "control 1", ["alone, control 1"]),
        (choices.isolated, "against", []),
        (choices.methods_beside, "magnitude", ["magnitude", "wanda", "all linear"]),
        (choices.everywhere, "magnitude", ["magnitude", "cola"]),
        (choices.everywhere, "against", []),
    ],
)
def test_what_belongs_together(find: Callable[..., tuple[Entry, ...]], of: str, found: list[str]) -> None:
    beside = find(SHELF[of], list(SHELF.values()))
    assert [name for name, entry in SHELF.items() if entry in beside] == found


@pytest.mark.parametrize(
    ("of", "among", "first"),
    [
        ("magnitude", ["wanda", "alone", "magnitude", "control 0"], "control 0"),
        ("control 0", ["wanda", "alone", "magnitude", "control 0"], "magnitude"),
        ("wanda", ["cola", "alone", "all linear", "magnitude"], "all linear"),
        ("against", ["control 0", "magnitude", "against"], "magnitude"),
        ("magnitude", ["against", "wanda"], "wanda"),
        ("magnitude", ["magnitude"], None),
    ],
)
def test_a_result_is_compared_first_with_its_control_its_method_or_what_is_like_it(
    of: str, among: list[str], first: str | None
) -> None:
    found = counterpart(SHELF[of], [SHELF[name] for name in among])
    assert found == (SHELF[first] if first else None)


def test_what_serves_other_results_is_offered_only_where_there_is_nothing_else() -> None:
    yardstick = entry_of(twin(1, 2, 0.7))
    pretrained = entry_of(against(result(amounts=(0.0,)), 3, name="pretrained"))
    entries = [yardstick, SHELF["against"], pretrained, SHELF["fine"]]
    assert offered(entries) == entries[1:3], "another checkpoint is no twin"
    assert offered(entries, [yardstick.key, SHELF["fine"].key]) == entries
    assert offered(entries[:1]) == entries[:1]
    names = ["embedded:sst2", "recipe:minilm-l6-sst2-seed-1", "sst2", "owner/sst2", "embedded:none"]
    assert [family_of(name) for name in names] == ["minilm-l6-sst2", "minilm-l6-sst2", "", "", ""]

"""From a grid's file to its requests: what is multiplied out, what is refused, and the file of the shipped results."""

from dataclasses import replace
from pathlib import Path

import pytest

from core.errors import PrunescopeError
from core.inputs.prepare import prepare
from core.request.catalog import CONTROL_SEEDS, EMBEDDED, METHODS, SHIPPED
from core.request.controls import controls, judged_beside
from core.request.grid_file import grid_requests, read_grid
from core.request.sweep_request import SweepRequest, checked
from core.results.library import shipped

SHIPPED_GRID = SHIPPED / "grid.yaml"
ONE = {"checkpoints": ["embedded:sst2"]}


def requests(**values: object) -> list[SweepRequest]:
    return grid_requests({**ONE, **values}, "grid.yaml")


# ---------------------------------------------------------------- the product


def test_a_grid_without_further_lists_is_one_usual_sweep() -> None:
    assert requests() == [SweepRequest("embedded:sst2", "sst2")]
    both = ["embedded:sst2", "embedded:cola"]
    assert [one.task for one in requests(checkpoints=both)] == ["sst2", "cola"], "each comes on its own task"
    assert [one.task for one in requests(checkpoints=both, tasks=["sst2", "cola"])] == ["sst2", "cola"] * 2


def test_lists_are_multiplied_and_a_single_value_stands_for_a_list_of_one() -> None:
    found = requests(
        methods=["magnitude", "wanda"], scopes=["encoder", "layer:1"], points=["layer", "both"], examples=[32, None],
        data="written", amounts=[0.5, 0.2],
    )  # fmt: skip
    assert len(found) == len(set(found)) == 2**4
    assert {one.amounts for one in found} == {(0.0, 0.2, 0.5)}
    assert {one.data for one in found} == {"written"}


def test_every_checkpoint_is_compared_with_every_other_one_listed() -> None:
    twins = ["embedded:sst2", "embedded:cola"]
    found = [(one.checkpoint, one.against) for one in requests(checkpoints=twins, against=[None, *twins])]
    assert found == [(checkpoint, against) for checkpoint in twins for against in (None, *twins)]
    judged = requests(against=[None, "embedded:cola"], controls="verdict")
    assert [one.against for one in judged].count("embedded:cola") == 1, "no verdict, no controls"
    assert len(judged) == 1 + CONTROL_SEEDS["weight"] + 1


def test_seeds_are_those_of_random_methods_and_neuron_methods_have_no_scope() -> None:
    found = requests(methods=["magnitude", "random", "attribution"], seeds=[0, 5], scopes=["encoder", "all-linear"])
    assert [(one.method, one.scope, one.seed) for one in found] == [
        ("magnitude", "encoder", 0),
        ("magnitude", "all-linear", 0),
        ("random", "encoder", 0),
        ("random", "encoder", 5),
        ("random", "all-linear", 0),
        ("random", "all-linear", 5),
        ("attribution", None, 0),
    ]


@pytest.mark.parametrize("method", ["wanda", "attribution"])
def test_controls_are_those_over_the_amounts_and_those_of_a_verdict(method: str) -> None:
    (alone,) = requests(methods=method, range_examples="all")
    assert requests(methods=method, range_examples="all", controls="amounts", seeds=[3, 4]) == [
        alone,
        *controls(alone, [3, 4]),
    ]
    verdict = requests(methods=method, range_examples="all", controls="verdict")
    assert verdict == [alone, *judged_beside(alone)]
    assert len([one for one in verdict if one.control_of]) == CONTROL_SEEDS[METHODS[method].granularity]


def test_coarser_controls_have_fewer_amounts_and_leave_the_method_alone() -> None:
    alone, itself, *controls_of = requests(methods="attribution", controls="verdict")
    coarser = requests(methods="attribution", controls="coarser")
    assert itself == replace(alone, amounts=controls_of[0].amounts, until_damage=0.3)
    fewer = (*itself.amounts[:6], *itself.amounts[6::2])
    assert coarser == [alone, *(replace(one, amounts=fewer) for one in controls_of)]
    against = requests(methods="attribution", controls="coarser", against="embedded:cola")
    assert [one.method for one in against] == ["attribution"], "no verdict, no controls"


def test_products_share_the_keys_beside_them_and_give_no_sweep_twice() -> None:
    values = {
        **ONE,
        "examples": 32,
        "grids": [{"methods": "wanda"}, {"methods": ["wanda", "magnitude"]}, {"examples": 8}],
    }
    assert [(one.method, one.num_examples) for one in grid_requests(values, "grid.yaml")] == [
        ("wanda", 32),
        ("magnitude", 32),
        ("magnitude", 8),
    ]


# ---------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"methodes": ["wanda"]}, ["grid.yaml: methodes: unknown key", "methods"]),
        ({"methods": []}, ["grid.yaml: methods: empty"]),
        ({"methods": ["wander"]}, ["grid.yaml: ", "wander", "choose one of"]),
        ({"controls": ["random"]}, ["grid.yaml: controls", "'random'"]),
        ({"seeds": [True]}, ["grid.yaml: seeds", "True"]),
        ({"amounts": [0.5, 1.5]}, ["grid.yaml: ", "1.5", "[0, 1)"]),
        ({"grids": []}, ["grid.yaml: grids"]),
        ({"grids": [{}, {"pionts": "both"}]}, ["grid.yaml: grids.2.pionts: unknown key"]),
        ({"grids": {"methods": "wanda"}}, ["grid.yaml: grids"]),
        (
            {"amounts": [number / 1000 for number in range(1000)], "grids": [{}] * 1000},
            ["grid.yaml: grids: 1,000 products share 1,001 values, more than 100,000"],
        ),
    ],
)
def test_a_bad_file_is_refused_in_one_line_that_names_the_key(values: dict[str, object], words: list[str]) -> None:
    with pytest.raises(PrunescopeError) as caught:
        requests(**values)
    assert "\n" not in str(caught.value)
    assert all(word in str(caught.value) for word in words), caught.value


@pytest.mark.parametrize("text", ["", "just words", "[1, 2]", "a: [", "a: !!python/object:os.system {}", "\x00"])
def test_a_file_that_is_no_grid_is_refused_in_one_line(tmp_path: Path, text: str) -> None:
    with pytest.raises(PrunescopeError, match=r"grid\.yaml cannot be read"):
        read_grid(tmp_path / "grid.yaml")
    (tmp_path / "grid.yaml").write_text(text)
    with pytest.raises(PrunescopeError, match=r"grid\.yaml") as caught:
        read_grid(tmp_path / "grid.yaml")
    assert "\n" not in str(caught.value)


def nested_aliases(first: str, pattern: str, levels: int) -> str:
    """YAML whose every anchor holds the one before it, in place of the star of the pattern."""
    lines = (pattern.replace("*", f"*a{level - 1}") for level in range(1, levels))
    return "\n".join(f"a{level}: &a{level} {line}" for level, line in enumerate((first, *lines)))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (nested_aliases("[x]", f"[{'*, ' * 10}]", 9), "more than 100,000 values with its aliases written out"),
        (nested_aliases("{x: y}", f"{{<<: [{'*, ' * 10}]}}", 9), "more than 100,000 values"),
        (nested_aliases("[x]", "[*]", 2000) + "\nmethods: *a1999", "more than 100,000 values"),
        ("methods: &a [*a]", "more than 100,000 values"),
        ("methods: " + "[" * 2000 + "]" * 2000, "nested too deeply"),
        ("".join(f"{' ' * level}x:\n" for level in range(400)), "nested too deeply"),
    ],
    ids=["aliases", "merged", "chain", "within itself", "lists", "mappings"],
)
def test_a_file_that_grows_beyond_its_bounds_is_refused_before_it_is_built(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, reason: str
) -> None:
    monkeypatch.setattr("core.request.grid_file.grid_requests", lambda *_: pytest.fail("built"))
    (tmp_path / "grid.yaml").write_text(text)
    with pytest.raises(PrunescopeError, match=reason) as caught:
        read_grid(tmp_path / "grid.yaml")
    assert str(caught.value).startswith("grid.yaml")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "values",
    [
        {"checkpoints": [f"owner/model-{number}" for number in range(30_000)], "against": ["owner/model"] * 30_000},
        {"methods": "random", "seeds": list(range(30_000))},
        {"grids": [{"methods": "random", "seeds": list(range(300))}] * 100},
    ],
    ids=["checkpoints", "seeds", "products"],
)
def test_more_sweeps_than_a_grid_may_have_are_not_built(
    monkeypatch: pytest.MonkeyPatch, values: dict[str, object]
) -> None:
    built = 0

    def counted(request: SweepRequest, **changes: object) -> SweepRequest:
        nonlocal built
        built += "seed" in changes
        assert built <= 20_001
        return replace(request, **changes)

    monkeypatch.setattr("core.request.grid_file.replace", counted)
    with pytest.raises(PrunescopeError, match=r"grid\.yaml lists more than 20,000 sweeps: split it"):
        requests(**values)


# ---------------------------------------------------------------- the shipped results


@pytest.mark.parametrize("task", list(EMBEDDED))
def test_its_requests_on_written_examples_have_the_keys_of_the_manifest(task: str) -> None:
    listed = [request for request in read_grid(SHIPPED_GRID) if (request.task, request.data) == (task, "written")]
    known = {entry.key for entry in shipped() if (entry.task, entry.source) == (task, "written")}
    assert {prepare(checked(request)).key for request in listed} == known

"""From a grid's file to its requests: products, refusals, and the file of the shipped results."""

from dataclasses import replace

import pytest

from core.inputs.prepare import prepare
from core.request.catalog import EMBEDDED, SHIPPED
from core.request.controls import controls, judged_beside
from core.request.grid_file import grid_requests, read_grid
from core.request.sweep_request import SweepRequest, checked
from core.results.library import Entry, shipped
from tests.refusals import refusal

SHIPPED_GRID = SHIPPED / "grid.yaml"
ONE = {"checkpoints": ["embedded:sst2"]}
BOTH = ["embedded:sst2", "embedded:cola"]


def requests(**values):
    return grid_requests({**ONE, **values}, "grid.yaml")


# ---------------------------------------------------------------- the product


def test_a_checkpoint_comes_on_its_own_task_unless_tasks_are_given():
    assert requests() == [SweepRequest("embedded:sst2", "sst2")]
    own = [sweep.task for sweep in requests(checkpoints=BOTH)]
    given = [sweep.task for sweep in requests(checkpoints=BOTH, tasks=["sst2", "cola"])]

    assert own == ["sst2", "cola"]
    assert given == ["sst2", "cola"] * 2


def test_lists_are_multiplied_and_a_single_value_stands_for_a_list_of_one():
    sweeps = requests(
        methods=["magnitude", "wanda"],
        scopes=["encoder", "layer:1"],
        examples=[32, None],
        points=["layer", "both"],
        data="written",
        amounts=[0.5, 0.2],
    )

    assert len(sweeps) == len({*sweeps}) == 2**4
    assert {sweep.amounts for sweep in sweeps} == {(0.0, 0.2, 0.5)}
    assert {sweep.data for sweep in sweeps} == {"written"}


def test_seeds_are_those_of_random_methods_and_neuron_methods_have_no_scope():
    sweeps = requests(
        methods=["magnitude", "random", "attribution"],
        seeds=[0, 5],
        scopes=["encoder", "all-linear"],
    )

    assert [(sweep.method, sweep.scope, sweep.seed) for sweep in sweeps] == [
        ("magnitude", "encoder", 0),
        ("magnitude", "all-linear", 0),
        ("random", "encoder", 0),
        ("random", "encoder", 5),
        ("random", "all-linear", 0),
        ("random", "all-linear", 5),
        ("attribution", None, 0),
    ]


@pytest.mark.parametrize("method", ["wanda", "attribution"])
def test_controls_are_those_over_the_amounts_of_a_verdict_or_coarser(method):
    (alone,) = requests(methods=method)
    beside = judged_beside(alone)
    seeds = [request for request in beside if request.control_of]
    steps = seeds[0].amounts
    coarser = [replace(request, amounts=(*steps[:6], *steps[6::2])) for request in seeds]

    over_amounts = requests(methods=method, controls="amounts", seeds=[3, 4])

    assert over_amounts == [alone, *controls(alone, [3, 4])]
    assert requests(methods=method, controls="verdict") == [alone, *beside]
    assert requests(methods=method, controls="coarser") == [alone, *coarser]


def test_products_share_the_keys_beside_them_and_give_no_sweep_twice():
    grids = [
        {"methods": "wanda"},
        {"methods": ["wanda", "magnitude"]},
        {"examples": 8},
    ]

    sweeps = requests(examples=32, grids=grids)

    fields = [(sweep.method, sweep.num_examples) for sweep in sweeps]
    assert fields == [("wanda", 32), ("magnitude", 32), ("magnitude", 8)]


# ---------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (
            {"methodes": ["wanda"]},
            "grid.yaml: unknown key 'methodes': choose one of checkpoints",
        ),
        ({"methods": []}, "grid.yaml: methods: empty"),
        (
            {"controls": True},
            "grid.yaml: unknown controls 'True': choose one of amounts",
        ),
        (
            {"seeds": [0, -1]},
            "grid.yaml: seed: Input should be greater than or equal to 0, not '-1'",
        ),
        ({"grids": []}, "grid.yaml is not a grid"),
        (
            {"grids": [{}, {"pionts": "both"}]},
            "grid.yaml: grids.2: unknown key 'pionts'",
        ),
    ],
)
def test_a_bad_file_is_refused_in_one_line_that_names_the_key(values, words):
    assert words in refusal(requests, **values)


@pytest.mark.parametrize(
    "text",
    ["", "[1, 2]", "a: [", "a: !!python/object:os.system {}", "\0", "[" * 1000],
)
def test_a_file_that_is_no_grid_is_refused_in_one_line(tmp_path, text):
    (tmp_path / "grid.yaml").write_text(text)

    assert refusal(read_grid, tmp_path / "grid.yaml").startswith("grid.yaml is not")


def test_a_missing_file_is_refused_in_one_line(tmp_path):
    assert "not readable as YAML (No such file" in refusal(read_grid, tmp_path / "grid.yaml")


# ---------------------------------------------------------------- the shipped results


@pytest.mark.parametrize("task", [entry.task for entry in EMBEDDED.values()])
def test_its_requests_on_written_examples_have_the_keys_of_the_manifest(task):
    entries = shipped(Entry)
    keys = [entry.key for entry in entries if (entry.task, entry.source) == (task, "written")]

    listed = []
    for request in read_grid(SHIPPED_GRID):
        if (request.task, request.data) == (task, "written"):
            inputs = prepare(checked(request))
            listed.append(inputs.key_of(inputs.request))

    assert sorted(listed) == sorted(keys)

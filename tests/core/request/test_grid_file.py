"""From a grid's file to its requests: what is multiplied out, what is refused, and the file of the shipped results."""

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


def requests(**values):
    return grid_requests({**ONE, **values}, "grid.yaml")


# ---------------------------------------------------------------- the product


def test_lists_are_multiplied_and_a_single_value_stands_for_a_list_of_one():
    assert requests() == [SweepRequest("embedded:sst2", "sst2")]
    both = ["embedded:sst2", "embedded:cola"]
    assert [sweep.task for sweep in requests(checkpoints=both)] == ["sst2", "cola"], (
        "each comes on its own task"
    )
    assert [sweep.task for sweep in requests(checkpoints=both, tasks=["sst2", "cola"])] == [
        "sst2",
        "cola",
    ] * 2
    lists = {
        "methods": ["magnitude", "wanda"],
        "scopes": ["encoder", "layer:1"],
        "examples": [32, None],
    }
    sweeps = requests(**lists, points=["layer", "both"], data="written", amounts=[0.5, 0.2])
    assert len(sweeps) == len(set(sweeps)) == 2**4
    assert {(sweep.amounts, sweep.data) for sweep in sweeps} == {((0.0, 0.2, 0.5), "written")}


def test_seeds_are_those_of_random_methods_and_neuron_methods_have_no_scope():
    sweeps = requests(
        methods=["magnitude", "random", "attribution"],
        seeds=[0, 5],
        scopes=["encoder", "all-linear"],
    )
    scoped = [("magnitude", (0,)), ("random", (0, 5))]
    expected = [
        (name, scope, seed)
        for name, seeds in scoped
        for scope in ("encoder", "all-linear")
        for seed in seeds
    ]
    assert [(sweep.method, sweep.scope, sweep.seed) for sweep in sweeps] == [
        *expected,
        ("attribution", None, 0),
    ]


@pytest.mark.parametrize("method", ["wanda", "attribution"])
def test_controls_are_those_over_the_amounts_of_a_verdict_or_coarser(method):
    (alone,) = requests(methods=method)
    assert requests(methods=method, controls="amounts", seeds=[3, 4]) == [
        alone,
        *controls(alone, [3, 4]),
    ]
    verdict = requests(methods=method, controls="verdict")
    assert verdict == [alone, *judged_beside(alone)]
    seeds = [request for request in verdict if request.control_of]
    fewer = (*seeds[0].amounts[:6], *seeds[0].amounts[6::2])
    coarser = requests(methods=method, controls="coarser")
    assert coarser == [alone, *(replace(request, amounts=fewer) for request in seeds)]


def test_products_share_the_keys_beside_them_and_give_no_sweep_twice():
    grids = [{"methods": "wanda"}, {"methods": ["wanda", "magnitude"]}, {"examples": 8}]
    sweeps = [(sweep.method, sweep.num_examples) for sweep in requests(examples=32, grids=grids)]
    assert sweeps == [("wanda", 32), ("magnitude", 32), ("magnitude", 8)]


# ---------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"methodes": ["wanda"]}, "grid.yaml: unknown key 'methodes': choose one of checkpoints"),
        ({"methods": []}, "grid.yaml: methods: empty"),
        ({"controls": True}, "grid.yaml: unknown controls 'True': choose one of amounts"),
        (
            {"seeds": [0, -1]},
            "grid.yaml: seed: Input should be greater than or equal to 0, not '-1'",
        ),
        ({"grids": []}, "grid.yaml is not a grid"),
        ({"grids": [{}, {"pionts": "both"}]}, "grid.yaml: grids.2: unknown key 'pionts'"),
    ],
)
def test_a_bad_file_is_refused_in_one_line_that_names_the_key(values, words):
    assert words in refusal(requests, **values)


@pytest.mark.parametrize(
    "text", ["", "[1, 2]", "a: [", "a: !!python/object:os.system {}", "\0", "[" * 1000]
)
def test_a_file_that_is_no_grid_is_refused_in_one_line(tmp_path, text):
    assert "grid.yaml is not readable as YAML (No such file" in refusal(
        read_grid, tmp_path / "grid.yaml"
    )
    (tmp_path / "grid.yaml").write_text(text)
    assert refusal(read_grid, tmp_path / "grid.yaml").startswith("grid.yaml is not")


# ---------------------------------------------------------------- the shipped results


@pytest.mark.parametrize("task", [known.task for known in EMBEDDED.values()])
def test_its_requests_on_written_examples_have_the_keys_of_the_manifest(task):
    listed = [
        request
        for request in read_grid(SHIPPED_GRID)
        if (request.task, request.data) == (task, "written")
    ]
    keys = {
        entry.key for entry in shipped(Entry) if (entry.task, entry.source) == (task, "written")
    }
    assert {
        (inputs := prepare(checked(request))).key_of(inputs.request) for request in listed
    } == keys

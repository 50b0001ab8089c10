"""A request: amounts, points and scopes, defaults, bounds, hosted limits, refusals in one line."""

import pytest

from core.request.amounts import amount_text, parse_amounts, stepped_amounts
from core.request.limits import source_of
from core.request.scope import (
    canonical,
    first_emptied_point,
    layers_of,
    point_names,
    points_of,
    scope_of,
)
from core.request.sweep_request import SweepRequest, checked
from tests.refusals import refusal


def test_amounts_always_hold_the_baseline_in_order_without_repetition():
    assert parse_amounts(["0.5", "0.1", ".5", "5e-1"]) == (0.0, 0.1, 0.5)
    assert parse_amounts([0.1 + 0.2]) == (0.0, 0.3)
    assert amount_text(0.1 + 0.2) == "0.3"
    assert stepped_amounts(0.2, 0.9) == (0.0, 0.2, 0.4, 0.6, 0.8)


@pytest.mark.parametrize(
    "text",
    ["1", "-0.1", "nan", "inf", "0.9999999999", "half", "", None, 10**400],
)
def test_amounts_outside_zero_to_one_are_refused(text):
    assert " is not a number in [0, 1)" in refusal(parse_amounts, [text])


def refused(**changes):
    fields = {"checkpoint": "embedded:sst2", "task": "sst2", **changes}
    return refusal(checked, SweepRequest(**fields))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"task": "sst5"}, "unknown task 'sst5': choose one of sst2"),
        ({"method": "magic"}, "unknown method 'magic'"),
        (
            {"method": "random", "control_of": "attribution"},
            "random cannot control attribution",
        ),
        (
            {"task": "messages", "data": "hub"},
            "has no data on the Hub: give --data written",
        ),
        ({"scope": "decoder"}, "scope 'decoder' with method 'mag"),
        (
            {"scope": "layer:96"},
            "or some of layers 1 to 96, the lowest first (--layers 1-2;",
        ),
        ({"scope": "layers:0-95"}, "layers 1-96 with method 'mag"),
        ({"scope": "layers:95-96"}, "layers 96-97 with method 'mag"),
        ({"scope": "layers:1"}, "in grids and notebooks, scope layers:0-1)"),
        (
            {"method": "attribution"},
            "scope 'encoder' with method 'attribution': leave it out",
        ),
        ({"split": "test"}, "only hub:OWNER/NAME has splits"),
        ({"num_examples": 3}, "3 examples: choose 4 to"),
        (
            {"seed": -1},
            "seed: Input should be greater than or equal to 0, not '-1'",
        ),
        ({"amounts": tuple(k / 200 for k in range(150))}, "at most 101"),
    ],
)
def test_refusals_name_value_bound_and_remedy(changes, words):
    assert words in refused(**changes)


LONG, NUL = "x" * 300, "nul\0byte"  # that no file system takes


@pytest.mark.parametrize("name", ["embedded:nope", "recipe:nope", LONG, NUL])
def test_other_names_are_no_checkpoints(name):
    assert "is not a checkpoint here: give embedded:sst2" in refused(checkpoint=name)


@pytest.mark.parametrize(
    "name",
    [
        "./absent",
        "../../etc/passwd/x",
        "owner/name@/usr/bin/python3",
        "a/" * 150,
    ],
)
def test_missing_folders_are_no_checkpoints(name):
    assert f"there is no folder '{name[:120]}': give embedded:sst2" in refused(checkpoint=name)


@pytest.mark.parametrize("name", ["/absent", "a/" * 150, LONG, NUL])
def test_other_names_are_no_data(name):
    assert "is not a folder or file here" in refused(data=name)


@pytest.mark.parametrize("name", ["PRUNESCOPE_HOSTED", "SPACE_ID"])
def test_hosted_are_no_folders_and_lower_bounds(tmp_path, monkeypatch, name):
    assert source_of(str(tmp_path)) == "folder"

    monkeypatch.setenv(name, "1")

    assert "is not a checkpoint here" in refused(checkpoint=str(tmp_path))
    for data in (str(tmp_path), "own:", "own:/etc", "own:../a"):
        assert "is not a folder or file here" in refused(data=data)
    assert "choose 4 to 512" in refused(num_examples=513)


@pytest.mark.parametrize(
    ("checkpoint", "source", "data"),
    [
        ("embedded:sst2", "embedded", "written"),
        ("owner/name@refs-1", "hub", "hub"),
        ("bert-base", "hub", "hub"),
    ],
)
def test_the_default_data_depend_on_the_checkpoint(checkpoint, source, data):
    assert source_of(checkpoint) == source
    assert checked(SweepRequest(checkpoint, "sst2")).data == data


# ---------------------------------------------------------------- layers


@pytest.mark.parametrize("points", ["attention", "layer", "both"])
def test_points_in_depth_order_lead_back_to_their_kind(points):
    names = point_names(points, 3)

    depths = [int(name.split(".")[1]) for name in names]
    assert depths == sorted(depths)
    assert points_of(names, 3) == points
    assert points_of(names, 4) is None
    assert points_of(names[::-1], 3) is None


@pytest.mark.parametrize(
    ("layers", "scope"),
    [("1", "layer:0"), ("3", "layer:2"), ("2-3", "layers:1-2")],
)
def test_people_count_layers_from_1(layers, scope):
    assert scope_of(layers) == scope
    assert layers_of(scope) == layers


@pytest.mark.parametrize("layers", ["0", "1-", "a"])
def test_other_layers_are_refused(layers):
    line = f"layers '{layers}': write one, such as 2, or a run such as 1-3"

    assert line in refusal(scope_of, layers)


@pytest.mark.parametrize("scope", ["encoder", "all-linear", None, "layer:", "layer:01"])
def test_other_scopes_prune_no_layers_alone(scope):
    assert layers_of(scope) is None
    assert canonical(scope) == scope


def test_a_run_of_one_layer_is_that_layer():
    assert canonical("layers:2-2") == "layer:2"


@pytest.mark.parametrize(
    ("scope", "point"),
    [
        (None, "layer.0.attention"),
        # The attention block passes its input on.
        ("layer:1", "layer.1.output"),
        ("layers:1-2", "layer.1.output"),
    ],
)
def test_an_emptied_scope_leaves_the_points_before_it(scope, point):
    points = point_names("both", 3)

    assert points[first_emptied_point(points, scope)] == point

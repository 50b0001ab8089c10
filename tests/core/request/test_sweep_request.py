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
    "text", ["1", "-0.1", "nan", "inf", "0.9999999999", "half", "", None, 10**400]
)
def test_amounts_outside_zero_to_one_are_refused(text):
    assert " is not a number in [0, 1)" in refusal(parse_amounts, [text])


REFUSED = [
    ({"task": "sst5"}, "unknown task 'sst5': choose one of sst2"),
    ({"method": "magic"}, "unknown method 'magic'"),
    ({"method": "random", "control_of": "attribution"}, "random cannot control attribution"),
    ({"task": "messages", "data": "hub"}, "task messages has no data on the Hub: give --data written"),
    ({"scope": "decoder"}, "scope 'decoder' with method 'mag"),
    ({"scope": "layer:96"}, "or some of layers 1 to 96, the lowest first (--layers 1-2;"),
    *(({"scope": scope}, "scope layers:0-1)") for scope in ("layers:0-95", "layers:95-96", "layers:1")),
    ({"method": "attribution"}, "scope 'encoder' with method 'attribution': leave it out"),
    *(({"checkpoint": name}, "is not a checkpoint here: give embedded:sst2") for name in (
        *("embedded:nope", "recipe:nope", "x" * 300, "nul\0byte"),  # that no file system takes
    )),
    *(({"checkpoint": name}, f"there is no folder '{name[:120]}': give embedded:sst2") for name in (
        *("./absent", "../../etc/passwd/x", "owner/name@/usr/bin/python3", "a/" * 150),
    )),
    *(({"data": name}, "is not a folder or file here") for name in ("/absent", "a/" * 150, "x" * 300, "nul\0byte")),
    ({"split": "test"}, "only hub:OWNER/NAME has splits"),
    ({"num_examples": 3}, "3 examples: choose 4 to"),
    ({"seed": -1}, "seed: Input should be greater than or equal to 0, not '-1'"),
    ({"amounts": tuple(k / 200 for k in range(150))}, "at most 101"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "words"), REFUSED)
def test_refusals_name_value_bound_and_remedy(changes, words):
    assert words in refusal(
        checked, SweepRequest(**{"checkpoint": "embedded:sst2", "task": "sst2", **changes})
    )


@pytest.mark.parametrize("name", ["PRUNESCOPE_HOSTED", "SPACE_ID"])
def test_hosted_are_no_folders_and_lower_bounds(tmp_path, monkeypatch, name):
    places = ("embedded:sst2", str(tmp_path), "owner/name@refs-1", "bert-base")
    assert [source_of(place) for place in places] == ["embedded", "folder", "hub", "hub"]
    monkeypatch.setenv(name, "1")
    for changes, words in (
        ({"checkpoint": str(tmp_path)}, "is not a checkpoint here"),
        *(
            ({"data": data}, "is not a folder or file here")
            for data in (str(tmp_path), "own:", "own:/etc", "own:../a")
        ),
        ({"num_examples": 513}, "choose 4 to 512"),
    ):
        assert words in refusal(
            checked, SweepRequest(**{"checkpoint": "embedded:sst2", "task": "sst2", **changes})
        )


def test_the_default_data_depend_on_the_checkpoint():
    assert [checked(SweepRequest(name, "sst2")).data for name in ("embedded:sst2", "a/b")] == [
        "written",
        "hub",
    ]


@pytest.mark.parametrize("points", ["attention", "layer", "both"])
def test_points_in_depth_order_lead_back_to_their_kind(points):
    names = point_names(points, 3)
    assert [name.split(".")[1] for name in names] == sorted(name.split(".")[1] for name in names)
    assert (points_of(names, 3), points_of(names, 4), points_of(names[::-1], 3)) == (
        points,
        None,
        None,
    )


def test_one_layer_or_all():
    scopes = (
        "layer:0",
        "layer:11",
        "layers:2-2",
        "layers:1-2",
        "encoder",
        "all-linear",
        None,
        "layer:",
        "layer:01",
    )
    assert [canonical(scope) for scope in ("layers:2-2", "layers:1-2", None)] == [
        "layer:2",
        "layers:1-2",
        None,
    ]
    assert [scope_of(layers) for layers in ("3", "2-3")] == ["layer:2", "layers:1-2"], (
        "people count from 1"
    )
    assert list(map(layers_of, scopes)) == ["1", "12", "3", "2-3", None, None, None, None, None]
    for layers in ("0", "1-", "a"):
        assert f"layers '{layers}': write one, such as 2, or a run such as 1-3" in refusal(
            scope_of, layers
        )
    points = point_names("both", 3)
    assert points[first_emptied_point(points, "layers:1-2")] == "layer.1.output"
    assert points[first_emptied_point(points, "layer:1")] == "layer.1.output", (
        "its attention block passes its input on"
    )
    assert first_emptied_point(points, None) == 0

"""A grid: its rows beside their controls, in which order, and under which names; its tables are in the snapshot."""

import numpy as np
import pytest

from core.findings.grid import arranged, grid_rows
from tests.builders import make_result, with_own_key, with_own_labels
from tests.core.findings.made import SEEDS, network

SMALL = {"num_layers": 2, "amounts": (0.0, 0.5), "num_examples": 20}


def test_a_row_has_the_mean_of_its_controls_over_the_same_amounts() -> None:
    method, shorter = network(0.7), network(amounts=(0.0, 0.31), method="random", seed=7)
    (row,) = grid_rows([method, *SEEDS, shorter])
    own = [[frame.own("mean") for frame in seed.frames] for seed in SEEDS]
    assert row.control == pytest.approx(np.mean(own, axis=0))
    assert row.own == pytest.approx(np.array([frame.own("mean") for frame in method.frames]))
    assert grid_rows([method])[0].control is None


def test_settings_and_checkpoints_are_in_order_and_columns_of_one_name_get_distinct_names() -> None:
    alone = [{"scope": f"layer:{layer}", "points": "layer"} for layer in (10, 1)]
    pruned = ({"method": "wanda"}, *alone, {"scope": "all-linear"}, {"points": "both"}, {})
    rows = [grid_rows([make_result(**{**SMALL, "num_layers": 12}, **settings)])[0] for settings in pruned]
    assert arranged(rows, [row.key for row in rows]).settings == (
        "Magnitude pruning of the encoder",
        "Magnitude pruning of the encoder, attention blocks and layer outputs",
        "Magnitude pruning of all linear layers",
        "Magnitude pruning of layer 2 alone, layer outputs",
        "Magnitude pruning of layer 11 alone, layer outputs",
        "Wanda pruning of the encoder",
    )
    glue, cola = make_result(**SMALL), make_result(**SMALL, task="cola")
    other = with_own_key(glue, checkpoint=glue.checkpoint.model_copy(update={"revision": "b" * 64}))
    rows = [row for result in (glue, cola, other) for row in grid_rows([result])]
    names, examples = zip(*sorted(arranged(rows, [row.key for row in rows]).columns.values()), strict=True)
    model = "MiniLM-L6, fine-tuned on"
    assert names == (f"{model} CoLA", f"{model} SST-2 (0000000)", f"{model} SST-2 (bbbbbbb)")
    assert examples == ("CoLA, 20 examples", *["SST-2, 20 examples"] * 2)
    own = with_own_labels(make_result(**SMALL), ("good", "bad"))
    columns = own.task.columns.model_copy(update={"text": ("title", "review")})  # type: ignore[union-attr]
    changes = {"columns": columns}, {"label_map": {"meh": "bad"}}
    twins = [own, *(with_own_key(own, task=own.task.model_copy(update={**one, "fingerprint": "b"})) for one in changes)]
    rows = [row for result in twins for row in grid_rows([result])]
    heads = arranged(rows, [row.key for row in rows]).columns.values()
    assert len({*heads}) == 3, "what was read tells them apart"
    assert {name for name, _ in heads} == {"moods"}

"""A grid as a table: which sweeps have rows, in which order, and that each cell says what the pages say."""

import numpy as np
import pytest

from core.findings.grid import arranged, grid_rows
from core.findings.tables import grid_table
from core.findings.words.lab import key_figures
from core.results import library, store
from core.results.extract import extract_of
from core.results.schema import SweepResult
from tests.builders import make_result, with_own_key
from tests.core.findings.made import SEEDS, network

SMALL = {"num_layers": 2, "amounts": (0.0, 0.5), "num_examples": 20}


def test_controls_serve_the_method_and_the_cells_say_what_the_result_says() -> None:
    """Magnitude pruning of SST-2's bundled checkpoint, and the seeds of its control."""
    points = tuple(f"layer.{k}.attention" for k in range(6))
    entries = [entry for entry in library.shipped() if entry.points == points and entry.scope == "encoder"]
    entries = [entry for entry in entries if (entry.checkpoint, entry.source) == ("embedded:sst2", "folder")]
    keys = [entry.key for entry in entries if "magnitude" in (entry.method, entry.controls)]
    result, *controls = results = sorted(map(loaded, keys), key=lambda known: known.pruning.controls or "")
    (row,) = grid_table(grid_rows(results))
    metric = {frame.amount: frame.metrics["accuracy"] for frame in result.frames}
    assert (float(row["Unpruned"]), float(row["At 50 %"])) == pytest.approx((metric[0.0], metric[0.5]), abs=5e-4)
    first, _, holds = key_figures(result, "mean").values()
    assert (row["First to change"], row["Holds"], row["Verdict"]) == (first, holds, "as by chance")
    gap = result.statistics_of("mean").gap_at_damage["0.1"]
    assert row["Gap at change 0.1"] == f"{gap.value:.3f} ({gap.low:.3f} to {gap.high:.3f})"
    assert grid_table(grid_rows([extract_of(known) for known in results])) == [row], "extracts make the same table"
    assert [row["Verdict"] for row in grid_table(grid_rows(controls))] == ["–"] * 8, "alone, they have rows"
    unpruned = result.model_copy(update={"frames": result.frames[:1], "statistics": None})
    (row,) = grid_table(grid_rows([unpruned]))
    assert (row["At 50 %"], row["Holds"], row["First to change"], row["Gap at change 0.1"]) == ("–",) * 4


def loaded(key: str) -> SweepResult:
    path = store.find(key)
    assert path
    return store.load(path)


def test_a_row_has_the_mean_of_its_controls_over_the_same_amounts() -> None:
    method, shorter = network(0.7), network(amounts=(0.0, 0.31), method="random", seed=7)
    (row,) = grid_rows([method, *SEEDS, shorter])
    own = [[frame.own("mean") for frame in seed.frames] for seed in SEEDS]
    assert row.control == pytest.approx(np.mean(own, axis=0))
    assert row.own == pytest.approx(np.array([frame.own("mean") for frame in method.frames]))
    assert grid_rows([method])[0].control is None


def test_settings_and_checkpoints_are_in_order_and_columns_of_one_name_get_distinct_names() -> None:
    pruned = (
        {"method": "wanda"},
        {"scope": "layer:10", "points": "layer"},
        {"scope": "layer:1", "points": "layer"},
        {"scope": "all-linear"},
        {"points": "both"},
        {},
    )
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
    assert examples == ("CoLA, 20 examples", *["20 examples of SST-2 validation, GLUE"] * 2)

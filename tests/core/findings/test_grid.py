"""A grid: in which order its rows stand, and what tells apart those of one name; its tables are in the snapshot."""

from core.findings.words.grid import arranged, grid_rows
from tests.builders import make_result, with_own_key, with_own_labels

SMALL = {"num_layers": 2, "amounts": (0.0, 0.5), "num_examples": 20}


def test_settings_are_in_order_and_what_was_read_tells_rows_of_one_name_apart() -> None:
    alone = [{"scope": f"layer:{layer}", "points": "layer"} for layer in (10, 1)]
    pruned = ({"method": "wanda"}, *alone, {"scope": "all-linear"}, {"points": "both"}, {})
    rows = [grid_rows([make_result(**{**SMALL, "num_layers": 12}, **settings)])[0] for settings in pruned]
    assert [row.cells["Pruning"] for row in arranged(rows)] == [
        "Magnitude pruning of the encoder",
        "Magnitude pruning of the encoder, attention blocks and layer outputs",
        "Magnitude pruning of all linear layers",
        "Magnitude pruning of layer 2 alone, layer outputs",
        "Magnitude pruning of layer 11 alone, layer outputs",
        "Wanda pruning of the encoder",
    ]
    assert [row.key for row in arranged(rows, [rows[0].key])] == [rows[0].key]
    own = with_own_labels(make_result(**SMALL), ("good", "bad"))
    columns = own.task.columns.model_copy(update={"text": ("title", "review")})  # type: ignore[union-attr]
    changes = {"columns": columns}, {"label_map": {"meh": "bad"}}
    other = with_own_key(own, checkpoint=own.checkpoint.model_copy(update={"revision": "b" * 64}))
    twins = own, other, *(with_own_key(own, task=own.task.model_copy(update=change)) for change in changes)
    cells = [row.cells for result in twins for row in grid_rows([result])]
    assert {row["Checkpoint"] for row in cells} == {"moods"}
    assert len({(row["Examples"], row["Revision"]) for row in cells}) == len(twins)

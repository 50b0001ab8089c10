"""The forest plot: what stands where, and that it can be taken away."""

import pytest

from core.charts.forest import forest_scene
from core.exports.figure import figure_of
from core.findings.pooled import ALL, Cell, Pooled, PooledEstimate
from core.renderer import drawn_frames
from core.sweep.control_contrast import Contrast
from tests.pictures import drawn, marks

CONTRAST = Contrast(
    difference=0.05, seed_deviation=0.02, standard_error=0.01, seeds=5, examples=200
)
CELLS = [
    Cell(
        "SST-2",
        layers,
        (f"{layers}", "twin"),
        2,
        2,
        5,
        {0: 0.02, 1: 0.04},
        CONTRAST,
    )
    for layers in (2, 3, 4, 6)
]
ESTIMATE = PooledEstimate(
    4,
    -0.03,
    (-0.15, 0.09),
    (-0.05, -0.01),
    0.02,
    0.5,
    (-0.6, 0.3),
)
TABLE = (Pooled("magnitude", "encoder", tuple(CELLS), {ALL: ESTIMATE}),) * 2


def test_it_draws_every_cell_and_the_estimate_over_all() -> None:
    scene = forest_scene(TABLE, "All together")
    assert list(scene.views) == ["forest-1", "forest-2"]
    view = scene.views["forest-1"]
    rows = view.datasets["forest"]
    assert [row["label"] for row in rows] == [
        *(f"SST-2, {k} layers (2)" for k in (2, 3, 4, 6)),
        "All",
    ]
    assert {row["seeds"] for row in rows} == {"2 of 5", ""}
    half = 100 * CONTRAST.mean_half_width(0.95)
    assert (rows[0]["low"], rows[0]["high"]) == pytest.approx(
        (5 - half, 5 + half),
        abs=1e-3,
    )
    assert [rows[4][name] for name in ("value", "low", "high")] == [-3, -15, 9]
    assert rows[4]["text"] == "−3 (−15 to 9)"
    spec = {**view.spec, "width": 400, "height": 200}
    assert len(marks(drawn(spec, 0), "point")) == 4 + 1


def test_it_can_be_taken_away_as_a_picture() -> None:
    figure = figure_of(forest_scene(TABLE, "All together"), "dark")
    assert "All together" in next(drawn_frames(figure, [0]))
    for part in figure["parts"]:
        assert part["x"] + part["spec"]["width"] <= figure["width"]

"""The picture of cuts: what is saved, what is held, and the lines to hold both against."""

import pytest
from vl_convert import vegalite_to_svg

from core.charts.cut import cut_scene
from core.findings.cut import chosen, frontier_of
from tests.studies import make_study

STUDY = make_study(num_layers=6)
FRONTIER = frontier_of(STUDY)
CHOICE = chosen(FRONTIER, 0.05, "4")


def test_each_depth_has_its_speed_its_scores_and_its_interval() -> None:
    view = cut_scene(
        FRONTIER,
        CHOICE,
        "title",
    ).views["frontier"]
    rows = view.datasets["models"]
    assert [row["label"] for row in rows] == [
        "5",
        "4",
        "3",
        "2",
        "1",
    ]
    for row, depth in zip(rows, STUDY.depths, strict=True):
        drawn = [row[name] for name in ("x", "value", "low", "high", "held")]
        speed = depth.size.speeds[32].value
        own = (depth.saved.metrics["accuracy"], *depth.saved.intervals["accuracy"])
        held = depth.held.metrics["accuracy"]
        assert drawn == pytest.approx(
            [speed, *own, held],
            abs=1e-6,
        )
    full, guess = view.datasets["lines"]
    assert (full["value"], guess["value"]) == pytest.approx((STUDY.full.metrics["accuracy"], 0.5))
    (_, (low, high), (slowest, fastest)) = view.arguments
    assert all(low <= row[end] <= high for row in rows for end in ("low", "high", "held"))
    assert slowest < 1 < max(row["x"] for row in rows) < fastest, "the full model is at 1"


def test_a_probe_without_a_score_leaves_a_gap() -> None:
    held = STUDY.full.model_copy(update={"metrics": {}})
    blank = STUDY.depths[0].model_copy(update={"held": held})
    study = STUDY.model_copy(update={"depths": (blank, *STUDY.depths[1:])})
    frontier = frontier_of(study)
    view = cut_scene(
        frontier,
        frontier.choices[0],
        "",
    ).views["frontier"]
    first, second, *_ = view.datasets["models"]
    assert (first["held"], first["Held"]) == (None, "–")
    assert second["held"] is not None
    assert "NaN" not in vegalite_to_svg(
        {
            **view.spec,
            "width": 400,
            "height": 300,
        }
    )

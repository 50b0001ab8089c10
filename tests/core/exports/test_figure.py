"""Figures: one picture of fixed size that holds all of a result, or of two."""

from typing import Any

import pytest

from core.charts.layers import layer_scene
from core.charts.view import View
from core.exports.figure import Layout, figure_of, frames_of, print_figure
from core.findings.compare import Axis, shown_together
from core.request.catalog import REDUCTIONS
from core.results.names import place_name
from core.results.schema import SweepResult
from tests.builders import make_result
from tests.pictures import drawn, labels, marks, place

AMOUNTS = (0.0, 0.25, 0.5, 0.75)


@pytest.fixture(scope="module")
def result() -> SweepResult:
    return make_result(num_layers=3, amounts=AMOUNTS)


def test_one_picture_holds_all_three_and_moves_as_one(result: SweepResult) -> None:
    figure = figure_of((result,), "mean")
    first, last = (drawn(figure, frame) for frame in (0, 3))
    titles = {text for element in first.iter() for text in element.itertext()}
    assert {"Similarity (CKA) of every pair of layers", "Accuracy with its 95 % interval"} <= titles
    assert first.get("viewBox") == last.get("viewBox")
    moved = [
        [place(line) for line in marks(one, "rule mark") if list(labels(line)) == ["Removed by pruning"]]
        for one in (first, last)
    ]
    assert len(moved[0]) == len(moved[1]) == 2
    assert all(before[0] < after[0] for before, after in zip(*moved, strict=True))


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_the_heatmap_shows_the_reduction(result: SweepResult, reduction: str) -> None:
    picture = drawn(figure_of((result,), reduction), 2)
    told = {labels(rect)["Similarity"] for rect in marks(picture, "rect mark") if "Similarity" in labels(rect)}
    assert told == {
        f"{value:.2f}" for row in result.frames[2].similarity["cka"][reduction] for value in row if value is not None
    }


def test_a_picture_keeps_its_size_whatever_a_checkpoint_is_called(result: SweepResult) -> None:
    checkpoint = result.checkpoint.model_copy(update={"id": "long-name-" * 30, "source": "folder"})
    named = result.model_copy(update={"checkpoint": checkpoint})
    usual, long = (drawn(figure_of((one,), "mean"), 0).get("viewBox") for one in (result, named))
    assert usual == long


def test_frames_of_two_are_those_that_both_have(result: SweepResult) -> None:
    other = make_result(num_layers=3, amounts=(0.0, 0.5), method="random")
    assert [frame["amount"] for frame in frames_of((result, other), "mean")] == [0.0, 0.5]
    assert [frame["amount"] for frame in frames_of((result,), "mean")] == list(AMOUNTS)


@pytest.mark.parametrize(
    ("axis", "words", "name"),
    [("damage", "at equal overall change", "Overall change"), ("divergence", "at equal divergence", "Divergence")],
)
def test_two_are_printed_where_the_page_shows_them(result: SweepResult, axis: Axis, words: str, name: str) -> None:
    both = (result, make_result(num_layers=3, amounts=AMOUNTS, method="wanda", own_cka=lambda a, p, n: 1 - a / 2))
    for reduction in ("mean", "cls"):
        together = shown_together(*both, axis, reduction)
        assert [frame["amount"] for frame in frames_of(both, reduction, axis)] == list(together.places)
    assert len(together.places) > 3
    figure = figure_of(both, "cls", axis)
    said = texts(figure, 3)
    assert any(f"beside Wanda pruning of the encoder, {words}" in text for text in said)
    assert any(text.startswith(f"{name} {place_name(together.places[3])} · ") for text in said)
    first = [labels(rect) for rect in marks(drawn(figure, 3), "rect mark")][: len(result.points) ** 2]
    values = [value for row in together.pairs[3][0].matrix("cls") for value in row]
    assert sorted(cell["Similarity"] for cell in first) == sorted(f"{value:.2f}" for value in values)


def test_numbers_are_left_out_where_cells_are_too_small() -> None:
    def numbers(*results: SweepResult) -> dict[str, int]:
        return figure_of(results, "mean")["config"]["style"]["number"]

    small, large = (make_result(num_layers=layers, amounts=(0.0,)) for layers in (6, 12))
    assert numbers(small) == {"fontSize": 13, "opacity": 1}
    assert numbers(large) == {"fontSize": 10, "opacity": 1}
    assert numbers(*[make_result(num_layers=12, amounts=(0.0,), points="both")] * 2)["opacity"] == 0


def texts(figure: Any, frame: int) -> list[str]:
    return [
        text for element in drawn(figure, frame).iter("{http://www.w3.org/2000/svg}text") for text in element.itertext()
    ]


def test_a_comparison_names_each_curve_once(result: SweepResult) -> None:
    other = make_result(num_layers=3, amounts=AMOUNTS, method="wanda")
    said = texts(figure_of((result, other), "mean"), 1)
    assert said.count("Magnitude pruning of the encoder") == 1
    assert said.count("Wanda pruning of the encoder") == 1


def lines_of(view: View) -> list[str]:
    """The lines above a view."""
    return list(view.title) if isinstance(view.title, list) else [str(view.title)]


def test_the_views_of_another_page_stand_in_one_figure_with_their_own_data(result: SweepResult) -> None:
    views = layer_scene(result, "mean", "2").views
    layout = Layout(dict.fromkeys(views, (200, 150)), lambda parts: {"vconcat": list(parts.values())})
    said = texts(print_figure(views, layout, [[f"frame {k}"] for k in range(4)], ["below"]), 2)
    assert {"frame 2", "below", *(line for view in views.values() for line in lines_of(view))} <= set(said)
    own = [result.frames[2].similarity["cka"]["mean"][k][k] for k in range(3)]
    assert {f"{value:.2f}" for value in own} <= set(said)


def test_a_long_title_has_a_line_for_each_result(result: SweepResult) -> None:
    cola = make_result(num_layers=3, amounts=AMOUNTS, task="cola")
    cola = cola.model_copy(update={"checkpoint": cola.checkpoint.model_copy(update={"revision": "1" * 64})})
    said = texts(figure_of((result, cola), "mean"), 1)
    assert "Magnitude pruning of the encoder (MiniLM-L6, fine-tuned on SST-2)" in said
    assert "beside magnitude pruning of the encoder (MiniLM-L6, fine-tuned on CoLA)" in said
    assert not any("…" in text for text in said)

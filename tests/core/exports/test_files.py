"""Every export is opened again: what is drawn, what is written, and that it is the same."""

import csv
import io
import json
import re
from collections.abc import Callable
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from core.charts.grammar import Spec
from core.exports.drawing import Drawing, Picture
from core.exports.figure import figure_of, frames_of
from core.exports.files import file_name, metrics_csv, player_html, result_json, similarity_csv
from core.renderer import LAST_HOLDS, SCALE, animation, draw
from core.request.catalog import REDUCTIONS, ROOT
from core.results.schema import SweepResult
from core.results.store import parse
from tests.builders import make_result

AMOUNTS = (0.0, 0.25, 0.5)
HOLE = (0.5, 1, 0)
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def result() -> SweepResult:
    return make_result(num_layers=3, amounts=AMOUNTS, holes=(HOLE,))


@pytest.fixture(scope="module")
def other() -> SweepResult:
    return make_result(num_layers=3, amounts=AMOUNTS, method="random", seed=2)


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


# ---------------------------------------------------------------- pictures


def drawn_here(figure: Spec, kind: Picture, frame: int) -> bytes:
    """Draws a picture without the process of its own that `Drawing` starts."""
    *_, content = draw({"spec": figure, "format": kind, "frames": [frame]})
    assert content is not None
    return content


def test_a_frame_is_drawn_on_white_twice_as_fine_and_of_one_size(result: SweepResult) -> None:
    figure = figure_of((result,), "mean")
    files = [drawn_here(figure, "png", frame) for frame in range(len(AMOUNTS))]
    assert Drawing(figure, "png", [1]).wait() == files[1]
    pictures = [Image.open(io.BytesIO(file)) for file in files]
    assert len({picture.size for picture in pictures}) == 1
    assert min(pictures[0].size) >= 400 * SCALE
    assert pictures[0].convert("RGB").getpixel((1, 1)) == (255, 255, 255)
    assert len({picture.tobytes() for picture in pictures}) == len(AMOUNTS)


def test_the_gif_has_every_amount_loops_and_does_not_flicker(result: SweepResult) -> None:
    drawing = Drawing(figure_of((result,), "mean"), "gif", range(len(AMOUNTS)), milliseconds=250)
    gif = Image.open(io.BytesIO(drawing.wait()))
    assert (drawing.done, drawing.total) == (3, 3)
    assert gif.n_frames == len(AMOUNTS)
    assert gif.info["loop"] == 0
    assert gif.width > 900
    frames, durations = [], []
    for k in range(gif.n_frames):
        gif.seek(k)
        durations.append(gif.info["duration"])
        frames.append(np.asarray(gif.convert("RGB")))
    assert durations == [250, 250, 250 * LAST_HOLDS]
    assert (frames[0][1, 1] == 255).all()
    moving = (frames[0] != frames[1]).any(axis=-1) | (frames[1] != frames[2]).any(axis=-1)
    assert 0.01 < moving.mean() < 0.6, "axes and white stand still"


def test_pixels_constant_in_the_frames_are_constant_in_the_gif() -> None:
    random = np.random.default_rng(0)
    noise = random.integers(0, 256, size=(40, 60, 3), dtype=np.uint8)  # more colours than a palette has
    images = []
    for _ in range(6):
        image = noise.copy()
        image[:20] = random.integers(0, 256, size=(20, 60, 3), dtype=np.uint8)
        images.append(Image.fromarray(image))
    gif = Image.open(io.BytesIO(animation(images, 100)))
    frames = []
    for k in range(gif.n_frames):
        gif.seek(k)
        frames.append(np.asarray(gif.convert("RGB")))
    assert len(frames) == 6
    assert all((frame[20:] == frames[0][20:]).all() for frame in frames)
    assert not (frames[1][:20] == frames[0][:20]).all()


def test_white_paper_stays_white() -> None:
    image = Image.new("RGB", (64, 64), "white")
    image.paste(Image.fromarray(np.random.default_rng(0).integers(230, 256, size=(64, 32, 3), dtype=np.uint8)))
    gif = Image.open(io.BytesIO(animation([image, image.rotate(180)], 100)))
    assert gif.convert("RGB").getpixel((60, 5)) == (255, 255, 255)


def texts(picture: bytes) -> list[str]:
    return [text for element in ElementTree.fromstring(picture).iter(f"{SVG}text") for text in element.itertext()]


def test_the_svg_says_what_it_shows(result: SweepResult) -> None:
    said = texts(Drawing(figure_of((result,), "cls"), "svg", [1]).wait())
    for text in (
        "Magnitude pruning of the encoder",
        "25 % of weights removed · accuracy 0.90",
        "MiniLM-L6, fine-tuned on SST-2; 200 examples of SST-2 validation, GLUE",
        REDUCTIONS["cls"].title,
        "Unpruned model, layer",
        "Pruned model, layer",
        "Removed by pruning",
        "Accuracy",
        "Similarity",
    ):
        assert text in said
    values = {f"{value:.2f}" for row in result.frames[1].similarity["cka"]["cls"] for value in row if value is not None}
    assert values <= set(said)


def test_a_comparison_shows_both_and_their_difference(result: SweepResult, other: SweepResult) -> None:
    assert len(frames_of((result, other), "mean")) == len(AMOUNTS)
    said = texts(drawn_here(figure_of((result, other), "mean"), "svg", 2))
    assert "beside random pruning of the encoder, as magnitude prunes (seed 2)" in said
    assert said.count("Unpruned model, layer") == 3
    assert "Similarity, first − second" in said
    assert any(text.startswith("50 % of weights removed · accuracy") for text in said)


def test_results_of_other_points_are_drawn_without_a_difference(result: SweepResult) -> None:
    both = make_result(num_layers=3, amounts=AMOUNTS, points="both")
    said = texts(drawn_here(figure_of((result, both), "mean"), "svg", 0))
    assert said.count("Unpruned model, layer") == 2
    assert "Similarity, first − second" not in said


# ---------------------------------------------------------------- numbers


def test_the_table_of_similarities_reads_back_equal(result: SweepResult) -> None:
    table = rows(similarity_csv(result))
    read = {
        (float(row["amount"]), row["reduction"], row["baseline_point"], row["pruned_point"]): row
        for row in table
        if row["measure"] == "cka"
    }
    points = result.points
    assert len(read) == len(AMOUNTS) * len(REDUCTIONS) * len(points) ** 2
    for frame in result.frames:
        for reduction, matrix in frame.similarity["cka"].items():
            for i, baseline in enumerate(points):
                for j, pruned in enumerate(points):
                    row = read[frame.amount, reduction, baseline, pruned]
                    value = matrix[i][j]
                    assert row["value"] == "" if value is None else float(row["value"]) == value
                    assert float(row["sparsity"]) == frame.sparsity
    assert sum(row["value"] == "" for row in read.values()) == len(REDUCTIONS)


def test_a_measure_without_matrix_has_rows_of_points_with_themselves_alone(result: SweepResult) -> None:
    table = [row for row in rows(similarity_csv(result)) if row["measure"] == "partial_cka"]
    assert all(row["baseline_point"] == row["pruned_point"] for row in table)
    mean = [row["value"] for row in table if row["reduction"] == "mean"]
    own = [value for frame in result.frames for value in frame.own("mean", "partial_cka") or ()]
    assert mean == ["" if value is None else str(value) for value in own]


def test_intervals_of_own_similarity_stand_beside_it_alone(result: SweepResult) -> None:
    known = result.statistics_of("mean")
    assert known
    assert known.own
    table = [row for row in rows(similarity_csv(result)) if (row["measure"], row["reduction"]) == ("cka", "mean")]
    own = [row for row in table if row["baseline_point"] == row["pruned_point"]]
    bounds = [(float(row["low"]), float(row["high"])) if row["low"] else None for row in own]
    assert bounds == [interval for frame in known.own for interval in frame]
    assert any(bounds)
    assert all((row["low"], row["high"]) == ("", "") for row in table if row not in own)


def test_the_table_of_metrics_reads_back_equal(result: SweepResult) -> None:
    frames = tuple(
        frame.model_copy(
            update={
                "metrics": {**frame.metrics, "f1": None},
                "intervals": {**frame.intervals, "f1": None},
            }
        )
        for frame in result.frames
    )
    read = rows(metrics_csv(result.model_copy(update={"frames": frames})))
    names = ["accuracy", "f1", "changed_predictions", "divergence"]
    assert [row["metric"] for row in read] == names * len(AMOUNTS)
    for frame, row in zip(result.frames, read[::4], strict=True):
        interval = frame.intervals["accuracy"]
        assert float(row["amount"]) == frame.amount
        assert float(row["prunable_sparsity"]) == frame.prunable_sparsity
        assert float(row["value"]) == frame.metrics["accuracy"]
        assert (float(row["low"]), float(row["high"])) == interval
    assert all((row["value"], row["low"], row["high"]) == ("", "", "") for row in read[1::4])
    for frame, changed, divergence in zip(result.frames, read[2::4], read[3::4], strict=True):
        assert frame.changed
        assert frame.divergence
        assert float(changed["value"]) == frame.changed.share
        assert float(divergence["value"]) == frame.divergence.value
        for row, interval in ((changed, frame.changed.interval), (divergence, frame.divergence.interval)):
            assert (row["low"], row["high"]) == (tuple(map(str, interval)) if interval else ("", ""))


def test_the_json_is_the_result(result: SweepResult) -> None:
    assert parse(json.loads(result_json(result)), "exported") == result


def test_files_are_named_by_their_content(result: SweepResult, other: SweepResult) -> None:
    assert file_name([result], ".json") == f"prunescope-sst2-magnitude-{result.key[:8]}.json"
    both = file_name([result, other], "-mean.gif")
    assert re.fullmatch(r"prunescope-sst2-magnitude-\w{8}-and-sst2-random-\w{8}-mean\.gif", both)
    odd = result.model_copy(update={"task": result.task.model_copy(update={"name": "../ä b"})})
    assert "/" not in file_name([odd], ".csv")


# ---------------------------------------------------------------- the player in one file


@pytest.fixture(scope="module")
def page_data() -> Callable[[str], dict]:
    def read(page: str) -> dict:
        (line,) = [line for line in page.splitlines() if line.startswith("mountPlayer(document")]
        return json.loads(line.removeprefix('mountPlayer(document.querySelector("main"), ').removesuffix(");"))

    return read


def test_the_page_holds_the_player_and_every_reduction(result: SweepResult, page_data: Callable[[str], dict]) -> None:
    page = player_html((result,), "cls", "globalThis.vegaEmbed = null;")
    assert (ROOT / "core" / "charts" / "player.js").read_text("utf-8") in page
    assert (ROOT / "core" / "charts" / "player.css").read_text("utf-8") in page
    assert "globalThis.vegaEmbed = null;" in page
    data = page_data(page)
    assert [choice["name"] for choice in data["choices"]] == list(REDUCTIONS)
    assert data["choice"] == "cls"
    assert [frame["amount"] for frame in data["frames"]] == list(AMOUNTS)
    assert set(data["choices"][0]["views"]) == {"heatmap", "accuracy", "survival"}
    assert "python -m core.precompute --checkpoint embedded:sst2" in page


def test_the_page_of_a_comparison_holds_both(
    result: SweepResult, other: SweepResult, page_data: Callable[[str], dict]
) -> None:
    page = player_html((result, other), "mean", "")
    data = page_data(page)
    assert data["layout"]["name"] == "compare"
    assert {"first", "second", "difference", "accuracy"} <= set(data["choices"][0]["views"])
    assert page.count("python -m core.precompute") == 2


def test_the_page_of_two_at_equal_change_has_the_reduction_that_measures_it(
    result: SweepResult, other: SweepResult, page_data: Callable[[str], dict]
) -> None:
    page = player_html((result, other), "cls", "", "damage")
    data = page_data(page)
    assert [choice["name"] for choice in data["choices"]] == ["cls"]
    assert all(frame["name"].startswith("Overall change 0.") for frame in data["frames"])
    assert "at equal overall change</h1>" in page
    assert f"<br>{REDUCTIONS['cls'].title}</p>" in page
    divergence = page_data(player_html((result, other), "cls", "", "divergence"))
    assert [choice["name"] for choice in divergence["choices"]] == list(REDUCTIONS)


def test_a_name_cannot_break_out_of_the_page(result: SweepResult) -> None:
    name = "</script><script>alert(1)</script><!--"
    checkpoint = result.checkpoint.model_copy(update={"id": name, "source": "folder"})
    page = player_html((result.model_copy(update={"checkpoint": checkpoint}),), "mean", 'x = "</script>"')
    assert "alert(1)</script>" not in page
    assert len(re.findall("^<script", page, re.MULTILINE)) == page.count("</script>") == 2
    assert "default-src 'none'" in page

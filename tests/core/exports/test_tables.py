"""Every table is read again: it holds the numbers of its result, or those that a page shows."""

import csv
import io
import re
from itertools import product

import pytest

from core.charts.view import Scene
from core.exports.tables import file_name, numbers_csv, shown_csv, table
from core.request.catalog import REDUCTIONS
from tests.builders import make_result
from tests.scenes import AMOUNTS, OTHER, RESULT, SCENES


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def written(*values: object) -> tuple[str, ...]:
    return tuple("" if value is None else str(value) for value in values)


def test_the_table_of_all_numbers_reads_back_equal() -> None:
    _, frame, _ = RESULT.frames
    frame = frame.model_copy(update={name: {**getattr(frame, name), "f1": None} for name in ("metrics", "intervals")})
    statistics, place = RESULT.statistics_of("mean"), (frame.amount, frame.sparsity, frame.prunable_sparsity)
    read = [tuple(row.values()) for row in rows(numbers_csv(RESULT.model_copy(update={"frames": (frame,)})))]
    assert read[:4] == [
        written(*place, "accuracy", None, None, None, frame.metrics["accuracy"], *frame.intervals["accuracy"]),
        written(*place, "f1", *[None] * 6),
        written(*place, "changed_predictions", None, None, None, frame.changed.share, *frame.changed.interval),
        written(*place, "divergence", None, None, None, frame.divergence.value, *frame.divergence.interval),
    ]
    read = [tuple(row.values()) for row in rows(numbers_csv(RESULT))]
    known = [
        written(frame.amount, "cka", "mean", at, to, value, *(interval if at == to else ("", "")))
        for frame, own in zip(RESULT.frames, statistics.own or (), strict=True)
        for row, at, interval in zip(frame.matrix("mean"), RESULT.points, own, strict=True)
        for to, value in zip(RESULT.points, row, strict=True)
    ]
    assert [(row[0], *row[3:]) for row in read if row[3:5] == ("cka", "mean")] == known
    assert sum(row[3] == "cka" and row[7] == "" for row in read) == len(REDUCTIONS), "what is undefined is empty"
    partial = [row for row in read if row[3:5] == ("partial_cka", "mean")]
    own = [value for frame in RESULT.frames for value in frame.own("mean", "partial_cka") or ()]
    assert [row[5:8] for row in partial] == [
        written(point, point, value) for point, value in zip(RESULT.points * 3, own, strict=True)
    ]
    older = frame.model_copy(update={"changed": None, "divergence": None})
    measures = {row["measure"] for row in rows(numbers_csv(RESULT.model_copy(update={"frames": (older,)})))}
    assert measures == {"accuracy", "f1", "cka", "partial_cka"}


@pytest.mark.parametrize("start", "=+-@\t\r")
def test_no_text_is_a_formula_to_a_spreadsheet(start: str) -> None:
    name, read = f"{start}cmd|' /C calc'!A0", f"'{start}cmd|' /C calc'!A0".replace("\r", "\n")
    found = rows(table(["a", name], [["-0.5", -1e-7], ["+3", name], ["-1+2", "a-b"]]))
    known = [("-0.5", "-1e-07"), ("+3", read), ("'-1+2", "a-b")]
    assert [(row["a"], row[read]) for row in found] == known, "numbers stay numbers, also where a page has written them"


def test_files_are_named_by_their_content() -> None:
    assert file_name([RESULT], ".json") == f"prunescope-sst2-magnitude-{RESULT.key[:8]}.json"
    both = file_name([RESULT, OTHER], ".gif", "compare")
    assert re.fullmatch(r"prunescope-compare-sst2-magnitude-\w{8}-and-sst2-random-\w{8}\.gif", both)
    third = make_result(num_layers=3, amounts=AMOUNTS, method="wanda")
    assert file_name([RESULT, OTHER, third], ".pdf", "profiles").endswith("-and-1-more.pdf"), "no name grows endlessly"
    odd = RESULT.model_copy(update={"task": RESULT.task.model_copy(update={"name": "../ä b"})})
    assert "/" not in file_name([odd], ".csv")


# ---------------------------------------------------------------- what a page shows


def shown(scene: Scene, picture: str = "") -> list[dict[str, str]]:
    """The rows of a table, without the columns that are empty in them."""
    found = [row for row in rows(shown_csv(scene)) if row["Picture"].startswith(picture)]
    return [{key: value for key, value in row.items() if value} for row in found]


@pytest.mark.parametrize("scene", SCENES.values(), ids=SCENES)
def test_every_picture_tells_its_numbers(scene: Scene) -> None:
    assert {row["Picture"] for row in shown(scene)} == {view.heading for view in scene.views.values()}


def test_the_numbers_shown_are_those_of_the_result_and_what_is_undefined_is_empty() -> None:
    places = product(range(3), range(3), RESULT.frames)
    known = [(frame.amount, frame.similarity["cka"]["mean"][i][j]) for i, j, frame in places]
    cells = [(float(row["Shown at"]), row.get("Similarity")) for row in shown(SCENES["lab"], "Similarity")]
    assert cells == [(amount, None if value is None else str(round(value, 6))) for amount, value in known]
    curve = shown(SCENES["lab"], "Accuracy")
    assert [float(row["Accuracy"]) for row in curve] == [frame.metrics["accuracy"] for frame in RESULT.frames]
    assert all("Shown at" not in row for row in curve), "it stands still"
    strips = shown(SCENES["layers"], "How much each layer")
    assert "undefined" not in {value for row in strips for value in row.values()}
    floors = [row["Similarity"] for row in strips if row.get("Weights removed") == "everything"]
    assert floors == [f"{value:.2f}" for value in RESULT.floor.cka["mean"]]
    differences = [row for row in shown(SCENES["compare"], "First minus second") if "First" in row]
    told = [[float(row[name]) for name in ("Difference", "First", "Second")] for row in differences]
    assert all(difference == pytest.approx(first - second, abs=0.011) for difference, first, second in told)
    assert min(told)[0] < 0, "with a minus that a spreadsheet reads"

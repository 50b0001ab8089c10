"""A grid as a table: which sweeps have rows, and that each cell says what the pages say."""

import numpy as np
import pytest

from benchmarks.verdicts import verdict_rows, verdict_table
from core.findings.grid import arranged, grid_rows, told_verdicts
from core.findings.tables import grid_table, seeds_table
from core.findings.words.grid import grid_heading, grid_reasons
from core.findings.words.lab import key_figures
from core.results import library, store
from core.results.extract import extract_of
from core.results.schema import SweepResult
from tests.builders import declining, make_result, with_own_key
from tests.core.findings.test_verdicts import network, of_seed, seeds

SMALL = {"num_layers": 2, "amounts": (0.0, 0.5), "num_examples": 20}


@pytest.fixture(scope="module")
def results() -> list[SweepResult]:
    """Magnitude pruning of SST-2's bundled checkpoint, and the seeds of its control."""
    entries = [
        entry
        for entry in library.shipped()
        if (entry.checkpoint, entry.source, entry.scope) == ("embedded:sst2", "folder", "encoder")
        and entry.points[0].endswith("attention")
        and len(entry.points) == 6
        and "magnitude" in (entry.method, entry.controls)
    ]
    paths = [store.find(entry.key) for entry in entries]
    return [store.load(path) for path in paths if path]


def test_controls_serve_the_method_and_its_verdict_is_given_once(results: list[SweepResult]) -> None:
    whole = [result for result in results if result.pruning.controls is None]
    assert len(whole) == 1
    assert len(results) == 1 + 3 + 5
    table = grid_table(grid_rows(results))
    (judged,) = verdict_rows(verdict_table(whole, results))
    assert [row["Verdict"] for row in table] == [judged["Verdict at 0.05"]]


def test_the_cells_say_what_the_result_says(results: list[SweepResult]) -> None:
    result = results[0]
    (row,) = grid_table(grid_rows(results))
    metric = {frame.amount: frame.metrics["accuracy"] for frame in result.frames}
    assert (float(row["Unpruned"]), float(row["At 50 %"])) == pytest.approx((metric[0.0], metric[0.5]), abs=5e-4)
    first, _, holds = key_figures(result, "mean").values()
    assert (row["First to change"], row["Holds"]) == (first, holds)
    gap = result.statistics_of("mean").gap_at_damage["0.1"]
    numbers = [
        float(word.strip("()").replace("−", "-")) for word in row["Gap at change 0.1"].replace("to ", "").split()
    ]
    assert numbers == pytest.approx([gap.value, gap.low, gap.high], abs=5e-4)


def test_extracts_make_the_same_table(results: list[SweepResult]) -> None:
    assert grid_table(grid_rows([extract_of(result) for result in results])) == grid_table(grid_rows(results))


def test_controls_alone_have_rows_but_no_verdict(results: list[SweepResult]) -> None:
    controls = [result for result in results if result.pruning.controls]
    assert [row["Verdict"] for row in grid_table(grid_rows(controls))] == ["–"] * len(controls)
    assert grid_table([]) == []


def test_the_unpruned_model_alone_has_a_row(results: list[SweepResult]) -> None:
    unpruned = results[0].model_copy(update={"frames": results[0].frames[:1], "statistics": None})
    (row,) = grid_table(grid_rows([unpruned]))
    assert (row["At 50 %"], row["Holds"], row["First to change"], row["Gap at change 0.1"]) == ("–",) * 4


# ---------------------------------------------------------------- the picture


def judged(share: float, spread: float = 0.001, **settings: object) -> list[SweepResult]:
    """A method that puts so much of the change into the upper half, and five seeds of its control, which put half."""
    common = {"num_layers": 2, "amounts": (0.0, 0.02, 0.04, 0.06, 0.5), "num_examples": 64, **settings}
    seeds = [make_result(**common, method="random", seed=k, own_cka=declining(0.5 + spread * k)) for k in range(5)]
    return [make_result(**common, own_cka=declining(share)), *seeds]


def test_a_row_has_the_mean_of_its_controls_over_the_same_amounts() -> None:
    method, *seeds = judged(0.7)
    shorter = make_result(num_layers=2, amounts=(0.0, 0.5), num_examples=64, method="random", seed=7)
    (row,) = grid_rows([method, *seeds, shorter])
    own = [[frame.own("mean") for frame in seed.frames] for seed in seeds]
    assert row.control == pytest.approx(np.mean(own, axis=0))
    assert row.own == pytest.approx(np.array([frame.own("mean") for frame in method.frames]))
    (bare,) = grid_rows([method])
    assert bare.control is None


def test_settings_and_checkpoints_are_in_order() -> None:
    results = [
        make_result(**{**SMALL, "num_layers": 12}, task=task, method=method, scope=scope, points=points)
        for task in ("sst2", "cola")
        for method, scope, points in (
            ("wanda", "encoder", "attention"),
            ("magnitude", "layer:10", "layer"),
            ("magnitude", "layer:1", "layer"),
            ("magnitude", "all-linear", "attention"),
            ("magnitude", "encoder", "both"),
            ("magnitude", "encoder", "attention"),
        )
    ]
    rows = [row for task in (results[:6], results[6:]) for row in grid_rows(task)]
    grid = arranged(rows, [row.key for row in rows])
    assert [task for _, task in grid.columns.values()] == ["CoLA, 20 examples", "SST-2, 20 examples"]
    assert grid.settings == (
        "Magnitude pruning of the encoder",
        "Magnitude pruning of the encoder, attention blocks and layer outputs",
        "Magnitude pruning of all linear layers",
        "Magnitude pruning of layer 2 alone, layer outputs",
        "Magnitude pruning of layer 11 alone, layer outputs",
        "Wanda pruning of the encoder",
    )
    assert len(grid.cells) == 12


def test_columns_of_one_name_get_distinct_names() -> None:
    glue = make_result(**SMALL)
    written = make_result(**SMALL, source="written")
    other = with_own_key(glue, checkpoint=glue.checkpoint.model_copy(update={"revision": "b" * 64}))
    rows = [row for result in (glue, written, other) for row in grid_rows([result])]
    headings = list(arranged(rows, [row.key for row in rows]).columns.values())
    assert len(set(headings)) == 3
    assert ("MiniLM-L6, fine-tuned on SST-2", "20 SST-2-like examples, written for Prunescope") in headings
    assert ("MiniLM-L6, fine-tuned on SST-2 (bbbbbbb)", "20 examples of SST-2 validation, GLUE") in headings


def test_verdicts_are_corrected_for_all_of_them_whatever_is_shown() -> None:
    """One that is just steeper alone is not among many; to show it alone must not make it so again."""
    edge = next(
        found
        for share in np.arange(0.6, 0.9, 0.01)
        if (found := grid_rows(judged(round(float(share), 3), spread=0.03))[0]).verdict.direction == "steeper"
    )
    others = [row for layers in range(3, 8) for row in grid_rows(judged(0.5, num_layers=layers))]
    assert told_verdicts([edge])[edge.key].direction == "steeper"
    grid = arranged([edge, *others], [edge.key])
    assert grid.verdicts[edge.key].direction == "cannot be told"
    assert list(grid.verdicts) == [edge.key]
    assert grid_heading(grid) == "Of 1 verdict: 1 cannot be told"
    assert grid_reasons(grid) == "Cannot be told: 1 × too small among so many."


def test_seed_twins_have_a_row_that_says_how_far_they_spread() -> None:
    shares = {1: 0.7, 2: 0.74, 3: 0.78}
    rows = [
        row
        for seed, share in shares.items()
        for row in grid_rows([of_seed(seed, result) for result in (network(share), *seeds(0.35 + share / 2))])
    ]
    (spread,) = seeds_table(arranged(rows, [row.key for row in rows]))
    assert spread == {
        "Checkpoints": "MiniLM-L6, fine-tuned on SST-2, 3 seeds",
        "Pruning": "Magnitude pruning of the encoder",
        "In the upper half": "74 % ± 4",
        "Random": "72 % ± 2",
        "Verdicts": spread["Verdicts"],
    }
    assert spread["Verdicts"].startswith("3 × ")
    assert seeds_table(arranged(rows, [rows[0].key])) == [], "one checkpoint has no spread"


def test_of_twins_without_a_share_only_the_others_are_in_the_mean() -> None:
    shares = {1: [network(0.7), *seeds(0.7)], 2: [network(0.74)], 3: [network(0.9, statistics=False)]}
    rows = [row for seed, known in shares.items() for row in grid_rows([of_seed(seed, result) for result in known])]
    (spread,) = seeds_table(arranged(rows, [row.key for row in rows]))
    assert (spread["In the upper half"], spread["Random"]) == ("72 % ± 3 (2 of 3)", "–")

"""The table of verdicts: which results have a row, what its cells say, and Holm's correction over the table."""

import numpy as np
import pytest
from statsmodels.stats.multitest import multipletests

from core.findings.verdict_table import verdict_rows, verdict_table
from core.results.schema import SweepResult, WorkingRangeRecord
from tests.builders import declining, made_by_recipe, make_result, with_own_key

AMOUNTS = (*(k / 100 for k in range(12)), 0.31)  # the damage, for `declining`
SPREAD = (-0.02, -0.01, 0.0, 0.01, 0.02)


def network(share: float, **settings: object) -> SweepResult:
    return make_result(**{"num_layers": 4, "amounts": AMOUNTS, "own_cka": declining(share), **settings})


def seeds(share: float, spread: float = 1, **settings: object) -> list[SweepResult]:
    return [
        network(share + spread * shift, method="random", seed=seed, **settings) for seed, shift in enumerate(SPREAD)
    ]


def test_every_method_has_a_row_and_nothing_else() -> None:
    methods = [network(0.7, task="cola"), network(0.7, method="wanda"), network(0.7), network(0.7, scope="all-linear")]
    others = [
        *seeds(0.7),
        network(0.7, scope="layer:1"),
        network(0.7, points="layer"),
        network(0.7, until_damage=0.3),
    ]
    table = verdict_table([*methods, *others], others)
    places = [(row.result.task.name, row.result.pruning.method, row.result.pruning.scope) for row in table]
    assert places == [
        ("sst2", "magnitude", "all-linear"),
        ("sst2", "magnitude", "encoder"),
        ("sst2", "wanda", "encoder"),
        ("cola", "magnitude", "encoder"),
    ]


def test_holm_is_over_the_rows_that_can_be_judged() -> None:
    clear, near = network(0.9), network(0.83, method="wanda")
    companions = [*seeds(0.7), *seeds(0.7, controls="wanda")]
    unjudged = network(0.7, method="attribution", scope=None)
    table = {row.result.pruning.method: row for row in verdict_table([clear, near, unjudged], companions)}
    contrasts = [table[name].verdict.contrast for name in ("magnitude", "wanda")]
    p_values = [contrast.p_value for contrast in contrasts if contrast]
    expected = multipletests(p_values, method="holm")[1]
    assert [table[name].adjusted for name in ("magnitude", "wanda")] == pytest.approx(expected.tolist())
    assert table["attribution"].adjusted is None
    assert table["attribution"].direction == "cannot be told"


def test_a_difference_that_does_not_survive_the_table_is_open_there() -> None:
    """The smallest share that is called steeper alone, beside two rows that show nothing."""
    companions = [*seeds(0.7), *seeds(0.7, scope="all-linear"), *seeds(0.7, spread=3, controls="wanda")]
    shares = np.linspace(0.83, 0.87, 9)
    found = [network(float(share), method="wanda") for share in shares]
    edge = next(result for result in found if verdict_table([result], companions)[0].direction == "steeper")
    others = [network(0.7), network(0.7, scope="all-linear")]
    (row,) = (row for row in verdict_table([edge, *others], companions) if row.result is edge)
    assert (row.verdict.direction, row.direction) == ("steeper", "cannot be told")
    (cell,) = (cells for cells in verdict_rows([row]))
    assert cell["Verdict at 0.05"] == "cannot be told in this table; alone steeper than chance"


def test_a_control_beyond_its_working_range_is_marked() -> None:
    working = WorkingRangeRecord(
        to=0.04,
        metric="accuracy",
        examples=200,
        shown_broken_from=None,
        smallest_drop=0.01,
        lead=0.4,
        reason=None,
    )
    broken = [with_own_key(seed, working_range=working) for seed in seeds(0.7)]
    (cells,) = verdict_rows(verdict_table([network(0.9)], broken))
    assert cells["Random at 0.05"] == "70 % ± 2 (beyond its working range)"
    assert cells["Verdict at 0.05"] == "steeper than chance"


def test_the_cells() -> None:
    (cells,) = verdict_rows(verdict_table([network(0.9)], seeds(0.7)))
    assert cells == {
        "Task": "SST-2",
        "Checkpoint": "MiniLM-L6",
        "Method": "Magnitude pruning of the encoder",
        "In the upper half at 0.05": "90 %",
        "Random at 0.05": "70 % ± 2",
        "In the upper half at 0.10": "90 %",
        "Random at 0.10": "70 % ± 2",
        "Verdict at 0.05": "steeper than chance",
        "Layer that differs most": cells["Layer that differs most"],
        "Beyond the emptied model": cells["Beyond the emptied model"],
    }
    assert cells["Layer that differs most"] in ("1: +0.020", "2: +0.020", "3: −0.020", "4: −0.020")
    assert cells["Beyond the emptied model"].startswith("some is left (0.")
    (bare,) = verdict_rows(verdict_table([network(0.9, statistics=False, source="written")], []))
    assert bare["Task"] == "SST-2, written"
    assert bare["Verdict at 0.05"] == "cannot be told: this was measured by an earlier version"
    assert {bare[column] for column in list(bare)[3:7]} == {"–"}


def of_seed(seed: int, result: SweepResult) -> SweepResult:
    """The same result on a checkpoint of another seed."""
    return with_own_key(result, checkpoint=made_by_recipe(result.checkpoint, "minilm-l6-sst2", seed))


def test_every_checkpoint_has_a_row_and_seed_twins_their_spread() -> None:
    """Three checkpoints of one family, whose control has half the spread; one of another family; one method alone."""
    shares = {1: 0.7, 2: 0.74, 3: 0.78}
    twins = [of_seed(seed, network(share)) for seed, share in shares.items()]
    other = network(0.9, num_layers=6)
    other = with_own_key(other, checkpoint=made_by_recipe(other.checkpoint, "mpnet-l12-sst2", 0))
    alone = of_seed(1, network(0.7, method="wanda"))
    controls = [of_seed(seed, control) for seed, share in shares.items() for control in seeds(0.35 + share / 2)]
    rows = verdict_rows(verdict_table([alone, other, *reversed(twins)], controls))
    assert [row["Checkpoint"] for row in rows] == [
        *(f"MiniLM-L6, seed {seed}" for seed in shares),
        "MiniLM-L6, 3 seeds",
        "MPNet-L12, seed 0",
        "MiniLM-L6, seed 1",
    ]
    spread = rows[3]
    assert {key: spread[key] for key in ("Task", "Method")} == {key: rows[0][key] for key in ("Task", "Method")}
    assert spread["In the upper half at 0.05"] == spread["In the upper half at 0.10"] == "74 % ± 4"
    assert spread["Random at 0.05"] == spread["Random at 0.10"] == "72 % ± 2"
    states = [row["Verdict at 0.05"].partition(":")[0] for row in rows[:3]]
    assert spread["Verdict at 0.05"] == f"3 × {states[0]}"
    assert len(set(states)) == 1


def test_weights_made_again_by_the_same_recipe_are_no_further_seed() -> None:
    first = of_seed(1, network(0.7))
    again = with_own_key(first, checkpoint=first.checkpoint.model_copy(update={"revision": "f" * 64}))
    assert again.key != first.key
    rows = verdict_rows(verdict_table([first, again], []))
    assert [row["Checkpoint"] for row in rows] == ["MiniLM-L6, seed 1"] * 2, "no spread"
    (spread,) = [
        row["Checkpoint"]
        for row in verdict_rows(verdict_table([first, again, of_seed(2, network(0.74))], []))
        if row["Checkpoint"].endswith("seeds")
    ]
    assert spread == "MiniLM-L6, 2 seeds"

"""The table of verdicts: which results have a row, what its cells say, and Holm's correction over the table."""

import numpy as np
import pytest
from statsmodels.stats.multitest import multipletests

from core.findings.verdicts import verdict_rows, verdict_table
from core.results.schema import SweepResult, WorkingRangeRecord
from tests.builders import declining, make_result, with_own_key

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
    assert {bare[column] for column in list(bare)[2:6]} == {"–"}

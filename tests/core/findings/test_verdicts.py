"""Several verdicts at once: which results have one, Holm's correction for their number, their spread over seeds."""

import numpy as np
import pytest
from statsmodels.stats.multitest import multipletests

from benchmarks.verdicts import verdict_rows, verdict_table
from core.findings.claim import verdict
from core.findings.verdicts import told
from core.results.schema import SweepResult
from tests.builders import declining, made_by_recipe, make_result, with_own_key
from tests.core.findings.test_claim import working_to

AMOUNTS = (*(k / 100 for k in range(12)), 0.31)  # the damage, for `declining`
SPREAD = (-0.02, -0.01, 0.0, 0.01, 0.02)


def network(share: float, **settings: object) -> SweepResult:
    return make_result(**{"num_layers": 4, "amounts": AMOUNTS, "own_cka": declining(share), **settings})


def seeds(share: float, spread: float = 1, **settings: object) -> list[SweepResult]:
    return [
        network(share + spread * shift, method="random", seed=seed, **settings) for seed, shift in enumerate(SPREAD)
    ]


def of_seed(seed: int, result: SweepResult) -> SweepResult:
    """The same result on a checkpoint of another seed."""
    return with_own_key(result, checkpoint=made_by_recipe(result.checkpoint, "minilm-l6-sst2", seed))


def test_every_method_has_a_row_and_nothing_else() -> None:
    methods = [network(0.7, task="cola"), network(0.7, method="wanda"), network(0.7), network(0.7, scope="all-linear")]
    others = [*seeds(0.7), network(0.7, scope="layer:1"), network(0.7, points="layer"), network(0.7, until_damage=0.3)]
    table = verdict_table([*methods, *others], others)
    places = [(row.result.task.name, row.result.pruning.method, row.result.pruning.scope) for row in table]
    assert places == [
        ("sst2", "magnitude", "all-linear"),
        ("sst2", "magnitude", "encoder"),
        ("sst2", "wanda", "encoder"),
        ("cola", "magnitude", "encoder"),
    ]


def test_a_difference_must_survive_among_all_that_are_tested() -> None:
    """Of rows whose p-values are below and above 0.05 after Holm's correction; one that is not tested has none."""
    drawn = seeds(0.7, spread=3)
    known = [verdict(network(float(share)), drawn) for share in np.linspace(0.8, 1.0, 6)]
    p_values = [found.contrast.p_value for found in known if found.contrast]
    adjusted = multipletests(p_values, method="holm")[1]
    directions = {found.direction for found in told([*known, verdict(network(0.7), [])])}
    assert directions == {"steeper", "cannot be told"}
    for found, p_value in zip(told([*known, verdict(network(0.7), [])]), adjusted, strict=False):
        survives = p_value < 0.05 and found.verdict.direction == "steeper"
        assert found.direction == ("steeper" if survives else "cannot be told")
    alone = [found.direction for one in known for found in told([one])]
    assert alone == [found.direction for found in known], "one alone needs no correction"
    assert alone != [found.direction for found in told(known)]


def test_a_control_beyond_its_working_range_is_marked() -> None:
    broken = [working_to(seed, 0.04) for seed in seeds(0.7)]
    (cells,) = verdict_rows(verdict_table([network(0.9)], broken))
    assert cells["Verdict at 0.05"] == "steeper than chance; random removal beyond its working range"


def test_the_cells() -> None:
    (cells,) = verdict_rows(verdict_table([network(0.9)], seeds(0.7)))
    layer, beyond = cells.pop("Layer that differs most"), cells.pop("Beyond the emptied model")
    assert cells == {
        "Task": "SST-2",
        "Checkpoint": "MiniLM-L6",
        "Method": "Magnitude pruning of the encoder",
        "In the upper half at 0.05": "90 %",
        "Random at 0.05": "70 % ± 2",
        "In the upper half at 0.10": "90 %",
        "Random at 0.10": "70 % ± 2",
        "Verdict at 0.05": "steeper than chance",
    }
    assert layer in ("1: +0.020", "2: +0.020", "3: −0.020", "4: −0.020")
    assert beyond.startswith("some is left: 0.")
    (bare,) = verdict_rows(verdict_table([network(0.9, statistics=False, source="written")], []))
    assert bare["Task"] == "SST-2, written"
    assert bare["Verdict at 0.05"] == "cannot be told: earlier version"
    assert {bare[column] for column in list(bare)[3:7]} == {"–"}


@pytest.mark.parametrize(("others", "expected"), [([], []), ([2], ["MiniLM-L6, 2 seeds"])])
def test_weights_made_again_by_the_same_recipe_are_no_further_seed(others: list[int], expected: list[str]) -> None:
    first = of_seed(1, network(0.7))
    again = with_own_key(first, checkpoint=first.checkpoint.model_copy(update={"revision": "f" * 64}))
    twins = [of_seed(seed, network(0.74)) for seed in others]
    rows = verdict_rows(verdict_table([first, again, *twins], []))
    assert [row["Checkpoint"] for row in rows if row["Checkpoint"].endswith("seeds")] == expected

"""One pruning on several checkpoints: what is counted follows from the shares, whichever way they fall."""

import pytest

from core.findings.grid import GridRow, grid_rows
from core.findings.replication import Replication, replication
from core.findings.tables import replication_table
from tests.core.findings.test_claim import working_to
from tests.core.findings.test_verdicts import network, of_seed, seeds


def row(share: float, control: float, seed: int | None = None, spread: float = 1, **settings: object) -> GridRow:
    """A checkpoint, on which the method and the mean of five seeds of chance put so much into the upper half."""
    results = [network(share, **settings), *seeds(control, spread, **settings)]
    return grid_rows([of_seed(seed, known) for known in results] if seed is not None else results)[0]


def found(*rows: GridRow) -> Replication:
    known = replication(rows)
    assert known
    return known


def test_shares_stand_beside_those_of_chance() -> None:
    known = found(row(0.6, 0.6), row(0.9, 0.87, task="cola", num_layers=6))
    assert (known.checkpoints, known.others, known.upper, known.differing) == (2, 0, 2, 0)
    assert known.from_chance == pytest.approx(0.03)
    columns = [list(cells.values())[1:] for cells in replication_table(known)]
    assert columns == [["4", "60 %", "60 % ± 2", "as by chance"], ["6", "90 %", "87 % ± 2", "as by chance"]]


def test_verdicts_of_the_table_are_corrected_for_their_number() -> None:
    """The sentence counts each alone; in the table a difference must survive the others."""
    edge, other = row(0.81, 0.7, task="qnli"), row(0.7, 0.7)
    assert replication_table(found(edge, other))[0]["Verdict"] == "steeper than chance"
    assert [cells["Verdict"] for cells in replication_table(found(edge, *[other] * 20))] == [
        "cannot be told in this table; alone steeper than chance",
        *["as by chance"] * 20,
    ]
    assert found(edge, *[other] * 20).differing == 1


def test_the_half_that_changes_most_is_counted_by_its_intervals() -> None:
    rows = [row(0.7, 0.7), row(0.5, 0.5, task="cola"), row(0.3, 0.3, task="qnli")]
    assert (found(*rows).upper, found(*rows).checkpoints) == (1, 3)
    assert found(*rows[1:]).upper == 0


@pytest.mark.parametrize("control", [0.45, 0.75])
def test_the_farther_one_from_chance_counts(control: float) -> None:
    assert found(row(0.6, control), row(0.9, 0.9, task="cola")).from_chance == pytest.approx(0.15)


def test_twins_have_their_spread_and_what_is_not_known_is_left_out() -> None:
    twins = [row(share, share, seed) for seed, share in ((1, 0.70), (2, 0.74), (3, 0.78))]
    (unjudged,) = grid_rows([network(0.9, num_layers=6)])  # has no control
    (broken,) = grid_rows([working_to(network(0.9, num_layers=6), 0.0)])  # nor has this, which works no longer there
    known = found(*twins, unjudged, broken)
    assert (known.checkpoints, known.others) == (3, 1)
    *_, last = replication_table(known)
    assert list(last.values()) == [
        "MiniLM-L6, fine-tuned on SST-2, 3 seeds",
        "–",
        "74 % ± 4",
        "74 % ± 4",
        "3 × as by chance",
    ]


def test_one_checkpoint_or_too_few_seeds_say_nothing_about_others() -> None:
    lacking = grid_rows([network(0.7, task="qnli"), *seeds(0.7, task="qnli")[:3]])[0]
    assert replication([lacking, row(0.6, 0.6)]) is None
    assert replication([row(0.6, 0.6), row(0.9, 0.9, source="written")]) is None, "on other examples"

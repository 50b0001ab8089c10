"""One pruning on several checkpoints: what is said follows from the shares, whichever way they fall."""

import pytest

from core.findings.grid import GridRow, grid_rows, told_verdicts
from core.findings.replication import replication_finding, replication_table
from tests.core.findings.test_claim import working_to
from tests.core.findings.test_verdict_table import network, of_seed, seeds

PRUNING = "magnitude pruning of the encoder"


def row(share: float, control: float, seed: int | None = None, spread: float = 1, **settings: object) -> GridRow:
    """A checkpoint, on which the method and the mean of five seeds of chance put so much into the upper half."""
    results = [network(share, **settings), *seeds(control, spread, **settings)]
    return grid_rows([of_seed(seed, known) for known in results] if seed is not None else results)[0]


def test_checkpoints_that_differ_more_than_method_and_chance_do() -> None:
    rows = [row(0.6, 0.6), row(0.9, 0.87, task="cola", num_layers=6)]
    assert replication_finding(rows, PRUNING) == (
        "The upper half of the layers changes most on all 2 checkpoints with 4 and 6 layers: 60 to 90 % of an overall "
        "change of 0.05 lies there under magnitude pruning of the encoder. None of them, judged alone, shows a "
        "difference from random removal (2 × as by chance), so nothing shows that the method decides where the change "
        "lies. At the same overall change, random removal's mean share is at most 3 percentage points away on each "
        "checkpoint; the checkpoints themselves lie much farther apart. No two of them differ only in the seed, so "
        "what another fine-tune would give is not known."
    )
    assert replication_table(rows) == [
        {
            "Checkpoint": f"MiniLM-L6, fine-tuned on {task}",
            "Layers": layers,
            "In the upper half": share,
            "Random, mean ± SD": control,
            "Verdict": "as by chance",
        }
        for task, layers, share, control in (
            ("SST-2", "4", "60 %", "60 % ± 2"),
            ("CoLA", "6", "90 %", "87 % ± 2"),
        )
    ]


def test_verdicts_of_the_table_are_corrected_for_their_number() -> None:
    """The sentence counts each alone; in the table a difference must survive the others."""
    edge, other = row(0.81, 0.7, task="qnli"), row(0.7, 0.7)
    assert replication_table([edge, other])[0]["Verdict"] == "steeper than chance"
    assert [cells["Verdict"] for cells in replication_table([edge, *[other] * 20])] == [
        "cannot be told in this table; alone steeper than chance",
        *["as by chance"] * 20,
    ]
    words = replication_finding([edge, row(0.7, 0.7, task="cola", num_layers=6)], PRUNING)
    assert "Judged alone, 1 of them shows a difference from random removal (1 × steeper than chance" in words
    assert "nothing shows" not in words


def test_the_half_that_changes_most_is_counted_by_its_intervals() -> None:
    rows = [row(0.7, 0.7), row(0.5, 0.5, task="cola"), row(0.3, 0.3, task="qnli")]
    words = replication_finding(rows, PRUNING)
    assert words.startswith("The upper half of the layers is shown to change most on 1 of 3 checkpoints with 4 layers:")
    assert replication_finding(rows[1:], PRUNING).startswith(
        "The upper half of the layers is shown to change most on none of 2 checkpoints"
    )


def test_a_control_that_no_longer_works_is_marked() -> None:
    broken = [working_to(seed, 0.0) for seed in seeds(0.7)]
    rows = grid_rows([network(0.7), *broken])
    assert replication_table(rows)[0]["Random, mean ± SD"] == "70 % ± 2 (beyond its working range)"
    (told,) = told_verdicts(rows).values()
    assert told.words == "as by chance; random removal leaves models outside their working range"
    words = replication_finding([*rows, row(0.7, 0.7, task="cola")], PRUNING)
    assert "On 1 of them, random removal leaves a model outside its working range there." in words


@pytest.mark.parametrize("control", [0.45, 0.75])
def test_a_method_far_from_chance_is_not_said_to_matter_less(control: float) -> None:
    """The farther one counts, on whichever side of the method it is."""
    words = replication_finding([row(0.6, control), row(0.9, 0.9, task="cola")], PRUNING)
    assert "at most 15 percentage points away on each checkpoint. " in words
    assert "farther apart" not in words


def test_checkpoints_do_not_lie_farther_apart_than_an_interval_allows() -> None:
    """Equal means of seeds that differ much say little about how far the method is from chance."""
    rows = [row(0.6, 0.6), row(0.9, 0.9, spread=5, task="cola")]
    words = replication_finding(rows, PRUNING)
    assert "at most 0 percentage points away on each checkpoint. " in words


def test_twins_have_their_spread_and_what_is_not_known_is_left_out() -> None:
    twins = [row(share, share, seed) for seed, share in ((1, 0.70), (2, 0.74), (3, 0.78))]
    (unjudged,) = grid_rows([network(0.9, num_layers=6)])  # has no control
    (broken,) = grid_rows([working_to(network(0.9, num_layers=6), 0.0)])  # nor has this, which works no longer there
    words = replication_finding([*twins, unjudged, broken], PRUNING)
    assert words.startswith("The upper half of the layers changes most on all 3 checkpoints with 4 layers: 70 to 78 %")
    assert "on each checkpoint. 1 more cannot be compared with random removal there. Over fine-tunes" in words
    assert "(mean ± standard deviation), MiniLM-L6, fine-tuned on SST-2, 3 seeds: 74 % ± 4." in words
    assert len(replication_table([*twins, unjudged])) == 3


def test_what_cannot_be_compared_with_all_seeds_is_left_out() -> None:
    results = [network(0.7, task="qnli"), *seeds(0.7, task="qnli")[:3]]
    (lacking,) = grid_rows(results)
    assert replication_table([lacking]) == []
    assert replication_finding([lacking, row(0.6, 0.6)], PRUNING) == ""


def test_one_checkpoint_says_nothing_about_others() -> None:
    on_other_examples = row(0.9, 0.9, source="written")
    assert replication_finding([row(0.6, 0.6), on_other_examples], PRUNING) == ""
    assert replication_finding([row(0.6, 0.6)], PRUNING) == replication_finding([], PRUNING) == ""

"""All sentences over a set of facts, against `said.txt`, which a person has read; and what holds for each of them.

`python -m tests.core.findings.test_said` writes the file again: read its difference before it is committed.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from unittest.mock import patch

import numpy as np

from benchmarks.pooled import pooled_table
from core.findings.cut import chosen as chosen_depth
from core.findings.cut import frontier_of
from core.findings.layers import Towards
from core.findings.passed import HalvesHarm, PassedOn
from core.findings.pooled import ALL, WHOLE, Cell, Pooled, PooledEstimate
from core.findings.sentences import examples_of
from core.findings.words import (
    Finding,
    Table,
    compare,
    cut,
    grid,
    lab,
    layers,
    passed,
    sentences,
    story,
)
from core.findings.words import verdict as words_of_verdicts
from core.findings.words.grid import grid_rows
from core.results.prediction import Prediction
from core.results.schema import ColumnsRecord, FileRecord
from core.results.statistics import EstimateRecord
from core.sweep.control_contrast import Contrast
from core.sweep.statistics import Array
from tests.builders import make_result, with_own_labels
from tests.core.findings import made
from tests.core.findings.made import FIFTHS, SEEDS, around, falling, holding_to, network, predicting
from tests.near import near_text
from tests.studies import by_hand

FILE = Path(__file__).with_name("said.txt")
RESEMBLING = (
    ((0, 1, 1, 2), (0.02, -0.03)),
    ((0, 1, 2, 3), (0.02, -0.03)),
    ((0, 1, 2, 3), (-0.01, 0.0)),
)
UNITS = {"method": "attribution", "scope": None}
RESULT = make_result(num_layers=2, amounts=(0.0, 0.5))
UNDEFINED = make_result(num_layers=2, own_cka=lambda amount, point, size: None)


def lines(*findings: Finding) -> Iterator[str]:
    for finding in findings:
        yield f"# {finding.heading}"
        yield from (*finding.sentences, *(f"Note: {note}" for note in finding.notes))


def table_lines(table: Table) -> Iterator[str]:
    return (" | ".join(cells.values()) for cells in table)


def stories() -> Iterator[str]:
    broken, unshipped = [made.working_to(seed, 0.04) for seed in SEEDS], made.of_seed(1, network())
    coarse = [*SEEDS[:3], *made.seeds(*made.SEED_SHARES, amounts=made.COARSE)[3:]]
    bare = (
        SEEDS[0],
        network(scope="layer:1"),
        network(**UNITS),
        network(amounts=(0.0,)),
        network(),
        unshipped,
    )
    for known, beside in (
        *((network(share), SEEDS) for share in (0.7, 0.9, 0.3, 0.5)),
        *((network(), beside) for beside in (SEEDS[:4], coarse)),
        *((network(0.9), beside) for beside in (made.seeds(0.9, 0.2, 0.7), broken)),
        *((made.working_to(network(), network().amounts[k]), broken) for k in (5, 11)),
        (network(statistics=False), SEEDS),
        (network(points="layer"), made.seeds(*made.SEED_SHARES, points="layer")),
        *((known, []) for known in bare),
    ):
        yield story.watch_finding(known, beside, "mean").heading
        with patch.object(story, "shipped", lambda: [pool(0.013, 0.029)]):
            yield from lines(story.chance_finding(known, beside))
    with patch.object(story, "shipped", list):
        yield from lines(story.chance_finding(unshipped, []))
    for known in (network(), network(num_layers=1), network(scope="layer:1"), network(**UNITS)):
        yield from lines(story.watch_question(known), story.alone_finding(known, None))
    yield from lines(story.watch_finding(known, [], "mean"), story.SIMILAR)
    for found in (None, *(Towards(np.array([nearest]), *sides) for nearest, sides in RESEMBLING)):
        yield from lines(story.towards_finding(network(), found))
    yield from map(" ".join, story.NOTES.values())


def limits() -> Iterator[str]:
    ends = [holding_to(to) for to in (0.4, 0.6, 0.0)] + [
        holding_to(None, reason="no lead"),
        make_result(**made.HELD),
    ]
    alone = made.working_to(make_result(**made.HELD, scope="layer:1"), 0.4, examples=872)
    for known in (*ends, alone, make_result(num_layers=1, amounts=(0.0,))):
        yield story.working_text(known)


def grids() -> Iterator[str]:
    judged, bare = grid_rows([network(0.81), *around(0.7)]), grid_rows([network(0.9)])
    others = [
        row._replace(key=f"{k}") for row in grid_rows([network(), *around(0.7)]) for k in range(20)
    ]
    for found in (judged, bare, grid_rows([network(points="layer")]), [*judged, *others], others):
        yield grid.grid_heading(
            grid.arranged(found, [found[0].key])
        )  # corrected for all, whatever is shown
    unpruned = grid_rows([network(amounts=(0.0,))])
    for found in (
        [*judged, *unpruned],
        grid_rows(SEEDS[:1]),
    ):  # controls have rows where there is nothing else
        for cells in grid.grid_table(grid.arranged(found)):
            yield " | ".join("–" if cell is None else str(cell) for cell in cells.values())


def pool(
    value: float, half: float, upper: int = 2, control_upper: int = 2, whole: float = 0
) -> Pooled:
    """A method over two checkpoints of one task."""

    def estimate(half: float) -> PooledEstimate:
        bounds = (value - half, value + half)
        return PooledEstimate(
            8, value, bounds, bounds, (value - half / 9, value + half / 9), 0.033, 0.876, None
        )

    beside = Contrast(value, 0.02, 0.01, 5, 256)
    cell = Cell(
        "SST-2", 6, ("first", "second"), upper, control_upper, 5, {0: value, 1: value}, beside
    )
    return Pooled(
        "magnitude", "encoder", (cell,), {WHOLE: estimate(whole or half), ALL: estimate(half)}
    )


def claims() -> Iterator[str]:
    flatter = pool(-0.082, 0.072, whole=0.103)
    outcomes = [pool(0.013, 0.029), flatter, pool(0.15, 0.04), pool(-0.003, 0.101)]
    for one in (*outcomes, pool(0.013, 0.029, 1), pool(0.013, 0.029, 2, 1)):
        yield from lines(grid.claim_finding(one))
    for other in ("wanda", "attribution"):  # methods with another share removed, or none known
        yield from lines(grid.claim_finding(replace(outcomes[0], method=other)))
    yield grid.difference_sentence(replace(flatter, estimates={ALL: flatter.estimates[ALL]}))
    yield from table_lines(pooled_table(outcomes[:2]))
    yield from (*grid.differences(outcomes), *grid.differences(outcomes[:1]), grid.MEANING)


def cautions() -> Iterator[str]:
    bare = make_result(num_examples=100, amounts=(0.0, 0.5), statistics=False)
    gold = [0, 1] * 50
    many = bare.task.model_copy(update={"label_names": tuple("abcdefghij")})
    quora = made.of_seed(0, make_result(task="qqp", amounts=(0.0, 0.5)))
    matched = bare.model_copy(
        update={"task": bare.task.model_copy(update={"label_map": {"Yes": "positive"}})}
    )
    for known in (
        *(predicting(bare, gold[:k] + [1 - label for label in gold[k:]]) for k in (10, 41)),
        predicting(bare, [1] + [0] * 99, gold=[0] * 70 + [1] * 30),
        *(predicting(matched, gold[:k] + [1 - label for label in gold[k:]]) for k in (10, 45)),
        *(made.judged_by(["accuracy"], predicting(known, [0] * 100)) for known in (bare, matched)),
        with_own_labels(made.judged_by(["accuracy"], predicting(bare, [0] * 100)), ("good", "bad")),
        make_result(num_examples=40, amounts=(0.0, 0.5)),
        predicting(bare, [0] * 100, gold=[0] * 99 + [1]),
        bare.model_copy(update={"task": many}),
        quora,
    ):
        yield lab.caution(known) or "-"


def layer_pages() -> Iterator[str]:
    def drawn(*firsts: tuple[float, ...]) -> list[object]:
        return [falling(*at, method="random", seed=seed) for seed, at in enumerate(firsts)]

    three, same, other, never = (
        falling(0.6, 0.4, 0.2),
        (0.4, 0.2, 0.0),
        (0.2, 0.0, 0.2),
        (0.9, 0.9, 0.9),
    )
    for known, chosen, beside in (
        (made.measured((0.55, 0.6, 0.66), (0.46, 0.5, 0.54), (0.394, 0.432, 0.468)), "3", []),
        (made.measured((0.47, 0.55, 0.7), (0.46, 0.5, 0.54), (0.39, 0.43, 0.47)), "2", []),
        (made.measured((0.7, 0.8, 0.8), (0.68, 0.75, 0.8)), "1", []),
        (made.working_to(three, 0.4), "1", drawn(same, same)),
        (made.working_to(three, 0.0), "3", drawn(same, other, other)),
        (falling(0.6, 0.2, 0.2), "2", drawn(same, never)),
        (falling(0.4, 0.4), "1", []),
        (falling(0.4, 0.2, **UNITS), "1", []),
        (falling(0.9, 0.2, scope="layer:1", points="layer"), "2", []),
        (falling(*same, method="random"), "1", []),
        (made.undefined_first(0.4, 0.4), "1", []),
        (UNDEFINED, "1", []),
        (falling(0.4, 0.2, amounts=(0.0,)), "1", []),
    ):
        yield from lines(layers.layers_finding(known, chosen, beside, "mean"))
    twelve = make_result(
        num_layers=12, amounts=FIFTHS, own_cka=lambda amount, point, size: 1 - amount * (point > 8)
    )
    yield from lines(layers.layers_finding(twelve, "12", [], "mean"))


def layers_alone() -> Iterator[str]:
    def losing(together: float, *alone: float) -> dict[float, Array]:
        return {0.3: np.array([[together, loss, 0.1] for loss in alone])}

    falls, halves = (0.4, 0.3, 0.2, 0.1), {0.3: (0.05, 0.004)}
    for own, ends in ((falls, halves), (falls, {}), ((0.2,) * 4, halves), (falls[::-1], halves)):
        yield from lines(passed.alone_finding(PassedOn(losing(0.3, *own), True, ends)))
    yield from lines(passed.alone_finding(PassedOn(losing(np.nan, *falls), True, {})))
    costly, alike, other = (0.406, 0.07, 1e-9), (0.1, 0.09, 0.6), (0.1, 0.3, 0.01)
    for lead, harms in ("upper", costly), ("upper", other), (None, costly), ("upper", alike):
        yield from lines(passed.halves_finding(lead, HalvesHarm(0.4, *harms)))


def comparisons() -> Iterator[str]:
    bare = {"num_layers": 4, "amounts": (0.0, 0.3, 0.6, 0.9), "num_examples": 40}
    one = made.correct_on(make_result(**bare), {0.3: range(30), 0.6: range(30), 0.9: range(2)})
    other = made.correct_on(
        make_result(**bare, method="wanda"), {0.3: range(10), 0.6: range(10), 0.9: range(20)}
    )
    alone = make_result(**bare, scope="layer:0", prunable_sparsity=lambda amount: amount / 6)
    for first, second, beside in (
        (one, other, []),
        (network(0.7), network(0.9, method="wanda"), []),
        (network(0.9), SEEDS[3], SEEDS),
        (make_result(**bare), alone, []),
        (one, one, []),
        (made.working_to(one, 0.3), made.working_to(make_result(**bare, **UNITS), 0.9), []),
        (made.working_to(one, 0.0), made.working_to(other, 0.3), []),
    ):
        yield from lines(compare.compare_finding((first, second), "mean", beside))
    for metric in made.CORRELATED:
        yield from lines(compare.compare_finding(made.collapsing(), "mean", metric=metric))
    far = make_result(own_cka=lambda a, p, n: 1 - 0.9 * a * (p + 1) / n)
    yield from compare.compare_notes(
        (far, make_result(points="layer", num_examples=20, amounts=(0.0, 0.5))), "damage", "mean"
    )
    yield from compare.compare_notes((one, one), "amount", "mean")
    assert compare.compare_notes((one, other), "amount", "mean") == []


def labs() -> Iterator[str]:
    works = [holding_to(to) for to in (0.4, 0.0, 0.6, None)]
    falls = [falling(*at) for at in ((0.4, 0.2), (0.9, 0.4, 0.4), (0.4, 0.4), (0.4,), (0.9, 0.9))]
    for known in (*works, *falls, made.undefined_first(0.6, 0.4), UNDEFINED):
        yield lab.first_to_change(known, "mean")
    deviations = {
        "engine": {"cka": 1e-7},
        "others": {},
        "accuracy": 0.0,
        "torch_cka": {"mean": 2e-5},
        "amount": 0.5,
    }
    deviations |= {"cause": "", "allowed": 1e-5}
    yield lab.check_sentence({**deviations, "within_tolerance": True})
    yield lab.check_sentence(
        deviations | {"cause": "on another device", "allowed": 1e-4, "within_tolerance": True}
    )
    yield lab.check_sentence({**deviations, "engine": {"cka": None}, "within_tolerance": False})
    columns = {
        "columns": ColumnsRecord(text=("title", "body"), label="topic"),
        "guessed": ("label",),
    }
    files = (FileRecord(name="mail.csv", sha256="0" * 64, rows=(0, 40)),)
    for meanings in ({}, {"label_map": {"1": "spam", "?": None}}):
        yield lab.reading_note(
            RESULT.task.model_copy(update={**columns, "files": files, **meanings})
        )


def flips() -> Iterator[str]:
    whole, stays = made.flipping(), predicting(made.flipping(), *[(1,) * 5] * 4)
    for known in (whole, stays, whole.model_copy(update={"frames": whole.frames[:1]})):
        yield from lines(sentences.flips_finding(known, examples_of(known)))
    for positive in ((0.9, 0.8), (0.9, 0.4), (0.9, 0.4, 0.8, 0.3)):
        amounts, shares = (
            tuple(k / 10 for k in range(len(positive))),
            tuple((1 - p, p) for p in positive),
        )
        asked = Prediction(amounts, ("negative", "positive"), shares, num_tokens=200, num_unknown=1)
        yield sentences.prediction_sentence(asked)
    yield sentences.prediction_note(asked)


def cuts() -> Iterator[str]:
    six = partial(by_hand, num_layers=6)
    for known, most in (
        (six(10, 13, 60, full=10), 0.05),
        (six(10, 18, 60, full=10), 0.05),
        (six(9, 12, 14, full=10), 0.05),
        (six(12, 20, 60, full=10), 0.01),
        (six(4, 4, 9, full=4, rows=80), 0.05),
        (six(95, 95, 99, full=90), 0.05),
    ):
        frontier, choice = frontier_of(known), chosen_depth(frontier_of(known), most)
        yield from lines(cut.cut_finding(frontier, most))
        yield cut.choice_sentence(frontier, choice, most)
        yield f"[{cut.save_label(frontier, choice, most)}]"
        yield from lines(story.cut_finding(network(), frontier, most))
    other = chosen_depth(frontier, most, "3")
    yield from (cut.choice_sentence(frontier, other, most), cut.save_label(frontier, other, most))
    yield from table_lines([cut.model_cells(frontier, choice) for choice in frontier.choices])
    yield from table_lines(cut.scores_table(known.depths[:1]))
    slow = known.depths[0].size.model_copy(
        update={"speeds": {1: around_one(0.99), 32: around_one(1.005)}}
    )
    unheld = known.depths[0].model_copy(
        update={"size": slow, "held": known.full.model_copy(update={"metrics": {}})}
    )
    known = known.model_copy(update={"depths": (unheld,)})
    yield cut.choice_sentence(frontier_of(known), frontier_of(known).choices[0], most)
    labels = known.refit.training.model_copy(update={"targets": "labels", "layers": 1})
    yield from (
        cut.refit_words(of)
        for of in (
            known,
            known.model_copy(update={"refit": known.refit.model_copy(update={"training": labels})}),
        )
    )
    yield from (
        cut.machine_words(known),
        cut.WHY_TOP,
        passed.SEE_ALONE,
        cut.EXPLANATION,
        cut.READING,
        *cut.depth_choices(known).values(),
    )
    yield from lines(
        story.cut_finding(network(), None, 0.05),
        story.cut_finding(made.of_seed(1, network()), None, 0.05),
    )


def around_one(value: float) -> EstimateRecord:
    return EstimateRecord(value=value, low=value - 0.02, high=value + 0.02)


def numbers() -> Iterator[str]:
    known = made.working_to(network(0.9), 0.1, shown_broken_from=0.21)
    sloping = {"own_cka": lambda amount, point, size: 1 - amount * point / 2}
    for table in (
        words_of_verdicts.criteria_table(known, SEEDS),
        words_of_verdicts.range_table(known),
        words_of_verdicts.criteria_table(network(), SEEDS[:1]),
        layers.survival_table(made.undefined_first(0.6, 0.4), "mean"),
        layers.survival_table(
            make_result(num_layers=3, amounts=(0.0, 0.5, 0.9), **sloping), "mean"
        ),
    ):
        yield from (
            " | ".join(cell or "–" for cell in cells)
            for cells in (table[0], *map(dict.values, table))
        )


PAGES: dict[str, Callable[[], Iterator[str]]] = {
    "Story": stories,
    "Story, how far the model works": limits,
    "Grid": grids,
    "All checkpoints together": claims,
    "Cautions": cautions,
    "Layers": layer_pages,
    "Layers, some alone": layers_alone,
    "Compare": comparisons,
    "Lab": labs,
    "Sentences": flips,
    "Cut": cuts,
    "Tables of numbers": numbers,
}


def written() -> str:
    parts = (f"==== {page}\n" + "\n".join(said()) for page, said in PAGES.items())
    return "\n\n".join(parts) + "\n"


def test_all_that_is_said_has_been_read_and_is_well_formed() -> None:
    said = written()
    assert near_text(said, FILE.read_text("utf-8")), (
        "read what changes, then python -m tests.core.findings.test_said"
    )
    assert not re.search(r"  |''|“”|\(\)|\.\.|nan|None[^,]|(?<!\w)-\d|\{|\}|_", said)


if __name__ == "__main__":
    FILE.write_text(written(), "utf-8")

"""What the pages on one result, on two and on a study say over a set of facts: see `test_said`."""

from collections.abc import Iterator

import numpy as np

from core.findings.cut import chosen, frontier_of
from core.findings.passed import HalvesHarm, PassedOn
from core.findings.sentences import examples_of
from core.findings.words import (
    compare,
    cut,
    lab,
    layers,
    passed,
    sentences,
    story,
)
from core.findings.words.verdict import criteria_table, range_table
from core.results.cut import CutStudy
from core.results.prediction import Prediction
from core.results.schema import ColumnsRecord, FileRecord
from core.results.statistics import EstimateRecord
from tests.builders import make_result, with_own_labels
from tests.core.findings import made
from tests.core.findings.made import (
    SEEDS,
    UNITS,
    falling,
    holding_to,
    network,
    predicting,
)
from tests.core.findings.said_story import lines, table_lines
from tests.studies import by_hand

UNDEFINED = make_result(num_layers=2, own_cka=lambda amount, point, size: None)


def cautions() -> Iterator[str]:
    bare = make_result(num_examples=100, amounts=(0.0, 0.5), statistics=False)
    gold = [0, 1] * 50
    always = [0] * 100
    for right in (10, 41, 45):
        swapped = [1 - label for label in gold[right:]]
        yield lab.caution(predicting(bare, gold[:right] + swapped))
    useless = made.judged_by(["accuracy"], predicting(bare, always))
    for result in (
        predicting(bare, [1] + [0] * 99, gold=[0] * 70 + [1] * 30),
        useless,
        with_own_labels(useless, ("good", "bad")),
        make_result(num_examples=40, amounts=(0.0, 0.5)),
        predicting(bare, always, gold=[0] * 99 + [1]),
        made.with_task(bare, label_names=tuple("abcdefghij")),
        made.of_seed(0, make_result(task="qqp", amounts=(0.0, 0.5))),
    ):
        yield lab.caution(result)


# ---------------------------------------------------------------- layers


def layer_pages() -> Iterator[str]:
    for result, layer in (
        (
            made.measured((0.55, 0.6, 0.66), (0.46, 0.5, 0.54), (0.394, 0.432, 0.468)),
            "3",
        ),
        (
            made.measured((0.47, 0.55, 0.7), (0.46, 0.5, 0.54), (0.39, 0.43, 0.47)),
            "2",
        ),
        (made.measured((0.7, 0.8, 0.8), (0.68, 0.75, 0.8)), "1"),
        (falling(0.4, 0.4), "1"),
        (falling(0.4, 0.2, **UNITS), "1"),
        (falling(0.9, 0.2, scope="layer:1", points="layer"), "2"),
        (falling(0.4, 0.2, 0.0, method="random"), "1"),
        (falling(None, 0.4, 0.4), "1"),
        (UNDEFINED, "1"),
        (falling(0.4, 0.2, amounts=(0.0,)), "1"),
        (made.deep(), "12"),
    ):
        yield from lines(layers.layers_finding(result, layer, [], "mean"))
    yield from beside_draws()


def beside_draws() -> Iterator[str]:
    """What is said where draws of random removal stand beside."""
    three = falling(0.6, 0.4, 0.2)
    same = (0.4, 0.2, 0.0)
    other = (0.2, 0.0, 0.2)
    never = (0.9, 0.9, 0.9)
    for result, layer, draws in (
        (made.working_to(three, 0.4), "1", (same, same)),
        (made.working_to(three, 0.0), "3", (same, other, other)),
        (falling(0.6, 0.2, 0.2), "2", (same, never)),
    ):
        controls = [falling(*lasts, method="random", seed=seed) for seed, lasts in enumerate(draws)]
        yield from lines(layers.layers_finding(result, layer, controls, "mean"))


def layers_alone() -> Iterator[str]:
    def losing(together: float, *alone: float) -> dict[float, np.ndarray]:
        return {0.3: np.array([[together, loss, 0.1] for loss in alone])}

    falls = (0.4, 0.3, 0.2, 0.1)
    halves = {0.3: (0.05, 0.004)}
    for losses, ends in (
        (losing(0.3, *falls), halves),
        (losing(0.3, *falls), {}),
        (losing(0.3, 0.2, 0.2, 0.2, 0.2), halves),
        (losing(0.3, *reversed(falls)), halves),
        (losing(np.nan, *falls), {}),
    ):
        yield from lines(passed.alone_finding(PassedOn(losses, True, ends)))
    lower = HalvesHarm(0.4, 0.406, 0.07, 1e-9)
    upper = HalvesHarm(0.4, 0.1, 0.3, 0.01)
    alike = HalvesHarm(0.4, 0.1, 0.09, 0.6)
    yield passed.halves_words("upper", lower)
    yield passed.halves_words("upper", upper)
    yield passed.halves_words(None, lower)
    yield passed.halves_words("upper", alike)


# ---------------------------------------------------------------- two results


def comparisons() -> Iterator[str]:
    bare = {"num_layers": 4, "amounts": made.QUARTERS, "num_examples": 40}
    magnitude = made.correct_on(
        make_result(**bare), {0.3: range(30), 0.6: range(30), 0.9: range(2)}
    )
    wanda = made.correct_on(
        make_result(**bare, method="wanda"),
        {0.3: range(10), 0.6: range(10), 0.9: range(20)},
    )
    units = make_result(**bare, **UNITS)
    alone = make_result(**bare, scope="layer:0", prunable_sparsity=lambda amount: amount / 6)
    for first, second, beside in (
        (magnitude, wanda, []),
        (network(0.7), network(0.9, method="wanda"), []),
        (network(0.9), SEEDS[3], SEEDS),
        (make_result(**bare), alone, []),
        (magnitude, magnitude, []),
        (made.working_to(magnitude, 0.3), made.working_to(units, 0.9), []),
        (made.working_to(magnitude, 0.0), made.working_to(wanda, 0.3), []),
    ):
        yield compare.compare_heading((first, second))
        yield from compare.compare_sentences((first, second), "mean", beside)
    for metric in made.CORRELATED:
        yield compare.compare_heading(made.collapsing(), metric)
        yield from compare.compare_sentences(made.collapsing(), "mean", metric=metric)
    far = make_result(own_cka=lambda amount, point, size: 1 - 0.9 * amount * (point + 1) / size)
    other = make_result(points="layer", num_examples=20, amounts=(0.0, 0.5))
    yield from compare.compare_notes((far, other), "damage", "mean")
    yield from compare.compare_notes((magnitude, magnitude), "amount", "mean")
    yield from compare.compare_notes((magnitude, wanda), "amount", "mean")  # nothing


# ---------------------------------------------------------------- the Lab


def labs() -> Iterator[str]:
    for result in (
        holding_to(0.4),
        falling(0.4, 0.2),
        falling(0.9, 0.4, 0.4),
        falling(0.4, 0.4),
        falling(0.4),
        falling(0.9, 0.9),
        falling(None, 0.6, 0.4),
        UNDEFINED,
    ):
        yield lab.first_to_change(result, "mean")
    deviations = {
        "engine": {"cka": 1e-7},
        "others": {},
        "accuracy": 0.0,
        "torch_cka": {"mean": 2e-5},
        "amount": 0.5,
        "cause": "",
        "allowed": 1e-5,
        "within_tolerance": True,
    }
    yield lab.check_sentence(deviations)
    yield lab.check_sentence({**deviations, "cause": "on another device", "allowed": 1e-4})
    yield lab.check_sentence({**deviations, "engine": {"cka": None}, "within_tolerance": False})
    read = made.with_task(
        make_result(num_layers=2, amounts=(0.0, 0.5)),
        columns=ColumnsRecord(text=("title", "body"), label="topic"),
        guessed=("label",),
        files=(FileRecord(name="mail.csv", sha256="0" * 64, rows=(0, 40)),),
    )
    yield lab.reading_note(read.task)
    yield lab.reading_note(made.with_task(read, label_map={"1": "spam", "?": None}).task)


def flips() -> Iterator[str]:
    whole = made.flipping()
    stays = predicting(whole, *[(1,) * 5] * 4)
    unpruned = whole.model_copy(update={"frames": whole.frames[:1]})
    for result in (whole, stays, unpruned):
        yield from lines(sentences.flips_finding(result, examples_of(result)))
    for positive in ((0.9, 0.8), (0.9, 0.4), (0.9, 0.4, 0.8, 0.3)):
        amounts = tuple(k / 10 for k in range(len(positive)))
        shares = tuple((1 - share, share) for share in positive)
        typed = Prediction(
            amounts,
            ("negative", "positive"),
            shares,
            num_tokens=200,
            num_unknown=1,
        )
        yield sentences.prediction_sentence(typed)
    yield sentences.prediction_note(typed)


# ---------------------------------------------------------------- cuts


def cuts() -> Iterator[str]:
    for study, most in (
        (six_layers(10, 13, 60, full=10), 0.05),
        (six_layers(10, 18, 60, full=10), 0.05),
        (six_layers(9, 12, 14, full=10), 0.05),
        (six_layers(12, 20, 60, full=10), 0.01),
        (six_layers(4, 4, 9, full=4, rows=80), 0.05),
        (six_layers(95, 95, 99, full=90), 0.05),
    ):
        frontier = frontier_of(study)
        choice = chosen(frontier, most)
        yield from lines(cut.cut_finding(frontier, most))
        yield cut.choice_sentence(frontier, choice, most)
        yield f"[{cut.save_label(frontier, choice, most)}]"
    other = chosen(frontier, most, "3")
    yield cut.choice_sentence(frontier, other, most)
    yield cut.save_label(frontier, other, most)
    yield from table_lines([cut.model_cells(frontier, choice) for choice in frontier.choices])
    yield from table_lines(cut.scores_table(study.depths[:1]))
    yield from of_a_slow_study(study)
    yield from lines(
        story.cut_finding(network(), frontier, most),
        story.cut_finding(network(), None, most),
    )


def six_layers(*wrong: int, full: int, rows: int = 200) -> CutStudy:
    return by_hand(*wrong, full=full, rows=rows, num_layers=6)


def of_a_slow_study(study: CutStudy) -> Iterator[str]:
    """What is said of a model without a speed gain, and of how its study was made."""
    speeds = {
        batch: EstimateRecord(value=value, low=value - 0.02, high=value + 0.02)
        for batch, value in ((1, 0.99), (32, 1.005))
    }
    depth = study.depths[0]
    size = depth.size.model_copy(update={"speeds": speeds})
    slow = depth.model_copy(update={"size": size})
    study = study.model_copy(update={"depths": (slow,)})
    frontier = frontier_of(study)
    yield cut.choice_sentence(frontier, frontier.choices[0], 0.05)
    yield cut.refit_words(study)
    labels = study.refit.training.model_copy(update={"targets": "labels", "layers": 1})
    refit = study.refit.model_copy(update={"training": labels})
    yield cut.refit_words(study.model_copy(update={"refit": refit}))
    yield cut.machine_words(study)
    yield from cut.depth_choices(study).values()


# ---------------------------------------------------------------- tables


def numbers() -> Iterator[str]:
    working = made.working_to(network(0.9), 0.1, shown_broken_from=0.21)
    sloping = make_result(
        num_layers=3,
        amounts=(0.0, 0.5, 0.9),
        own_cka=lambda amount, point, size: 1 - amount * point / 2,
    )
    for table in (
        criteria_table(working, SEEDS),
        range_table(working),
        criteria_table(network(), SEEDS[:1]),
        layers.survival_table(falling(None, 0.6, 0.4, statistics=True), "mean"),
        layers.survival_table(sloping, "mean"),
    ):
        yield " | ".join(table[0])
        yield from table_lines(table)

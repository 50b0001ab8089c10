"""Cut's sentences: which layers can go, and what that gains and costs. The answer reads the same wherever it stands."""

from collections.abc import Sequence
from math import ceil

from core.findings.cut import ROUNDING, CutChoice, Frontier, keeps, lead, promise_of
from core.findings.rounding import to_places
from core.findings.words import (
    NONE,
    Finding,
    Table,
    layers_named,
    numbered,
    points,
    points_span,
    signed_points,
)
from core.findings.words.numbers import decimals
from core.request.catalog import METRICS, MIN_PROMISED
from core.results.cut import CutStudy, Score
from core.results.names import capitalised, in_sentence
from core.results.schema import RefitRecord
from core.results.statistics import EstimateRecord

EXPLANATION = "A study removes upper layers and refits the rest: how much faster is such a model, how much worse?"
OWN_STUDY = "Study your own model"  # a panel
RUNNING = "Refitting fewer layers, the deepest cut first"
FURTHER = "A file of further rows to refit, which judge nothing and need no labels (columns of the same names)"
WHY_TOP = "The top goes because what a lower layer loses, all layers above it inherit."
READING = """
Each point is a smaller model; its number says how many layers stay, always the lowest. What remains was refitted. The
upright line is its 95 % interval on rows that took no part; differences are paired, in hundredths of the score. A limit
counts as **kept** if the lower end of the one-sided 95 % interval of the difference reaches it. **Held**, the
line, is what a linear probe reads from the mean of the same layers' tokens.
"""
SLOW = "no speed gain measured"


def cut_finding(frontier: Frontier, most: float) -> Finding:
    """Answer which layers can go if at most so much of the score may be lost, and say on what that was judged."""
    choice, outcome = lead(frontier, most)
    symbol, rows = (
        METRICS[frontier.study.task.main_metric].symbol,
        len(frontier.study.task.examples),
    )
    own, full, guess = (
        decimals(value, 3) for value in (choice.value.value, frontier.full.value, frontier.guess)
    )
    scores = f"On {rows} rows that took no part in refitting, {symbol} is {own}, of the full model {full}."
    removed = in_sentence(removed_name(frontier, choice))
    bound = f"One-sided, at 95 % confidence, it loses at most {_at_most(choice)} (the interval is two-sided)"
    closest = f"closest: without {removed}, {_difference(choice.difference)}"
    answers = {
        "keeps": (
            f"Without {removed}, {speed_words(choice)}: {_lost(frontier, choice)}",
            f"{bound}.",
        ),
        "closest": (
            f"No cut is shown to keep within {_limit(most)}; {closest}",
            f"{bound}, more than the limit.",
        ),
        "few": (
            f"{numbered(rows, 'judged row')}: too few for a promise; {closest}",
            f"A promise takes at least {MIN_PROMISED} judged rows.",
        ),
        "guesses": (
            f"The full model is not shown to beat always guessing the commonest label ({guess})",
            "So there is nothing that a cut could be shown to keep.",
        ),
    }
    heading, limit = answers[outcome]
    # The next depth may lose little on these rows, too.
    less = (
        c
        for c in frontier.choices
        if c.depth.layers < choice.depth.layers and c.difference.value >= -most
    )
    others = [
        f"With {numbered(c.depth.layers, 'layer')}: {_lost(frontier, c)}, but by such a bound up to {_at_most(c)}."
        for c in less
    ]
    return Finding(heading, (scores, limit, *others[: outcome == "keeps"]))


def _at_most(choice: CutChoice) -> str:
    """Write the most that a choice loses by its one-sided interval, rounded up."""
    return points(max(ceil(-1000 * (choice.least + ROUNDING)) / 1000, 0), places=1)


def depth_choices(study: CutStudy) -> dict[str, str]:
    """Return the depths that a reader can choose, and their names on screen."""
    layers, whole = [depth.layers for depth in study.depths], study.checkpoint.num_layers
    return {"": "As in the heading", **{f"{k}": f"{k} of {whole} layers" for k in layers}}


# ---------------------------------------------------------------- of one choice


def choice_sentence(frontier: Frontier, choice: CutChoice, most: float) -> str:
    """Describe the model of a choice, and say whether it keeps a limit."""
    study, size = frontier.study, choice.depth.size
    return (
        f"The lowest {choice.depth.layers} of {study.checkpoint.num_layers} layers: {speed_words(choice)}, "
        f"{_megabytes(size.bytes)} instead of {_megabytes(study.full_size.bytes)}; {_lost(frontier, choice)}, "
        f"{limit_words(frontier, choice, most)}."
    )


def save_label(frontier: Frontier, choice: CutChoice, most: float) -> str:
    """Name what a button saves, and what is not shown of it."""
    name = f"Save the model of {numbered(choice.depth.layers, 'layer')}"
    return (
        name if keeps(frontier, choice, most) else f"{name}, {limit_words(frontier, choice, most)}"
    )


def limit_words(frontier: Frontier, choice: CutChoice, most: float) -> str:
    """Say whether a choice keeps a limit: it is shown to, not shown to, or nothing is promised."""
    if promise_of(frontier):
        return "of which nothing is promised"
    return (
        f"{'shown' if keeps(frontier, choice, most) else 'not shown'} to keep within {_limit(most)}"
    )


def model_cells(frontier: Frontier, choice: CutChoice) -> dict[str, str]:
    """Return the cells that describe a model, by title."""
    return {
        "Removed": removed_name(frontier, choice),
        "Difference": f"{_difference(choice.difference)} points",
        "Held": NONE if choice.held is None else decimals(choice.held, 3),
        "Speed": speed_words(choice),
        "Size": _megabytes(choice.depth.size.bytes),
    }


def scores_table(scores: Sequence[Score]) -> Table:
    """Tabulate the accuracy at the depths of a running study that are known so far."""
    table = []
    for score in scores:
        saved, held = (
            decimals(worth.metrics["accuracy"] or 0, 3) for worth in (score.saved, score.held)
        )
        table.append(
            {
                "Layers that stay": f"{score.layers}",
                "Accuracy": saved,
                "Held, by a linear probe": held,
            }
        )
    return table


# ---------------------------------------------------------------- how it was made


def refit_words(study: CutStudy) -> str:
    """Say how the models of a study were refitted, and on what."""
    refit, layers = study.refit, numbered(study.refit.training.layers, "layer")
    trained = (
        f"The classifier and the {layers} below it were trained for at most {training_words(refit)}"
    )
    return f"{trained}; {refit.stop:,} others said when to stop."


def training_words(rows: RefitRecord) -> str:
    """Name the steps of a training and its rows."""
    how = rows.training
    targets = "the labels of" if how.targets == "labels" else "the full model's answers to"
    return f"{how.steps} steps of {how.batch} on {targets} {rows.refit:,} rows ({rows.source_name}, {rows.split})"


def machine_words(study: CutStudy) -> str:
    """Say what speed was measured with."""
    threads, processor = (
        study.environment.get(name, "unknown") for name in ("threads", "processor")
    )
    return f"Speed: batch of {max(study.depths[0].size.speeds)}, {threads} threads, {processor}"


# ---------------------------------------------------------------- names and numbers


def removed_name(frontier: Frontier, choice: CutChoice) -> str:
    """Name the layers that are out, counted from 1, at the head of a sentence."""
    labels = [str(k + 1) for k in range(frontier.study.checkpoint.num_layers)]
    return capitalised(layers_named(labels[choice.depth.layers :], labels))


def speed_words(choice: CutChoice) -> str:
    """Write how much faster a model is shown to be."""
    speed = choice.depth.speed
    return (
        f"{decimals(speed.value, 1 if speed.value > 1.1 else 2)} times as fast"
        if speed.low > 1
        else SLOW
    )


def _lost(frontier: Frontier, choice: CutChoice) -> str:
    """Write the difference of a score with its unit: `accuracy −1.2 points (−2.6 to 0.2)`."""
    lost = choice.difference
    value = points(lost.value, places=1, is_signed=True)
    return f"{METRICS[frontier.study.task.main_metric].symbol} {value} ({points_span(lost.low, lost.high, 1)})"


def _difference(lost: EstimateRecord) -> str:
    """Write a difference of scores in points, without the unit: `−0.9 (−2.4 to 0.6)`."""
    return f"{signed_points(lost.value, 1)} ({points_span(lost.low, lost.high, 1)})"


def _limit(most: float) -> str:
    """Write a limit in points, with a decimal if it has one."""
    return points(most, 0 if to_places(100 * most, 1) % 1 == 0 else 1)


def _megabytes(size: int) -> str:
    return f"{decimals(size / 1e6, 1)} MB"

"""Cut's sentences: which layers can go, and what that gains and costs.

The answer reads the same wherever it stands.
"""

from collections.abc import Sequence
from math import ceil

from core.findings.cut import (
    ROUNDING,
    CutChoice,
    Frontier,
    keeps,
    lead,
    promise_of,
)
from core.findings.rounding import to_places
from core.findings.words import (
    NONE,
    Finding,
    Table,
    layers_named,
    numbered,
    points,
    points_with_interval,
)
from core.findings.words.numbers import decimals
from core.request.catalog import METRICS, MIN_PROMISED
from core.results.cut import CutStudy, Score
from core.results.names import capitalised, in_sentence
from core.results.schema import RefitRecord, Worth

EXPLANATION = (
    "A study removes upper layers and refits the rest: how much faster is such a model, how much "
    "worse?"
)
OWN_STUDY = "Study your own model"  # a panel
RUNNING = "Refitting fewer layers, the deepest cut first"
FURTHER = (
    "A file of further rows to refit, which judge nothing and need no labels (columns of the same "
    "names)"
)
WHY_TOP = "The top goes because what a lower layer loses, all layers above it inherit."
READING = """
Each point is a smaller model; its number says how many layers stay, always the lowest. What remains
was refitted. The upright line is its 95 % interval on rows that took no part; differences are
paired, in hundredths of the score. A limit counts as **kept** if the lower end of the one-sided
95 % interval of the difference reaches it. **Held**, the line, is what a linear probe reads from
the mean of the same layers' tokens.
"""


def cut_finding(frontier: Frontier, most: float) -> Finding:
    """Answer which layers can go if at most so much of the score may be lost, judged on what."""
    choice, outcome = lead(frontier, most)
    symbol = METRICS[frontier.study.task.main_metric].symbol
    rows = len(frontier.study.task.examples)
    own = decimals(choice.value.value, 3)
    full = decimals(frontier.full.value, 3)
    scores = (
        f"On {rows} rows that took no part in refitting, {symbol} is {own}, of the full model "
        f"{full}."
    )
    removed = in_sentence(removed_name(frontier, choice))
    bound = (
        f"One-sided, at 95 % confidence, it loses at most {_at_most(choice)} (the interval is "
        "two-sided)"
    )
    closest = f"closest: without {removed}, {_lost(frontier, choice)}"
    if outcome == "keeps":
        heading = f"Without {removed}, {speed_words(choice)}: {_lost(frontier, choice)}"
        more = [f"{bound}.", *_further(frontier, choice, most)]
    elif outcome == "closest":
        heading = f"No cut is shown to keep within {_limit(most)}; {closest}"
        more = [f"{bound}, more than the limit."]
    elif outcome == "few":
        heading = f"{numbered(rows, 'judged row')}: too few for a promise; {closest}"
        more = [f"A promise takes at least {MIN_PROMISED} judged rows."]
    else:
        guess = decimals(frontier.guess, 3)
        heading = (
            f"The full model is not shown to beat always guessing the commonest label ({guess})"
        )
        more = ["So there is nothing that a cut could be shown to keep."]
    return Finding(heading, (scores, *more))


def _further(frontier: Frontier, choice: CutChoice, most: float) -> list[str]:
    """Say of the depths below a choice that lose little on these rows what they may lose."""
    return [
        f"With {numbered(further.depth.layers, 'layer')}: {_lost(frontier, further)}, but by such "
        f"a bound up to {_at_most(further)}."
        for further in frontier.choices
        if further.depth.layers < choice.depth.layers and further.difference.value >= -most
    ]


def _at_most(choice: CutChoice) -> str:
    """Write the most that a choice loses by its one-sided interval, rounded up."""
    return points(max(ceil(-1000 * (choice.least + ROUNDING)) / 1000, 0), places=1)


def depth_choices(study: CutStudy) -> dict[str, str]:
    """Return the depths that a reader can choose, and their names on screen."""
    layers = [depth.layers for depth in study.depths]
    names = {str(k): f"{k} of {study.checkpoint.num_layers} layers" for k in layers}
    return {"": "As in the heading", **names}


# ---------------------------------------------------------------- of one choice


def choice_sentence(frontier: Frontier, choice: CutChoice, most: float) -> str:
    """Describe the model of a choice, and say whether it keeps a limit."""
    study = frontier.study
    size, full_size = (_megabytes(part.bytes) for part in (choice.depth.size, study.full_size))
    return (
        f"The lowest {choice.depth.layers} of {study.checkpoint.num_layers} layers: "
        f"{speed_words(choice)}, {size} instead of {full_size}; {_lost(frontier, choice)}, "
        f"{limit_words(frontier, choice, most)}."
    )


def save_label(frontier: Frontier, choice: CutChoice, most: float) -> str:
    """Name what a button saves, and what is not shown of it."""
    name = f"Save the model of {numbered(choice.depth.layers, 'layer')}"
    if keeps(frontier, choice, most):
        return name
    return f"{name}, {limit_words(frontier, choice, most)}"


def limit_words(frontier: Frontier, choice: CutChoice, most: float) -> str:
    """Say whether a choice keeps a limit: it is shown to, not shown to, or nothing is promised."""
    if promise_of(frontier):
        return "of which nothing is promised"
    shown = "shown" if keeps(frontier, choice, most) else "not shown"
    return f"{shown} to keep within {_limit(most)}"


def model_cells(frontier: Frontier, choice: CutChoice) -> dict[str, str]:
    """Return the cells that describe a model, by title."""
    return {
        "Removed": removed_name(frontier, choice),
        "Difference": points_with_interval(choice.difference),
        "Held": NONE if choice.held is None else decimals(choice.held, 3),
        "Speed": speed_words(choice),
        "Size": _megabytes(choice.depth.size.bytes),
    }


def scores_table(scores: Sequence[Score]) -> Table:
    """Tabulate the accuracy at the depths of a running study measured so far."""
    return [
        {
            "Layers that stay": str(score.layers),
            "Accuracy": _accuracy(score.saved),
            "Held, by a linear probe": _accuracy(score.held),
        }
        for score in scores
    ]


def _accuracy(worth: Worth) -> str:
    return decimals(worth.metrics["accuracy"] or 0, 3)


# ---------------------------------------------------------------- how it was made


def refit_words(study: CutStudy) -> str:
    """Say how the models of a study were refitted, and on what."""
    refit = study.refit
    return (
        f"The classifier and the {numbered(refit.training.layers, 'layer')} below it were trained "
        f"for at most {training_words(refit)}; {refit.stop:,} others said when to stop."
    )


def training_words(rows: RefitRecord) -> str:
    """Name the steps of a training and its rows."""
    training = rows.training
    targets = "the labels of" if training.targets == "labels" else "the full model's answers to"
    return (
        f"{training.steps} steps of {training.batch} on {targets} {rows.refit:,} rows "
        f"({rows.source_name}, {rows.split})"
    )


def machine_words(study: CutStudy) -> str:
    """Say what speed was measured with."""
    batch = max(study.depths[0].size.speeds)
    threads = study.environment.get("threads", "unknown")
    processor = study.environment.get("processor", "unknown")
    return f"Speed: batch of {batch}, {threads} threads, {processor}"


# ---------------------------------------------------------------- names and numbers


def removed_name(frontier: Frontier, choice: CutChoice) -> str:
    """Name the layers that are out, counted from 1, at the head of a sentence."""
    labels = [str(k + 1) for k in range(frontier.study.checkpoint.num_layers)]
    return capitalised(layers_named(labels[choice.depth.layers :], labels))


def speed_words(choice: CutChoice) -> str:
    """Write how much faster a model is shown to be."""
    speed = choice.depth.speed
    if speed.low <= 1:
        return "no speed gain measured"
    return f"{decimals(speed.value, 1 if speed.value > 1.1 else 2)} times as fast"


def _lost(frontier: Frontier, choice: CutChoice) -> str:
    """Write the difference of a score with its unit: `accuracy −1.2 points (−2.6 to 0.2)`."""
    metric = METRICS[frontier.study.task.main_metric]
    return f"{metric.symbol} {points_with_interval(choice.difference)}"


def _limit(most: float) -> str:
    """Write a limit in points, with a decimal if it has one."""
    return points(most, 0 if to_places(100 * most, 1) % 1 == 0 else 1)


def _megabytes(size: int) -> str:
    return f"{decimals(size / 1e6, 1)} MB"

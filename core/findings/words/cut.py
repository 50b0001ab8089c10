"""Cut's sentences: which layers can go, and what that gains and costs."""

from core.findings.cut import CutChoice, Frontier, Outcome
from core.findings.words import Finding, Table, estimated, layers_named, points, points_span
from core.findings.words.numbers import decimals
from core.request.catalog import METRICS
from core.results.cut import CutStudy
from core.results.names import GUESSING, capitalised, in_sentence
from core.results.statistics import EstimateRecord

EXPLANATION = (
    "A study removes the upper layers of a model, refits what remains, and measures what that costs, and how small and "
    "fast the rest is."
)
READING = """
Each point is a smaller model; its number says how many layers are out. The upright line is the 95 % interval on rows
that took no part in refitting. Points are hundredths of the score.
"""
SLOW = "not shown to be faster"


def cut_finding(frontier: Frontier, choice: CutChoice, outcome: Outcome, most: float) -> Finding:
    """Say which cut keeps a limit, what it gains and costs, or that none is shown to.

    Args:
        frontier: What the study offers.
        choice: The depth on show.
        outcome: What `lead` returned with it.
        most: How much of the score may be lost.
    """
    study, lost = frontier.study, _out(frontier, choice)
    judged = f"{len(study.task.gold)} rows"
    heading = {
        "keeps": capitalised(f"without {lost}"),
        "closest": f"No cut is shown to keep within {points(most)}; closest: without {lost}",
        "few": f"{judged} are too few to promise anything; closest: without {lost}",
        "guesses": f"The full model is not shown to beat {GUESSING} ({decimals(frontier.guess, 3)})",
    }[outcome]
    metric = METRICS[study.task.main_metric].symbol
    scores = f"On {judged}, {metric} is {estimated(choice.value)}, of the full model {estimated(frontier.full)}."
    return Finding(heading, (scores,))


def _out(frontier: Frontier, choice: CutChoice) -> str:
    """Write inside a sentence which layers are out, and what that gains and changes."""
    name = in_sentence(choice_name(choice, frontier.study.checkpoint.num_layers))
    symbol = METRICS[frontier.study.task.main_metric].symbol
    return f"{name}, {speed_words(choice)}: {symbol} {points_words(choice.difference)}"


def smaller_words(choice: CutChoice) -> str:
    """Say what is taken away with a choice."""
    layers = f"{choice.depth.layers} {'layer' if choice.depth.layers == 1 else 'layers'}"
    return f"A folder that plain transformers loads: {layers}, {size_words(choice)}."


def machine_words(frontier: Frontier) -> str:
    """Say where speed was measured."""
    return f"Speed: batch of 32, {machine_name(frontier.study)}"


def machine_name(study: CutStudy) -> str:
    """Name what sizes and speeds were measured with."""
    threads, processor = (study.environment.get(name, "unknown") for name in ("threads", "processor"))
    return f"{threads} {'thread' if threads == 1 else 'threads'}, {processor}"


def model_cells(choice: CutChoice, depth: int) -> dict[str, str]:
    """Return the cells that describe a model, by title."""
    return {
        "Removed": choice_name(choice, depth),
        "Difference": points_words(choice.difference),
        "Speed": speed_words(choice),
        "Size": size_words(choice),
    }


def choices_table(frontier: Frontier) -> Table:
    """Tabulate the smaller models, the largest first."""
    metric, depth = METRICS[frontier.study.task.main_metric].title, frontier.study.checkpoint.num_layers
    return [
        {"Removed": choice_name(choice, depth), metric: estimated(choice.value), **model_cells(choice, depth)}
        for choice in frontier.choices
    ]


# ---------------------------------------------------------------- names and numbers


def choice_name(choice: CutChoice, depth: int) -> str:
    """Name the layers that are out, counted from 1, at the head of a sentence."""
    labels = [str(k + 1) for k in range(depth)]
    return capitalised(layers_named([labels[k] for k in choice.removed], labels))


def speed_words(choice: CutChoice) -> str:
    """Write how much faster a model is shown to be."""
    speed = choice.depth.speed
    return f"{decimals(speed.value, 1 if speed.value > 1.1 else 2)} times as fast" if speed.low > 1 else SLOW


def size_words(choice: CutChoice) -> str:
    """Write the size of a model's folder."""
    return f"{decimals(choice.depth.size.bytes / 1e6, 1)} MB"


def points_words(lost: EstimateRecord) -> str:
    """Write a difference of metrics in points, with its interval: `−1.0 point (−2.6 to 0.5)`."""
    return f"{points(lost.value, places=1, is_signed=True)} ({points_span(lost.low, lost.high, 1)})"

"""Cut's sentences: which layers can go, and what that gains and costs."""

from core.findings.cut import CutChoice, Frontier, kept_by, state_of
from core.findings.words import NONE, Finding, Table, estimated, layers_named, numbered, points, points_span
from core.findings.words.numbers import decimals
from core.request.catalog import METRICS
from core.results.cut import CutStudy
from core.results.names import GUESSING, capitalised, in_sentence
from core.results.statistics import EstimateRecord

EXPLANATION = (
    "A study takes whole layers out of a model, and measures what that costs, and how small and fast the rest is. No "
    "new studies are made here at present: they will return with a rest that is refitted."
)
READING = """
Each point is a smaller model; its number says how many layers are out. Which ones was chosen on examples of their own.
The upright line is the 95 % interval on examples that took no part in choosing, where a choice can prove worse. Points
are hundredths of the score; nothing is trained after a cut.
"""
SLOW = "not shown to be faster"


def cut_finding(frontier: Frontier, choice: CutChoice | None, most: float) -> Finding:
    """Say whether a limit is kept to, what is gained and lost, and which smaller cut keeps to it.

    Args:
        frontier: What the study offers.
        choice: The chosen model.
        most: How much of the score may be lost.
    """
    study, state = frontier.study, state_of(frontier, choice, most)
    limit, metric, judged = f"at most {points(most)} lost", METRICS[study.task.main_metric].symbol, study.task.examples
    full, guess = estimated(frontier.full), f"not shown to beat {GUESSING} ({decimals(frontier.guess, 3)})"
    if choice is None or frontier.full.low <= frontier.guess:
        heading = f"No smaller model is chosen: on the examples for choosing, none keeps to {limit}"
        heading = f"The full model is {guess}" if state == "guesses" else heading
        return Finding(heading, (f"On {len(judged)} examples, the full model has {metric} {full}.",))
    verdict = {"holds": "yes", "inconclusive": "inconclusive", "fails": "no", "guesses": guess}[state]
    scores = (
        f"On the {len(study.calibration.examples)} examples of the choice, which tend to flatter it, that is "
        f"{decimals(-100 * choice.loss, 1)} points; on {len(judged)} others, {metric} is {estimated(choice.value)}, of "
        f"the full model {full}."
    )
    heading = f"{capitalised(limit)}? {capitalised(verdict)}: without {_out(frontier, choice)}"
    if state not in ("inconclusive", "fails"):
        return Finding(heading, (scores,))
    smaller = "No smaller cut is shown to keep to it."
    if kept := kept_by(frontier, choice, most):
        fastest = f"The fastest smaller cut that is shown to keep to it: without {_out(frontier, kept)}"
        smaller = f"{fastest}; picked by these examples, it is flattered in turn."
    return Finding(heading, (scores, smaller))


def _out(frontier: Frontier, choice: CutChoice) -> str:
    """Write inside a sentence which layers are out, and what that changes and gains."""
    name = in_sentence(choice_name(choice, frontier.study.checkpoint.num_layers))
    lost = f"{METRICS[frontier.study.task.main_metric].symbol} {points_words(choice.difference)}"
    return ", ".join(filter(None, (name, lost, speed_words(choice))))


def smaller_words(choice: CutChoice) -> str:
    """Say what is taken away with a choice."""
    size = f", {size_words(choice)}" if choice.model.size else ""
    layers = numbered(len(choice.model.layers), "layer")
    return f"A folder that plain transformers loads: {layers}{size}. In float32, it gives the scores shown here."


def machine_words(frontier: Frontier) -> str:
    """Say where speed was measured; empty where it was not."""
    return f"Speed: batch of 32, {machine_name(frontier.study)}" if frontier.study.full.size else ""


def machine_name(study: CutStudy) -> str:
    """Name what sizes and speeds were measured with."""
    threads, processor = (study.environment.get(name, "unknown") for name in ("threads", "processor"))
    return f"{threads} {'thread' if threads == 1 else 'threads'}, {processor}"


def model_cells(choice: CutChoice, depth: int) -> dict[str, str]:
    """Return the cells that describe a model, by title."""
    return {
        "Removed": choice_name(choice, depth),
        "Difference": points_words(choice.difference),
        "When choosing": f"{decimals(-100 * choice.loss, 1)} points",
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
    """Write how much faster a model is shown to be; empty where it was not measured."""
    if (speed := choice.model.speed) is None:
        return ""
    return f"{decimals(speed.value, 1 if speed.value > 1.1 else 2)} times as fast" if speed.low > 1 else SLOW


def size_words(choice: CutChoice) -> str:
    """Write the size of a model's folder."""
    return f"{decimals(size.bytes / 1e6, 1)} MB" if (size := choice.model.size) else NONE


def points_words(lost: EstimateRecord) -> str:
    """Write a difference of metrics in points, with its interval: `−1.0 point (−2.6 to 0.5)`."""
    return f"{points(lost.value, places=1, is_signed=True)} ({points_span(lost.low, lost.high, 1)})"

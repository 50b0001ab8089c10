"""The words about cuts: which layers can go, what that gains and costs, and what similarity would have told."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from core.findings.cut import RANDOM, By, Choice, Frontier, kept_by, state_of
from core.findings.words import NONE, Said, Table, estimated, layers_named, numbered, points, points_span, with_interval
from core.findings.words.numbers import decimals, percent, percent_range
from core.request.catalog import METRICS
from core.request.criteria import CRITERIA, MEASURED
from core.results.cut import CutStudy
from core.results.names import GUESSING, capitalised, in_sentence, listed
from core.results.statistics import Estimate

TITLE = "Which layers can go?"
EXPLANATION = (
    "A study leaves out layers in many combinations and lets the model answer. On some labelled examples it chooses "
    "which layers go; on others it judges what that costs. Then it measures how small and fast the rest is."
)
BY = {"score": "How much of the score is lost", "answers": "How many answers change"}
AT_MOST = {"score": "I can lose at most", "answers": "Answers that may change, at most"}
MOST = (0.01, 0.02, 0.03, 0.05, 0.1)  # that may be lost
USUAL = "0.03"
READING = """
Each point is a smaller model; its number says how many layers are out. Squares also lack a share of the other layers'
feed-forward units. The upright line is the 95 % interval on examples that took no part in choosing, where a choice can
prove worse. **Grey** is what as many layers would leave, chosen otherwise: where a layer's output resembles its input
(cosine or CKA), where what the classifier reads stays similar, from the top, every second, or at random. Points are
hundredths of the score; nothing is trained after a cut. On these examples, the measured choice is better by:
"""
SLOW = "not shown to be faster"
CRITERION = {**CRITERIA, RANDOM: "Random, on average"}
del CRITERION[MEASURED]  # which the others are held against


def cut_said(known: Frontier, choice: Choice | None, by: By, most: float) -> Said:
    """Say whether a limit is kept to, what is gained and lost, which smaller cut keeps to it, and what others pick.

    Args:
        known: What the study offers.
        choice: The chosen model.
        by: By what it was chosen.
        most: How much of that may be lost.
    """
    study, state = known.study, state_of(known, choice, by, most)
    limit = f"at most {points(most)} lost" if by == "score" else f"at most {percent(most)} of answers changed"
    metric, judged = METRICS[study.task.main_metric].symbol, len(study.task.examples)
    full, guess = estimated(known.full), f"not shown to beat {GUESSING} ({decimals(known.guess, 3)})"
    if choice is None or known.full.low <= known.guess:
        heading = f"No smaller model is chosen: on the examples for choosing, none keeps to {limit}"
        heading = f"The full model is {guess}" if state == "guesses" else heading
        return Said(heading, (f"On {judged} examples, the full model has {metric} {full}.",))
    verdict = {"holds": "yes", "inconclusive": "inconclusive", "fails": "no", "guesses": guess}[state]
    there = (
        f"{decimals(-100 * choice.loss[by], 1)} points" if by == "score" else f"{percent(choice.loss[by])} of answers"
    )
    first = (
        f"On the {len(study.calibration.examples)} examples of the choice, which tend to flatter it, that is {there}; "
        f"on {judged} others, {metric} is {estimated(choice.value)}, of the full model {full}."
    )
    heading = f"{capitalised(limit)}? {capitalised(verdict)}: without {_out(known, choice, by)}"
    smaller = _smaller(known, choice, by, most) if state in ("inconclusive", "fails") else ()
    return Said(heading, (first, *smaller))


def gained_words(known: Frontier, choice: Choice, by: By = "score") -> str:
    """Say what a choice changes, and what it gains."""
    lost = f"{METRICS[known.study.task.main_metric].symbol} {points_words(choice.difference)}"
    return ", ".join(filter(None, (lost if by == "score" else changed_words(choice), speed_words(choice))))


def _out(known: Frontier, choice: Choice, by: By) -> str:
    """Say inside a sentence what is out, and what that changes and gains."""
    return f"{in_sentence(choice_name(choice, known.study.checkpoint.num_layers))}, {gained_words(known, choice, by)}"


def _smaller(known: Frontier, choice: Choice, by: By, most: float) -> Sequence[str]:
    """Say which smaller cut is shown to keep to a limit that the chosen one is not shown to keep to."""
    kept = kept_by(known, choice, by, most)
    if kept is None:
        return ("No smaller cut is shown to keep to it.",)
    said = f"The fastest smaller cut that is shown to keep to it: without {_out(known, kept, by)}"
    return (f"{said}; picked by these examples, it is flattered in turn.",)


def smaller_words(choice: Choice) -> str:
    """Say what is taken away with a choice."""
    size = f", {size_words(choice)}" if choice.model.size else ""
    layers = numbered(len(choice.model.layers), "layer")
    return f"A folder that plain transformers loads: {layers}{size}. In float32, it gives the scores shown here."


def machine_words(known: Frontier) -> str:
    """Say where speed was measured; empty where it was not."""
    return f"Speed: batch of 32, {machine_name(known.study)}" if known.study.full.size else ""


def machine_name(study: CutStudy) -> str:
    """Name what sizes and speeds were measured with."""
    threads, processor = (study.environment.get(name, "unknown") for name in ("threads", "processor"))
    return f"{threads} {'thread' if threads == 1 else 'threads'}, {processor}"


def told(choice: Choice, depth: int) -> dict[str, str]:
    """Say what a mark of the frontier tells of a model, by titles."""
    return {
        "Removed": choice_name(choice, depth),
        "Difference": points_words(choice.difference),
        "When choosing": f"{decimals(-100 * choice.loss['score'], 1)} points",
        "Answers": changed_words(choice),
        "Speed": speed_words(choice),
        "Size": size_words(choice),
    }


# ---------------------------------------------------------------- names and numbers


def layers_words(removed: Sequence[int], depth: int) -> str:
    """Name some layers of a model, counted from 1; none in particular are all choices."""
    labels = [str(k + 1) for k in range(depth)]
    return layers_named([labels[k] for k in removed], labels) if removed else "all choices"


def choice_name(choice: Choice, depth: int) -> str:
    """Name what is out, at the head of a sentence."""
    share = choice.model.share
    out = {layers_words(choice.removed, depth): choice.removed, f"{percent(share)} of feed-forward units": share}
    return capitalised(listed([name for name, is_out in out.items() if is_out]))


def speed_words(choice: Choice) -> str:
    """Write how much faster a model is, as far as that is shown; empty where it was not measured."""
    if (speed := choice.model.speed) is None:
        return ""
    return f"{decimals(speed.value, 1 if speed.value > 1.1 else 2)} times as fast" if speed.low > 1 else SLOW


def size_words(choice: Choice) -> str:
    """Write the size of a model's folder."""
    return f"{decimals(size.bytes / 1e6, 1)} MB" if (size := choice.model.size) else NONE


def points_words(lost: Estimate) -> str:
    """Write a difference of metrics in points, with its interval: `−1.0 point (−2.6 to 0.5)`."""
    number = decimals(100 * lost.value, 1)
    sign, noun = "" if number.startswith(("−", "0.0")) else "+", "point" if number in ("1.0", "−1.0") else "points"
    return f"{sign}{number} {noun} ({points_span(lost.low, lost.high, 1)})"


def changed_words(choice: Choice) -> str:
    """Write the share of answers that change, with its interval."""
    value, low, high = map(percent, (choice.changed.value, choice.changed.low, choice.changed.high))
    return f"{value} ({percent_range(low, high)}) of answers change"


def regrets_table(known: Frontier) -> Table:
    """Tabulate by how much the measured choice is better than each criterion's, for every number of layers out."""
    depth, regrets = known.study.checkpoint.num_layers, defaultdict[int, dict[str, Estimate]](dict)
    for pick in known.picks:
        regrets[pick.fewer][pick.criterion] = pick.regret
    return [{"Layers out": f"{fewer} of {depth}"} | regret_cells(of) for fewer, of in regrets.items()]


def regret_cells(of: Mapping[str, Estimate]) -> dict[str, str]:
    """Write estimates in points, such as `4.6 (2.4 to 7.0)`, under the titles of all criteria."""
    return {
        title: with_interval(100 * of[name].value, 100 * of[name].low, 100 * of[name].high, 1) if name in of else NONE
        for name, title in CRITERION.items()
    }

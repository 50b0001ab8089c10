"""The words about cuts: which layers can go, what that gains and costs, and what similarity would have told."""

from collections.abc import Sequence

from core.findings.cut import RANDOM, By, Choice, Frontier, state_of
from core.findings.words import NONE, Said, layers_named, numbered, points, points_span, with_interval
from core.findings.words.numbers import decimals, percent, percent_range
from core.request.catalog import METRICS
from core.request.criteria import CRITERIA, MEASURED
from core.results.cut import CutStudy
from core.results.names import capitalised, in_sentence, listed
from core.results.statistics import Estimate

SLOW = "not shown to be faster"
SIMILARITIES = ("cosine", "cka", "read")  # the criteria that a sentence names
CRITERION = {**{name: known.title for name, known in CRITERIA.items()}, RANDOM: "Random layers, on average"}


def cut_said(known: Frontier, model: Choice | None, by: By, most: float) -> Said:
    """Say what can go, what that gains and costs, and what similarity and chance would have picked instead.

    Args:
        known: What the study offers.
        model: The chosen one.
        by: By what it was chosen.
        most: How much of that may be lost.
    """
    state, metric, count = (
        state_of(known, model, by, most),
        METRICS[known.metric].symbol,
        len(known.study.task.examples),
    )
    guess = f"is not shown to be better than always giving one label ({decimals(known.guess, 3)})"
    full, choosing = f"{metric} {estimated(known.full)}", f"{len(known.study.calibration.examples)} examples"
    if known.full.low <= known.guess:
        heading = "Nothing can be shown to be kept: this model may be guessing"
        return Said(heading, (f"On {count} examples, its {full} {guess}.",))
    if model is None:
        more = f"loses more than {points(most)}" if by == "score" else f"changes more than {percent(most)} of answers"
        heading = f"Every smaller model {more} on the {choosing} for choosing"
        return Said(heading, (f"On {count} others, the full model has {full}.",))
    what, changes = model_name(known, model), f"{changed_words(model)} of answers change"
    less = in_sentence(what)
    within, more = f"within {points(most)}", f"more than {points(most)} are lost"
    if by == "answers":
        within, more = f"with {percent(most)} of answers changed", f"more than {percent(most)} of answers change"
    heading = {
        "holds": f"{what} can go",
        "inconclusive": f"Whether {less} can go {within} is inconclusive",
        "fails": f"Without {less}, {more}",
        "guesses": f"Without {less}, the model may be guessing",
    }[state]
    lost = points_words(model.difference) if by == "score" else changes
    kept = f"{metric} is {decimals(model.value.value, 3)} (full model: {decimals(known.full.value, 3)}), and {changes}"
    if state == "guesses":
        kept = f"{metric} {estimated(model.value)} {guess}"
    return Said(
        f"{heading}: {', '.join(filter(None, (speed_words(model), lost)))}",
        (f"Chosen on {choosing} and judged on {count} others: {kept}.", *_beside(known, model)),
    )


def _beside(known: Frontier, model: Choice) -> Sequence[str]:
    """Say what is left where similarity or chance picks as many layers; nothing of a model whose parts are narrower."""
    left = {
        pick.criterion: decimals(pick.value, 3)
        for pick in known.picks
        if pick.fewer == len(model.removed) and not model.share
    }
    said = [f"{left[name]} by {in_sentence(CRITERION[name])}" for name in SIMILARITIES if name in left]
    return (
        (f"Other choices of as many layers leave {listed([*said, f'{left[RANDOM]} at random, on average'])}.",)
        if said
        else ()
    )


def machine_words(study: CutStudy) -> str:
    """Say where speed was measured; empty where it was not."""
    measured = study.measured
    return f"Speed: batch of 32, {numbered(measured.threads, 'thread')}, {measured.processor}" if measured else ""


# ---------------------------------------------------------------- tables


def models_table(known: Frontier) -> list[dict[str, str]]:
    """Tabulate the smaller models: what is out, what is lost on both kinds of examples, and what is gained."""
    return [
        {
            "Removed": model_name(known, model),
            METRICS[known.metric].title: decimals(model.value.value, 3),
            "Difference": points_words(model.difference),
            "For choosing": change_words(-model.loss["score"]),
            "Answers changed": changed_words(model),
            "Speed": speed_words(model) or NONE,
            "Size": size_words(model),
        }
        for model in known.models
    ]


def regret_table(known: Frontier) -> list[dict[str, str]]:
    """Tabulate by how much each criterion's choice is worse than the measured one, for each number of layers out."""
    regrets = {(pick.fewer, pick.criterion): points_words(pick.regret) for pick in known.picks if pick.regret}
    named = [name for name in CRITERION if name != MEASURED and any(name == criterion for _, criterion in regrets)]
    return [
        {"Layers out": str(fewer), **{CRITERION[name]: regrets.get((fewer, name), NONE) for name in named}}
        for fewer in dict.fromkeys(fewer for fewer, _ in regrets)
    ]


# ---------------------------------------------------------------- names and numbers


def layers_words(known: Frontier, removed: Sequence[int]) -> str:
    """Name layers, counted from 1; none in particular are all choices."""
    labels = [str(k + 1) for k in range(len(known.alone))]
    return layers_named([labels[k] for k in removed], labels) if removed else "all choices"


def model_name(known: Frontier, model: Choice) -> str:
    """Name what is out, at the head of a sentence."""
    layers = [layers_words(known, model.removed)] if model.removed else []
    units = [f"{percent(model.share)} of the feed-forward units"] if model.share else []
    return capitalised(listed([*layers, *units]))


def speed_words(model: Choice) -> str:
    """Write how much faster a model is, as far as that is shown; empty where it was not measured."""
    if (speed := model.speed) is None:
        return ""
    return f"{decimals(speed.value, 1 if speed.value > 1.1 else 2)} times as fast" if speed.low > 1 else SLOW


def size_words(model: Choice) -> str:
    """Write the size of a model's folder."""
    return f"{decimals(model.size.bytes / 1e6, 1)} MB" if model.size else NONE


def points_words(lost: Estimate) -> str:
    """Write a difference of metrics in points, with its interval: `−1.0 point (−2.6 to 0.5)`."""
    return f"{change_words(lost.value)} ({points_span(lost.low, lost.high, 1)})"


def change_words(change: float) -> str:
    """Write how much a metric changes, in points: `−1.0 point`, `+0.4 points`."""
    number = decimals(100 * change, 1)
    sign = "" if number.startswith(("−", "0.0")) else "+"
    return f"{sign}{number} {'point' if number.removeprefix('−') == '1.0' else 'points'}"


def changed_words(model: Choice) -> str:
    """Write the share of answers that change, with its interval."""
    value, low, high = map(percent, (model.changed.value, model.changed.low, model.changed.high))
    return f"{value} ({percent_range(low, high)})"


def estimated(found: Estimate) -> str:
    """Write a metric with its interval."""
    return with_interval(found.value, found.low, found.high)

"""The words of a verdict: its state, why it is inconclusive and what would decide it, and what else to know of it."""

from collections import Counter
from collections.abc import Iterable, Mapping

from core.findings.claim import CEILING, ONE_EXAMPLE, Verdict
from core.findings.words import NONE
from core.findings.words.numbers import percent
from core.request.catalog import FEW_EXAMPLES
from core.request.controls import SMALL_STEP
from core.sweep.control_contrast import MARGIN, State
from core.sweep.equal_damage import FEWEST_BEFORE

POINTS = f"{round(100 * MARGIN)} points"
STATES: Mapping[State, str] = {
    "steeper": "more of the change in the upper half than under random removal",
    "flatter": "less of the change in the upper half than under random removal",
    "equivalent": "no different from random removal",
    "inconclusive": "inconclusive",
}
REASONS = {
    "too few examples": f"At least {FEW_EXAMPLES} examples are needed.",
    "change not reached": "Larger amounts are needed: those measured do not surely change the layers that much, or a "
    "similarity before is undefined.",
    "steps too coarse": f"Smaller steps are needed, with {FEWEST_BEFORE} amounts before the layers have changed that "
    "much.",
    "no control": "Random removal of as much is needed.",
    "too few seeds": "More seeds of random removal are needed that change the layers that much, in small steps.",
    "interval too wide": f"Neither a match within {POINTS} nor a difference is shown: more seeds of random removal, "
    "or more examples, would narrow the interval.",
}
REMEDIES = {  # in the Lab, with the settings that may decide it
    "too few examples": "Decide it in the Lab: more examples",
    "interval too wide": "Decide it in the Lab: twice as many examples",
    "steps too coarse": "Decide it in the Lab: smaller steps",
    "change not reached": "Decide it in the Lab: larger amounts",
}
FLAGS = {
    "beyond working range": "The layers change that much only where the model does not work.",
    "random removal beyond its working range": "The same holds for more than half of the random draws.",
    "range doubtful": "The examples are too few to show the end of the working range.",
    "at the ceiling": f"Under random removal, more than {percent(CEILING)} lies in the upper half already.",
    "one example decides": f"One example carries more than {percent(ONE_EXAMPLE)} of the variance over examples.",
    "interpolated": f"The method was measured in steps of more than {percent(SMALL_STEP)} there.",
}


def state(known: State | None) -> str:
    """Say a verdict's state in a cell; a dash where none is given."""
    return STATES[known] if known else NONE


def reason_named(found: Verdict) -> str:
    """Name why a verdict is inconclusive, with how many seeds can be used where these are too few."""
    if found.reason == "too few seeds":
        return f"{found.reason}, {len(found.controls)} of {found.needed}"
    return found.reason or ""


def verdict_cell(found: Verdict) -> str:
    """Say a verdict in a cell, and why it is inconclusive."""
    return state(found.state) + (f": {reason_named(found)}" if found.reason else "")


def flags_cell(found: Verdict) -> str:
    """Name what else to know of a verdict in a cell."""
    return ", ".join(found.flags) or NONE


def counted(verdicts: Iterable[Verdict]) -> str:
    """Write how often each state is given: `4 × no different from random removal, 1 × inconclusive`."""
    counts = Counter(known.state for known in verdicts).most_common()
    return ", ".join(f"{count} × {state(known)}" for known, count in counts)


def explained(words: Mapping[str, str]) -> str:
    """List reasons or flags with their sentences, as Markdown."""
    return "\n".join(f"- *{name}*: {sentence}" for name, sentence in words.items())

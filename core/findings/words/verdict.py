"""The words of a verdict: its state, why it is inconclusive and what would decide it, and what else to know of it."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from core.findings.accuracy import majority_of, no_lead_from, smallest_drop
from core.findings.claim import CEILING, ONE_EXAMPLE, SENSITIVITY, Verdict, verdict
from core.findings.words import NONE, Table, estimated, with_interval
from core.findings.words import numbers as num
from core.request.catalog import DAMAGE, FEW_EXAMPLES, METRICS, REDUCTION
from core.request.controls import SMALL_STEP
from core.results import names as n
from core.results.schema import SweepResult
from core.sweep.control_contrast import MARGIN, State, profile_distance
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
    "change not reached": "The largest amounts may not change the layers that much, or a similarity is undefined.",
    "steps too coarse": f"Smaller steps are needed, with {FEWEST_BEFORE} amounts before layers have changed that much.",
    "no control": "Random removal of as many weights, or units, is needed.",
    "too few seeds": "More seeds of random removal are needed that change the layers that much, in small steps.",
    "interval too wide": f"No match within {POINTS} and no difference is shown: more examples or seeds are needed.",
}
DECIDE_IT = "Decide it in the Lab: {}"  # a button
FLAGS = {
    "beyond working range": "The layers change that much only where the model does not work.",
    "random removal beyond its working range": "Over half of the draws change them as much only where the model fails.",
    "range doubtful": "The examples are too few to show the end of the working range.",
    "at the ceiling": f"Under random removal, more than {num.percent(CEILING)} lies in the upper half already.",
    "one example decides": f"One example carries more than {num.percent(ONE_EXAMPLE)} of the variance over examples.",
    "interpolated": f"The method was measured in steps of more than {num.percent(SMALL_STEP)} there.",
}


def state(known: State | None) -> str:
    """Say a verdict's state in a cell; a dash where none is given."""
    return STATES[known] if known else NONE


def why_inconclusive(found: Verdict) -> str:
    """Say in brackets why a verdict is inconclusive, and what may decide it; nothing of others."""
    usable = f", {len(found.controls)} of {found.needed}" if found.reason == "too few seeds" else ""
    return f" ({found.reason}{usable}; {found.remedy or 'more seeds'} may decide it)" if found.reason else ""


def verdict_cell(found: Verdict) -> str:
    """Say a verdict in a cell, and where it is inconclusive why, and what may decide it."""
    return state(found.state) + why_inconclusive(found)


def flags_cell(found: Verdict) -> str:
    """Name what else to know of a verdict in a cell."""
    return ", ".join(found.flags) or NONE


def counted(verdicts: Iterable[Verdict]) -> str:
    """Write how often each state is given: `4 × no different from random removal, 1 × inconclusive`."""
    counts = Counter(known.state for known in verdicts).most_common()
    return ", ".join(f"{count} × {state(known)}" for known, count in counts)


# ---------------------------------------------------------------- tables


def criteria_table(result: SweepResult, companions: Iterable[SweepResult]) -> Table:
    """Tabulate the verdict and those by other criteria, with the numbers behind them."""
    companions, rows = list(companions), []
    for reduction, damage in ((REDUCTION, DAMAGE), *SENSITIVITY):
        found = verdict(result, companions, reduction, damage)
        gap, beside = found.method.gap if found.method else None, found.contrast
        points = [num.decimals(100 * x, 1) for x in (beside.difference, beside.mean_half_width())] if beside else []
        rows.append(
            {
                "Overall change": f"{num.decimals(damage, 2)}, {n.reduction_name(reduction)}",
                **beside_random([found]),
                "Reached at": num.percent(gap.amount) if gap else NONE,
                "Minus random, points (90 %)": " ± ".join(points) or NONE,
                "Marks": flags_cell(found),
            }
        )
    return rows


def numbers_table(result: SweepResult, companions: Iterable[SweepResult]) -> Table:
    """Tabulate what else is known of a result, under the statistics' names."""
    found, statistics = verdict(result, companions), result.statistics_of(REDUCTION)
    numbers: dict[str, str] = {}
    if found.contrast:
        numbers["Shares of the seeds: standard deviation"] = num.decimals(found.contrast.seed_deviation, 3)
        numbers["Share minus random: standard error over examples"] = num.decimals(found.contrast.standard_error, 3)
        numbers["Layer that differs most from random"] = layer_cell(result, found)
    if gap := statistics.depth_gap if statistics else None:
        numbers["Depth gap D over all amounts"] = estimated(gap)
    metrics, intervals, since = result.frames[0].metrics, result.frames[0].intervals, no_lead_from(result)
    if (accuracy := metrics.get("accuracy")) is not None and (interval := intervals.get("accuracy")):
        numbers["Accuracy, unpruned"] = with_interval(accuracy, *interval, 2)
        numbers[f"Accuracy of {n.GUESSING}"] = num.decimals(majority_of(result, "accuracy"), 2)
        numbers["Accuracy is not shown to be above that from"] = NONE if since is None else n.amount_name(since)
    if known := result.working_range:
        title, broken = METRICS[known.metric].title, known.shown_broken_from
        numbers[f"{title} keeps 90 % of its advantage up to"] = NONE if known.to is None else n.amount_name(known.to)
        numbers["Its drop is statistically significant from"] = NONE if broken is None else n.amount_name(broken)
        numbers["Examples that both are judged on"] = str(known.examples)
        drop = smallest_drop(result)
        numbers["Smallest drop that they can show"] = NONE if drop is None else num.decimals(drop, 2)
    return [{"Number": name, "Value": value} for name, value in numbers.items()]


def beside_random(verdicts: Sequence[Verdict]) -> dict[str, str]:
    """Write the shares in the upper half and the verdict: of one beside its seeds, of several over the mean of each."""
    one = verdicts[0] if len(verdicts) == 1 else None
    shares = [found.share for found in verdicts if found.share is not None]
    means = [float(np.mean(found.control_shares)) for found in verdicts if found.control_shares]
    return {
        "In the upper half": num.percent(shares[0]) if one and shares else _mean_and_deviation(shares, len(verdicts)),
        "Random, mean ± SD": _mean_and_deviation(one.control_shares if one else means, len(verdicts)),
        "Verdict": verdict_cell(one) if one else counted(verdicts),
    }


def _mean_and_deviation(known: Sequence[float], count: int) -> str:
    """Write the mean of shares and their standard deviation in percentage points; a dash for fewer than two."""
    if len(known) < 2:
        return NONE
    part = f" ({len(known)} of {count})" if len(known) < count else ""
    return f"{num.percent(float(np.mean(known)))} ± {num.decimals(100 * float(np.std(known, ddof=1)), 0)}{part}"


def layer_cell(result: SweepResult, found: Verdict) -> str:
    """Write the layer that differs most from the mean of the control's seeds, by how much, and whether a seed does."""
    if not found.contrast or not found.method:
        return NONE
    profile, seeds = np.array(found.method.profile.value), np.array([seed.profile.value for seed in found.controls])
    differences, (_, p_value) = profile - seeds.mean(0), profile_distance(profile, seeds)  # (points,)
    layer = int(np.abs(differences).argmax())
    beyond = "beyond every seed" if p_value <= 1 / (len(seeds) + 1) else "within the seeds"
    return f"{n.point_names(result.points)[layer].label}: {differences[layer]:+.3f}, {beyond}".replace("-", "−")

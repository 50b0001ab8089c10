"""The words about several studies of cuts: what each criterion loses, and which beats random removal."""

from collections.abc import Mapping, Sequence

from core.findings.regret import Regrets, beyond_chance
from core.findings.words import NONE, with_interval
from core.findings.words.cut import CRITERION, points_words
from core.request.catalog import METRICS
from core.request.criteria import CRITERIA
from core.results.names import checkpoint_name, in_sentence, listed
from core.results.statistics import Estimate

BESIDE = "Better than random, over studies"  # the last row of the table


def regrets_said(rows: Sequence[Regrets]) -> str:
    """Say which criteria are shown to choose better, or worse, than the mean of random subsets; empty if none can."""
    found, count = beyond_chance(rows), len({row.study.key for row in rows if row.study.task.source != "written"})
    if not found:
        return ""
    named = {name: f"{in_sentence(CRITERIA[name])} ({points_words(gain)})" for name, gain in found.items()}
    better = listed([named[name] for name, gain in found.items() if gain.low > 0]) or "none"
    worse = listed([named[name] for name, gain in found.items() if gain.high < 0]) or "none"
    return f"Shown to choose better than random removal, over {count} studies: {better}; worse: {worse}."


def regrets_table(rows: Sequence[Regrets]) -> list[dict[str, str]]:
    """Tabulate by how much the measured choice is better than each criterion's, and what each gains over random."""
    beyond, found = beyond_chance(rows), list[dict[str, str]]()
    for row in rows:
        name = f"{checkpoint_name(row.study)} ({METRICS[row.study.task.main_metric].symbol})"
        found.append(
            {"Checkpoint": name, "Layers out": f"{row.fewer} of {row.study.checkpoint.num_layers}"} | _cells(row.of)
        )
    return [*found, {"Checkpoint": BESIDE, "Layers out": NONE} | _cells(beyond)] if beyond else found


def _cells(of: Mapping[str, Estimate]) -> dict[str, str]:
    """Write estimates in points, such as `4.6 (2.4 to 7.0)`, under the titles of all criteria."""
    return {
        title: with_interval(100 * of[name].value, 100 * of[name].low, 100 * of[name].high, 1) if name in of else NONE
        for name, title in CRITERION.items()
    }

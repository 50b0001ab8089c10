"""What studies of cuts lose by a criterion that measures less, over several studies: is any better than chance?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from core.findings.cut import RANDOM, picks_of
from core.findings.words import NONE, Table
from core.findings.words.cut import points_words, regret_cells
from core.request.catalog import METRICS
from core.request.criteria import CRITERIA
from core.results.cut import CutStudy
from core.results.names import checkpoint_name, in_sentence, listed
from core.results.statistics import Estimate
from core.sweep.control_contrast import margin_of_mean

SHARES = (1 / 6, 1 / 3, 1 / 2)  # of the layers that are out
BESIDE = "Better than random, over studies"  # the last row of the table


@dataclass(frozen=True)
class Regrets:
    """By how much the measured choice is better, with one number of layers out; of RANDOM, than the mean of subsets."""

    study: CutStudy
    fewer: int
    of: Mapping[str, Estimate]


def regrets_of(studies: Sequence[CutStudy]) -> list[Regrets]:
    """Return the regrets of each study where SHARES of its layers are out."""
    found = []
    for study in studies:
        picks = picks_of(study)
        for fewer in (round(share * study.checkpoint.num_layers) for share in SHARES):
            regrets = {pick.criterion: pick.regret for pick in picks if pick.fewer == fewer}
            found.append(Regrets(study, fewer, regrets))
    return found


def beyond_chance(rows: Sequence[Regrets]) -> dict[str, Estimate]:
    """Compute by how much each criterion's choices are better than the mean of random subsets, over studies.

    A study counts once, by its mean over the numbers of layers out. The interval is Student's t over studies, of which
    another checkpoint or task would be one more. Studies on written examples do not count; two are needed.
    """
    counted = [row for row in rows if row.study.task.source != "written"]
    found, n = dict[str, Estimate](), len({row.study.key for row in counted})
    for name in CRITERIA if n > 1 else ():
        gains = [row.of[RANDOM].value - row.of[name].value for row in counted]
        means = np.reshape(gains, (n, len(SHARES))).mean(1)  # (studies,)
        mean, margin = float(means.mean()), margin_of_mean(means)
        found[name] = Estimate(value=mean, low=mean - margin, high=mean + margin)
    return found


def regrets_said(rows: Sequence[Regrets]) -> str:
    """Say which criteria are shown to choose better, or worse, than the mean of random subsets."""
    found, count = beyond_chance(rows), len({row.study.key for row in rows if row.study.task.source != "written"})
    named = {name: f"{in_sentence(CRITERIA[name])} ({points_words(gain)})" for name, gain in found.items()}
    better = listed([named[name] for name, gain in found.items() if gain.low > 0]) or "none"
    worse = listed([named[name] for name, gain in found.items() if gain.high < 0]) or "none"
    return f"Shown to choose better than random removal, over {count} studies: {better}; worse: {worse}."


def regrets_table(rows: Sequence[Regrets]) -> Table:
    """Tabulate by how much the measured choice is better than each criterion's, and what each gains over random."""
    found = []
    for row in rows:
        name = f"{checkpoint_name(row.study)} ({METRICS[row.study.task.main_metric].symbol})"
        out = f"{row.fewer} of {row.study.checkpoint.num_layers}"
        found.append({"Checkpoint": name, "Layers out": out} | regret_cells(row.of))
    return [*found, {"Checkpoint": BESIDE, "Layers out": NONE} | regret_cells(beyond_chance(rows))]

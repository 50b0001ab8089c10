"""What a study of cuts loses by a criterion that measures less, over several studies: is any better than chance?"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.findings.cut import RANDOM, picks_of
from core.request.criteria import CRITERIA
from core.results.cut import CutStudy
from core.results.statistics import Estimate
from core.sweep.control_contrast import margin_of_mean

SHARES = (1 / 6, 1 / 3, 1 / 2)  # of the layers that are out


@dataclass(frozen=True)
class Regrets:
    """By how much the measured choice is better, with one number of layers out; of RANDOM, than the mean of subsets."""

    study: CutStudy
    fewer: int
    of: dict[str, Estimate]


def regrets_of(studies: Sequence[CutStudy], *, every: bool = False) -> list[Regrets]:
    """Return the regrets of each study where SHARES of its layers are out, or of every number of layers."""
    found = []
    for study in studies:
        depth, picks = study.checkpoint.num_layers, picks_of(study)
        for fewer in range(1, depth) if every else [round(share * depth) for share in SHARES]:
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

"""An extract of a result: what lists of results, and the picture of a whole grid, need to know about it.

It is a result with fewer numbers, a fifth as large or less, so that whatever describes a result describes its extract
too. A page about one result reads the result itself.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from threading import Lock

from cachetools import LRUCache, cached

from core.errors import PrunescopeError
from core.request.catalog import REDUCTION
from core.results import store
from core.results.fields import Row
from core.results.schema import SweepResult
from core.results.showable import load_showable
from core.results.statistics import LayerStatistics, ProfileAtDamage
from core.results.store import FileState
from core.wall.reading import Question, read_all

MOST_SHIPPED = 1000  # extracts in memory, 200 kB each


def extracts(files: Sequence[FileState]) -> dict[FileState, SweepResult | PrunescopeError]:
    """Return the extract of each result file, or why there is none.

    They are read in a limited child process: anybody may have put them there. Shipped ones are this program's own, and
    read here, once.
    """
    others = [file for file in files if Path(file.path).parent != store.SHIPPED_RESULTS]
    questions = [Question("extract", (os.path.abspath(file.path),), (Path(file.path).name,)) for file in others]
    answers = dict(zip(others, read_all(questions), strict=True))
    found: dict[FileState, SweepResult | PrunescopeError] = {}
    for file in files:
        try:
            match answers.get(file):
                case bytes(answer):
                    found[file] = SweepResult.model_validate_json(answer)
                case None:
                    found[file] = _shipped(file)
                case refusal:
                    found[file] = refusal
        except PrunescopeError as error:
            found[file] = error
    return found


@cached(LRUCache(MOST_SHIPPED), lock=Lock())
def _shipped(file: FileState) -> SweepResult:
    return extract_of(load_showable(Path(file.path)))


def extract_of(result: SweepResult) -> SweepResult:
    """Leave out what only a page about this result shows, and the checksum, which is that of the whole.

    What stays are the diagonal of CKA, and the statistics that verdicts and tables look at.
    """
    frames = []
    for frame in result.frames:
        own: dict[str, dict[str, Row | None]] = {measure: {} for measure in frame.similarity}
        own["cka"] = {REDUCTION: frame.own(REDUCTION)}
        frames.append(frame.model_copy(update={"similarity": own, "changed": None, "divergence": None}))
    statistics = {
        measure: {REDUCTION: _extracted(by_reduction[REDUCTION])}
        for measure, by_reduction in (result.statistics or {}).items()
        if REDUCTION in by_reduction
    }
    kept = {"frames": tuple(frames), "statistics": statistics or None}
    return result.model_copy(update={**kept, "floor": None, "checksum": ""})


def _extracted(known: LayerStatistics) -> LayerStatistics:
    profiles = {
        damage: profile.model_copy(update={"replicates": None}) if isinstance(profile, ProfileAtDamage) else profile
        for damage, profile in known.profile_at_damage.items()
    }
    left_out = {"own": None, "depth_gap": None, "own_replicates": None}
    return known.model_copy(update={"profile_at_damage": profiles, **left_out})

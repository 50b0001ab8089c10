"""An extract of a result: what lists of results, and the picture of a whole grid, need to know about it.

It is a result with fewer numbers, a fifth as large or less, so that whatever describes a result describes its extract
too. A page about one result reads the result itself.
"""

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from threading import Lock

from cachetools import LRUCache, cached
from platformdirs import user_cache_path

from core.errors import PrunescopeError
from core.request.catalog import REDUCTION
from core.results import store
from core.results.digest import digest
from core.results.fields import Row
from core.results.schema import SweepResult
from core.results.showable import load_showable
from core.results.statistics import LayerStatistics, ProfileAtDamage
from core.results.store import FileState, write_atomically
from core.wall.reading import Question, read_all

MOST_SHIPPED = 1000  # extracts in memory, 200 kB each
VERSION = 1  # of what an extract holds


def extracts(files: Sequence[FileState]) -> dict[FileState, SweepResult | PrunescopeError]:
    """Return the extract of each result file, or why there is none.

    They are read in a limited child process: anybody may have put them there. Shipped ones are this program's own, and
    read here, once an installation.
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
    """Return a shipped result's extract from the user's cache: to read the whole result takes eight times as long."""
    kept = user_cache_path("prunescope") / "extracts" / f"{digest([VERSION, *file])}.json"
    with suppress(OSError, ValueError):
        return SweepResult.model_validate_json(kept.read_bytes())
    extract = extract_of(load_showable(Path(file.path)))
    with suppress(OSError):
        kept.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(kept, extract.model_dump_json())
    return extract


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

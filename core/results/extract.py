"""An extract of a result: what lists of results, and the picture of a whole grid, need to know about it.

It is a result with fewer numbers, a fifth as large or less, so that whatever describes a result describes its extract
too. Extracts are kept (`core.results.file_cache`), and hundreds of files need not be read again after a start. A page
about one result reads the result itself, whose checksum is verified then.
"""

import os
import zlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Lock

from cachetools import LRUCache
from pydantic import ValidationError

from core.errors import PrunescopeError
from core.request import catalog
from core.request.amounts import amount_text
from core.request.catalog import DAMAGE, REDUCTION, SECOND_DAMAGE
from core.results import schema, showable, store
from core.results.file_cache import FileState, keep, kept, state_of
from core.results.schema import Frame, LayerStatistics, NotAtDamage, SweepResult, bytes_of
from core.results.showable import check_showable
from core.wall.reading import Question, read_all

DAMAGES = (amount_text(DAMAGE), amount_text(SECOND_DAMAGE))  # at which verdicts and tables look
MOST_BYTES = 96 * 2**20  # of the extracts that are at hand; a thousand take two thirds of that
AT_ONCE = 64  # files that are read before their extracts are kept
_SOURCES = (__file__, schema.__file__, showable.__file__, catalog.__file__)  # with other code, others are kept
VERSION = zlib.crc32(b"".join(Path(source).read_bytes() for source in _SOURCES)) >> 1  # SQLite's has a sign


def extracts(files: Sequence[FileState]) -> Iterator[tuple[FileState, SweepResult | PrunescopeError]]:
    """Yield the extract of each result file, or why there is none.

    Those of which no extract is kept are read in a limited child process: anybody may have put them there. Shipped
    ones are this program's own, and read here, which is faster.
    """
    for start in range(0, len(files), AT_ONCE):
        some = files[start : start + AT_ONCE]
        known = {file: extract for file, packed in kept(some, VERSION).items() if (extract := _unpacked(packed))}
        unknown = [file for file in some if file not in known]
        fresh: dict[FileState, bytes] = {}
        refused: dict[FileState, PrunescopeError] = {}
        for file, answer in _read(unknown):
            if isinstance(answer, PrunescopeError):
                refused[file] = answer
            else:
                fresh[file] = _packed(answer)
        if fresh:
            keep(fresh, VERSION)
        known |= {file: extract for file, packed in fresh.items() if (extract := _unpacked(packed))}
        yield from ((file, refused.get(file) or known[file]) for file in some)


def _read(files: Sequence[FileState]) -> Iterator[tuple[FileState, bytes | PrunescopeError]]:
    shipped = [file for file in files if Path(file.path).parent == store.SHIPPED_RESULTS]
    others = [file for file in files if file not in shipped]
    for file in shipped:
        try:
            yield file, read_extract(Path(file.path)).model_dump_json().encode()
        except PrunescopeError as error:
            yield file, error
    questions = [Question("extract", (os.path.abspath(file.path),), (Path(file.path).name,)) for file in others]
    yield from zip(others, read_all(questions), strict=True)


def extract_of(result: SweepResult) -> SweepResult:
    """Leave out what only a page about this result shows, and the checksum, which is that of the whole."""
    statistics = {
        measure: {REDUCTION: _extracted(by_reduction[REDUCTION])}
        for measure, by_reduction in (result.statistics or {}).items()
        if REDUCTION in by_reduction
    }
    frames = tuple(
        frame.model_copy(update={"similarity": _own(frame), "changed": None, "divergence": None})
        for frame in result.frames
    )
    left_out = {"floor": None, "checksum": ""}
    return result.model_copy(update={"frames": frames, "statistics": statistics or None, **left_out})


def _own(frame: Frame) -> dict[str, dict[str, schema.Row | None]]:
    """Return the diagonal of CKA; of other measures their names."""
    return {measure: {REDUCTION: frame.own(REDUCTION)} if measure == "cka" else {} for measure in frame.similarity}


def _extracted(known: LayerStatistics) -> LayerStatistics:
    gaps = {damage: gap for damage, gap in known.gap_at_damage.items() if damage in DAMAGES}
    profiles = {
        damage: profile if isinstance(profile, NotAtDamage) else profile.model_copy(update={"replicates": None})
        for damage, profile in known.profile_at_damage.items()
        if damage in DAMAGES
    }
    left_out = {"own": None, "depth_gap": None, "own_replicates": None}
    return known.model_copy(update={"gap_at_damage": gaps, "profile_at_damage": profiles, **left_out})


def read_extract(path: Path) -> SweepResult:
    """Read a result file, and extract what lists need.

    Raises:
        PrunescopeError: It is none, or one that no page can show.
    """
    result = store.load(path)
    check_showable(result, path.name)
    return extract_of(result)


def keep_extract(path: Path, result: SweepResult) -> None:
    """Keep the extract of a result that was just stored: it need not be read again to be listed."""
    keep({state_of(path): _packed(extract_of(result).model_dump_json().encode())}, VERSION)


def _packed(extract: bytes) -> bytes:
    return zlib.compress(extract, 1)


_extracts: LRUCache[bytes, SweepResult] = LRUCache(MOST_BYTES, getsizeof=bytes_of)
_lock = Lock()


def _unpacked(content: bytes) -> SweepResult | None:
    """Return a kept extract; None if it is damaged. A list reads them first, the picture of the whole grid again."""
    with _lock, suppress(KeyError):
        return _extracts[content]
    try:
        extract = SweepResult.model_validate_json(zlib.decompress(content))
    except (zlib.error, ValidationError):
        return None
    with _lock, suppress(ValueError):  # it is larger than all that may be there
        _extracts[content] = extract
    return extract

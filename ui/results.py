"""Results on a page: list the available ones, open a visitor's own, read each file once for all, who only look."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from threading import Lock
from typing import TypeVar

import streamlit as st
from cachetools import LRUCache, cached

from core.errors import PrunescopeError
from core.findings.choices import companions, methods_beside
from core.findings.comparable import same_checkpoint
from core.request.limits import is_hosted, limits
from core.results import library, store
from core.results.cut import CutStudy, Result, study_in, sweep_in
from core.results.fields import bytes_of
from core.results.library import CutEntry, Entry
from core.results.once import once
from core.results.schema import SweepResult
from ui.address import set_parameter, show
from ui.text import plain, refusals_shown

E = TypeVar("E", Entry, CutEntry)
R = TypeVar("R", bound=Result)
COMPUTED = "computed-results"  # of the session: keys, the newest first
MOST_BYTES = 400 * 2**20  # of results in memory
SMALL_BYTES = 2 * 2**20  # of a file that is read here; larger ones may come from anywhere, and take too much memory
MAX_KEPT = 4  # results of one visit on a hosted server, whose memory all visitors share
OPENED_BYTES = 64 * 2**20  # of the results of all visits together there; one of twelve layers takes 2 MiB
RESULT_BYTES = 24 * 2**20  # of one of them: to draw more, the server would keep other visitors waiting
KEPT = "uploaded-results"  # of the session: key -> checksum
# Hosted, by checksum, which covers everything in a file.
_opened: LRUCache[str, Result] = LRUCache(OPENED_BYTES, getsizeof=bytes_of)
_lock = Lock()


def show_upload(*, study: bool = False) -> None:
    """Let a visitor open a result file; the address names it from then on.

    Args:
        study: Whether it is to be a study of cuts, not a sweep.
    """
    where = "kept for this visit only" if is_hosted() else "kept among your results"
    st.file_uploader(
        "Open a result file",
        type="json",
        key="upload",
        max_upload_size=limits().upload_bytes // 2**20,
        help=f"A JSON file that Prunescope wrote, here or elsewhere; it is checked, and {where}.",
        on_change=_open,
        args=(study,),
    )


def _open(study: bool) -> None:
    """Open the file that was chosen; what is refused stands at the top of the page."""
    if file := st.session_state["upload"]:
        with refusals_shown():
            key = keep((study_in if study else sweep_in)(store.open_upload(file.getvalue(), file.name), file.name))
            set_parameter("job", None)  # which would be shown in its place; its page leads back to a run that goes on
            (partial(set_parameter, "study") if study else show)(key)


def keep(result: Result) -> str:
    """Keep a checked result where pages find it; return its key. A bundled result is never replaced.

    Args:
        result: From `core.results.store.open_upload`.

    Raises:
        PrunescopeError: The user's folder cannot be written, or the result is too large to keep it for a visit.
    """
    if store.is_shipped(result.key):
        return result.key
    if is_hosted():
        if bytes_of(result) > RESULT_BYTES:
            raise PrunescopeError(
                f"this result takes {bytes_of(result) / 2**20:,.0f} MiB of memory, at most {RESULT_BYTES // 2**20} "
                "are allowed here: open it on your own computer"
            )
        with _lock:
            _opened[result.checksum] = result
        known = [item for item in st.session_state.get(KEPT, {}).items() if item[0] != result.key]
        st.session_state[KEPT] = dict([*known, (result.key, result.checksum)][-MAX_KEPT:])
    else:
        store.save(result)
    return result.key


def kept() -> dict[str, Result]:
    """Return the results that this visit alone has opened, by key; others may have taken the place of some."""
    visit = st.session_state.get(KEPT, {})
    with _lock:
        return {key: _opened[checksum] for key, checksum in visit.items() if checksum in _opened}


@cached(LRUCache(MOST_BYTES, bytes_of), lambda path: (path, path.is_file() and path.stat().st_mtime_ns), Lock())
def loaded(path: Path) -> Result:
    """Read a result file of either kind, once as long as it does not change.

    Raises:
        PrunescopeError: It is missing, malformed or damaged, or no page can show it.
    """
    is_small = path.suffix != ".gz" and path.is_file() and path.stat().st_size <= SMALL_BYTES
    is_safe = is_small or path.parent == store.SHIPPED_RESULTS
    return store.load_any(path) if is_safe else store.load_confined(path, path.name)


def at_hand() -> tuple[Entry, ...]:
    """List the available results: shipped, opened in this visit, the visitor's own; warn about a damaged manifest."""
    opened = (once(library.entry_of, result) for result in kept().values() if isinstance(result, SweepResult))
    return (*shipped_results(), *opened, *own_results())


def studies_at_hand() -> tuple[CutEntry, ...]:
    """List the available studies of cuts; see `at_hand`."""
    opened = [once(library.entry_of, study) for study in kept().values() if isinstance(study, CutStudy)]
    if is_hosted():
        own = tuple(once(library.entry_of, study) for study in _computed() if isinstance(study, CutStudy))
    else:
        own = library.own(CutEntry)
    return (*_shipped(CutEntry), *opened, *own)


def shipped_results() -> tuple[Entry, ...]:
    """List the shipped results; warn if their manifest is damaged."""
    return _shipped(Entry)


def _shipped(kind: type[E]) -> tuple[E, ...]:
    try:
        return library.shipped(kind)
    except PrunescopeError as error:
        st.warning(plain(str(error)))
        return ()


def own_results() -> tuple[Entry, ...]:
    """List the visitor's own results, the newest first.

    Hosted, all visitors' results lie in one folder: a visitor sees those that this visit has computed.
    """
    if not is_hosted():
        return library.own(Entry)
    return tuple(once(library.entry_of, result) for result in _computed() if isinstance(result, SweepResult))


def _computed() -> Iterator[Result]:
    """Read what this visit has computed, of both kinds."""
    for key in st.session_state.get(COMPUTED, []):
        if store.find(key) and not store.is_shipped(key) and (found := _read(key, lambda result, name: result)):
            yield found


def note_computed(key: str) -> None:
    """Note that this visitor has seen a run end in the result of that key."""
    before = [known for known in st.session_state.get(COMPUTED, []) if known != key]
    st.session_state[COMPUTED] = [key, *before]


def by_key(key: str) -> SweepResult | None:
    """Read a stored sweep; where it is missing, damaged or a study, show the error and return None."""
    return _read(key, sweep_in)


def study_by_key(key: str) -> CutStudy | None:
    """Read a stored study of cuts; where it is missing, damaged or a sweep, show the error and return None."""
    return _read(key, study_in)


def _read(key: str, of_kind: Callable[[Result, str], R]) -> R | None:
    path, name = store.find(key), f"the result {key[:12]}…"
    with refusals_shown():
        if key in kept():
            return of_kind(kept()[key], name)
        if path is None:
            raise PrunescopeError(f"{name} is not stored here: recompute it, or choose another one")
        return of_kind(loaded(path), name)
    return None


def companions_of(result: SweepResult, entries: Sequence[Entry]) -> list[SweepResult]:
    """Read the available results that another is judged beside: see `core.findings.choices.companions`.

    Hosted, they may have been computed in another visit: a link that leads to a result leads to its verdict.
    """
    return read_beside(companions, result, _judging(entries))


def own_methods(result: SweepResult) -> list[SweepResult]:
    """Read a visitor's own whole sweep with those of other methods, measured like it at its amounts, else nothing.

    Hosted, whoever has a link to one of them, as after a reload, has them all: see `companions_of`.
    """
    own = {entry.key: entry for entry in _judging(own_results())}
    if result.key not in own:
        return []
    alike = read_beside(methods_beside, result, [own[result.key], *own.values()])
    like_it = [method for method in alike if same_checkpoint(method, result) and method.amounts == result.amounts]
    return like_it if result in alike else []


def _judging(entries: Sequence[Entry]) -> Sequence[Entry]:
    """Return the available results, and on a hosted server all others that are stored there."""
    return [*{entry.key: entry for entry in (*entries, *library.own(Entry))}.values()] if is_hosted() else entries


def read_beside(
    choose: Callable[[Entry, Sequence[Entry]], Iterable[Entry]], result: SweepResult, entries: Sequence[Entry]
) -> list[SweepResult]:
    """Read those results that are chosen for another one: see `core.findings.choices`."""
    found = (by_key(entry.key) for entry in choose(once(library.entry_of, result), entries))
    return [result for result in found if result is not None]

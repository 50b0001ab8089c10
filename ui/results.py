"""List the available results, open, show and delete a visitor's own, and cache each file."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Any

import streamlit as st
from cachetools import LRUCache, cached

from core.errors import PrunescopeError
from core.findings.choices import companions, methods_beside, trained_of
from core.findings.comparable import same_checkpoint
from core.findings.words.choices import distinguishing_labels
from core.findings.words.grid import GridRow, grid_rows
from core.jobs.job import Job
from core.request.limits import is_hosted, limits
from core.results import library, store
from core.results.cut import R, Result, of_kind
from core.results.fields import bytes_of
from core.results.library import TRAINED, AnyEntry, Entry, entry_of
from core.results.schema import Computed, SweepResult
from ui.address import link_to, set_parameter, show
from ui.jobs import follow, visitor
from ui.text import plain, refusals_shown, remark

# session key: the keys of the results that this visit has computed
COMPUTED = "computed-results"
UPLOAD_HELP = (
    "A JSON file that Prunescope wrote, here or elsewhere; it is checked, and kept among your "
    "results."
)
MAX_LISTED = 12  # of the visitor's own results
# The kinds of results, by the parameter that names one.
KINDS: Mapping[str, Any] = {
    "result": SweepResult,
    "other": SweepResult,
    **{subject: kind for subject, (_, kind) in TRAINED.items()},
}
MOST_BYTES = 400 * 2**20  # of results in memory
# Later visitors wait for the same rows: fifty who all read them at once would stall the server.
_reading_rows = Lock()


def show_upload(subject: str = "result") -> None:
    """Let a user open a result file, which is kept among their results; a hosted server opens none.

    Args:
        subject: The parameter that names what the page is about.
    """
    if is_hosted():
        return
    with st.expander("Open a result file", key="open-result", icon=":material/upload_file:"):
        st.file_uploader(
            "Open a result file",
            type="json",
            key="upload",
            max_upload_size=limits().upload_bytes // 2**20,
            help=UPLOAD_HELP,
            on_change=_open,
            args=(subject,),
        )


def _open(subject: str) -> None:
    """Open the chosen file; a refusal stands at the top of the page."""
    file = st.session_state["upload"]
    if file:
        with refusals_shown():
            result = store.open_upload(file.getvalue(), file.name)
            of_kind(KINDS[subject], result, file.name)
            if not store.is_shipped(result.key):
                store.save(result)
            # The Lab would show it instead, and leads back to a run that goes on.
            set_parameter("job", None)
            (partial(set_parameter, subject) if subject in TRAINED else show)(result.key)


@cached(
    LRUCache(MOST_BYTES, bytes_of),
    lambda path, holder: (path, path.is_file() and path.stat().st_mtime_ns),
    Lock(),
)
def loaded(path: Path, holder: str) -> Result:
    """Read a result file of either kind; the answer is cached until the file changes.

    Args:
        path: The file.
        holder: The name under which a visitor takes turns.

    Raises:
        BusyError: Too many files are being read, or this one was not read in time.
        PrunescopeError: It is missing, malformed or damaged, or no page can show it.
    """
    return store.load_safely(path, holder=holder)


def at_hand() -> tuple[Entry, ...]:
    """List the available results: the shipped ones, the visitor's own, and those of a link."""
    linked = {st.query_params.get("result"), st.query_params.get("other")}
    others = [entry for entry in library.own(Entry) if entry.key in linked]
    available = (*shipped(Entry), *own_results(Entry), *others)
    return tuple({entry.key: entry for entry in available}.values())


def trained_at_hand(subject: str) -> tuple[Any, ...]:
    """List the available studies of cuts or recoveries, by parameter; no controls."""
    kind, _ = TRAINED[subject]
    return tuple(entry for entry in (*shipped(kind), *own_results(kind)) if not entry.is_control)


def shipped(kind: type[AnyEntry]) -> tuple[AnyEntry, ...]:
    """List the shipped results of a kind; warn if their manifest is damaged."""
    try:
        return library.shipped(kind)
    except PrunescopeError as error:
        st.warning(plain(str(error)))
        return ()


def own_results(kind: type[AnyEntry]) -> tuple[AnyEntry, ...]:
    """List the visitor's own results of a kind, the newest first.

    On a hosted server all visitors' results lie in one folder, and a visitor sees those that this
    visit has computed.
    """
    computed = st.session_state.get(COMPUTED, ())
    return tuple(entry for entry in library.own(kind) if not is_hosted() or entry.key in computed)


def note_computed(*keys: str) -> None:
    """Note which results this visit has computed."""
    st.session_state.setdefault(COMPUTED, set()).update(keys)


def read_trained(result: SweepResult) -> dict[str, Any]:
    """Read what was trained of a result's model: see `core.findings.choices.trained_of`."""
    listed = {subject: trained_at_hand(subject) for subject in TRAINED}
    return trained_of(result, listed, lambda entry: read_stored(entry.key, Computed))


def show_training(
    job: Job,
    subject: str,
    title: str,
    draw: Callable[[Job], None],
) -> bool:
    """Show a job that trains models; put its result on show once it is stored.

    Args:
        job: The job.
        subject: The parameter that names its result.
        title: The heading while it runs.
        draw: Draws what is known so far.

    Returns:
        Whether it is alive.
    """
    if job.key:
        note_computed(job.key)
        set_parameter(subject, job.key)
        set_parameter("job", None)
        st.rerun()
    if job.ended:
        (st.error if job.state == "failed" else st.info)(plain(job.message))
        draw(job)
    else:
        st.title(title, anchor=False)
        follow(job, draw)
    return not job.ended


def read_stored(key: str, kind: type[R]) -> R | None:
    """Read a stored result; show an error and return None if there is none of this kind."""
    with refusals_shown():
        return of_kind(
            kind,
            loaded(store.file_of(key), visitor().holder),
            f"the result {key[:12]}…",
        )
    return None


def companions_of(result: SweepResult) -> list[SweepResult]:
    """Read the available results that another is judged beside."""
    return read_all(companions(entry_of(result), judging(at_hand())))


def own_methods(result: SweepResult) -> list[SweepResult]:
    """Read a visitor's own sweep and those of other methods measured alike; else nothing.

    On a hosted server a link to one of them, as after a reload, leads to all: see `judging`.
    """
    own = {entry.key: entry for entry in judging(own_results(Entry))}
    if result.key not in own:
        return []
    entries = [own[result.key], *own.values()]
    alike = read_all(methods_beside(entry_of(result), entries))
    if result not in alike:
        return []
    return [
        method
        for method in alike
        if same_checkpoint(method, result) and method.amounts == result.amounts
    ]


def judging(entries: Sequence[Entry]) -> Sequence[Entry]:
    """Return the results that a verdict may use, on a hosted server also those of other visits.

    So a link to a result leads to its verdict.
    """
    if not is_hosted():
        return entries
    by_key = {entry.key: entry for entry in (*entries, *library.own(Entry))}
    return [*by_key.values()]


def read_all(entries: Iterable[Entry]) -> list[SweepResult]:
    """Read results; show an error for each unreadable one."""
    return [*filter(None, (read_stored(entry.key, SweepResult) for entry in entries))]


# ---------------------------------------------------------------- the visitor's own in the Lab


def show_history(on_show: str | None) -> None:
    """List the newest results, folded away; the other pages have the rest.

    Args:
        on_show: The key of the result on the page, which is marked.
    """
    entries = own_results(Entry)
    with st.expander(
        f"Your results ({len(entries)})",
        key="lab-history-box",
        icon=":material/history:",
    ):
        if is_hosted():
            remark(
                "This visit's results only. Download those you need; they are lost when the server "
                "restarts."
            )
        else:
            files = library.unreadable()
            if files:
                reasons = "".join(f"\n- {plain(reason)}" for reason in files[:5])
                st.warning(f"{len(files)} of the files in your folder cannot be shown:{reasons}")
            remark(
                "Finished runs are saved as files in this folder, which the other pages read as "
                "well:"
            )
            st.code(str(store.user_folder()), language=None, wrap_lines=True)
        labels = distinguishing_labels(entries)
        for entry in entries[:MAX_LISTED]:
            with st.container(horizontal=True, vertical_alignment="center"):
                mark = " · on show" if entry.key == on_show else ""
                label = f"{plain(labels[entry.key])} · {plain(entry.created_at[:10])}{mark}"
                link_to("Lab", label, ":material/open_in_new:", result=entry.key, job="")
                if not is_hosted():
                    _offer_deletion(entry.key)


def _offer_deletion(key: str) -> None:
    with st.popover("Delete", key=f"lab-delete-{key}", type="tertiary"):
        st.markdown("This deletes the file for good.")
        if st.button("Delete this result", key=f"lab-deleted-{key}"):
            with refusals_shown():
                library.delete_own(key)
                for name in ("result", "other"):
                    if st.query_params.get(name) == key:
                        set_parameter(name, None)
                st.rerun()


# ---------------------------------------------------------------- all results in a table


def rows_of(entries: Sequence[Entry]) -> list[GridRow]:
    """Return results as rows of a grid, each judged beside the others of its place."""
    places = defaultdict(list)
    for entry in entries:
        if path := store.find(entry.key):
            places[entry.checkpoint, entry.fingerprint].append(store.state_of(path))
    rows: list[GridRow] = []
    with _reading_rows:
        for files in places.values():
            extracts = library.extracts(files).items()
            sweeps = {file: sweep for file, sweep in extracts if isinstance(sweep, SweepResult)}
            rows += _rows(sweeps)
    return rows


@cached(LRUCache(1024), tuple)  # places, each about as large as one result
def _rows(sweeps: Mapping[store.FileState, SweepResult]) -> tuple[GridRow, ...]:
    """Describe the results of one place, again only when one of its files has changed or is new."""
    return tuple(grid_rows([*sweeps.values()]))

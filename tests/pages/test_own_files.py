"""A table that a visitor uploads to a shared server is read for that visit alone, and nothing that others see names it.

Two visits share a server with the real worker: the owner has run on a table, and the thief knows everything about that
run, even what no page says, the table's secret name.
"""

import hashlib
import json
import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

import core.worker
from core.charts.overview import result_scene
from core.errors import PrunescopeError
from core.exports.figure import figure_of
from core.exports.model_card import model_card
from core.exports.notebook import NotebookResult
from core.exports.player_page import player_page
from core.exports.shown_numbers import shown_csv
from core.exports.tables import file_name, metrics_csv, result_json, similarity_csv
from core.inputs import uploads
from core.jobs.job import Job
from core.jobs.queue import JobQueue
from core.request.sweep_request import OWN, SweepRequest, checked
from core.results import store
from core.results.extract import extract_of
from core.results.names import result_name
from core.results.provenance import recipe, request_of
from core.results.schema import FileRecord, SweepResult
from tests.builders import make_result, make_result_of, ship, with_own_key
from tests.opened import address, errors, fill, labels, open_page, press, run, told
from tests.queues import PATIENCE, ended, install, now
from ui.controls import RUN as RUN_CONTROL
from ui.header import PAGES

pytestmark = pytest.mark.long  # together: to start a real worker takes seconds

LAB = "pages/lab.py"
NAME, THEIRS = "salaries-of-jane-doe.csv", "own-file.csv"
TABLE = "remark,mood\n" + "".join(
    f"my salary of {k} pounds is {'fine,positive' if k % 2 else 'poor,negative'}\n" for k in range(24)
)
TEXT = "my salary of"
DIGEST = hashlib.sha256(TABLE.encode()).hexdigest()
REFUSED = "this file was chosen in another visit: choose it again to run on it"
NEEDED = "Your file needs a text column and a label column"
UNDECIDED = "Choose your file and say what is in it"
RECOMPUTE, CHECK = "Recompute and replace this result", "Check this frame"
WORK = {RECOMPUTE, CHECK, RUN_CONTROL, "Save checkpoint"}  # buttons that read the table
WRITTEN = SweepRequest("embedded:sst2", "sst2", data="written", amounts=(0.0, 0.5), num_examples=8)


class NotingQueue(JobQueue):
    """The queue, in front of the real worker; it notes what is said on both sides."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []  # of the worker
        self.orders: list[str] = []

    def _on_line(self, line: str) -> None:
        self.lines.append(line)
        super()._on_line(line)

    def jobs(self) -> dict[str, str]:
        """The orders of all jobs, by id."""
        with self._changed:
            return {job_id: json.dumps(entry.orders[0]) for job_id, entry in self._entries.items()}

    @contextmanager
    def held(self) -> Iterator[None]:
        """Holds the worker, idle before, and lets it go on."""
        self.rest()
        worker = self._worker.child
        assert worker
        os.kill(worker.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(worker.pid, signal.SIGCONT)
        self.rest()

    def rest(self) -> None:
        """Waits until the worker has nothing to do."""
        until = time.monotonic() + PATIENCE
        while self._running or self._waiting:  # nobody is told that a cancelled job has been dropped
            assert time.monotonic() < until
            time.sleep(0.01)


@dataclass
class Server:
    """A shared server after the owner's first run.

    Attributes:
        queue: Its queue.
        owner: The Lab, as the owner sees it.
        read: The uploaded tables that pages have looked up, by their secret names.
        request: What the owner ran.
        result: What it gave.
        job: Its job.
    """

    queue: NotingQueue
    owner: AppTest
    read: list[str]
    request: SweepRequest = WRITTEN
    result: SweepResult = field(default_factory=make_result)
    job: str = ""

    @property
    def visit(self) -> str:
        """The owner's token."""
        return str(self.owner.session_state["visitor"])

    @property
    def data(self) -> str:
        """The secret name of the owner's table."""
        return str(self.request.data)

    @property
    def secret(self) -> str:
        """Its second half."""
        return self.data.removeprefix(OWN)[32:]

    @property
    def place(self) -> Path:
        """Where it lies."""
        half = self.data.removeprefix(OWN)[:32]
        return Path(os.environ["XDG_CACHE_HOME"], "prunescope", "own", half, self.secret, DIGEST, NAME)

    def finish(self, page: AppTest) -> Job:
        """Waits for the end of the run that the page has started; the page then shows it."""
        assert not errors(page)
        self.job = [job_id for job_id, order in self.queue.jobs().items() if json.loads(order)["op"] == "run"][-1]
        job = ended(self.queue, self.job)
        assert job.state == "done", job.message
        run(page)
        return job

    def private(self, text: str) -> list[str]:
        """What of the owner's table a text gives away: its names, its digest or the beginning of it, its texts."""
        return [secret for secret in (Path(NAME).stem, DIGEST[:12], self.secret, TEXT) if secret in text]

    @contextmanager
    def reads_nothing(self) -> Iterator[None]:
        """Sees that inside nothing has the owner's table read, and nothing new is computed but estimates elsewhere."""
        orders, jobs, files = len(self.queue.orders), self.queue.jobs(), results()
        self.read.clear()
        yield
        new = self.queue.jobs().items() - jobs.items()
        assert not [order for order in self.queue.orders[orders:] if self.secret in order or NAME in order]
        assert {json.loads(order)["op"] for _, order in new} <= {"estimate"}, "no job"
        assert not [order for _, order in new if self.secret in order]
        assert not self.read, "no page has looked for a table"
        assert results() == files


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, quick_pages: None) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("server")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PRUNESCOPE_HOSTED", "1")
        patch.setenv("PRUNESCOPE_RESULTS", str(folder / "own"))
        patch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
        patch.setattr("core.results.store.SHIPPED_RESULTS", folder / "results")
        patch.setattr("ui.player.FIRST_PICTURE_SECONDS", 0)
        ship(folder / "results", make_result(), make_result(task="cola"))
        queue, read = NotingQueue(), list[str]()
        patch.setattr(queue._worker, "send", noting(queue._worker.send, queue.orders, json.dumps))
        patch.setattr(uploads, "find", noting(uploads.find, read, str))
        install(queue, patch)
        try:
            found = Server(queue, open_page(LAB), read)
            page = fill(found.owner, {"data-True": "own sentences", "step": "list"})
            page.file_uploader(key="lab-upload").set_value((NAME, TABLE.encode(), "text/csv"))
            job = found.finish(press(fill(page, {"examples": 8, "amounts": "0.3, 0.6"}), "Run"))
            path = store.find(job.key or "")
            assert job.request
            assert path
            found.request, found.result = job.request, store.load(path)
            yield found
        finally:
            queue.close()


def noting(call: Callable[[Any], Any], notes: list[str], words: Callable[[Any], str]) -> Callable[[Any], Any]:
    """The call, which notes in words what it is given."""

    def noted(given: Any) -> Any:
        notes.append(words(given))
        return call(given)

    return noted


def results() -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in store.user_folder().iterdir()}


def everything(page: AppTest) -> str:
    """All that a page sends to the browser."""
    return "\n".join(str(getattr(node, "proto", "")) for node in page._tree)


def chosen(page: AppTest, content: str) -> AppTest:
    """Opens a result file."""
    page.file_uploader(key="upload").set_value(("forged.json", content.encode(), "application/json"))
    return run(page)


# ---------------------------------------------------------------- the owner


def test_the_owner_can_compute_it_again_have_it_checked_and_change_its_settings(server: Server) -> None:
    assert (server.data[:4], len(server.data)) == (OWN, 68)
    assert len(server.result.task.examples) == 8
    assert server.place.read_text() == TABLE
    page, own = server.owner, everything(server.owner)
    assert address(page)["result"] == server.result.key
    assert server.private(own) == [TEXT], "the owner sees their texts, to say what they mean, and no name"
    assert server.private(everything(open_page(LAB, result=server.result.key))) == []
    twin = uploads.keep(NAME, TABLE.encode(), "twin")
    assert twin != server.data
    job = ended(server.queue, server.queue.submit(replace(server.request, data=twin), "twin"))
    assert job.key == server.result.key, "another visit has run on the same table"
    before = results()
    job = server.finish(press(page, RECOMPUTE))
    assert job.key == server.result.key
    assert results() != before
    press(page, CHECK)
    server.queue.rest()
    assert [note.value for note in run(page).success]
    assert "The file that you chose last is used again." in told(page)
    job = server.finish(press(fill(page, {"method": "random", "seed": 7}), "Run"))
    assert job.request == replace(server.request, method="random", control_of="magnitude", seed=7)


# ---------------------------------------------------------------- a result file


def forged(result: SweepResult, **task: object) -> SweepResult:
    """The result with other examples and another seed, under the key and the checksum that follow."""
    pruning = result.pruning.model_copy(update={"seed": 99})
    return with_own_key(result, task=result.task.model_copy(update=task), pruning=pruning)


FORGERIES: Mapping[str, tuple[Callable[[str], dict[str, object]], str]] = {
    "data": (lambda own: {"data": own}, "task.data"),
    "data without a split": (lambda own: {"data": own, "split": ""}, "task.data"),
    "data on the Hub": (lambda own: {"data": f"hub:{own}"}, "task.data"),
    "data without columns": (lambda own: {"data": own, "columns": None, "files": None}, "task.data"),
    "the source's name": (lambda own: {"source_name": own}, ""),
    "the file's name": (lambda own: {"files": (FileRecord(name=own, rows=(0, 24)),)}, ""),
    "the split": (lambda own: {"split": own, "files": None}, ""),
    "a folder": (lambda own: {"source": "folder", "source_name": own}, ""),
    "a meaning": (lambda own: {"label_map": {own: "positive"}}, ""),
}


@pytest.mark.parametrize("place", FORGERIES)
def test_a_forged_result_file_leads_to_no_run(server: Server, place: str) -> None:
    change, refused = FORGERIES[place]
    fake = forged(server.result, **change(server.data))
    with server.reads_nothing():
        thief = chosen(open_page(LAB), result_json(fake))
        if refused:
            (error,) = errors(thief)
            assert error.startswith(f"forged.json is not a valid result: {refused}: ")
            assert "\n" not in error
            assert "result" not in address(thief)
        else:
            assert address(thief)["result"] == fake.key
            assert "whose location is not recorded" in told(thief)
        assert not labels(thief) & WORK


def test_a_forged_result_that_got_past_the_check_of_its_file_leads_to_no_run(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = forged(server.result, data=server.data, split="")
    monkeypatch.setattr("ui.upload.open_upload", lambda content, name: fake)
    with server.reads_nothing():
        page = chosen(open_page(LAB), "{}")
        for label in (RECOMPUTE, RUN_CONTROL):
            assert errors(press(page, label)) == [REFUSED]
            assert "job" not in address(page)
        assert errors(press(page, "Run")) == [UNDECIDED]


def test_a_forged_result_that_was_stored_is_not_read(server: Server) -> None:
    fake = forged(server.result, data=server.data)
    path = store.save(fake)
    with server.reads_nothing():
        page = open_page(LAB, result=fake.key)
        assert any("is not a valid result: task.data" in error for error in errors(page))
        assert not labels(page) & WORK
    job = ended(server.queue, server.queue.ask("verify", "thief", key=fake.key, amount=0.3))
    path.unlink()
    assert job.state == "failed"
    assert "is not a valid result: task.data" in job.message


# ---------------------------------------------------------------- links to the owner's result and runs


def other_model(page: AppTest) -> None:
    fill(page, {"checkpoint": "embedded:cola", "data-True": "own sentences"})


def model_on_the_hub(page: AppTest) -> None:
    sst2 = {"checkpoint": "other checkpoint", "task-other checkpoint": "sst2"}
    fill(page, {**sst2, "place": "thief/model", "data-False": "own sentences"})


CHANGES: Mapping[str, Callable[[AppTest], object]] = {
    "nothing": lambda page: None,
    "the model": other_model,
    "the model, for one on the Hub": model_on_the_hub,
    "the seed": lambda page: fill(page, {"method": "random", "seed": 99}),
    "a preset": lambda page: press(page, "Quick look"),
    "a preset with a control": lambda page: press(page, "Random control"),
}


@pytest.fixture(scope="module")
def cancelled(server: Server) -> str:
    """A run of the owner's that was cancelled, so that its settings are what a link to it shows."""
    with server.queue.held():
        job = server.queue.submit(replace(server.request, method="random", seed=1), server.visit)
        server.queue.cancel(job, server.visit)
    assert now(server.queue, job).state == "cancelled"
    return job


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("link", ["result", "job"])
def test_settings_that_begin_with_the_owners_run_ask_for_a_file(
    server: Server, cancelled: str, link: str, change: str
) -> None:
    shown = {link: cancelled if link == "job" else server.result.key}
    with server.reads_nothing():
        page = open_page(LAB, **shown)
        CHANGES[change](page)
        run(page)
        assert NEEDED in told(page)
        assert page.selectbox(key="lab-data-False" if "Hub" in change else "lab-data-True").value == "own sentences"
        assert errors(press(page, "Run")) == [UNDECIDED]
        assert address(page).items() >= shown.items()
        assert not server.private(everything(page))


def test_a_link_to_an_ended_run_leads_to_its_result_alone_which_reads_nothing(server: Server, unfolded: None) -> None:
    with server.reads_nothing():
        page = open_page(LAB, job=server.job)
        assert set(address(page)) == {"result"}
        page.query_params["result"] = server.result.key
        assert not labels(run(page)) & WORK
        for words in ("whose location is not recorded", "cannot be run here", "shared server does not make", NEEDED):
            assert words in told(page)
        assert not server.private(everything(page))


def test_nobody_joins_a_living_run_and_a_link_to_it_offers_only_to_leave_it(server: Server) -> None:
    request = replace(server.request, method="random", seed=3)
    with server.queue.held():
        living = server.queue.submit(request, server.visit)
        with server.reads_nothing():
            page = open_page(LAB, job=living)
            assert labels(page) == {"Cancel"}
            assert not server.private(everything(page))
            press(page, "Cancel")
            assert now(server.queue, living).state == "running", "the owner's run goes on"
            assert address(page) == {}
            assert page.selectbox(key="lab-data-True").value == "written", "the settings are not the owner's"
            with pytest.raises(PrunescopeError, match=f"^{REFUSED}$"):
                server.queue.submit(request, "thief")
        assert {*server.queue._entries[living].watchers} == {server.visit}
        assert server.queue.submit(request, server.visit) == living, "the owner does"
        server.queue.cancel(living, server.visit)


# ---------------------------------------------------------------- requests made by hand


def written(**changes: Any) -> dict[str, Any]:
    return {**WRITTEN.to_json(), **changes}


ORDERS: Mapping[str, Callable[[Server], dict[str, Any]]] = {
    "verify": lambda server: {"key": server.result.key, "amount": 0.3, "data": server.data},
    "estimate": lambda server: {"request": replace(server.request, seed=5).to_json(), "follow_ups": []},
    "run": lambda server: {"request": replace(server.request, amounts=(0.0,)).to_json(), "fresh": True},
}
PLACES: Mapping[str, Callable[[str], dict[str, Any]]] = {
    "the data": lambda own: {"data": own},
    "a request": lambda own: {"request": written(data=own)},
    "a second request": lambda own: {"request": written(), "follow_ups": [written(), written(data=own)]},
    "a text": lambda own: {**written(), "texts": ["fine", own]},
    "a name": lambda own: {"request": written(source_name=own)},
    "deep inside": lambda own: {"a": [{"b": ({"c": [own]},)}]},
    "a checkpoint": lambda own: {"checkpoint": own, "against": own},
}
REQUESTS: Mapping[str, Callable[[Server], SweepRequest]] = {
    "the same": lambda server: server.request,
    "another model": lambda server: replace(server.request, checkpoint="embedded:cola"),
    "a model on the Hub": lambda server: replace(server.request, checkpoint="thief/model"),
    "its own labels": lambda server: replace(server.request, checkpoint="thief/model", task="auto"),
    "another seed": lambda server: replace(server.request, method="random", seed=8),
    "a method that scores": lambda server: replace(server.request, method="wanda"),
    "against a model": lambda server: replace(server.request, against="embedded:cola"),
    "under another name": lambda server: replace(server.request, source_name="mine"),
    "the forged result's": lambda server: request_of(forged(server.result, data=server.data, split="")),
}


@pytest.mark.parametrize("op", [*core.worker.ANSWERS, "run", "find", "anything"])
def test_no_order_may_name_it(server: Server, op: str) -> None:
    fields = {"key": server.result.key, "amount": 0.3, "revision": "a", "split": None}
    for place in PLACES.values():
        with server.reads_nothing(), pytest.raises(PrunescopeError, match=f"^{REFUSED}$"):
            server.queue.ask(op, "thief", **{**fields, **place(server.data)})


@pytest.mark.parametrize("fresh", [False, True])
@pytest.mark.parametrize("what", REQUESTS)
def test_no_run_may_read_it(server: Server, what: str, fresh: bool) -> None:
    request = REQUESTS[what](server)
    for first, follow_ups in ((request, ()), (WRITTEN, (replace(WRITTEN, seed=1), request))):
        with server.reads_nothing(), pytest.raises(PrunescopeError, match=f"^{REFUSED}$"):
            server.queue.submit(first, "thief", fresh=fresh, follow_ups=follow_ups)


def test_only_the_visits_own_token_opens_it(server: Server) -> None:
    for token in ("", "thief", server.data.removeprefix(OWN)[:32], server.data, server.visit[:-1]):
        with server.reads_nothing(), pytest.raises(PrunescopeError, match=f"^{REFUSED}$"):
            server.queue.submit(server.request, token)


@pytest.mark.parametrize("op", ORDERS)
def test_an_order_is_carried_out_for_the_owner_alone_and_a_name_of_two_halves_names_nothing(
    server: Server, op: str
) -> None:
    fields = ORDERS[op](server)
    with server.reads_nothing(), pytest.raises(PrunescopeError, match=f"^{REFUSED}$"):
        server.queue.ask(op, "thief", **fields)
    job = ended(server.queue, server.queue.ask(op, server.visit, **fields))
    assert (job.state, job.message) == ("done", "")
    mixed = f"{OWN}{hashlib.sha256(b'thief').hexdigest()[:32]}{server.secret}"  # what the thief's visit may ask for
    files = results()
    fields |= {"data": mixed} if op == "verify" else {"request": written(data=mixed)}
    job = ended(server.queue, server.queue.ask(op, "thief", **fields))
    assert (job.state, job.message) == ("failed", "this file is not stored here any more: choose it again")
    assert (job.frames, job.outcome, job.key, results()) == ((), None, None, files)


OTHER_NAMES: Mapping[str, Callable[[Server], str]] = {
    "in capitals": lambda server: server.data.upper(),
    "capital digits": lambda server: OWN + server.data.removeprefix(OWN).upper(),
    "with a space": lambda server: f" {server.data}",
    "with a line's end": lambda server: f"{server.data}\n",
    "without its prefix": lambda server: server.data.removeprefix(OWN),
    "as a data set": lambda server: f"hub:{server.data}",
    "as a path": lambda server: str(server.place),
    "as a folder": lambda server: str(server.place.parent),
    "as a relative path": lambda server: f"own:../own/{server.place.parent.name}",
    "half": lambda server: server.data[: -len(server.data) // 2],
}


@pytest.mark.parametrize("way", OTHER_NAMES)
@pytest.mark.parametrize("op", ["submit", "estimate", "verify", "fetch"])
def test_no_other_name_leads_to_it(server: Server, op: str, way: str) -> None:
    data, files, lines = OTHER_NAMES[way](server), results(), len(server.queue.lines)
    try:
        if op == "submit":
            server.queue.submit(replace(server.request, data=data), "thief")
            raise AssertionError("a job")
        fields = {"verify": {**ORDERS["verify"](server), "data": data}, "fetch": {"data": data, "split": None}}
        job = ended(server.queue, server.queue.ask(op, "thief", **fields.get(op, {"request": written(data=data)})))
        assert (job.state, job.frames, job.outcome, job.key) == ("failed", (), None, None)
        message = job.message
    except PrunescopeError as error:
        message = str(error)
    said = message + "".join(server.queue.lines[lines:])
    del server.queue.lines[lines:]  # it echoes what it was told
    assert not server.private(said.replace(data.strip()[:120], ""))
    assert results() == files


# ---------------------------------------------------------------- what else pages do with the result


def test_a_typed_sentence_reads_nothing_but_itself_and_must_not_be_the_name(server: Server) -> None:
    orders, files = len(server.queue.orders), results()
    server.read.clear()
    page = open_page("pages/sentences.py", result=server.result.key)
    page.text_area(key="typed-sentence").set_value("a fine film")
    press(page, "Predict")
    server.queue.rest()
    assert "“a fine film”" in told(run(page))
    (order,) = (json.loads(order) for order in server.queue.orders[orders:] if '"predict"' in order)
    assert "data" not in order
    assert not server.private("".join(server.queue.orders[orders:]))
    assert (server.read, results()) == ([], files)
    with server.reads_nothing():
        page.text_area(key="typed-sentence").set_value(server.data)
        assert errors(press(page, "Predict")) == [REFUSED]


@pytest.mark.parametrize("name", [*PAGES, "Compare, beside another"])
def test_no_page_reads_the_table_or_gives_it_away(server: Server, name: str, unfolded: None) -> None:
    page, _, beside = name.partition(",")
    keys = {"result": make_result().key, "other": server.result.key} if beside else {"result": server.result.key}
    with server.reads_nothing():
        opened = open_page(PAGES[page], **keys)
        assert not opened.error
        assert not server.private(everything(opened))
        assert not labels(opened) & {RECOMPUTE, CHECK, RUN_CONTROL}


# ---------------------------------------------------------------- what is stored, shown and taken away


TAKEN: Mapping[str, Callable[[SweepResult], str]] = {
    "the stored file": lambda result: (store.user_folder() / f"{result.key}.json").read_text("utf-8"),
    "JSON": result_json,
    "extract": lambda result: extract_of(result).model_dump_json(),
    "similarities": similarity_csv,
    "metrics": metrics_csv,
    "numbers shown": lambda result: shown_csv(result_scene(result, "mean")),
    "picture": lambda result: json.dumps(figure_of(result_scene(result, "mean")).plain()),
    "page": lambda result: player_page(result_scene(result, "mean"), (result,), ""),
    "notebook": lambda result: NotebookResult.of(result)._repr_html_(),
    "table of a notebook": lambda result: NotebookResult.of(result).to_frame().to_csv(),
    "model card": lambda result: model_card(result, result.frames[-1], None),
    "command": lambda result: f"{recipe(result).script}\n{recipe(result).missing}",
    "names": lambda result: f"{file_name([result], '.json')} {result_name(result)}",
}


def test_nothing_that_is_taken_away_names_the_file(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.exports.notebook.vega_script", str)
    taken = {what: make(server.result) for what, make in TAKEN.items()}
    assert all(taken.values())
    assert {what: given for what, text in taken.items() if (given := server.private(text))} == {}


POOR, FINE = f"{TEXT} 2 pounds is poor,negative\n", f"{TEXT} 3 pounds is fine,positive\n"
BAD: Mapping[str, tuple[str, str]] = {
    "an empty label": (TABLE.replace(POOR, f"{TEXT} 2 pounds,\n"), "row 4: column 'mood' is empty"),
    "an empty text": (TABLE.replace(POOR, ",negative\n"), "row 4: column 'remark' is empty"),
    "a row too long": (TABLE.replace(FINE, f"{FINE[:-1]},more\n"), "row 5"),
    "an open quotation mark": (f'{TABLE}"one,two\n', "unexpected end of data"),
    "an unknown label": (TABLE.replace("positive\n", "unsure\n", 1), "says unsure"),
    "no rows": ("remark,mood\n", "has no rows"),
    "few rows": ("".join(TABLE.splitlines(keepends=True)[:6]), "24"),
    "no table": ("remark\n", "has 1 column"),
}


@pytest.mark.parametrize("fault", BAD)
def test_no_message_of_the_worker_names_the_file(server: Server, fault: str) -> None:
    content, words = BAD[fault]
    data = uploads.keep(NAME, content.encode(), fault)
    job_id = server.queue.submit(replace(server.request, data=data, num_examples=24), fault)
    job = ended(server.queue, job_id)
    assert job.state == "failed"
    assert THEIRS in job.message
    assert words in job.message
    page = open_page(LAB, job=job_id)
    assert errors(page) == [job.message]
    secrets = (Path(NAME).stem, hashlib.sha256(content.encode()).hexdigest()[:12], data.removeprefix(OWN)[32:])
    assert not [secret for secret in secrets if secret in everything(page) + "".join(server.queue.lines)]


def test_the_worker_has_never_named_the_file(server: Server) -> None:
    said = "".join(line for line in server.queue.lines if "task.data" not in line)  # which echoes a forged file
    assert said
    assert not server.private(said)


@pytest.mark.parametrize("hosted", ["0", "1"])
def test_a_result_says_only_that_it_was_a_file_but_on_ones_own_computer_keeps_name_and_digest(
    server: Server, monkeypatch: pytest.MonkeyPatch, hosted: str
) -> None:
    monkeypatch.setenv("PRUNESCOPE_HOSTED", hosted)
    monkeypatch.setenv("PRUNESCOPE_RESULTS", str(server.place.parent / "elsewhere"))
    result = make_result_of(checked(replace(server.request, amounts=(0.0, 0.3))))
    file = FileRecord(name=NAME, sha256=DIGEST, rows=(0, 24))
    if hosted == "1":
        file = FileRecord(name=THEIRS, sha256=None, rows=(0, 24))
        assert server.result.task.files == (file,)
        assert recipe(result).missing.endswith("a shared server records neither its name nor its content.")
    assert (result.task.source, result.task.source_name, result.task.data) == ("file", file.name, None)
    assert result.task.files == (file,)
    assert store.load(store.save(result)) == result
    assert server.private(result_json(result)) == ([] if hosted == "1" else [Path(NAME).stem, DIGEST[:12]])
    assert f"--data ./{file.name} --text remark --label mood" in recipe(result).script
    assert (f"is the file with the content {DIGEST[:12]}…" in recipe(result).missing) == (hosted == "0")

"""A table uploaded to a shared server is read for that visit alone; nobody else sees its name.

Two visits share a server with the real worker: the owner has run on a table, and the thief knows
everything about that run, even the table's secret name, which no page shows.
"""

import hashlib
import os
from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from core.charts.result import result_scene
from core.errors import PrunescopeError
from core.exports.model_card import model_card
from core.exports.notebook import NotebookResult
from core.exports.player_page import player_page
from core.inputs import uploads
from core.jobs.job import Job
from core.request.limits import OWN
from core.request.sweep_request import SweepRequest
from core.results import store
from core.results.provenance import recompute_script
from core.results.schema import FileRecord
from core.wall.turns import Visitor
from tests.builders import make_result
from tests.opened import (
    SCRIPTS,
    address,
    errors,
    fill,
    labels,
    open_page,
    press,
    prose,
    run,
)
from tests.pages.owners import (
    DIGEST,
    NAME,
    REFUSED,
    TABLE,
    TEXT,
    Server,
    everything,
    finished,
    results,
    shared_server,
)
from tests.queues import ended

LAB = "pages/lab.py"
THEIRS = "own-file.csv"  # the name that others see
RECOMPUTE = "Recompute and replace this result"
CHECK = "Check this frame"
WORK = {RECOMPUTE, CHECK}  # buttons that read the table
WRITTEN = SweepRequest("embedded:sst2", "sst2", data="written", amounts=(0.0, 0.5), num_examples=8)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with shared_server(tmp_path_factory.mktemp("server")) as server:
        yield server


@pytest.mark.usefixtures("unfolded")
def test_the_owner_can_recompute_check_and_change_the_run(
    server: Server,
) -> None:
    assert len(server.result.task.examples) == 8
    page = server.owner
    page.session_state[f"lab-settings-False-{server.result.key}"] = True
    run(page)
    assert server.private(everything(page)) == [TEXT], (
        "the owner sees the texts to match their labels, and no name"
    )
    twin = uploads.keep(NAME, TABLE.encode(), Visitor("twin"))
    job = ended(
        server.queue,
        server.queue.submit(replace(server.request, data=twin), Visitor("twin")),
    )
    assert job.key == server.result.key, "another visit has run on the same table"
    before = results()
    assert finished(server.queue, press(page, RECOMPUTE)).key == server.result.key
    assert results() != before
    press(page, CHECK)
    server.queue.rest()
    assert [note.value for note in run(page).success]
    assert "The file that you chose last is used again." in prose(page)
    assert (
        finished(server.queue, press(fill(page, {"method": "ramp"}), "Run")).pruning.method
        == "ramp"
    )


# ---------------------------------------------------------------- the thief on pages


@pytest.mark.usefixtures("unfolded")
@pytest.mark.parametrize("link", ["result", "job"])
def test_settings_of_the_owners_run_ask_for_a_file(server: Server, link: str) -> None:
    query = {"result": server.result.key}
    settings = {}
    if link == "job":
        with server.queue.held():
            job = server.queue.submit(
                replace(server.request, method="random", seed=1), server.visit
            )
            server.queue.cancel(job, server.visit)
        query = {"job": job}
        settings = {
            "checkpoint": "other checkpoint",
            "task-other checkpoint": "sst2",
        }
        settings["data-False"] = "own sentences"
    with server.reads_nothing():
        page = fill(open_page(LAB, **query), settings)
        assert "Your file needs a label column" in prose(page)
        press(page, "Run")
        assert page.error
        assert address(page).items() >= query.items()
        assert not labels(page) & WORK
        assert not server.private(everything(page))


def test_nobody_joins_a_living_run_and_a_link_to_it_offers_only_to_leave_it(
    server: Server,
) -> None:
    request = replace(server.request, method="random", seed=3)
    with server.queue.held():
        living = server.queue.submit(request, server.visit)
        with server.refuses():
            page = open_page(LAB, job=living)
            assert labels(page) == {"Cancel"}
            assert not server.private(everything(page))
            press(page, "Cancel")
            assert server.queue.get(living).state == "running", "the owner's run goes on"
            assert page.selectbox(key="lab-data-True").value == "written", (
                "the settings are not the owner's"
            )
            server.queue.submit(request, Visitor("thief"))
        assert server.queue.submit(request, server.visit) == living, "the owner does"
        server.queue.cancel(living, server.visit)


@pytest.mark.parametrize("name", [*SCRIPTS, "Compare, beside another"])
def test_no_page_reads_the_table_or_gives_it_away(
    server: Server, name: str, unfolded: None
) -> None:
    page, _, beside = name.partition(",")
    keys = (
        {"result": make_result().key, "other": server.result.key}
        if beside
        else {"result": server.result.key}
    )
    with server.reads_nothing():
        opened = open_page(SCRIPTS[page], **keys)
        assert not opened.error
        assert not server.private(everything(opened))
        assert not labels(opened) & WORK


def test_a_typed_sentence_reads_nothing_but_itself_and_must_not_be_the_name(
    server: Server,
) -> None:
    page = open_page("pages/sentences.py", result=server.result.key)
    page.text_area(key="typed-sentence").set_value("a fine film")
    press(page, "Predict")
    server.queue.rest()
    assert "“a fine film”" in prose(run(page))
    assert server.data not in server.queue.orders()[-1]
    with server.reads_nothing():
        page.text_area(key="typed-sentence").set_value(server.data)
        assert errors(press(page, "Predict")) == [REFUSED]


# ---------------------------------------------------------------- the thief's own orders


def test_no_order_of_another_visit_may_name_it(server: Server) -> None:
    request = vars(replace(WRITTEN, data=server.data))
    plain = vars(WRITTEN)
    places: list[dict[str, Any]] = [
        {"data": server.data},
        {"request": plain, "follow_ups": [plain, request]},
        {"request": {**plain, "source_name": server.data}},
        {"a": [{"b": ({"c": [server.data]},)}]},
    ]
    for op, place in product(("run", "verify", "anything"), places):
        with server.refuses():
            server.queue.ask(
                op,
                Visitor("thief"),
                **{"key": server.result.key, "amount": 0.3, **place},
            )
    for token in ("", server.visits, server.data, server.visit.token[:-1]):
        for first, follow_ups in (
            (server.request, ()),
            (WRITTEN, (replace(WRITTEN, seed=1), server.request)),
        ):
            with server.refuses():
                server.queue.submit(
                    first,
                    Visitor(token),
                    fresh=token == "",
                    follow_ups=follow_ups,
                )


@pytest.mark.parametrize("op", ["verify", "run"])
def test_an_order_is_carried_out_for_the_owner_alone_and_under_no_other_name(
    server: Server, op: str
) -> None:
    def order(data: str) -> dict[str, Any]:
        request = vars(replace(server.request, data=data, seed=5, amounts=(0.0,)))
        return (
            {"request": request, "fresh": False}
            if op == "run"
            else {"data": data, "key": server.result.key, "amount": 0.3}
        )

    lines = len(server.queue.lines)
    files = results()
    place = Path(
        os.environ["XDG_CACHE_HOME"],
        "prunescope",
        "own",
        server.visits + server.secret,
        DIGEST,
        NAME,
    )
    assert place.read_text() == TABLE
    digest = hashlib.sha256(b"thief").hexdigest()
    mixed = (
        f"{OWN}{digest[:8]}{digest[:24]}{server.secret}"  # a name that the thief's visit may use
    )
    names = [
        mixed,
        server.data.upper(),
        f"{server.data}\n",
        f"hub:{server.data}",
        str(place),
        f"own:../own/{DIGEST}",
    ]
    for name in names:
        try:
            job = ended(
                server.queue,
                server.queue.ask(op, Visitor("thief"), **order(name)),
            )
        except PrunescopeError as error:
            job = Job("", state="failed", message=str(error))
        assert (job.state, job.frames, job.outcome, job.key) == (
            "failed",
            (),
            None,
            None,
        )
        assert not server.private(job.message.replace(name.strip()[-120:], "")), (
            "only the order is echoed"
        )
    del server.queue.lines[lines:]  # they echo the orders
    assert results() == files
    assert (
        ended(
            server.queue,
            server.queue.ask(op, server.visit, **order(server.data)),
        ).state
        == "done"
    )


# ---------------------------------------------------------------- results and messages


def test_a_result_only_tells_that_it_was_a_file(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.exports.player_page.vega_script", str)
    result = server.result
    task = server.result.task
    assert (task.source, task.source_name, task.data) == ("file", THEIRS, None)
    assert task.files == (FileRecord(name=THEIRS, sha256=None, rows=(0, 24)),)
    assert f"--data ./{THEIRS} --text remark --label mood" in recompute_script(result)
    exports = [
        result.model_dump_json(),
        player_page(result_scene(result, "mean"), (result,)),
    ]
    exports += [
        NotebookResult.of(result)._repr_html_(),
        model_card(result, result.frames[-1], None),
    ]
    exports += [path.read_text("utf-8") for path in store.user_folder().iterdir()]
    assert not [secret for text in exports for secret in server.private(text)]


def test_no_message_of_the_worker_names_the_file(server: Server) -> None:
    content = TABLE.replace("positive\n", "unsure\n", 1)
    data = uploads.keep(NAME, content.encode(), Visitor("ann"))
    job_id = server.queue.submit(
        replace(server.request, data=data, num_examples=24), Visitor("ann")
    )
    job = ended(server.queue, job_id)
    assert THEIRS in job.message
    assert "says unsure" in job.message
    page = open_page(LAB, job=job_id)
    assert errors(page) == [job.message]
    said = everything(page) + "".join(
        line for line in server.queue.lines if "task.data" not in line
    )  # a forged file
    assert not server.private(said)
    assert hashlib.sha256(content.encode()).hexdigest()[:12] not in said
    assert data.removeprefix(OWN)[32:] not in said

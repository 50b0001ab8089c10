"""The static edition as files: its numbers, what strangers write, and its folder."""

import errno
import gzip
import json
import os
import signal
import subprocess
import sys
import time
from base64 import b64decode
from contextlib import suppress
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest

from core import site
from core.exports import site_edition
from core.exports.site_files import write_page
from core.exports.site_shelf import Shelf
from core.findings import sentences
from core.findings.layers import own_similarity
from core.results.schema import SweepResult
from core.results.store import MAX_BYTES, save
from tests.browser.shipped import RECOVERY
from tests.builders import make_result, with_own_key, with_own_labels
from tests.commands import call
from tests.refusals import refusal

SMALL = {"num_layers": 2, "amounts": (0.0, 0.25, 0.5), "num_examples": 20}
SST2 = make_result(**SMALL)
COLA = make_result(**SMALL, task="cola")
WRITTEN = make_result(**SMALL, source="written")
CONTROL = make_result(**SMALL, method="random", controls="magnitude", seed=1)
KEY = SST2.key[:12]
NAME = "<img src=x onerror=alert(1)></script>"


def taken(file: Path) -> Any:
    """Return the data that a script of the site hands over."""
    _, packed, _ = file.read_text("utf-8").rsplit('"', 2)
    parts = json.loads(gzip.decompress(b64decode(packed)))

    def with_text(part: dict[str, Any]) -> Any:
        return parts["texts"][part["$"]] if "$" in part else part

    return json.loads(parts["data"], object_hook=with_text)


def made(folder: Path, *results: Any) -> dict[str, Any]:
    """Return the data of every file of a site of these results."""
    for result in results:
        save(result, folder / "results")
    call(site, f"{folder}/site --results {folder}/results")
    return {file.stem: taken(file) for file in (folder / "site" / "data").glob("*.js")}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return made(tmp_path_factory.mktemp("site"), SST2, CONTROL, RECOVERY)


def drawn(page: Any, view: str, picture: str, dataset: str) -> list[dict[str, Any]]:
    views = page["views"][view]["blocks"][0]["player"]["views"]
    return json.loads(views[picture])["datasets"][dataset]


def test_compare_shows_both_results(files: dict[str, Any]) -> None:
    page = files[f"compare-{KEY}-{CONTROL.key[:12]}"]
    rows = drawn(page, "amount|mean|accuracy", "own", "own")
    expected = np.vstack([own_similarity(result, "mean").T for result in (SST2, CONTROL)])
    assert [row["v"] for row in rows] == pytest.approx(expected, abs=1e-6)


def test_recover_shows_scores(files: dict[str, Any]) -> None:
    rows = drawn(files[f"recover-{RECOVERY.key[:12]}"], "", "score", "unpruned")
    expected = [frame.metrics["accuracy"] for frame in RECOVERY.unpruned]
    assert [row["value"] for row in rows] == expected


def test_controls_serve_the_others(files: dict[str, Any]) -> None:
    listed = files["index"]["results"]
    assert set(listed) == {SST2.key}
    assert CONTROL.key in listed[SST2.key]["other"]


@pytest.mark.parametrize(("result", "is_published"), [(SST2, False), (WRITTEN, True)])
def test_only_written_sentences_are_published(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    result: SweepResult,
    is_published: bool,
) -> None:
    monkeypatch.setattr(
        sentences,
        "texts_of",
        lambda task: [("kept here",)] * len(task.examples),
    )
    write_page(tmp_path, "Sentences", Shelf((), (), {}), result)
    (page,) = map(taken, tmp_path.iterdir())
    assert ("kept here" in str(page)) == is_published


def test_files_of_strangers_are_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "results"
    values = SST2.model_dump(mode="json")
    (folder / "folder.json").mkdir(parents=True)
    (folder / "link.json").symlink_to("nowhere")
    (folder / "bomb.json.gz").write_bytes(gzip.compress(bytes(MAX_BYTES + 1)))
    texts = {
        "damaged": "{}",
        "deep": "[" * 10**6,
        "infinite": json.dumps(values).replace("0.5", "1e999", 1),
        "labels": json.dumps(values | {"task": values["task"] | {"label_names": ["x"] * 10**6}}),
        f"{NAME[:20]}\n\udcff": "{}",  # which is no UTF-8
        "copy": SST2.model_dump_json(),
    }
    for name, text in texts.items():
        (folder / f"{name}.json").write_text(text)

    files = made(tmp_path, SST2)

    assert set(files["index"]["results"]) == {SST2.key}
    lines = capsys.readouterr().err.splitlines()
    left_out = [line for line in lines if line.startswith("left out: ")]
    assert len(left_out) == 2 + len(texts)
    assert not any(character in "".join(left_out) for character in "\x1b\udcff")


def test_names_are_text(tmp_path: Path) -> None:
    named = with_own_labels(SST2, [NAME, "\u202e", "x" * 1000])
    named = with_own_key(named, checkpoint=named.checkpoint.model_copy(update={"id": NAME}))

    listed = made(tmp_path, named)["index"]["results"]

    assert NAME in json.dumps(listed, ensure_ascii=False)
    assert NAME not in (tmp_path / "site" / "index.html").read_text("utf-8")


# ---------------------------------------------------------------- the folder


@pytest.fixture
def line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The command's arguments for a quick site of two stored results."""
    monkeypatch.setattr(site_edition, "write_page", Mock())
    save(SST2, tmp_path / "results")
    save(COLA, tmp_path / "results")
    return f"{tmp_path}/site --results {tmp_path}/results"


def test_addresses_select(tmp_path: Path, line: str) -> None:
    links = tmp_path / "links.txt"
    links.write_text(f"http://localhost:8501/layers?result={COLA.key}&reduction=cls\n")
    line += f" --select {links}"

    call(site, line)
    assert set(taken(tmp_path / "site" / "data" / "index.js")["results"]) == {COLA.key}

    links.write_text("nothing")
    assert "none of the sweeps" in refusal(call, site, line)


def test_a_link_is_replaced_and_what_it_leads_to_stays(tmp_path: Path, line: str) -> None:
    data = tmp_path / "site" / "data"
    elsewhere = tmp_path / "elsewhere"
    call(site, line)
    data.rename(elsewhere)
    data.symlink_to(elsewhere)
    before = sorted(elsewhere.iterdir())

    call(site, line)

    assert not data.is_symlink()
    assert sorted(elsewhere.iterdir()) == before


def test_a_folder_of_another_program_is_left_alone(tmp_path: Path, line: str) -> None:
    thesis = tmp_path / "site" / "data" / "index.js"
    thesis.parent.mkdir(parents=True)
    thesis.write_text("export default 1")

    assert "choose a new folder" in refusal(call, site, line)

    assert thesis.read_text() == "export default 1"


def test_on_a_full_disk_the_old_edition_stays(
    tmp_path: Path, line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    call(site, line)
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    monkeypatch.setattr(site_edition, "write_page", Mock(side_effect=full))

    assert "No space left on device" in refusal(call, site, line)

    assert COLA.key in taken(tmp_path / "site" / "data" / "index.js")["results"]


def test_a_killed_command_leaves_a_folder_that_it_takes_again(tmp_path: Path, line: str) -> None:
    folder = tmp_path / "site"
    command = [sys.executable, "-m", "core.site", *line.split()]
    with subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True) as killed:
        while killed.poll() is None and not any(folder.glob(".*/data/*.js")):
            time.sleep(0.01)
        killed.kill()
        try:
            killed.communicate(timeout=60)  # until every process has closed its output
        finally:
            with suppress(ProcessLookupError):
                os.killpg(killed.pid, signal.SIGKILL)

    call(site, line)

    assert not any(path.name.startswith(".") for path in folder.iterdir())

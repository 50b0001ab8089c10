"""The static edition as files: its numbers are the results', and what strangers write neither runs nor stops it."""

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
from core.findings.cut import frontier_of
from core.findings.layers import own_similarity
from core.findings.sentences import examples_of
from core.results.store import MAX_BYTES, save
from tests.browser.shipped import RECOVERY, STUDY
from tests.builders import make_result, with_own_key, with_own_labels

SMALL = {"num_layers": 2, "amounts": (0.0, 0.25, 0.5), "num_examples": 20}
SST2, COLA, WRITTEN = (
    make_result(**SMALL, **more) for more in ({}, {"task": "cola"}, {"source": "written"})
)
CONTROL = make_result(**SMALL, method="random", controls="magnitude", seed=1)
NAME = "<img src=x onerror=alert(1)></script>"


def taken(file: Path) -> Any:
    """Return the data that a script of the site hands over."""
    _, packed, _ = file.read_text("utf-8").rsplit('"', 2)
    parts = json.loads(gzip.decompress(b64decode(packed)))
    return json.loads(
        parts["data"], object_hook=lambda part: parts["texts"][part["$"]] if "$" in part else part
    )


def made(folder: Path, *results: Any) -> dict[str, Any]:
    """Return the data of every file of a site of these results."""
    for result in results:
        save(result, folder / "results")
    assert site.main([str(folder / "site"), "--results", str(folder / "results")]) == 0
    return {file.stem: taken(file) for file in (folder / "site" / "data").glob("*.js")}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return made(tmp_path_factory.mktemp("site"), SST2, CONTROL, STUDY, RECOVERY)


def drawn(page: Any, view: str, picture: str, dataset: str) -> list[dict[str, Any]]:
    player = page["views"][view]["blocks"][0]["player"]
    views = player["choices"][0]["views"] if "choices" in player else player["views"]
    return json.loads(views[picture])["datasets"][dataset]


def test_every_page_type_shows_the_numbers_of_its_result(files: dict[str, Any]) -> None:
    own, key = own_similarity(SST2, "mean"), SST2.key[:12]
    strips = drawn(files[f"layers-{key}"], "mean|", "rows", "strips")
    assert [[float(value) for value in row["v"]] for row in strips] == pytest.approx(
        own.T.round(2), abs=0.0051
    )
    cells = drawn(files[f"present-{key}"], "", "heatmap", "cells")
    assert [cell["v"] for cell in cells if cell["baseline"] == cell["pruned"]] == pytest.approx(
        own.T, abs=1e-6
    )
    play = next(
        s for s in files[f"story-{key}"]["views"]["mean|accuracy"]["steps"] if s["name"] == "watch"
    )
    stack = json.loads(play["player"]["views"]["stack"])["datasets"]["stack"]
    assert [row["v"] for row in stack] == pytest.approx(own.T, abs=1e-6)
    cells = drawn(files[f"sentences-{key}"], "all|all", "strip", "cells")
    flips = [example.flip for example in examples_of(SST2)]
    assert sum(cell["amounts"].startswith("0 %") for cell in cells) == len(flips)
    assert (len(cells) > len(flips)) == any(flips)
    both = drawn(files[f"compare-{key}-{CONTROL.key[:12]}"], "amount|mean|accuracy", "own", "own")
    own_of_both = np.vstack([own_similarity(of, "mean").T for of in (SST2, CONTROL)])
    assert [row["v"] for row in both] == pytest.approx(own_of_both, abs=1e-6)
    models = drawn(files[f"cut-{STUDY.key[:12]}"], "0.03|", "frontier", "models")
    assert [row["value"] for row in models] == pytest.approx(
        [each.value.value for each in frontier_of(STUDY).choices]
    )
    scores = drawn(files[f"recover-{RECOVERY.key[:12]}"], "", "score", "unpruned")
    assert [row["value"] for row in scores] == [
        frame.metrics["accuracy"] for frame in RECOVERY.unpruned
    ]


def test_a_view_stands_for_every_choice(files: dict[str, Any]) -> None:
    layers = files[f"layers-{SST2.key[:12]}"]
    assert [len(choice["options"]) for choice in layers["choices"]] == [
        3,
        3,
    ]  # ways to one vector; layers
    assert len(layers["views"]) == 3 * 3
    assert set(files["index"]["results"]) == {SST2.key}  # controls serve the others
    assert CONTROL.key in files["index"]["results"][SST2.key]["other"]


def test_only_written_sentences_are_published(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sentences, "texts_of", lambda task: [("kept here",)] * len(task.examples))
    for result, is_published in ((SST2, False), (WRITTEN, True)):
        write_page(tmp_path, "Sentences", Shelf((), (), {}), result)
        assert (
            "kept here" in str(taken(tmp_path / f"sentences-{result.key[:12]}.js"))
        ) == is_published


def test_what_strangers_write_is_text_and_stops_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, values = tmp_path / "results", SST2.model_dump(mode="json")
    (folder / "folder.json").mkdir(parents=True)
    (folder / "link.json").symlink_to("nowhere")
    (folder / "bomb.json.gz").write_bytes(gzip.compress(bytes(MAX_BYTES + 1)))
    texts = {
        "damaged": "{}",
        "deep": "[" * 10**6,
        "infinite": json.dumps(values).replace("0.5", "1e999", 1),
        "labels": json.dumps(values | {"task": values["task"] | {"label_names": ["x"] * 10**6}}),
        f"{NAME[:20]}\n\udcff": "{}",  # which is no UTF-8
        "other": COLA.model_dump_json(),
    }
    for name, text in texts.items():
        (folder / f"{name}.json").write_text(text)
    named = with_own_labels(SST2, [NAME, "\u202e", "x" * 1000])
    named = with_own_key(named, checkpoint=named.checkpoint.model_copy(update={"id": NAME}))
    shown = made(tmp_path, COLA, named)
    left_out = [
        line for line in capsys.readouterr().err.splitlines() if line.startswith("left out: ")
    ]
    assert len(left_out) == 2 + len(texts)
    assert not any(character in "".join(left_out) for character in "\x1b\udcff")
    assert set(shown["index"]["results"]) == {COLA.key, named.key}
    assert NAME in json.dumps(shown["index"]["results"], ensure_ascii=False)
    assert NAME not in (tmp_path / "site" / "index.html").read_text("utf-8")


def test_addresses_select_and_nothing_else_is_written_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(SST2, tmp_path / "results")
    save(COLA, tmp_path / "results")
    monkeypatch.setattr(site_edition, "write_page", Mock())
    links, elsewhere, data = (
        tmp_path / "links.txt",
        tmp_path / "elsewhere",
        tmp_path / "site" / "data",
    )
    links.write_text(f"http://localhost:8501/layers?result={COLA.key}&reduction=cls\n")
    arguments = [
        str(tmp_path / "site"),
        "--results",
        str(tmp_path / "results"),
        "--select",
        str(links),
    ]
    assert site.main(arguments) == 0
    data.rename(elsewhere).joinpath("mine").touch()
    data.symlink_to(elsewhere)
    before = sorted(elsewhere.iterdir())
    assert site.main(arguments) == 0
    assert (data.is_symlink(), sorted(elsewhere.iterdir())) == (False, before), "a link is replaced"
    assert set(taken(data / "index.js")["results"]) == {COLA.key}
    thesis = tmp_path / "mine" / "data" / "index.js"  # of another program
    thesis.parent.mkdir(parents=True)
    thesis.write_text("export default 1")
    with pytest.raises(site.PrunescopeError, match="choose a new folder"):
        site.main([str(tmp_path / "mine"), *arguments[1:]])
    assert thesis.read_text() == "export default 1"
    monkeypatch.setattr(
        site_edition,
        "write_page",
        Mock(side_effect=OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))),
    )
    with pytest.raises(site.PrunescopeError, match="No space left on device"):
        site.main(arguments)
    links.write_text("nothing")
    with pytest.raises(site.PrunescopeError, match="none of the sweeps"):
        site.main(arguments)
    assert COLA.key in taken(data / "index.js")["results"]  # stays until it can be replaced


def test_a_killed_command_leaves_a_folder_that_it_takes_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(SST2, tmp_path / "results")
    folder = tmp_path / "site"
    command = [
        sys.executable,
        "-m",
        "core.site",
        str(folder),
        "--results",
        str(tmp_path / "results"),
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True) as killed:
        while killed.poll() is None and not any(folder.glob(".*/data/*.js")):
            time.sleep(0.01)
        killed.kill()
        try:
            killed.communicate(timeout=60)  # until every process has closed its output
        finally:
            with suppress(ProcessLookupError):
                os.killpg(killed.pid, signal.SIGKILL)
    monkeypatch.setattr(site_edition, "write_page", Mock())
    assert site.main(command[3:]) == 0
    assert {path.name for path in folder.iterdir() if path.name.startswith(".")} == set()

"""A study from the command line and from a page: one path on standard output, one line for bad input."""

import json
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest
from tiny import make_bert

from core import cut
from core.request.sweep_request import SweepRequest, checked
from core.results import library, store
from core.worker import ANSWERS

Run = Callable[[str], tuple[int, str, str]]
STUDY = "--checkpoint DEEP --task sst2 --data GLUE"


@pytest.fixture
def run(complete: Callable[..., tuple[int, str, str]], tmp_path: Path, glue_folder: Path) -> Run:
    """Runs the command; gives its exit code and what it wrote."""
    places = {"DEEP": make_bert(tmp_path / "deep", layers=3), "FLAT": make_bert(tmp_path / "flat", layers=1)}
    table = tmp_path / "mine.csv"
    table.write_text("text,label\n" + "".join(f"a film {k},LABEL_{k % 2}\n" for k in range(30)))
    places |= {"GLUE": glue_folder, "TABLE": table, "OUT": tmp_path / "out"}
    return lambda line: complete(cut.main, *(places.get(word, word) for word in line.split()), "--threads", 1)


def test_a_study_is_printed_listed_and_names_no_place(run: Run, tmp_path: Path) -> None:
    manifest = tmp_path / "manifest.json"
    code, printed, said = run(f"{STUDY} --examples 40 --output OUT --manifest {manifest}")
    assert code == 0, said
    (path,) = (tmp_path / "out").iterdir()
    study = store.load_cut(path)
    assert (printed, len(study.cuts), len(study.task.examples)) == (f"{path}\n", 8, 40)
    assert str(tmp_path) not in path.read_text()
    assert library.read_manifest(manifest) == (library.entry_of(study),)


def test_the_smaller_model_is_saved_where_asked_for(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.sweep.cuts.PASSES", {1: 2, 32: 2})
    code, printed, said = run(f"{STUDY} --examples 40 --output OUT --layers 2 --width 0.5 --save {tmp_path / 'small'}")
    assert code == 0, said
    study = store.load_cut(Path(printed.strip()))
    config = json.loads((tmp_path / "small" / "config.json").read_text())
    assert (config["num_hidden_layers"], config["intermediate_size"]) == (2, 32)
    card = (tmp_path / "small" / "README.md").read_text()
    assert study.key in card
    _, script = card.split("```shell\npython -m core.cut ")
    options = cut.parse(shlex.split(script.removesuffix("```\n")))  # what the card says to run is accepted
    assert (options.layers, options.width, options.num_examples) == (2, 0.5, "40")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("--checkpoint FLAT --task sst2 --data GLUE", "has 1 encoder layer"),
        (f"{STUDY} --examples 8", "8 examples with 2 labels to judge by, and 16"),
        ("--checkpoint DEEP --task auto --data TABLE --examples 20", "10 examples besides those evaluated, and 16"),
        (f"{STUDY} --method wanda", "unrecognized arguments: --method"),
        (f"{STUDY} --save GLUE --layers 2", "exists and is not an empty folder"),
        (f"{STUDY} --layers 4 --save NEW", "the checkpoint has 3 layers, choose 1 to"),
        (f"{STUDY} --width 0.4", "invalid choice: 0.4 (choose from 0.25, 0.5, 0.75)"),
    ],
)
def test_bad_input_exits_with_two_and_one_line(run: Run, line: str, words: str) -> None:
    code, printed, said = run(line)
    assert (code, printed, said.strip().count("\n")) == (2, "", 0)
    assert words in said


def test_a_page_asks_for_a_study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, glue_folder: Path) -> None:
    monkeypatch.setenv("PRUNESCOPE_RESULTS", str(tmp_path / "own"))
    folder = make_bert(tmp_path / "deep", layers=2)
    request = vars(checked(SweepRequest(str(folder), "sst2", data=str(glue_folder), num_examples=30)))
    order = {"request": request, "fresh": False}
    found = ANSWERS["cut"](lambda *_: None, **json.loads(json.dumps(order)))
    (entry,) = library.own(library.CutEntry)
    assert entry.key == found["key"]

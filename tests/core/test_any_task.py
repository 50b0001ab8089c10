"""A classifier with six labels of its own, and tables that label them in other ways, from the command line on."""

import shlex
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score, matthews_corrcoef
from tiny import EMOTIONS, emotion_texts, predicted_by_transformers, write_csv

from core.findings.accuracy import reference_of
from core.inputs.prepare import prepare
from core.precompute import find, main, parse, run
from core.request.catalog import METHODS
from core.request.sweep_request import SweepRequest, request_in
from core.results import store
from core.results.provenance import recompute_script, request_of
from core.sweep.recompute import verify_frame
from tests.refusals import refusal

NAMES = list(EMOTIONS)
TEXTS, LABELS = emotion_texts(120, seed=3)
Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Return a function that writes the sentences with labels as a CSV file."""
    return lambda labels, name="mine.csv": write_csv(tmp_path / name, text=TEXTS, emotion=labels)


def named() -> list[str]:
    return [NAMES[label] for label in LABELS]


def ask(*arguments: object) -> SweepRequest:
    return request_in(parse([*map(str, arguments)]), SweepRequest)


def refused(*arguments: object) -> str:
    return refusal(lambda: prepare(ask(*arguments)))


def test_the_command_line_sweeps_it_and_agrees_with_scikit_learn(
    tiny_emotions: Path, write: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [
        "--checkpoint",
        str(tiny_emotions),
        "--data",
        str(write(named())),
        "--amounts",
        "0,0.5",
    ]
    assert main([*arguments, "--output", str(tmp_path / "out.json")]) == 0
    read = "from mine.csv, rows 1 to 120: the text from “text”, the label from “emotion” (text and label guessed)"
    assert read in capsys.readouterr().err
    result = store.load(tmp_path / "out.json")
    task, frame = result.task, result.frames[0]
    assert (task.name, task.source, task.source_name, task.label_names) == (
        "auto",
        "file",
        "mine.csv",
        tuple(NAMES),
    )
    assert str(tmp_path) not in (tmp_path / "out.json").read_text()
    assert (len(task.examples), sorted(set(task.gold))) == (60, [0, 1, 2, 3, 4, 5])
    assert [LABELS[row] for row in task.examples] == list(task.gold)
    predicted = predicted_by_transformers(tiny_emotions, [TEXTS[row] for row in task.examples])
    assert list(frame.predictions) == predicted
    assert frame.metrics == {
        "accuracy": accuracy_score(task.gold, predicted),
        "matthews_correlation": pytest.approx(matthews_corrcoef(task.gold, predicted), abs=1e-12),
        "macro_f1": pytest.approx(f1_score(task.gold, predicted, average="macro"), abs=1e-12),
    }
    assert (task.main_metric, result.working_range and result.working_range.metric) == (
        "macro_f1",
        "macro_f1",
    )
    most = [np.bincount(task.gold).argmax()] * len(task.gold)
    guessed = f1_score(task.gold, most, average="macro", zero_division=0)
    assert reference_of(result, "macro_f1") == ("commonest label", pytest.approx(guessed))


@pytest.mark.parametrize(
    ("further", "words"),
    [
        (
            [],
            "'emotion' says 0, 1, 2, 3, 4, 5, which is none of the labels Anger, fear, joy, love, sadness",
        ),
        (["--label-map", "0=anger", "0=fear"], "'0' is there twice"),
        (["--label", "feeling"], "mine.csv has no column 'feeling': name one of text, emotion"),
        (
            ["--label", "text", "--text", "text"],
            "text and label columns: give one or two texts and a label",
        ),
        (["--data", "GLUE"], "columns, a label map and task auto need a file"),
        (["--task", "sst2", "--data", "GLUE"], "has 6 labels"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(
    tiny_emotions: Path, write: Write, glue_folder: Path, further: list[str], words: str
) -> None:
    further = [word.replace("GLUE", str(glue_folder)) for word in further]
    given = [] if "--data" in further else ["--data", write(LABELS)]
    assert words in refused("--checkpoint", tiny_emotions, *given, *further)


@pytest.mark.parametrize("method", [name for name, method in METHODS.items() if method.control])
def test_every_method_is_measured_on_the_same_half_of_the_rows(
    tiny_emotions: Path, write: Write, method: str
) -> None:
    asked = ["--checkpoint", tiny_emotions, "--data", write(named()), "--method", method]
    inputs = prepare(ask(*asked))
    assert inputs.subset == prepare(ask(*asked[:4])).subset
    if METHODS[method].calibrated:
        assert sorted(
            [*inputs.calibration.record.examples, *inputs.subset.record.examples]
        ) == list(range(120))
        assert len(prepare(ask(*asked, "--examples", 104)).calibration.record.examples) == 16
        said = refused(*asked, "--examples", 105)
        assert "mine.csv has only 15 examples besides those evaluated, and 16 are needed" in said
    assert "mine.csv has only 120 examples" in refused(*asked, "--examples", 121)


def test_it_is_recomputed(
    tiny_emotions: Path, write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = write(LABELS, "own data.csv")
    meanings = [f"{number}={name}" for number, name in enumerate(NAMES)]
    asked = ask(
        "--checkpoint",
        tiny_emotions,
        "--data",
        data,
        "--amounts",
        "0,0.5",
        "--label-map",
        *meanings,
    )
    result = run(find(asked))
    assert request_of(result).label_map == asked.label_map
    elsewhere = recompute_script(result)
    assert "Replace ./own data.csv with the path of the file with the content" in elsewhere
    monkeypatch.chdir(data.parent)
    words = shlex.split(elsewhere.replace("./tiny-emotions", str(tiny_emotions)), comments=True)
    found = run(find(ask(*words[3:])))
    assert (found.key, found.frames) == (result.key, result.frames)
    assert verify_frame(result, 0.5, str(tiny_emotions), str(data)).within_tolerance

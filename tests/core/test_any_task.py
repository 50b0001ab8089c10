"""A classifier with six labels of its own, and tables that label them in other ways."""

from pathlib import Path

import pytest
from sklearn.metrics import accuracy_score, f1_score, matthews_corrcoef
from tiny import EMOTIONS, emotion_texts, predicted_by_transformers, write_csv

from core import precompute
from core.inputs.prepare import prepare
from core.precompute import find, run
from core.results import store
from core.results.provenance import recompute_script, request_of
from core.sweep.recompute import verify_frame
from tests.commands import asked, call
from tests.refusals import refusal

NAMES = list(EMOTIONS)
TEXTS, LABELS = emotion_texts(120, seed=3)


@pytest.fixture
def named(tmp_path: Path) -> Path:
    """A table that names its labels."""
    return write_csv(
        tmp_path / "mine.csv",
        text=TEXTS,
        emotion=[NAMES[label] for label in LABELS],
    )


@pytest.fixture
def numbered(tmp_path: Path) -> Path:
    """A table that numbers its labels."""
    return write_csv(tmp_path / "own data.csv", text=TEXTS, emotion=LABELS)


def test_the_command_line_sweeps_it(
    tiny_emotions: Path,
    named: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    output = tmp_path / "out.json"
    line = f"--checkpoint {tiny_emotions} --data {named} --amounts 0,0.5"

    call(precompute, f"{line} --output {output}")

    rows = "from mine.csv, rows 1 to 120"
    columns = "the text from “text”, the label from “emotion” (text and label guessed)"
    assert f"{rows}: {columns}" in capsys.readouterr().err
    task = store.load(output).task
    assert (task.name, task.source, task.source_name) == (
        "auto",
        "file",
        "mine.csv",
    )
    assert task.label_names == tuple(NAMES)
    assert len(task.examples) == 60
    assert [LABELS[row] for row in task.examples] == list(task.gold)
    assert set(task.gold) == {*range(6)}
    assert str(tmp_path) not in output.read_text()


def test_its_scores_agree_with_scikit_learn(tiny_emotions: Path, named: Path) -> None:
    result = run(find(asked(f"--checkpoint {tiny_emotions} --data {named} --amounts 0")))

    gold = result.task.gold
    predicted = predicted_by_transformers(tiny_emotions, [TEXTS[k] for k in result.task.examples])
    assert list(result.frames[0].predictions) == predicted
    assert result.frames[0].metrics == pytest.approx(
        {
            "accuracy": accuracy_score(gold, predicted),
            "matthews_correlation": matthews_corrcoef(gold, predicted),
            "macro_f1": f1_score(gold, predicted, average="macro"),
        },
        abs=1e-12,
    )
    assert result.task.main_metric == result.working_range.metric == "macro_f1"


@pytest.mark.parametrize(
    ("further", "words"),
    [
        ("--label-map 0=anger 0=fear", "'0' is there twice"),
        ("--label text --text text", "text and label columns: give one or two texts and a label"),
        ("--data GLUE", "columns, a label map and task auto need a file"),
        ("--task sst2 --data GLUE", "has 6 labels"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(
    tiny_emotions: Path,
    numbered: Path,
    glue_folder: Path,
    further: str,
    words: str,
) -> None:
    line = f"--checkpoint {tiny_emotions} --data '{numbered}' {further}"
    assert words in refusal(lambda: prepare(asked(line.replace("GLUE", str(glue_folder)))))


def test_every_method_is_measured_on_the_same_half_of_the_rows(
    tiny_emotions: Path, named: Path
) -> None:
    line = f"--checkpoint {tiny_emotions} --data {named}"
    scored = f"{line} --method wanda"

    inputs = prepare(asked(scored))

    assert inputs.subset == prepare(asked(line)).subset
    rows = [*inputs.calibration.record.examples, *inputs.subset.record.examples]
    assert sorted(rows) == list(range(120))
    fewer = prepare(asked(f"{scored} --examples 104"))
    assert len(fewer.calibration.record.examples) == 16
    words = "mine.csv has only 15 examples besides those evaluated, and 16 are needed"
    assert words in refusal(lambda: prepare(asked(f"{scored} --examples 105")))


def test_it_is_recomputed(
    tiny_emotions: Path, numbered: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    meanings = " ".join(f"{number}={name}" for number, name in enumerate(NAMES))
    line = f"--checkpoint {tiny_emotions} --data '{numbered}' --amounts 0,0.5"
    request = asked(f"{line} --label-map {meanings}")
    result = run(find(request))
    assert request_of(result).label_map == request.label_map

    script = recompute_script(result)
    assert "Replace ./own data.csv with the path of the file with the content" in script
    monkeypatch.chdir(numbered.parent)
    _, _, line = script.replace("./tiny-emotions", str(tiny_emotions)).partition("core.precompute")
    again = run(find(asked(line)))
    assert (again.key, again.frames) == (result.key, result.frames)
    assert verify_frame(result, 0.5, str(tiny_emotions), str(numbered)).within_tolerance

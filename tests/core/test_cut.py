"""`python -m core.cut` as a person runs it: its path, the saved folder, one line for bad input."""

from collections.abc import Callable
from pathlib import Path
from unittest.mock import Mock

import pytest
from tiny import (
    EMOTIONS,
    emotion_texts,
    make_bert,
    predicted_by_transformers,
    write_csv,
)

from core import cut
from core.results.cut import CutStudy
from core.results.store import load_any
from tests.studies import make_study

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(complete: Run, tmp_path: Path) -> Run:
    """Run the command on written examples; return its exit code and outputs."""
    model = make_bert(tmp_path / "model", layers=3)
    fixed = f"--checkpoint {model} --task sst2 --data written --output {tmp_path}/out"
    return lambda line="": complete(cut, f"{fixed} {line.replace('SAVED', f'{tmp_path}/saved')}")


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> Mock:
    """A study that keeps a limit of 5 points without layer 3, and a limit of 0 at no depth."""
    study = Mock(return_value=make_study(num_layers=3, num_examples=800, loss=0.04))
    monkeypatch.setattr("core.training.cut_study.study", study)
    return study


@pytest.mark.usefixtures("brief_training")
def test_the_saved_model_gives_the_judged_predictions(
    complete: Run, tiny_emotions: Path, tmp_path: Path
) -> None:
    texts, labels = emotion_texts(200)
    data = write_csv(
        tmp_path / "own.csv",
        message=texts,
        feeling=[EMOTIONS[label] for label in labels],
    )
    files = f"--data {data} --output {tmp_path}/study.json --save {tmp_path}/saved"
    code, printed, said = complete(
        cut, f"--checkpoint {tiny_emotions} {files} --threads 1 --keep 1"
    )
    assert (code, printed) == (0, f"{tmp_path / 'study.json'}\n"), said
    assert "200 rows: 80 to refit, 20 to stop early, 100 to judge: expect about ± 8 points" in said
    study = load_any(tmp_path / "study.json")
    assert isinstance(study, CutStudy)
    judged = [texts[row] for row in study.task.examples]
    assert predicted_by_transformers(tmp_path / "saved", judged) == [
        *study.depths[0].saved.predictions
    ]


def test_the_answer_is_said_and_the_study_is_kept(run: Run, known: Mock, tmp_path: Path) -> None:
    code, printed, said = run("--at-most 20")
    assert (code, load_any(Path(printed.strip()))) == (0, known.return_value)
    assert said.splitlines()[-1].startswith("Without layers 2 and 3, 1.3 times as fast: accuracy ")


@pytest.mark.parametrize("line", ["--at-most 0", "--at-most 0 --save SAVED"])
def test_a_limit_that_no_depth_keeps_saves_nothing(
    run: Run, known: Mock, tmp_path: Path, line: str
) -> None:
    code, printed, said = run(line)
    assert (code, printed) == (2, "")
    assert said.splitlines()[-1].startswith(
        "error: No cut is shown to keep within 0 points; closest: without"
    )
    assert {path.name for path in tmp_path.iterdir()} == {"model", "out"}
    assert [*(tmp_path / "out").iterdir()] == []


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("--keep 3", "--keep 3 is no depth of this study: choose one of 2, 1"),
        ("--at-most 101", "--at-most 101: give points of the score, 0 to 100"),
        ("--save tests", "--save tests exists and is not an empty folder"),
        ("--save /proc/none", "cannot write /proc"),
        (
            "--train rows.txt",
            "train 'rows.txt' is not a file here: give one that ends in .csv",
        ),
        (
            "--examples 8",
            "8 labelled rows to judge and 64 to refit, at least 32 of each are needed",
        ),
    ],
)
def test_bad_input_is_refused_in_one_line_before_any_work(
    run: Run, known: Mock, line: str, words: str
) -> None:
    code, printed, said = run(line)
    assert (code, printed, said.strip().count("\n")) == (2, "", 0)
    assert words in said
    known.assert_not_called()

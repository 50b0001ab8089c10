"""The code beside a smaller model prints its score, from the rows of every kind of place."""

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas
import pytest

from core.exports.model_card import RESULT_FILE, scoring_lines, upload_line
from core.results.cut import CutStudy
from core.results.key import sealed
from core.results.schema import ColumnsRecord, FileRecord
from core.sweep.scores import SCORES
from tests.studies import make_study

ROWS = 300
TEXTS = [f"text {row}" if row else "NA" for row in range(ROWS)]  # which is no missing value
WRITERS = {
    "csv": lambda table, path: table.to_csv(path, index=False),
    "tsv": lambda table, path: table.to_csv(path, index=False, sep="\t"),
    "parquet": lambda table, path: table.to_parquet(path),
    "jsonl": lambda table, path: table.to_json(path, orient="records", lines=True),
}


def on_file(kind: str, columns: tuple[str, ...]) -> CutStudy:
    """A study of every third row of a file."""
    study = make_study(num_examples=ROWS // 3)
    files = (FileRecord(name=f"mine.{kind}", sha256="0" * 64, rows=(0, ROWS)),)
    read = {
        "files": files,
        "columns": ColumnsRecord(text=columns, label="topic"),
        "name": "auto",
        "source": "file",
    }
    task = study.task.model_copy(
        update={
            **read,
            "examples": tuple(range(0, ROWS, 3)),
            "main_metric": "macro_f1" if columns[1:] else "accuracy",
        }
    )
    return study.model_copy(update={"task": task})


@pytest.mark.parametrize("kind", WRITERS)
@pytest.mark.parametrize("columns", [("title",), ("title", "body")])
def test_the_lines_print_the_main_metric_of_the_saved_predictions(
    kind: str,
    columns: tuple[str, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: Any,
) -> None:
    study = on_file(kind, columns)
    expected = study.depths[0].saved
    gold = np.array(study.task.gold)
    score = SCORES[study.task.main_metric]
    WRITERS[kind](
        pandas.DataFrame(dict.fromkeys(columns, TEXTS)),
        tmp_path / f"mine.{kind}",
    )
    (tmp_path / "smaller").mkdir()
    (tmp_path / "smaller" / RESULT_FILE).write_text(sealed(study).model_dump_json())
    names = dict(zip(study.task.label_names, range(2), strict=True))
    asked: list[Any] = []

    def predict(rows: list[Any], **options: Any) -> list[dict[str, str]]:
        asked.extend(rows)
        assert options == {"truncation": True, "max_length": 128}
        return [{"label": study.task.label_names[label]} for label in expected.predictions]

    predict.model = SimpleNamespace(config=SimpleNamespace(label2id=names))
    monkeypatch.setitem(
        sys.modules,
        "transformers",
        SimpleNamespace(pipeline=lambda task, folder, dtype: predict),
    )
    monkeypatch.chdir(tmp_path)
    exec(scoring_lines(study, "smaller"), {})
    assert float(capsys.readouterr().out) == pytest.approx(
        score(gold, np.array(expected.predictions))
    )
    chosen = [TEXTS[row] for row in study.task.examples]
    assert asked == (
        chosen if len(columns) == 1 else [{"text": text, "text_pair": text} for text in chosen]
    )


def test_rows_of_the_hub_are_read_there_and_a_strange_path_is_quoted() -> None:
    study = make_study()
    task = study.task.model_copy(update={"source": "hub"})
    place = "hf://datasets/nyu-mll/glue/sst2/validation-00000-of-00001.parquet"
    assert place in scoring_lines(study.model_copy(update={"task": task}), "x")
    written = study.model_copy(update={"task": task.model_copy(update={"source": "written"})})
    assert "cached_results/subsets/sst2.jsonl" in scoring_lines(written, "x")
    assert upload_line("a folder; rm") == "hf upload OWNER/NAME 'a folder; rm'"

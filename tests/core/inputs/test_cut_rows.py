"""Rows of a study: three sets without a common text; training data and rows without labels judge nothing."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tiny import make_bert, make_texts, write_csv

from core.findings.words.lab import division_words
from core.inputs.cut_rows import CutInputs, prepare_cut
from core.inputs.examples import example_digests
from core.request.cut_request import CutRequest, Division, depths_of, divide
from core.results.cut import CutStudy
from core.results.key import key_of
from core.results.provenance import can_be_found, training_of
from tests.refusals import refusal
from tests.studies import make_study

Write = Callable[..., str]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Return a function that writes a table of texts and labels, and returns its path."""

    return lambda name, texts, labels: str(write_csv(tmp_path / name, text=texts, label=labels))


def prepared(folder: Path, data: str, **changes: object) -> CutInputs:
    return prepare_cut(
        CutRequest.from_json({"checkpoint": str(folder), "task": "sst2", "data": data, **changes})
    )


def named(count: int) -> list[str]:
    return ["negative", "positive"] * (count // 2)


def expect_disjoint(inputs: CutInputs) -> None:
    sets = [{*texts} for texts in (inputs.refit, inputs.stop, inputs.subset.texts)]
    assert [*map(len, sets)] == [*inputs.division], "no text is there twice"
    assert sum(map(len, sets)) == len(set.union(*sets))


@pytest.mark.parametrize(
    ("rows", "division"),
    [
        ((500, 0, False), (200, 50, 250)),
        ((500, 100, False), (200, 50, 350)),  # rows that can only refit leave more to judge
        ((500, 9_000, False), (2_048, 256, 500)),
        ((10_000, 0, False), (2_048, 256, 2_000)),
        ((500, 300, True), (240, 60, 500)),
        ((128, 64, True), (48, 16, 128)),
        ((500, 0, False, 100), (320, 80, 100)),
    ],
)
def test_half_judge_and_one_in_five_others_stops(
    rows: tuple[int, int, bool], division: tuple[int, int, int]
) -> None:
    assert divide(*rows) == division


def test_more_judged_rows_narrow_the_interval() -> None:
    assert [round(100 * Division(0, 0, judged).width) for judged in (100, 250, 2_000)] == [8, 5, 2]
    assert division_words(Division(200, 50, 250)) == (
        "500 rows: 200 to refit, 50 to stop early, 250 to judge: expect about ± 5 points; more rows narrow it."
    )
    assert "promise nothing" in division_words(Division(16, 16, 99))
    assert "promise" not in division_words(Division(80, 20, 100))


def test_every_depth_is_studied_up_to_six_layers_and_every_second_above() -> None:
    assert [depths_of(layers, False) for layers in (1, 2, 6)] == [(), (1,), (5, 4, 3, 2, 1)]
    assert depths_of(12, False) == (10, 8, 6, 4, 2)
    assert depths_of(7, True) == (6, 5, 4, 3, 2, 1)


def test_a_table_is_divided_and_no_text_refits_and_judges(tiny_bert: Path, write: Write) -> None:
    texts = make_texts(200)
    inputs = prepared(tiny_bert, write("own.csv", texts * 2, named(400)))  # every text twice
    assert inputs.division == (80, 20, 100)
    expect_disjoint(inputs)
    assert inputs.depths == (1,)
    record = inputs.record
    assert (record.source_name, record.split, record.files, record.labelled) == (
        "own.csv",
        "all",
        None,
        100,
    )


def test_a_split_for_training_refits_and_all_validation_rows_judge(
    tiny_bert: Path, glue_folder: Path
) -> None:
    inputs = prepared(tiny_bert, str(glue_folder))
    assert inputs.division == (128, 32, 96)
    assert (inputs.record.split, inputs.subset.record.split) == ("train", "validation")
    expect_disjoint(inputs)
    assert prepared(tiny_bert, "written").division == (48, 16, 128)


def test_rows_without_a_label_refit_and_rows_that_are_left_out_do_not(
    tiny_bert: Path, write: Write
) -> None:
    texts = make_texts(300)
    data = write("own.csv", texts, [*named(200), *[""] * 60, *["?"] * 40])
    inputs = prepared(tiny_bert, data, label_map=(("?", None),))
    assert inputs.division == (80, 20, 160)
    assert (inputs.labels.count(None), inputs.record.labelled) == (60, 40)
    out = {(text,) for text in texts[260:]}
    assert not out & {*inputs.refit, *inputs.stop, *inputs.subset.texts}


def test_a_file_of_its_own_refits_alone(tiny_bert: Path, write: Write, tmp_path: Path) -> None:
    texts = make_texts(180)
    data = write("own.csv", texts[:100], named(100))
    (tmp_path / "more.jsonl").write_text(
        "\n".join(f'{{"text": "{text}"}}' for text in texts[90:])
    )  # ten judge
    inputs = prepared(tiny_bert, data, train=str(tmp_path / "more.jsonl"))
    assert inputs.division == (64, 16, 100)
    expect_disjoint(inputs)
    assert (inputs.record.source_name, inputs.record.labelled) == ("more.jsonl", 0)
    assert inputs.record.files[0].name == "more.jsonl"
    assert "'folder' is not a file" in refusal(prepared, tiny_bert, data, train="folder")


def test_training_data_refit_and_never_judge(copy: Path, write: Write) -> None:
    texts = make_texts(300)
    np.save(copy / "training_examples.npy", example_digests((text,) for text in texts[:150]))
    inputs = prepared(copy, write("own.csv", texts, named(300)))
    known = {(text,) for text in texts[:150]}
    assert not known & {*inputs.subset.texts}
    assert known <= {*inputs.refit, *inputs.stop}
    assert len(inputs.subset.texts) == 150
    np.save(copy / "training_examples.npy", example_digests((text,) for text in texts))
    assert "0 labelled rows to judge" in refusal(
        prepared, copy, write("own.csv", texts, named(300))
    )
    (copy / "training_examples.npy").write_bytes(b"no array")
    assert "damaged training_examples.npy" in refusal(
        prepared, copy, write("own.csv", texts, named(300))
    )


def test_what_cannot_be_studied_is_refused_in_one_line(
    tiny_bert: Path, write: Write, tmp_path: Path
) -> None:
    texts = make_texts(200)
    assert "5 labelled rows to judge and 5 to refit, at least 32" in refusal(
        prepared, tiny_bert, write("ten.csv", texts[:10], named(10))
    )
    assert "all 100 rows to judge have one label" in refusal(
        prepared, tiny_bert, write("one.csv", texts, ["positive"] * 200)
    )
    assert "all 150 rows to refit have one label" in refusal(
        prepared, tiny_bert, write("rare.csv", make_texts(300), ["negative", *["positive"] * 299])
    )
    assert "has 1 encoder layer" in refusal(
        prepared, make_bert(tmp_path / "one", layers=1), "written"
    )


def test_a_study_leads_back_to_its_request(tiny_bert: Path, write: Write) -> None:
    data = write("own.csv", make_texts(200), named(200))
    inputs, study = prepared(tiny_bert, data, num_examples=80), make_study(num_layers=2)
    record = study.checkpoint.model_copy(update={"revision": inputs.resolved.revision})
    parts = {"checkpoint": record, "task": inputs.subset.record, "refit": inputs.record}
    study = CutStudy.model_construct(**{**dict(study), **parts})
    assert key_of(study) == inputs.key
    request = training_of(study)
    assert (request.num_examples, request.train, request.text, request.label) == (
        80,
        None,
        ("text",),
        "label",
    )
    assert not can_be_found(request), "a result does not know where its table is"
    shutil.copy(data, data.replace("own", "more"))
    apart = prepared(tiny_bert, data, train=data.replace("own", "more"), num_examples=32)
    assert training_of(study.model_copy(update={"refit": apart.record})).train == "./more.csv"

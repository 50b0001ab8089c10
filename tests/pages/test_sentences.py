"""The Sentences page: examples, filters, and a typed text, with a worker without a model."""

import json
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core.findings.sentences import examples_of
from core.findings.words.sentences import WRITTEN
from core.jobs.queue import JobQueue, queue
from core.results.key import digest
from core.results.schema import SweepResult
from core.wall.turns import Visitor
from tests.builders import (
    make_result,
    open_preset,
    ship,
    with_own_key,
    with_own_labels,
)
from tests.opened import (
    address,
    box,
    labels,
    open_page,
    players,
    press,
    prose,
    run,
)
from tests.queues import PATIENCE

PAGE = "pages/sentences.py"
NASTY = "<img src=x onerror=alert(1)> [link](http://x.y) **bold**"


def on_written(task: str = "sst2", **options: Any) -> SweepResult:
    """Build a result on the first 40 written examples and their texts."""
    subset = open_preset(task, "written").subset(40)
    result = make_result(num_examples=40, source="written", **options)
    gold = result.task.gold
    fingerprint = digest({"task": task, "texts": subset.texts, "gold": gold})
    record = subset.record.model_copy(update={"gold": gold, "fingerprint": fingerprint})
    return with_own_key(result, task=record)


def table(page: AppTest) -> list[dict[str, Any]]:
    return page.dataframe[0].value.to_dict("records")


def test_it_opens_with_the_picture_of_the_written_examples(shipped: Path, queue: JobQueue) -> None:
    written = on_written(
        accuracy=lambda amount: 0.9 if amount < 0.28 else 0.7 if amount < 0.58 else 0.5
    )
    ship(shipped, other := make_result(num_examples=60), written)
    assert address(press(open_page(PAGE, result=other.key), WRITTEN))["result"] == written.key
    page = open_page(PAGE)
    (player,) = players(page)
    assert list(player["views"]) == ["strip"]
    assert len({cell["y"] for cell in player["views"]["strip"]["datasets"]["cells"]}) == 40
    assert page.title[0].value.startswith("16 of 40 predictions flip")
    texts = {example.row: example.texts[0] for example in examples_of(written)}
    assert {line["Row"]: line["Sentence"] for line in table(page)} == texts


def test_every_filter_works_and_stands_in_the_address(shipped: Path, queue: JobQueue) -> None:
    ship(
        shipped,
        result := on_written(accuracy=lambda amount: 0.8),
        other := on_written("qnli"),
    )
    page = open_page(PAGE, result=other.key)
    assert [area.label for area in page.text_area] == [
        "Question",
        "Sentence",
    ], "the task reads pairs"
    assert {"Question", "Sentence"} <= set(table(page)[0])
    box(page, "label").set_value("entailment").run()
    assert {line["Label"] for line in table(page)} == {"entailment"}
    box(page, "flips").set_value("flips").run()
    assert "never" not in {line["Flips at"] for line in table(page)}
    assert table(open_page(PAGE, **address(page))) == table(page)
    flip = next(example.flip for example in examples_of(other) if example.flip is not None)
    lines = table(open_page(PAGE, result=other.key, flips=f"{other.amounts[flip]:g}"))
    assert {line["Flips at"] for line in lines} == {f"{100 * other.amounts[flip]:.0f} %"}
    box(page, "flips").set_value("returns").run()
    box(page, "task").set_value("SST-2").run()
    assert address(page) == {"result": result.key, "flips": "returns"}, (
        "this task has no such label"
    )
    assert "No example fits" in page.info[0].value
    assert not page.dataframe


# ---------------------------------------------------------------- a typed sentence


@pytest.fixture
def page(shipped: Path, queue: JobQueue) -> AppTest:
    ship(shipped, on_written())
    return open_page(PAGE)


def predict(page: AppTest, text: str) -> None:
    page.text_area(key="typed-sentence").set_value(text)
    if text == "hang":
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(
                "core.jobs.queue.queue.wait",
                lambda job_id, *_: queue.get(job_id),
            )  # no answer will come
            press(page, "Predict")
        return
    press(page, "Predict")
    if "typed-job" in page.session_state:
        _, job_id = page.session_state["typed-job"]
        queue.wait(job_id, PATIENCE)
        page.run()
    assert not page.exception


def test_a_typed_sentence_is_answered_in_a_picture_and_words_and_stays_text(
    page: AppTest,
) -> None:
    predict(page, "  A fine film.  ")
    player, _ = players(page)
    assert player["layout"]["name"] == "probabilities"
    rows = player["views"]["probabilities"]["datasets"]["labels"]
    assert {row["label"] for row in rows} == {"negative", "positive"}
    assert rows[1]["value"] == pytest.approx(0.9)
    assert "Unpruned, the model says “positive” (0.90); pruned, it says “negative”" in prose(page)
    assert "“A fine film.”" in prose(page)
    assert len(players(page.run())) == 2, "it stays"
    predict(page, f"UNK {NASTY}")
    quotes = [element for element in page.markdown if "onerror" in element.value]
    assert quotes
    for quote in quotes:
        assert not quote.allow_html
        assert all(escaped in quote.value for escaped in ("\\<img", "\\[link\\]", "\\*\\*bold"))
    assert "onerror" not in json.dumps(players(page)), "the picture does not hold the text"
    assert "read as \\[UNK\\]" in page.warning[0].value


def test_an_unanswered_text_gets_an_error_in_one_line(page: AppTest) -> None:
    predict(page, "first a good one")
    for text, message in (
        ("   ", "the sentence has 0 characters"),
        ("refuse", "refused"),
    ):
        predict(page, text)
        (error,) = page.error
        assert message in error.value
        assert "<b>" not in error.value.replace("\\<", "")
        assert len(players(page)) == 1, "no answer to another question"


def test_cancel_ends_a_question_unless_somebody_else_asked_it_too(
    page: AppTest, queue: JobQueue
) -> None:
    for shared in (False, True):
        predict(page, "hang")
        assert "Cancel" in labels(page)
        _, job_id = page.session_state["typed-job"]
        if shared:
            queue.watch(job_id, Visitor("somebody else", "9.9.9.9"))
        run(press(page, "Cancel"))
        assert queue.get(job_id).ended != shared
        assert not page.get("progress")
        assert "Cancel" not in labels(page)


def test_missing_texts_and_weights_are_explained(shipped: Path, queue: JobQueue) -> None:
    few = {"amounts": (0.0, 0.5)}
    scored = make_result(**few, num_examples=60, method="attribution", scope=None)
    own = with_own_labels(make_result(**few), ["sad", "glad"])
    written = on_written(**few)
    checkpoint = written.checkpoint.model_copy(update={"source": "hub", "id": "owner/name"})
    elsewhere = with_own_key(written, checkpoint=checkpoint)
    ship(shipped, scored, own, elsewhere)
    page = open_page(PAGE, result=scored.key)
    assert "are not ours to ship" in prose(page)
    assert "scores on the written examples" in prose(page)
    assert "Sentence" not in table(page)[0]
    page = open_page(PAGE, result=own.key)
    assert not page.text_area
    assert "choose a bundled checkpoint" in prose(page)
    assert open_page(PAGE, result=elsewhere.key).text_area, "its id is known"

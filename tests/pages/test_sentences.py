"""The Sentences page: examples and filters, also from bad addresses; a typed text, against a worker without a model."""

import json
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core.findings.sentences import examples_of
from core.inputs.examples import open_preset
from core.jobs import queue
from core.jobs.queue import JobQueue
from core.request.catalog import TASKS
from core.results.digest import digest
from core.results.prediction import MAX_CHARACTERS
from core.results.schema import SweepResult
from tests.builders import make_result, ship, with_own_key, with_own_labels
from tests.opened import open_page, players, press, told
from tests.queues import PATIENCE, ended, now

PAGE = "pages/sentences.py"
NASTY = "<img src=x onerror=alert(1)> [link](http://x.y) **bold**"


def on_written(task: str = "sst2", **options: Any) -> SweepResult:
    """A result whose examples are the first 40 of the written ones, texts included."""
    known = open_preset(TASKS[task], "written").subset(40).record()
    result = make_result(num_examples=40, source="written", **options)
    known = known.model_copy(update={"gold": result.task.gold, "fingerprint": ""})
    texts = open_preset(TASKS[task], "written").subset(40).texts
    record = known.model_copy(update={"fingerprint": digest({"task": task, "texts": texts, "gold": known.gold})})
    return with_own_key(result, task=record)


def table(page: AppTest) -> list[dict[str, Any]]:
    return page.dataframe[0].value.to_dict("records")


def test_it_opens_with_the_picture_of_the_written_examples(shipped: Path, queue: JobQueue) -> None:
    written = on_written(accuracy=lambda amount: 0.9 if amount < 0.28 else 0.7 if amount < 0.58 else 0.5)
    ship(shipped, make_result(num_examples=60), written)
    page = open_page(PAGE)
    (player,) = players(page)
    assert list(player["views"]) == ["flips", "strip"]
    assert player["layout"]["name"] == "sentences"
    cells = player["views"]["strip"]["datasets"]["cells"]
    assert len({cell["y"] for cell in cells}) == 40
    assert (
        "Unpruned, the model is correct on 36 of 40 examples; the first flips at 30 %, and 0 later revert. "
        "At 95 %, the last amount measured, 20 of 40 are predicted “negative”." in told(page)
    )
    lines = table(page)
    assert page.title[0].value == "16 of 40 predictions flip; half have by 30\u00a0%"
    assert len(lines) == 40
    texts = {example.row: example.texts[0] for example in examples_of(written)}
    assert {line["Row"]: line["Sentence"] for line in lines} == texts
    assert "not shipped" not in told(page)


def test_examples_of_glue_are_named_by_their_rows(shipped: Path, queue: JobQueue) -> None:
    glue = make_result(num_examples=60)
    ship(shipped, glue)
    page = open_page(PAGE, result=glue.key)
    assert "not ours to ship" in told(page)
    assert "Sentence" not in table(page)[0]
    assert "choose-length" not in {box.key for box in page.selectbox}, "without texts, no lengths"


def test_every_filter_works_and_stands_in_the_address(shipped: Path, queue: JobQueue) -> None:
    ship(shipped, on_written())
    page = open_page(PAGE)
    page.selectbox(key="choose-label").set_value("positive").run()
    assert {line["Label"] for line in table(page)} == {"positive"}
    assert page.query_params["label"] == "positive"
    page.selectbox(key="choose-flips").set_value("flips").run()
    assert "never" not in {line["Flips at"] for line in table(page)}
    flipping = len(table(page))
    page.selectbox(key="choose-length").set_value("short").run()
    assert 0 < len(table(page)) < flipping
    again = open_page(PAGE, label="positive", flips="flips", length="short")
    assert table(again) == table(page)
    assert len(players(again)[0]["views"]["strip"]["datasets"]["cells"]) == len(
        players(page)[0]["views"]["strip"]["datasets"]["cells"]
    )


def test_an_amount_is_a_filter_too(shipped: Path, queue: JobQueue) -> None:
    result = on_written()
    ship(shipped, result)
    examples = examples_of(result)
    flip = next(example.flip for example in examples if example.flip is not None)
    page = open_page(PAGE, flips=f"{result.amounts[flip]:g}")
    assert len(table(page)) == sum(example.flip == flip for example in examples)
    assert {line["Flips at"] for line in table(page)} == {f"{100 * result.amounts[flip]:.0f} %"}


def test_filters_that_another_result_does_not_know_are_dropped_without_a_word(shipped: Path, queue: JobQueue) -> None:
    one, other = on_written(), on_written("qnli")
    ship(shipped, one, other)
    page = open_page(PAGE, result=one.key, label="positive", flips="flips")
    page.selectbox(key="choose-task").set_value("qnli").run()
    assert not page.exception
    assert not page.info
    assert "label" not in page.query_params
    assert page.query_params["flips"] == "flips"


def test_where_no_example_is_left_it_says_so(shipped: Path, queue: JobQueue) -> None:
    ship(shipped, on_written(accuracy=lambda amount: 0.8))
    page = open_page(PAGE, flips="returns")
    assert "No example fits" in page.info[0].value
    assert not page.dataframe
    assert page.selectbox(key="choose-flips").value == "returns"


# ---------------------------------------------------------------- a typed sentence


@pytest.fixture
def page(shipped: Path, queue: JobQueue) -> AppTest:
    ship(shipped, on_written())
    return open_page(PAGE)


def predict(page: AppTest, text: str) -> None:
    page.text_area(key="typed-sentence").set_value(text)
    if text == "hang":
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("core.jobs.queue.wait", lambda job_id, *_: queue.get(job_id))  # no answer will come
            press(page, "Predict")
        return
    press(page, "Predict")
    if "typed-job" in page.session_state:
        _, job_id = page.session_state["typed-job"]
        queue.wait(job_id, lambda job: job.ended, PATIENCE)
        page.run()
    assert not page.exception


def test_a_typed_sentence_is_answered_with_a_picture_and_words(page: AppTest) -> None:
    predict(page, "  A fine film.  ")
    player, _ = players(page)
    assert player["layout"]["name"] == "probabilities"
    rows = player["views"]["probabilities"]["datasets"]["labels"]
    assert {row["label"] for row in rows} == {"negative", "positive"}
    assert rows[1]["probability"] == pytest.approx(0.9)
    assert "Unpruned, the model says “positive” (0.90); pruned, it says “negative”" in told(page)
    assert "“A fine film.”" in told(page)
    assert "| 0 % | 0.10 | 0.90 |" in told(page)
    page.run()
    assert len(players(page)) == 2, "it stays"


def test_what_is_typed_is_never_markup(page: AppTest) -> None:
    predict(page, f"UNK {NASTY}")
    shown = [element.value for element in page.markdown if "onerror" in element.value]
    assert shown
    for value in shown:
        assert "\\<img" in value
        assert "\\[link\\]" in value
        assert "\\*\\*bold" in value
    assert not any(element.allow_html for element in page.markdown if "onerror" in element.value)
    assert "onerror" not in json.dumps(players(page)), "the picture does not hold the text"
    assert "read as \\[UNK\\]" in page.warning[0].value


@pytest.mark.parametrize(
    ("text", "message"),
    [("   ", "the sentence is empty"), ("x" * (MAX_CHARACTERS + 1), "2,001 characters"), ("refuse", "refused")],
)
def test_what_cannot_be_answered_is_said_in_one_line(page: AppTest, text: str, message: str) -> None:
    predict(page, "first a good one")
    predict(page, text)
    (error,) = page.error
    assert message in error.value
    assert "<b>" not in error.value.replace("\\<", "")
    assert len(players(page)) == 1, "no answer to another question"


def test_a_long_question_shows_its_progress_and_can_be_cancelled(page: AppTest) -> None:
    predict(page, "hang")
    press(page, "Cancel")
    page.run()
    assert not page.get("progress")
    assert len(players(page)) == 1


def test_another_question_takes_the_place_of_one_that_is_not_answered(
    page: AppTest, queue: JobQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRUNESCOPE_HOSTED", "1")  # where a visitor may ask one at a time
    predict(page, "hang")
    _, first = page.session_state["typed-job"]
    predict(page, "A fine film.")
    assert not page.error
    assert ended(queue, first).state == "cancelled"
    assert "“A fine film.”" in told(page)


def test_cancel_ends_a_question_for_one_of_two_who_asked_it(page: AppTest, queue: JobQueue) -> None:
    predict(page, "hang")
    _, job_id = page.session_state["typed-job"]
    queue.watch(job_id, "somebody else", address="203.0.113.8")
    press(page, "Cancel")
    page.run()
    assert not now(queue, job_id).ended
    assert "Cancel" not in {button.label for button in page.button}
    predict(page, "hang")
    assert "Cancel" in {button.label for button in page.button}, "asked again, it is followed again"


def test_texts_of_a_file_are_not_promised_where_they_are_not_kept(
    shipped: Path, queue: JobQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = with_own_labels(make_result(), ["sad", "glad"])
    ship(shipped, own)
    assert "Once you run the Lab" in told(open_page(PAGE, result=own.key))
    monkeypatch.setenv("PRUNESCOPE_HOSTED", "1")
    assert "kept on this server for runs only" in told(open_page(PAGE, result=own.key))


def test_a_pair_is_asked_for_as_the_task_reads_it(shipped: Path, queue: JobQueue) -> None:
    ship(shipped, on_written("qnli"))
    page = open_page(PAGE)
    assert [area.label for area in page.text_area] == ["Question", "Sentence"]
    assert {"Question", "Sentence"} <= set(table(page)[0])


def test_other_checkpoints_answer_nothing_here(shipped: Path, queue: JobQueue) -> None:
    result = on_written()
    elsewhere = result.checkpoint.model_copy(update={"source": "hub", "id": "owner/name"})
    ship(shipped, with_own_key(result, checkpoint=elsewhere))
    page = open_page(PAGE)
    assert not page.text_area
    assert "can be tried with the bundled checkpoints" in told(page)


def test_scores_on_written_examples_are_said_where_the_result_had_others(shipped: Path, queue: JobQueue) -> None:
    scored = make_result(num_examples=60, method="attribution", scope=None)
    ship(shipped, scored)
    assert "written calibration examples" in told(open_page(PAGE))

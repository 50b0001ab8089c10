"""The Overview without a browser: what it says, and what it says when there is nothing to say."""

import json
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core.findings.claim import verdict_finding, verdict_in_short
from core.findings.overview import accuracy_finding, finding
from core.results.schema import SweepResult
from tests.builders import make_result, ship

APP = str(Path(__file__).parents[2] / "app.py")


def overview(**parameters: str) -> AppTest:
    app = AppTest.from_file(APP, default_timeout=30)
    for name, value in parameters.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception
    return app


def told(app: AppTest) -> str:
    """All text in Markdown elements, without the escapes."""
    return "\n".join(element.value for element in app.markdown).replace("\\", "").replace("\u2060", "")


def mounted(app: AppTest) -> Any:
    (component,) = app.get("bidi_component")
    return json.loads(component.proto.json)


def accuracies(app: AppTest) -> list[float]:
    """Unpruned, of every accuracy curve."""
    views = mounted(app)["views"]
    return [view["datasets"]["amounts"][0]["accuracy"] for name, view in views.items() if "amounts" in view["datasets"]]


def pair(method: str, **others: Any) -> list[SweepResult]:
    return [make_result(task=task, method=method, **others) for task in ("cola", "sst2")]


def test_it_opens_with_two_tasks_in_step_and_what_they_say(shipped: Path) -> None:
    cola, sst2 = pair("magnitude")
    control = make_result(method="random", own_cka=lambda amount, point, size: 1 - amount * point / size)
    ship(shipped, make_result(source="written"), make_result(scope="layer:1"), control, cola, sst2)
    app = overview()
    assert app.title[0].value == "What does pruning do to the representations inside a fine-tuned BERT?"
    data = mounted(app)
    assert (data["layout"], data["autoplay"], len(data["frames"])) == ("pair", True, 20)
    assert [data["views"][side]["title"] for side in ("left", "right")] == ["SST-2", "CoLA"]
    assert finding(sst2, "mean") in told(app)
    assert accuracy_finding(cola) in told(app)
    assert f"SST-2**: it {verdict_in_short(sst2, 'mean', [control])}." in told(app)
    assert verdict_finding(sst2, "mean", [control]) in told(app)
    assert f"CoLA**: it {verdict_in_short(cola, 'mean')}." in told(app)
    assert "Pruning is cumulative" in told(app)
    assert told(app).count("| Layer 1, attention block | 0.80 |") == 2


def test_the_method_is_chosen_also_by_address(shipped: Path) -> None:
    lasting = pair("wanda", accuracy=lambda amount: 0.7)
    ship(shipped, *pair("magnitude"), *lasting, make_result(method="attribution", scope=None))
    app = overview()
    assert app.selectbox(key="choose-method").options == ["Magnitude", "Wanda"]  # there is no CoLA under attribution
    assert accuracies(app) == [0.9, 0.9]
    app.selectbox(key="choose-method").set_value("wanda").run()
    assert accuracies(app) == [0.7, 0.7]
    assert app.query_params["method"] == "wanda"
    assert accuracies(overview(method="wanda")) == [0.7, 0.7]


def test_the_finding_follows_the_reduction(shipped: Path) -> None:
    results = pair("magnitude")
    ship(shipped, *results)
    app = overview()
    for reduction in ("cls", "tokens", "mean"):
        app.button_group(key="choose-reduction").set_value(reduction).run()
        assert all(finding(result, reduction) in told(app) for result in results)


def test_an_amount_in_the_address_is_shown_first(shipped: Path) -> None:
    ship(shipped, *pair("magnitude"))
    assert mounted(overview(amount="0.5"))["start"] == 0.5


@pytest.mark.parametrize("parameter", ["method", "reduction", "amount"])
def test_what_the_address_asks_for_in_vain_is_told_and_the_default_shown(shipped: Path, parameter: str) -> None:
    ship(shipped, *pair("magnitude"))
    app = overview(**{parameter: "<b>other</b>"})
    (note,) = app.info
    assert "does not exist here" in note.value
    assert "<b>" not in note.value
    assert accuracies(app) == [0.9, 0.9]
    assert mounted(app)["start"] is None


def test_one_result_alone_is_shown_alone(shipped: Path) -> None:
    result = make_result()
    ship(shipped, result)
    app = overview()
    assert mounted(app)["layout"] == "single"
    assert finding(result, "mean") in told(app)
    assert not app.selectbox


def test_without_both_tasks_the_first_two_results_are_shown_and_told_apart(shipped: Path) -> None:
    ship(shipped, make_result(), make_result(source="written", accuracy=lambda amount: 0.7), make_result(seed=1))
    app = overview()
    views = mounted(app)["views"]
    assert "GLUE" in views["left"]["title"]
    assert "written for Prunescope" in views["right"]["title"]
    assert accuracies(app) == [0.9, 0.7]


def test_a_damaged_result_is_told_and_the_other_one_shown(shipped: Path) -> None:
    cola, sst2 = pair("magnitude")
    ship(shipped, cola, sst2)
    path = shipped / f"{cola.key}.json"
    path.write_text(path.read_text().replace("0.9", "0.8", 1))
    app = overview()
    (error,) = app.error
    assert "checksum" in error.value
    assert mounted(app)["layout"] == "single"
    assert finding(sst2, "mean") in told(app)


def test_isolated_pruning_is_not_called_cumulative(shipped: Path) -> None:
    ship(shipped, make_result(scope="layer:1"))
    app = overview()
    assert "cumulative" not in told(app)
    assert "Under magnitude pruning of layer 2 alone" in told(app)


def test_without_a_result_it_says_how_to_make_one(shipped: Path) -> None:
    app = overview()
    assert "nothing to show yet" in app.info[0].value
    assert app.code[0].value.startswith("python -m core.precompute --checkpoint embedded:sst2")
    assert not app.get("bidi_component")

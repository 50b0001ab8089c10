"""The Overview without a browser: what it says, and what it says when there is nothing to say."""

import json
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.findings import accuracy_finding, finding
from core.names import result_name
from tests.builders import make_result, ship

APP = str(Path(__file__).parents[2] / "app.py")


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder in the place of the shipped results, and no results of the user's own."""
    monkeypatch.setattr("core.results.SHIPPED_RESULTS", tmp_path / "results")
    monkeypatch.setenv("PRUNESCOPE_RESULTS", str(tmp_path / "own"))
    return tmp_path / "results"


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


def accuracy_shown(app: AppTest) -> list[float]:
    (component,) = app.get("bidi_component")
    rows = json.loads(component.proto.json)["views"]["accuracy"]["datasets"]["amounts"]
    return [row["accuracy"] for row in rows]


def test_it_opens_with_the_question_the_player_and_the_finding(shipped: Path) -> None:
    result = make_result()
    ship(shipped, result)
    app = overview()
    assert app.title[0].value == "What does pruning do to the representations inside a fine-tuned BERT?"
    (component,) = app.get("bidi_component")
    data = json.loads(component.proto.json)
    assert data["autoplay"] is True
    assert len(data["frames"]) == 20
    assert finding(result, "mean") in told(app)
    assert accuracy_finding(result) in told(app)
    assert "Pruning is cumulative" in told(app)
    assert "| Layer 1, attention block | 0.80 |" in told(app)


def test_the_finding_follows_the_reduction(shipped: Path) -> None:
    result = make_result()
    ship(shipped, result)
    app = overview()
    for reduction in ("cls", "tokens", "mean"):
        app.button_group(key="choose-reduction").set_value(reduction).run()
        assert finding(result, reduction) in told(app)


def test_several_results_can_be_chosen_also_by_address(shipped: Path) -> None:
    measured, written = make_result(), make_result(source="written", accuracy=lambda amount: 0.7)
    ship(shipped, measured, written)
    app = overview()
    assert app.selectbox(key="choose-result").options == [result_name(measured), result_name(written)]
    assert accuracy_shown(app)[0] == 0.9
    app.selectbox(key="choose-result").set_value(written.key).run()
    assert accuracy_shown(app)[0] == 0.7
    assert app.query_params["result"] == written.key
    assert accuracy_shown(overview(result=written.key))[0] == 0.7


def test_an_unknown_result_in_the_address_is_told_and_the_first_one_shown(shipped: Path) -> None:
    ship(shipped, make_result())
    app = overview(result="yesterday's")
    assert "does not exist here" in app.info[0].value
    assert accuracy_shown(app)[0] == 0.9


def test_a_damaged_result_is_told_and_the_others_can_be_chosen(shipped: Path) -> None:
    damaged, whole = make_result(), make_result(num_examples=100)
    ship(shipped, damaged, whole)
    path = shipped / f"{damaged.key}.json"
    path.write_text(path.read_text().replace("0.9", "0.8", 1))
    app = overview()
    (error,) = app.error
    assert "checksum" in error.value
    app.selectbox(key="choose-result").set_value(whole.key).run()
    assert accuracy_shown(app)


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

"""The player as a page mounts it; what it does in a browser is tested in tests/browser."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.request.catalog import REDUCTIONS
from tests.opened import player
from ui.player import served_url, vega_file


def page() -> None:
    from core.charts.overview import result_scene
    from tests.builders import make_result
    from ui.player import choose_reduction, show_pictures, start_in_address

    result = make_result(num_layers=2, amounts=(0.0, 0.125, 0.5))
    reduction = choose_reduction(result)
    start = start_in_address(result.amounts)
    show_pictures(result_scene(result, reduction), key="player", group="pair", autoplay=True, start=start)


def test_it_hands_over_pictures_labels_and_settings() -> None:
    app = AppTest.from_function(page, default_timeout=20).run()
    assert not app.exception
    data = player(app)
    assert list(data["views"]) == ["heatmap", "accuracy", "survival"]
    assert [frame["amount"] for frame in data["frames"]] == [0.0, 0.125, 0.5]
    assert data["frames"][1]["name"] == "12.5 % of weights removed"
    assert data["frames"][2]["detail"] == "accuracy 0.85"
    assert data["title"] == (
        "Magnitude pruning of the encoder, MiniLM-L6, fine-tuned on SST-2; 200 examples of SST-2 validation, GLUE; "
        "magnitude pruning of the encoder, Mean over tokens"
    )
    assert (data["group"], data["autoplay"], data["start"]) == ("pair", True, None)
    assert (data["layout"]["name"], data["link"]) == ("single", {"reduction": "mean"})
    assert data["vega"].startswith("/app/static/vega-")


def test_another_reduction_is_other_data_in_the_same_pictures() -> None:
    app = AppTest.from_function(page, default_timeout=20).run()
    before = player(app)
    app.button_group(key="choose-reduction").set_value("tokens").run()
    assert not app.exception
    after = player(app)
    assert before["frames"] == after["frames"]
    for name, view in before["views"].items():
        assert {**view, "datasets": None} == {**after["views"][name], "datasets": None}
    assert before["views"]["heatmap"]["datasets"] != after["views"]["heatmap"]["datasets"]
    (note,) = app.markdown
    assert REDUCTIONS["tokens"].explanation in note.value
    assert "similarity (CKA) of 0.80 to 0.80 with the unpruned layers" in note.value


def test_an_unknown_reduction_in_the_address_is_reported() -> None:
    app = AppTest.from_function(page, default_timeout=20)
    app.query_params["reduction"] = "[median](https://example.com)"
    app.run()
    assert not app.exception
    assert "The link asks for" in app.info[0].value
    assert r"\[median\]" in app.info[0].value  # no link that a stranger put into our address


def test_the_address_says_which_amount_is_shown_first() -> None:
    app = AppTest.from_function(page, default_timeout=20)
    app.query_params["amount"] = "0.5"
    app.run()
    assert not app.exception
    assert not app.info
    assert player(app)["start"] == 0.5


@pytest.mark.parametrize("amount", ["half", "-0.1", "1", "nan"])
def test_a_bad_amount_in_the_address_is_reported_and_the_first_shown(amount: str) -> None:
    app = AppTest.from_function(page, default_timeout=20)
    app.query_params["amount"] = amount
    app.run()
    assert not app.exception
    assert "The link asks for" in app.info[0].value
    assert player(app)["start"] is None


def test_vega_is_laid_once_and_named_by_its_version(tmp_path: Path) -> None:
    folder = tmp_path / "static"
    path = vega_file(folder)
    assert path is not None
    assert path.parent == folder
    assert path.name.startswith("vega-")
    assert any(character.isdigit() for character in path.name)
    assert "vegaEmbed" in path.read_text("utf-8")
    assert [file.name for file in folder.iterdir()] == [path.name]  # nothing half-written stays
    path.write_text("kept")
    assert vega_file(folder) == path
    assert path.read_text() == "kept"


def test_where_nothing_can_be_written_there_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    assert vega_file(tmp_path / "file" / "static") is None


@pytest.mark.parametrize(
    ("base", "expected"), [("", "/app/static/x.js"), ("/some/place/", "/some/place/app/static/x.js")]
)
def test_the_url_respects_where_the_app_is_player(base: str, expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streamlit.get_option", lambda option: {"server.baseUrlPath": base}[option])
    assert served_url(Path("/anywhere/x.js")) == expected

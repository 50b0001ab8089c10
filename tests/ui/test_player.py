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


def opened(**parameters: str) -> AppTest:
    app = AppTest.from_function(page, default_timeout=20)
    app.query_params.update(parameters)
    app.run()
    assert not app.exception
    return app


def test_it_hands_over_pictures_labels_and_settings() -> None:
    app = opened()
    data = player(app)
    assert list(data["views"]) == ["heatmap", "accuracy", "survival"]
    assert [frame["amount"] for frame in data["frames"]] == [0.0, 0.125, 0.5]
    assert data["frames"][1]["name"] == "12.5 % of weights removed"
    assert data["frames"][2]["detail"] == "accuracy 0.85"
    assert data["title"].endswith("magnitude pruning of the encoder, Mean over tokens")
    assert (data["group"], data["autoplay"], data["start"]) == ("pair", True, None)
    assert (data["layout"]["name"], data["link"]) == ("single", {"reduction": "mean"})
    assert data["vega"].startswith("/app/static/vega-")
    app.button_group(key="choose-reduction").set_value("tokens").run()
    after = player(app)
    assert data["frames"] == after["frames"]
    for name, view in data["views"].items():
        assert {**view, "datasets": None} == {**after["views"][name], "datasets": None}
    assert data["views"]["heatmap"]["datasets"] != after["views"]["heatmap"]["datasets"]
    (note,) = app.markdown
    assert REDUCTIONS["tokens"].explanation in note.value
    assert "similarity (CKA) of 0.80 to 0.80 with the unpruned layers" in note.value


@pytest.mark.parametrize(
    ("amount", "start"), [("0.5", 0.5), ("0.3", 0.125), ("half", None), ("-0.1", None), ("1", None), ("nan", None)]
)
def test_the_address_says_which_amount_is_shown_first(amount: str, start: float | None) -> None:
    app = opened(amount=amount)
    assert player(app)["start"] == start
    assert len(app.info) == (amount != "0.5")


def test_vega_is_laid_once_named_by_its_version_where_a_folder_can_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = vega_file(tmp_path / "static")
    assert path is not None
    assert path.name.startswith("vega-")
    assert any(character.isdigit() for character in path.name)
    assert "vegaEmbed" in path.read_text("utf-8")
    assert [file.name for file in path.parent.iterdir()] == [path.name]  # nothing half-written stays
    path.write_text("kept")
    assert vega_file(tmp_path / "static") == path
    assert path.read_text() == "kept"
    assert vega_file(path / "static") is None
    for base, prefix in (("", ""), ("/some/place/", "/some/place")):
        monkeypatch.setattr("streamlit.get_option", lambda option, base=base: {"server.baseUrlPath": base}[option])
        assert served_url(Path("/anywhere/x.js")) == f"{prefix}/app/static/x.js"

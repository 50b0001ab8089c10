"""The player as a page mounts it; what it does in a browser is tested in tests/browser."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

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
    assert "vegaEmbed" in path.read_text("utf-8")
    assert [file.name for file in path.parent.iterdir()] == [path.name]  # nothing half-written stays
    path.write_text("kept")
    assert vega_file(tmp_path / "static") == path
    assert path.read_text() == "kept"
    assert vega_file(path / "static") is None
    for base, prefix in (("", ""), ("/some/place/", "/some/place")):
        monkeypatch.setattr("streamlit.get_option", lambda option, base=base: {"server.baseUrlPath": base}[option])
        assert served_url(Path("/anywhere/x.js")) == f"{prefix}/app/static/x.js"

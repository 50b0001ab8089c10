"""What a player mounts; tests/pages and tests/browser have the player itself."""

from pathlib import Path

import pytest

from ui.player import served_url, vega_file


def test_vega_is_laid_once_where_a_folder_can_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = vega_file(tmp_path / "static")
    assert "vegaEmbed" in path.read_text("utf-8")
    assert [file.name for file in path.parent.iterdir()] == [
        path.name
    ]  # nothing half-written stays
    path.write_text("kept")
    assert vega_file(tmp_path / "static") == path
    assert path.read_text() == "kept"
    assert vega_file(path / "static") is None
    for base, prefix in (("", ""), ("/some/place/", "/some/place")):
        monkeypatch.setattr(
            "streamlit.get_option",
            lambda option, base=base: {"server.baseUrlPath": base}[option],
        )
        assert served_url(Path("/anywhere/x.js")) == f"{prefix}/app/static/x.js"

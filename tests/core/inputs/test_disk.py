"""The disk of a hosted server: what was used longest ago goes first, and only beyond the caps."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from core.inputs import texts, uploads
from core.inputs.hub import Repository, snapshot
from core.request import limits
from core.results import store
from tests.local_hub import LocalHub


@pytest.fixture
def hosted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Five results of 100 bytes, the second one first, of a hosted server with room for 250 bytes."""
    monkeypatch.setenv("PRUNESCOPE_HOSTED", "1")
    monkeypatch.setattr(limits, "HOSTED_LIMITS", replace(limits.HOSTED_LIMITS, results_bytes=250, hub_cache_bytes=0))
    monkeypatch.setenv("PRUNESCOPE_RESULTS", str(tmp_path / "results"))
    (tmp_path / "results").mkdir()
    for age, number in enumerate((4, 3, 1, 0, 2)):
        path = tmp_path / "results" / f"{number}.json"
        path.write_bytes(bytes(100))
        os.utime(path, (1e9 - age, 1e9 - age))
    return tmp_path / "results"


@pytest.mark.parametrize("kind", ["results", "texts", "shipped", "at home"])
def test_the_oldest_go_first_on_a_hosted_server(hosted: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if kind == "shipped":
        monkeypatch.setattr(store, "SHIPPED_RESULTS", hosted)
    elif kind == "at home":
        monkeypatch.delenv("PRUNESCOPE_HOSTED")
    elif kind == "texts":
        monkeypatch.setattr(texts, "folder", lambda: hosted)
        monkeypatch.setattr(store, "user_folder", lambda: hosted / "none")
    uploads.make_room()
    kept = (4, 3) if kind in ("results", "texts") else range(5)
    assert {path.name for path in hosted.iterdir()} == {f"{number}.json" for number in kept}


def test_downloads_go_wholly(hosted: Path, hub: LocalHub, tiny_bert: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub import constants, scan_cache_dir

    size = 0.0
    for name in ("old", "new"):
        hub.models[f"someone/{name}"] = tiny_bert
        folder, _ = snapshot(Repository(f"someone/{name}"))
        size = sum(path.stat().st_size for path in folder.iterdir())
        for path in folder.iterdir():
            os.utime(path, (1e9 if name == "old" else 2e9, 1e9))
    monkeypatch.setattr(limits, "HOSTED_LIMITS", replace(limits.HOSTED_LIMITS, hub_cache_bytes=1.5 * size))
    uploads.make_room()
    assert [repository.repo_id for repository in scan_cache_dir(constants.HF_HUB_CACHE).repos] == ["someone/new"]
    assert snapshot(Repository("someone/old")), "it can be fetched again"

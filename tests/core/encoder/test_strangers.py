"""Hostile checkpoints: each is refused in one line, and none runs code, hangs or reads outside its folder."""

import shutil
from pathlib import Path

import pytest
from strangers import CHECKPOINTS, changed

from core.encoder.loading import load
from core.inputs.checkpoints import resolve
from tests.refusals import refusal


@pytest.fixture
def stranger(tiny_bert: Path, tmp_path: Path) -> Path:
    """Return a sound checkpoint that a test may change."""
    return shutil.copytree(tiny_bert, tmp_path / "stranger")


@pytest.mark.parametrize("name", CHECKPOINTS)
def test_a_hostile_checkpoint_is_refused_in_one_line(
    stranger: Path, name: str, recwarn: pytest.WarningsRecorder
) -> None:
    CHECKPOINTS[name](stranger)
    message = refusal(lambda: load(resolve(str(stranger))))
    assert message.startswith("'stranger'")
    assert len(message) < 400
    assert str(stranger.parent) not in message, "no machine path"
    assert any(remedy in message for remedy in ("choose", "correct", "merge it", "remove that file"))
    assert not recwarn.list


@pytest.mark.parametrize(
    "change",
    [
        changed("config.json", _attn_implementation="someone/kernel"),
        changed("config.json", attn_implementation="flash_attention_2"),
        changed("config.json", auto_map={"AutoModelForSequenceClassification": "evil.Model"}),
        changed("tokenizer_config.json", tokenizer_file="/etc/passwd", vocab_file="../../outside"),
    ],
)
def test_settings_that_would_fetch_or_run_code_have_no_effect(stranger: Path, tiny_bert: Path, change) -> None:  # type: ignore[no-untyped-def]
    change(stranger)
    (stranger / "evil.py").write_text("raise SystemExit(66)")
    loaded, sound = load(resolve(str(stranger))), load(resolve(str(tiny_bert)))
    assert loaded.model.config._attn_implementation == "sdpa"
    assert loaded.tokenizer("a good film").input_ids == sound.tokenizer("a good film").input_ids


def test_links_within_the_folder_and_to_the_hubs_blobs_are_followed(tiny_bert: Path, tmp_path: Path) -> None:
    blobs, snapshot = tmp_path / "blobs", tmp_path / "snapshots" / "0123"
    snapshot.mkdir(parents=True)
    shutil.copytree(tiny_bert, blobs)
    for path in blobs.iterdir():
        (snapshot / path.name).symlink_to(f"../../blobs/{path.name}")
    assert resolve(str(snapshot)).revision == resolve(str(tiny_bert)).revision

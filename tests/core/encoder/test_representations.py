"""Forward passes: windows and padding have no influence, tokenising has a deadline, oneDNN agrees with PyTorch.

`tests/independent` computes what a pass gives, one sentence at a time.
"""

import platform
import shutil
from contextlib import nullcontext
from pathlib import Path

import pytest
import torch
from strangers import changed
from torch import nn

from core.encoder import batches, representations
from core.encoder.batches import TOKENISED_AT_ONCE, TOKENISING_SECONDS, encode, minibatches
from core.encoder.representations import fast_linear
from core.request.catalog import REDUCTIONS
from tests.core.sweep.test_sweep import run
from tests.tiny import make_texts


def test_a_shorter_last_minibatch_joins_the_one_before() -> None:
    for count, sizes in ((4, [4]), (32, [32]), (63, [63]), (64, [32, 32]), (70, [32, 38])):
        ranges = minibatches(count)
        assert [len(batch) for batch in ranges] == sizes
        assert [i for batch in ranges for i in batch] == list(range(count))


def test_neither_windows_nor_a_tokenizer_without_masks_change_results(
    tiny_bert: Path, glue_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = run(tiny_bert, glue_folder)
    maskless = shutil.copytree(tiny_bert, tmp_path / "maskless")
    changed("tokenizer_config.json", model_input_names=["input_ids"])(maskless)
    assert run(maskless, glue_folder).frames == expected.frames, "padding is never read"
    monkeypatch.setattr(batches, "WINDOW_BYTES", 1)
    for frame, expected_frame in zip(run(tiny_bert, glue_folder).frames, expected.frames, strict=True):
        assert frame.predictions == expected_frame.predictions
        for reduction in REDUCTIONS:
            matrices = (torch.tensor(each.matrix(reduction)) for each in (frame, expected_frame))
            torch.testing.assert_close(*matrices, rtol=0, atol=1e-5)


def test_texts_are_tokenised_in_parts_with_a_deadline_each(monkeypatch: pytest.MonkeyPatch) -> None:
    deadlines: list[float] = []
    sizes: list[int] = []

    def tokenizer(first: list[str], second: list[str], **options: object) -> dict[str, list[list[int]]]:
        sizes.append(len(first))
        assert deadlines == [TOKENISING_SECONDS] * len(sizes)
        return {"input_ids": [[len(a), len(b)] for a, b in zip(first, second, strict=True)]}

    monkeypatch.setattr(batches, "within", lambda seconds: nullcontext(deadlines.append(seconds)))
    texts = [(text, text * 2) for text in make_texts(2 * TOKENISED_AT_ONCE + 3)]
    features = encode(tokenizer, texts)
    assert sizes == [TOKENISED_AT_ONCE, TOKENISED_AT_ONCE, 3]
    assert [feature["input_ids"] for feature in features] == [[len(a), len(b)] for a, b in texts]


@pytest.mark.parametrize("is_missing", [False, True])
@torch.inference_mode()
def test_onednn_runs_float32_linear_layers_and_agrees_with_float64(
    monkeypatch: pytest.MonkeyPatch, is_missing: bool
) -> None:
    shapes: list[tuple[int, ...]] = []
    onednn_linear = representations._linear

    def linear(input: torch.Tensor, *rest: torch.Tensor | None) -> torch.Tensor:
        if is_missing:
            raise AttributeError("'_OpNamespace' 'mkldnn' object has no attribute '_linear_pointwise'")
        shapes.append(tuple(input.shape))
        return onednn_linear(input, *rest)

    monkeypatch.setattr(representations, "_linear", linear)
    has_onednn = platform.machine().lower() in ("x86_64", "amd64") and not is_missing
    monkeypatch.setattr(representations, "_has_onednn", representations._has_onednn.__wrapped__)
    inputs = [torch.randn(7, 33), torch.randn(3, 5, 33), torch.randn(4, 6, 33)[:, 0]]  # a pooler reads the first token
    for layer in (nn.Linear(33, 9), nn.Linear(33, 9, bias=False)):
        with fast_linear():
            shapes.clear()  # `fast_linear` has tried it
            products = [layer(values) for values in inputs]
            nn.Linear(8, 8, dtype=torch.float64)(torch.ones(2, 8, dtype=torch.float64))
        layer(inputs[0])
        assert shapes == ([(7, 33), (3, 5, 33), (4, 33)] if has_onednn else [])
        layer.double()
        for values, product in zip(inputs, products, strict=True):
            torch.testing.assert_close(product.double(), layer(values.double()), rtol=1e-5, atol=1e-5)

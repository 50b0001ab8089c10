"""A sweep in bfloat16: close to float32, under another key, and beside no result in float32."""

from pathlib import Path

import numpy as np
from tiny import swept

from core.findings.choices import companions
from core.findings.comparable import is_matched
from core.results.key import key_of
from core.results.library import entry_of
from core.results.names import checkpoint_name
from core.results.provenance import command_line, request_of


def test_bfloat16_is_close_and_kept_apart(tiny_bert: Path, glue_folder: Path) -> None:
    options = {"amounts": (0.0, 0.5), "num_examples": 40}
    usual, control, short = (
        swept(tiny_bert, glue_folder, **options, **changes)
        for changes in (
            {},
            {"method": "random", "control_of": "magnitude"},
            {"dtype": "bfloat16"},
        )
    )
    differences = np.subtract(short.frames[1].own("mean"), usual.frames[1].own("mean"))
    assert 0 < np.abs(differences).max() < 0.01
    assert short.frames[1].layer_sparsity == usual.frames[1].layer_sparsity
    assert key_of(short) == short.key != usual.key
    assert command_line(request_of(short)).endswith("--dtype bfloat16")
    assert checkpoint_name(short) == f"{checkpoint_name(usual)} in bfloat16"
    assert [is_matched(control, result) for result in (usual, short)] == [
        True,
        False,
    ]
    assert [
        companions(entry_of(result), [entry_of(control)]) != [] for result in (usual, short)
    ] == [True, False]

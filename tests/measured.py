"""A study of a tiny model that was run, with sizes and speeds."""

from pathlib import Path

import pytest
import torch
from tiny import loaded, make_encoder, write_sst2

from core.inputs.prepare import CutInputs, prepare_cut
from core.request.sweep_request import SweepRequest, checked
from core.results.cut import CutStudy
from core.results.key import sealed
from core.sweep import cuts
from core.sweep.cuts import study


def measured(folder: Path, model_type: str) -> tuple[Path, CutInputs, CutStudy]:
    """Writes a classifier of three layers in float16, and measures it; gives its folder, the inputs and the study."""
    write_sst2(folder)
    base = make_encoder(folder / "base", model_type, layers=3, seed=5, dtype=torch.float16)
    (base / "README.md").write_text("---\nlicense: apache-2.0\n---\n")
    inputs = prepare_cut(checked(SweepRequest(str(base), "sst2", data=str(folder))))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cuts, "PASSES", {1: 5, 32: 3})
        return base, inputs, sealed(study(loaded(inputs.resolved), inputs, measured=True))

"""Every supported architecture, as a small random model.

Tests/independent holds masks and restoration of each.
"""

from dataclasses import replace
from pathlib import Path

import pytest
from tiny import make_encoder

from core.encoder.architectures import ARCHITECTURES
from core.errors import PrunescopeError
from core.inputs.prepare import prepare
from core.request.catalog import NORMALISE_FIRST, SUPPORTED_MODEL_TYPES
from core.request.sweep_request import SweepRequest, checked


def test_the_catalog_and_the_table_name_the_same_architectures() -> None:
    assert set(SUPPORTED_MODEL_TYPES) == set(ARCHITECTURES)
    assert set(NORMALISE_FIRST) == {
        name for name, paths in ARCHITECTURES.items() if paths.output_norm is None
    }


def test_other_architectures_are_refused_by_name(tmp_path: Path) -> None:
    for model_type, values, message in (
        ("albert", {}, r"'albert', which is not supported.*bert, distilbert"),
        (
            "deberta",
            {},
            r"'deberta', which is not supported.*bert, distilbert, roberta",
        ),
        (
            "deberta-v2",
            {"conv_kernel_size": 3},
            "sets conv_kernel_size: choose another",
        ),
    ):
        folder = make_encoder(tmp_path / model_type, model_type, **values)
        with pytest.raises(PrunescopeError, match=message):
            prepare(checked(SweepRequest(str(folder), "sst2")))


def test_the_published_units_are_refused_where_layers_normalise_first(
    tmp_path: Path, glue_folder: Path
) -> None:
    post_norm, pre_norm = (
        str(make_encoder(tmp_path / name, name, layers=1)) for name in ("bert", "modernbert")
    )
    request = SweepRequest(
        pre_norm,
        "sst2",
        method="attribution-residual",
        scope=None,
        data=str(glue_folder),
    )
    for each in (
        request,
        replace(request, method="random-neuron", control_of="attribution-residual"),
    ):
        with pytest.raises(
            PrunescopeError,
            match=r"'attribution-residual'.*'modernbert'.*choose attribution$",
        ):
            prepare(checked(each))
        prepare(checked(replace(each, checkpoint=post_norm)))

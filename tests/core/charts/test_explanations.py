"""The drawing that explains similarity has the engine's numbers."""

import re
from xml.etree import ElementTree

import pytest
import torch

from core.request.catalog import ROOT
from core.similarity.cka import cka
from core.similarity.gram import prepare, u_centred_gram

STEPS = list(ElementTree.fromstring((ROOT / "core" / "charts" / "steps.html").read_text("utf-8")))
DOT = re.compile(
    r"--x: (\S+)px; --y: (\S+)px; --to-x: (\S+)px; --to-y: (\S+)px.*?>(\w)<", re.DOTALL
)


@pytest.mark.parametrize("k", range(3))
def test_a_step_shows_the_number_of_where_the_sentences_end(k: int) -> None:
    found = DOT.findall(ElementTree.tostring(STEPS[k], "unicode"))
    assert [name for *_, name in found] == list("ABCDEF")
    ends = (
        torch.tensor([[float(place) for place in places] for *places, _ in found])
        .double()
        .view(6, 2, 2)
    )
    assert ((ends >= 11) & (ends <= torch.tensor([220 - 11, 128 - 11]))).all(), (
        "no dot leaves the drawing"
    )
    if k == 2:
        nearest = (
            torch.cdist(
                ends[:, 1],
                ends[:, 1],
            )
            + torch.diag(torch.full((6,), torch.inf))
        ).argmin(1)
        assert (nearest < 3).tolist() == [False] * 3 + [True] * 3, (
            "beside each stands one of the other group"
        )
    before, after = (prepare([u_centred_gram(ends[None, :, k])]) for k in (0, 1))
    written = ElementTree.tostring(STEPS[k], "unicode")
    numbers = [
        float(number)
        for number in re.findall(
            r"(?:unpruned layer: |>|--value: )(\d\.\d\d)\b",
            written,
        )
    ]
    assert len(numbers) == 3
    assert numbers == pytest.approx(
        [float(cka(before, after)[0, 0])] * 3,
        abs=0.006,
    )

"""The drawings that explain similarity in the story and on Methods: their numbers are the engine's."""

import re
from xml.etree import ElementTree

import pytest
import torch

from core.request.catalog import ROOT
from core.similarity.cka import cka
from core.similarity.gram import compare, prepare, u_centred_gram

STEPS, PARTS = (
    list(ElementTree.fromstring((ROOT / "core" / "charts" / name).read_text("utf-8")))
    for name in ("steps.html", "methods.html")
)
DOT = re.compile(r"--x: (\S+)px; --y: (\S+)px; --to-x: (\S+)px; --to-y: (\S+)px.*?>(\w)<", re.DOTALL)


@pytest.mark.parametrize("k", range(3))
def test_a_step_and_its_part_on_methods_show_the_number_of_where_the_sentences_end(k: int) -> None:
    found = DOT.findall(ElementTree.tostring(STEPS[k], "unicode"))
    assert [name for *_, name in found] == list("ABCDEF")
    ends = torch.tensor([[float(place) for place in places] for *places, _ in found]).double().view(6, 2, 2)
    assert ((ends >= 11) & (ends <= torch.tensor([220 - 11, 128 - 11]))).all(), "no dot leaves the drawing"
    if k == 2:
        nearest = (torch.cdist(ends[:, 1], ends[:, 1]) + torch.diag(torch.full((6,), torch.inf))).argmin(1)
        assert (nearest < 3).tolist() == [False] * 3 + [True] * 3, "beside each stands one of the other group"
    before, after = (prepare([u_centred_gram(ends[None, :, k])]) for k in (0, 1))
    words = [part.get("aria-label", "") + " ".join(part.itertext()) for part in (STEPS[k], PARTS[k])]
    shown = [float(number) for number in re.findall(r"\b\d\.\d\d\b", " ".join(words))]
    assert len(shown) >= 3
    assert shown == pytest.approx([float(cka(compare(before, after))[0, 0])] * len(shown), abs=0.006)

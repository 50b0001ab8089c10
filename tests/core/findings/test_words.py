"""Sentences come from templates: no fact may be missing or in vain, and nothing is lost or added on the way."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from jinja2 import Environment, UndefinedError

from core.findings import words
from core.findings.survival import LayerSurvival
from core.findings.words import render
from core.request.catalog import ROOT

TEMPLATES = sorted(path.stem for path in (ROOT / "core" / "findings" / "words").glob("*.jinja"))


def test_a_line_break_in_a_template_is_a_space_and_nothing_is_escaped() -> None:
    assert render("compare", "other_examples", first="<a>  &amp;\n*b*", second="{{ c }}") == (
        "The two were measured on different examples (<a> &amp; *b*; {{ c }}), so no paired test is possible."
    )


def test_a_fact_that_is_missing_is_an_error() -> None:
    with pytest.raises(UndefinedError, match="second"):
        render("compare", "other_examples", first="a")


def test_a_fact_that_no_sentence_needs_is_an_error() -> None:
    with pytest.raises(TypeError, match="third"):
        render("compare", "other_examples", first="a", second="b", third="c")


def test_numbers_have_a_true_minus_sign_and_no_negative_zero() -> None:
    level = LayerSurvival("1", "Layer 1", 0.5, censored=False)
    sentences = [
        render("layers", "order", last=(level,), at="", tau=tau, left_out=[], points=["1"]) for tau in (-0.731, -0.001)
    ]
    assert [sentence.split("is ")[-1] for sentence in sentences] == ["−0.73.", "0.00."]


def test_templates_are_compiled_once(monkeypatch: pytest.MonkeyPatch) -> None:
    render("comparable", "points")
    monkeypatch.setattr(Environment, "compile", lambda *_: pytest.fail("compiled again"))
    assert render("comparable", "points") == "the two were measured at different points"


@pytest.mark.parametrize("page", TEMPLATES)
def test_every_sentence_of_a_template_is_used(page: str) -> None:
    template = (words.__file__.removesuffix(".py")) + f"/{page}.jinja"
    sentences = re.findall(r"macro (\w+)\(", Path(template).read_text("utf-8"))
    elsewhere = "".join(
        path.read_text("utf-8") for path in (ROOT / "core" / "findings").rglob("*.*") if "pyc" not in path.name
    )
    assert sentences
    for sentence in sentences:
        uses = re.findall(rf'"{sentence}"|(?<!macro ){sentence}\(', elsewhere)
        assert uses, f"{page}.{sentence}"


def test_the_templates_are_found_from_anywhere(tmp_path: Path) -> None:
    code = "from core.findings.words import render; print(render('comparable', 'examples'))"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.stdout.strip() == "the two come from different examples", done.stderr

"""Nothing that a visitor types is Markdown."""

import pytest

from ui.text import plain

JOINER = "\u2060"


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        (
            "42 examples: choose 4 to 10 (CKA needs 4).",
            "42 examples\\: choose 4 to 10 (CKA needs 4).",
        ),
        ("<b> **b** _i_ `c`", "\\<b\\> \\*\\*b\\*\\* \\_i\\_ \\`c\\`"),
        ("[x](y) $x$ &lt; ~~s~~", "\\[x\\](y) \\$x\\$ \\&lt; \\~\\~s\\~\\~"),
        ("# title", "\\# title"),
        ("- item", "\\- item"),
        ("12. item", "12\\. item"),
        ("    code\n\nparagraph", "code paragraph"),
        ("C:\\x", "C\\:\\\\x"),
        (
            "39 to 47 % of weights, 5% ± 1, 4 × so",
            "39 to 47\u00a0% of weights, 5%\u00a0±\u00a01, 4\u00a0× so",
        ),
    ],
)
def test_marks_are_escaped(text: str, escaped: str) -> None:
    assert plain(text) == escaped


def test_text_that_streamlit_rewrites_despite_escapes_is_split() -> None:
    for text in (
        "http://x.y",
        "www.x.y",
        "a@b.c",
        "--output",
        "a -> b",
        ":smile:",
        ":material/home:",
        "a >= b",
    ):
        shown = plain(text).replace("\\", "")
        assert JOINER in shown
        assert shown.replace(JOINER, "") == text

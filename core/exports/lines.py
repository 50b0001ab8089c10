"""Break text into lines for a figure, which has no browser to do it.

Widths are those of Liberation Sans (as Helvetica's), which `core.renderer` draws in, rounded to four kinds of letters.
"""

NARROW, WIDE = frozenset("ijlftrI.,:;!|/'’·“”()[]- "), frozenset("mwMW%@…")
CUT = "…"


def width_of(text: str, size: float) -> float:
    """Return about how wide a bold text is, in the unit of its size; not bold, it is a little less."""
    letters = (0.31 if c in NARROW else 0.88 if c in WIDE else 0.72 if c.isupper() else 0.585 for c in text)
    return size * sum(letters)


def broken(text: str, width: float, size: float, most: int | None = None) -> list[str]:
    """Break a text between words into lines that fit.

    Args:
        text: In one line.
        width: Of a line.
        size: Of the letters.
        most: Lines; of a longer text the rest is cut. None is no limit.
    """
    lines = [""]
    for word in text.split(" "):  # not at the spaces that hold words together
        longer = f"{lines[-1]} {word}".lstrip()
        if lines[-1] and width_of(longer, size) > width:
            lines.append(_cut(word, width, size))
        else:
            lines[-1] = _cut(longer, width, size)
    if most is None or len(lines) <= most:
        return lines
    return [*lines[: most - 1], _cut(" ".join(lines[most - 1 :]), width, size)]


def _cut(text: str, width: float, size: float) -> str:
    """Cut the end off what does not fit on one line."""
    if width_of(text, size) <= width:
        return text
    while text and width_of(text + CUT, size) > width:
        text = text[:-1]
    return text.rstrip() + CUT

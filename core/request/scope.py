"""The scope of a weight method: `encoder`, `all-linear`, or `layer:K`, one encoder layer alone, counted from 0."""

import re


def layer_of(scope: str | None) -> int | None:
    """Return the only layer that a scope prunes, counted from 0; None if it prunes others as well."""
    match = re.fullmatch(r"layer:(\d{1,4})", scope or "")
    return int(match[1]) if match else None

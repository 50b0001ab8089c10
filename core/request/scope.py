"""The scope of a weight method: `encoder`, `all-linear`, or `layer:K`, one encoder layer alone, counted from 0."""

import re


def layer_of(scope: str | None) -> int | None:
    """Return the only layer that a scope prunes, counted from 0; None if it prunes others as well."""
    match = re.fullmatch(r"layer:(\d{1,4})", scope or "")
    return int(match[1]) if match else None


def emptied_scope(scope: str | None) -> str:
    """Return what the emptied model lacks: a neuron method, which has no scope, is held against an empty encoder."""
    return scope or "encoder"

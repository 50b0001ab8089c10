"""Check that a checkpoint is not evaluated on its own training data."""

import hashlib
from collections.abc import Iterable

import numpy as np

from core.errors import PrunescopeError
from core.inputs.examples import EvalSubset
from core.results.digest import canonical_json

# GLUE itself repeats a few sentences: 18 of CoLA's 1,043 validation texts are in its train split.
MAX_TRAINING_OVERLAP = 0.1


def example_digest(texts: tuple[str, ...]) -> int:
    """Return the first 8 bytes of the SHA-256 of an example's texts in canonical JSON, as a uint64."""
    return int.from_bytes(hashlib.sha256(canonical_json(texts)).digest()[:8], "big")


def example_digests(examples: Iterable[tuple[str, ...]]) -> np.ndarray:
    """Return the distinct digests of examples, ascending, uint64, as `training_examples.npy` stores them."""
    return np.unique(np.fromiter(map(example_digest, examples), dtype=np.uint64))


def check_not_training_data(subset: EvalSubset, digests: np.ndarray | None, checkpoint_id: str) -> None:
    """Refuse to evaluate a checkpoint on its training data.

    Args:
        subset: The evaluation examples.
        digests: Digests of the checkpoint's training examples, uint64; None if they are unknown.
        checkpoint_id: The checkpoint's id, for the message.

    Raises:
        PrunescopeError: More of the examples are in the training data than MAX_TRAINING_OVERLAP allows.
    """
    if digests is None:
        return
    own = np.array([example_digest(texts) for texts in subset.texts], dtype=np.uint64)
    known = int(np.isin(own, digests).sum())
    if known > 1 + MAX_TRAINING_OVERLAP * len(own):
        fault = f"{known} of {len(own)} evaluation examples are in the training data of {checkpoint_id}"
        raise PrunescopeError(f"{fault} (at most {MAX_TRAINING_OVERLAP:.0%} may be): choose the validation data")

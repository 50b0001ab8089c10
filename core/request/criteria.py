"""The criteria by which a study of cuts chooses the layers that go; no torch."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Criterion:
    """What decides which layers go.

    Attributes:
        title: The name on screen.
        explanation: One sentence for readers who know BERT but not pruning.
    """

    title: str
    explanation: str


MEASURED, READ = "measured", "read"  # those that run subsets
CRITERIA: Mapping[str, Criterion] = {
    MEASURED: Criterion(
        "Measured",
        "Every subset is run on the calibration examples, and the best one by the task's metric stays; of equals the "
        "one with fewer changed predictions, then the one that keeps lower layers.",
    ),
    "cosine": Criterion(
        "Cosine of input and output",
        "Layers go first whose output points where their input does: the mean cosine over tokens, one minus the block "
        "influence of ShortGPT.",
    ),
    "cka": Criterion(
        "CKA of input and output",
        "Layers go first whose output arranges the sentences as their input does: CKA of the mean over tokens.",
    ),
    READ: Criterion(
        "CKA of what the classifier reads",
        "The subset stays whose classifier reads what is most similar to what it reads in the full model.",
    ),
    "top": Criterion("From the top", "The last layers go first."),
    "alternate": Criterion(
        "Every second", "Every second layer goes, from the last but one down; not defined beyond half of the layers."
    ),
}

"""One tiny model, read once and copied for each test, which may prune it."""

from copy import deepcopy
from pathlib import Path

import pytest
from torch import nn
from transformers import AutoModelForSequenceClassification, AutoTokenizer


@pytest.fixture(scope="package")
def unpruned(tiny_bert: Path) -> nn.Module:
    """Return the tiny model, which a test must not change."""
    return AutoModelForSequenceClassification.from_pretrained(tiny_bert).eval()


@pytest.fixture
def model(unpruned: nn.Module) -> nn.Module:
    return deepcopy(unpruned)


@pytest.fixture(scope="package")
def tokenizer(tiny_bert: Path) -> object:
    return AutoTokenizer.from_pretrained(tiny_bert)

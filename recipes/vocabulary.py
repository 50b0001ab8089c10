"""Reduce a BERT's vocabulary and word embeddings to the word pieces that its data need."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from transformers import BertTokenizerFast

MOST_FREQUENT = "the"  # in BERT's vocabulary, after special and unused tokens and single characters

# Single characters that every reduced vocabulary keeps: Latin-1 and what word processors type (dashes, quotes, …, €).
CHARACTERS = [chr(code) for code in (*range(0x21, 0x100), *range(0x2010, 0x2028), 0x20AC)]


def kept_ids(tokenizer: Any, texts: Iterable[tuple[str, ...]], frequent: int = 0) -> list[int]:
    """Return the word pieces to keep: used and special ones, single characters and their ## forms.

    Args:
        tokenizer: The full BERT tokenizer, whose vocabulary lists frequent word pieces first.
        texts: All examples of the data, untruncated.
        frequent: Number of the most frequent word pieces to keep as well.

    Returns:
        Token ids of the full vocabulary, ascending.
    """
    vocabulary = tokenizer.get_vocab()
    encoded = tokenizer([text for example in texts for text in example])["input_ids"]
    used = {token for ids in encoded for token in ids}
    characters = {vocabulary[form] for c in CHARACTERS for form in (c, f"##{c}") if form in vocabulary}
    words = vocabulary[MOST_FREQUENT]
    most_frequent = range(words, min(words + frequent, len(vocabulary)))
    return sorted({*used, *characters, *most_frequent, *tokenizer.all_special_ids})


def cut_vocabulary(model: Any, tokenizer: Any, keep: Sequence[int]) -> BertTokenizerFast:
    """Reduce the model's word embeddings in place, and make a tokenizer with the smaller vocabulary.

    A word whose pieces are all kept is split into the same pieces as before: WordPiece takes the longest match, and a
    smaller vocabulary has no longer one.

    Args:
        model: A BERT.
        tokenizer: Its full tokenizer.
        keep: Token ids to keep, ascending; `keep[i]` becomes `i`.
    """
    full = model.get_input_embeddings().weight.data.clone()  # (full vocabulary, hidden)
    model.resize_token_embeddings(len(keep), mean_resizing=False)
    model.get_input_embeddings().weight.data.copy_(full[list(keep)])  # (kept, hidden)
    with TemporaryDirectory() as temporary:
        vocabulary = Path(temporary) / "vocab.txt"
        vocabulary.write_text("\n".join(tokenizer.convert_ids_to_tokens(list(keep))) + "\n", encoding="utf-8")
        lowers = tokenizer.backend_tokenizer.normalizer.lowercase
        return BertTokenizerFast(vocab=str(vocabulary), do_lower_case=lowers, model_max_length=512)

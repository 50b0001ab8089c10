"""Cut the word embeddings of a BERT to the word pieces that its data need."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from transformers import BertTokenizerFast

MOST_FREQUENT = "the"  # in BERT's vocabulary; special tokens, unused ones and single characters come before it

# Single characters that every cut vocabulary keeps: Latin-1 and what word processors type (dashes, quotes, …, €).
CHARACTERS = [chr(code) for code in (*range(0x21, 0x100), *range(0x2010, 0x2028), 0x20AC)]


def kept_ids(tokenizer: Any, texts: Iterable[tuple[str, ...]], frequent: int = 0) -> list[int]:
    """Return the word pieces to keep: those in use, the special ones, single characters and their ## forms.

    Args:
        tokenizer: The full tokenizer, BERT's, whose vocabulary has the frequent word pieces first.
        texts: Every example of the data, untruncated.
        frequent: How many of the most frequent word pieces are kept as well.

    Returns:
        Token ids of the full vocabulary, ascending.
    """
    vocabulary = tokenizer.get_vocab()
    encoded = tokenizer([text for example in texts for text in example])["input_ids"]
    used = {token for ids in encoded for token in ids}
    characters = {vocabulary[form] for c in CHARACTERS for form in (c, f"##{c}") if form in vocabulary}
    words = vocabulary[MOST_FREQUENT]
    often = range(words, min(words + frequent, len(vocabulary)))
    return sorted({*used, *characters, *often, *tokenizer.all_special_ids})


def cut_vocabulary(model: Any, tokenizer: Any, keep: Sequence[int]) -> BertTokenizerFast:
    """Keep only some word pieces, in place in the model, and in a new tokenizer.

    A word whose pieces are all kept is cut into the same pieces as before: WordPiece takes the longest
    match, and a smaller vocabulary offers no longer one.

    Args:
        model: A BERT.
        tokenizer: Its full tokenizer.
        keep: Token ids to keep, ascending; the new id of `keep[i]` is `i`.
    """
    full = model.get_input_embeddings().weight.data.clone()  # (full vocabulary, hidden)
    model.resize_token_embeddings(len(keep), mean_resizing=False)
    model.get_input_embeddings().weight.data.copy_(full[list(keep)])  # (kept, hidden)
    with TemporaryDirectory() as temporary:
        vocabulary = Path(temporary) / "vocab.txt"
        vocabulary.write_text("\n".join(tokenizer.convert_ids_to_tokens(list(keep))) + "\n", encoding="utf-8")
        lowers = tokenizer.backend_tokenizer.normalizer.lowercase
        return BertTokenizerFast(vocab=str(vocabulary), do_lower_case=lowers, model_max_length=512)

"""Turn results into facts, and facts into the words of `words/`; a page's module bears its name."""

"""Turn results into facts, and facts into sentences and tables in `words/`; a page's module bears its name."""

"""Turn results into facts and tables, and into sentences by templates in `words/`; a page's module has its name."""

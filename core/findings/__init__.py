"""Turn results into facts and tables, one module per page, and into sentences, one template per page in `words/`."""

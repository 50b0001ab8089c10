"""Results become facts and tables, one module a page, and sentences, one template a page in `words/`."""

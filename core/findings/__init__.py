"""Results become facts and tables, one module per page, and sentences, one template per page in `words/`."""

"""Results become facts, sentences and tables; one module a page."""

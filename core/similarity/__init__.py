"""Measures of how similar two representations are, one per file, and the published tool as a second opinion."""

"""Measures of how similar two representations are, one per file behind one protocol (`measure`).

A new measure is a row of `core.request.catalog.MEASURES` and a file here of its name, with a function `comparer`.
"""

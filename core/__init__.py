"""Pruning, representation similarity and their pictures, free of Streamlit.

A reading order: catalog, checkpoints, eval_subset, pruning, representations,
cka, sweep, results, findings, charts.
"""

"""Results become Vega-Lite, by Altair; one module a page."""

"""Results become Vega-Lite, by Altair: a module for each page, and for each picture of several."""

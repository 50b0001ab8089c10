"""Results become Vega-Lite, by Altair: a module for each page, and one for each picture that several pages show."""

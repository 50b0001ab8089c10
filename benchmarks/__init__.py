"""Measurements and checks that are run by hand; README.md lists them."""

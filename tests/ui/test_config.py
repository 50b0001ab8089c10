"""Streamlit's settings: one that it no longer knows would be ignored without a word."""

import tomllib

import pytest
from streamlit import config

from core.request.catalog import ROOT

SETTINGS = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text("utf-8"))


@pytest.mark.parametrize("section", SETTINGS)
def test_streamlit_knows_every_setting(section: str) -> None:
    for name, value in SETTINGS[section].items():
        for part in value if isinstance(value, dict) else [""]:
            config.get_option(".".join(filter(None, (section, name, part))))  # raises for an unknown one

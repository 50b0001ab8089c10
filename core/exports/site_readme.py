"""The README of a static site: what the Hub reads of a Space, as in the app's own README, and what the files are."""

from pathlib import Path
from string import Template

from core.request.catalog import ROOT

TEMPLATE = Path(__file__).with_suffix(".md")
THUMBNAIL = ROOT / "docs" / "thumbnail.png"  # in the site beside index.html, under its own name
SERVER_ONLY = ("app_port:", "suggested_hardware:")


def site_readme(results: int) -> str:
    """Describe a site that shows so many results."""
    _, front, _ = (ROOT / "README.md").read_text("utf-8").split("---\n", 2)
    front = front.replace("sdk: docker", "sdk: static").replace("/docs/thumbnail", "/thumbnail")
    kept = [line for line in front.splitlines() if not line.startswith(SERVER_ONLY)]
    return Template(TEMPLATE.read_text("utf-8")).substitute(front="\n".join(kept), results=f"{results:,}")

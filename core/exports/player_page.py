"""Write a scene as one HTML file, in which the player plays without a server and without a network."""

import html
import json
from collections.abc import Mapping, Sequence

from core.charts.theme import THEMES, ThemeName
from core.charts.vega import vega_script
from core.charts.view import Scene, choice_of, reduction_choices, specs
from core.request.catalog import ROOT
from core.results.provenance import recipe
from core.results.schema import SweepResult

# In a window that is wide enough, the pictures take the height that the words leave: nothing has to be scrolled.
PAGE_STYLE = """
:root {{
  color-scheme: {name}; --st-text-color: {text}; --st-background-color: {background}; --st-border-color: {line};
  --st-secondary-background-color: {secondary}; --st-primary-color: {accent};
}}
body {{
  box-sizing: border-box; max-width: 90rem; margin: 0 auto; padding: 0.75rem 1rem;
  color: var(--st-text-color); background: var(--st-background-color); font: 1rem/1.4 sans-serif;
}}
h1 {{ margin: 0; font-size: clamp(1.2rem, 0.9rem + 0.7vw, 2rem); line-height: 1.25; }}
pre {{ white-space: pre-wrap; overflow-wrap: anywhere; }}
@media (min-width: 66.1rem) {{
  body {{ height: max(100dvh, 36rem); display: flex; flex-direction: column; }}
  main, .pictures {{ flex: 1; min-height: 0; }}
  .player .pictures {{ max-width: none; }}
  main > div, .player {{ height: 100%; }}
  .player {{ display: flex; flex-direction: column; }}
  .present {{ padding: 0; }}
  .present .readout {{ text-align: left; }}
  .present .readout span {{ display: inline; }}
}}
"""
# The page fetches nothing, whatever a name in the result says.
POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:"


def player_page(
    scene: Scene, results: Sequence[SweepResult], theme: ThemeName = "light", choices: Mapping[str, Scene] | None = None
) -> str:
    """Write a page of one file.

    Args:
        scene: What a page of the app shows.
        results: Whole sweeps; the file says how to compute them.
        theme: On white or on black.
        choices: Scenes of the same frames by reduction, among them this one, which the player then lets its viewer
            choose from.
    """
    style = PAGE_STYLE.format(name=theme, **vars(THEMES[theme]))
    data = {**scene.mounted, "group": "main", "autoplay": True, "layout": scene.layout.filling, "vega": None}
    if choices:
        data |= {"choices": reduction_choices(choices), "choice": choice_of(scene, choices)}
    else:
        data["views"] = specs(scene.views)
    mounted = json.dumps(data, allow_nan=False).replace("<", "\\u003c")
    styles, player = ((ROOT / "core" / "charts" / name).read_text("utf-8") for name in ("player.css", "player.js"))
    title = html.escape(scene.title)
    made_by = "\n\n".join(f"{known.script}\n{known.missing}".strip() for known in map(recipe, results))
    return f"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{styles}{style}</style>
<h1>{title}</h1>
<main></main>
<details>
<summary>{html.escape(" · ".join((*scene.caption, "Made with Prunescope: how to compute this")))}</summary>
<pre><code>{html.escape(made_by)}</code></pre>
</details>
<script type="module">{vega_script()}</script>
<script type="module">{player}
mountPlayer(document.querySelector("main"), {mounted});
const {{ prunescopePlayer }} = document.querySelector("main");
document.addEventListener("keydown", (event) => prunescopePlayer.press(event, KEYS)); // wherever the focus is
</script>
</html>
"""

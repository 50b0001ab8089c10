"""Write a scene or a story as one HTML file, which plays without a server and without a network."""

import html
import json
from collections.abc import Mapping, Sequence
from typing import Any

from core.charts.story import Step, mounted
from core.charts.theme import THEMES, ThemeName
from core.charts.vega import text_of, vega_script
from core.charts.view import Scene, reduction_choices
from core.results.provenance import recompute_script
from core.results.schema import SweepResult

LOOK = """
:root {{
  color-scheme: {name}; --st-text-color: {text}; --st-background-color: {background}; \
--st-border-color: {line};
  --st-secondary-background-color: {secondary}; --st-primary-color: {accent};
}}
body {{
  box-sizing: border-box; margin: 0 auto; padding: 0.75rem 1rem;
  color: var(--st-text-color); background: var(--st-background-color); font: 1rem/1.4 sans-serif;
}}
pre {{ white-space: pre-wrap; overflow-wrap: anywhere; }}
"""
# In a wide window, the pictures take the height that the words leave, so that nothing has to be
# scrolled.
PAGE_STYLE = """
body { max-width: 90rem; }
h1 { margin: 0; font-size: clamp(1.2rem, 0.9rem + 0.7vw, 2rem); line-height: 1.25; }
@media (min-width: 66.1rem) {
  body { height: max(100dvh, 36rem); display: flex; flex-direction: column; }
  main, .pictures { flex: 1; min-height: 0; }
  main > div, .player { height: 100%; }
  .player { display: flex; flex-direction: column; }
  .present { padding: 0; }
  .present .readout { text-align: left; }
  .present .readout span { display: inline; }
}
"""
STORY_STYLE = """
:root { --above: 6rem; }
body > h1 { margin: 0; font-size: 1rem; font-weight: 400; }
details:not([open]) summary { overflow: hidden; white-space: nowrap; text-overflow: ellipsis; }
"""
# The keys work wherever the focus is.
KEYS = """const { prunescopePlayer } = document.querySelector("main");
document.addEventListener("keydown", (event) => prunescopePlayer.press(event, KEYS));"""
# Every scene is drawn for its page before the browser prints it: see core/charts/print.css.
PRINTING = """const { prunescopeStory } = document.querySelector("main");
const paper = document.querySelector("[media=print]");
addEventListener("beforeprint", () => prunescopeStory.print(paper, true));
addEventListener("afterprint", () => prunescopeStory.print(paper, false));"""
# Nothing is fetched, whatever a name in the result says.
POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:"


def player_page(
    scene: Scene,
    results: Sequence[SweepResult],
    theme: ThemeName = "light",
    choices: Mapping[str, Scene] | None = None,
) -> str:
    """Write a scene as a page.

    Args:
        scene: The scene.
        results: The whole sweeps that it shows; the page says how to compute them.
        theme: The colours, on white or on black.
        choices: The scenes by reduction, this one among them, between which the viewer may switch.
    """
    data = {
        **scene.mounted,
        "group": "main",
        "autoplay": True,
        "layout": scene.layout.css("wide"),
        "vega": None,
    }
    if choices:
        data["choices"] = reduction_choices(choices)
        data["choice"] = next(
            name for name, choice in choices.items() if choice.views is scene.views
        )
    else:
        data["views"] = scene.written
    script = f"{text_of('player.js')}\n{_call('mountPlayer', data)}\n{KEYS}"
    style = f"{look_of(theme)}{text_of('player.css')}{PAGE_STYLE}"
    return _page(scene.title, scene.caption, results, style, script)


def story_page(
    steps: Sequence[Step],
    result: SweepResult,
    title: str,
    theme: ThemeName = "light",
) -> str:
    """Write a story as a page for a talk: turned by keys, full screen, with a presenter's notes.

    Args:
        steps: The scenes, see `core.charts.story.story`.
        result: The whole sweep that it is about; the page says how to compute it.
        title: The title of the talk.
        theme: The colours, on white or on black.
    """
    style = f"{look_of(theme)}{text_of('player.css', 'story.css', 'steps.css')}{STORY_STYLE}"
    call = _call("mountStory", {"key": result.key, "steps": mounted(steps, None)})
    script = f"{text_of('player.js', 'story.js')}\n{call}\n{PRINTING}"
    caption = next((step.scene.caption for step in steps if step.scene), ())
    return _page(title, caption, (result,), style, script, text_of("print.css"))


def look_of(theme: ThemeName) -> str:
    """Return the style sheet of a page without Streamlit's, in the colours of a theme."""
    return LOOK.format(name=theme, **THEMES[theme]._asdict())


def _call(function: str, data: Mapping[str, Any]) -> str:
    """Write the call that draws data in the page's `main`; no text in it can end the script."""
    written = json.dumps(data, allow_nan=False).replace("<", "\\u003c")
    return f'{function}(document.querySelector("main"), {written});'


def _page(
    title: str,
    caption: Sequence[str],
    results: Sequence[SweepResult],
    style: str,
    script: str,
    paper: str = "",
) -> str:
    commands = "\n\n".join(map(recompute_script, results))
    made = "Made with Prunescope: how to compute this" if results else "Made with Prunescope"
    summary = " · ".join((made, *caption))
    return f"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{html.escape(title)}</title>
<style>{style}</style>
<style media="print">{paper}</style>
<h1>{html.escape(title)}</h1>
<main></main>
<details>
<summary>{html.escape(summary)}</summary>
<pre><code>{html.escape(commands)}</code></pre>
</details>
<script type="module">{vega_script()}</script>
<script type="module">{script}</script>
</html>
"""

"""Open and use pages without a browser, as quickly as a server does.

Streamlit would search all packages for components and compile each page for every test, and look a
thousand times a second whether a page's thread has ended.
"""

import json
from collections.abc import Mapping
from typing import Any
from unittest.mock import patch
from urllib.parse import parse_qs

from streamlit.components.v2 import manifest_scanner
from streamlit.runtime.scriptrunner.script_cache import ScriptCache
from streamlit.testing.v1 import AppTest, app_test, local_script_runner

from core.request.catalog import ROOT
from core.request.pages import PAGES

SCRIPTS = {name: page.file for name, page in PAGES.items()}
COMPILED = ScriptCache()


def ended(runner: local_script_runner.LocalScriptRunner, timeout: float = 3) -> None:
    """Wait until a page's thread has ended."""
    runner._script_thread.join(timeout)
    assert not runner._script_thread.is_alive(), f"the page still runs after {timeout} s"


patch.object(app_test, "ScriptCache", lambda: COMPILED).start()
patch.object(local_script_runner, "ScriptCache", lambda: COMPILED).start()
patch.object(local_script_runner, "require_widgets_deltas", ended).start()
# The app's components need no manifests.
patch.object(manifest_scanner, "scan_component_manifests", list).start()


def open_page(page: str, **parameters: str) -> AppTest:
    """Open a page at an address, and check that nothing breaks.

    Args:
        page: The page's file in the project, such as `pages/lab.py`.
        parameters: The parameters of the address.
    """
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60).switch_page(page)
    for name, value in parameters.items():
        app.query_params[name] = value
    return run(app)


def run(app: AppTest) -> AppTest:
    """Run a page after something was done on it, and check that nothing breaks."""
    app.run()
    assert not app.exception, app.exception
    return app


def press(app: AppTest, label: str) -> AppTest:
    """Press the button with a label."""
    next(button for button in app.button if button.label == label).click()
    return run(app)


def fill(app: AppTest, settings: Mapping[str, Any]) -> AppTest:
    """Set the Lab's settings one after another, by the ends of their keys."""
    for name, value in settings.items():
        widgets = (
            *app.selectbox,
            *app.multiselect,
            *app.text_input,
            *app.number_input,
            *app.checkbox,
            *app.toggle,
        )
        widget = next(widget for widget in widgets if widget.key == f"lab-{name}")
        widget.set_value(value)
        run(app)
    return app


def labels(app: AppTest) -> set[str]:
    """Return the labels of all buttons."""
    return {button.label for button in app.button}


def address(app: AppTest) -> dict[str, str]:
    """Return the parameters of the address."""
    values = {name: app.query_params[name] for name in app.query_params}
    return {name: value if isinstance(value, str) else value[0] for name, value in values.items()}


def links(app: AppTest) -> dict[str, str]:
    """Return the query of each link to a page, by its label."""
    return {link.proto.label: link.proto.query_string for link in app.get("page_link")}


def box(app: AppTest, parameter: str) -> Any:
    """Return the box of a choice in the address, whatever the end of its key."""
    boxes = {(box.key or "").split(".")[0]: box for box in (*app.selectbox, *app.button_group)}
    return boxes[f"choose-{parameter}"]


def follow(app: AppTest, page: str) -> AppTest:
    """Open another page from the navigation, with nothing but the link's address."""
    query = parse_qs(links(app)[page])
    app.query_params.clear()
    app.query_params.update(query)
    return run(app.switch_page(SCRIPTS[page]))


def players(app: AppTest) -> list[dict[str, Any]]:
    """Return the data of each player on the page, from the top; in a story, of those that move."""
    found = []
    for data in _mounted(app):
        if "steps" not in data:
            found.append(data)
            continue
        scenes = (step["player"] for step in data["steps"])
        found += [scene for scene in scenes if scene and scene["frames"][0]["name"]]
    return found


def story(app: AppTest) -> dict[str, Any]:
    """Return the data of the page's story."""
    (data,) = (data for data in _mounted(app) if "steps" in data)
    return data


def _mounted(app: AppTest) -> list[dict[str, Any]]:
    return [
        json.loads(component.proto.json, object_hook=_with_pictures)
        for component in app.get("bidi_component")
        if component.proto.component_name.endswith("prunescope_player")
    ]


def _with_pictures(part: dict[str, Any]) -> dict[str, Any]:
    """Parse the pictures of a part, which are JSON in JSON, as player.js does."""
    if "views" in part:
        part["views"] = {name: json.loads(text) for name, text in part["views"].items()}
    return part


def player(app: AppTest) -> dict[str, Any]:
    """Return the data of the page's only player."""
    (data,) = players(app)
    return data


def prose(app: AppTest) -> str:
    """Return all text in Markdown elements and notes, unescaped."""
    return unescaped("\n".join(element.value for element in (*app.markdown, *app.info)))


def title(app: AppTest) -> str:
    """Return the title of a page, unescaped."""
    return unescaped(app.title[0].value)


def errors(app: AppTest) -> list[str]:
    """Return the errors on a page, unescaped."""
    return [unescaped(error.value) for error in app.error]


def unescaped(text: str) -> str:
    return text.replace("\\", "").replace("\u2060", "").replace("\u00a0", " ")

"""Opens pages without a browser, and reads result files without the project's code, for tests."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

from streamlit.testing.v1 import AppTest

from core.request.catalog import ROOT
from ui.header import PAGES


def open_page(page: str, **parameters: str) -> AppTest:
    """Opens a page with an address, and sees that nothing breaks.

    Args:
        page: Its file in the project, such as `pages/lab.py`.
        parameters: Of the address.
    """
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60).switch_page(page)
    for name, value in parameters.items():
        app.query_params[name] = value
    return run(app)


def run(app: AppTest) -> AppTest:
    """Runs a page, with what was done to it, and sees that nothing breaks."""
    app.run()
    assert not app.exception, app.exception
    return app


def press(app: AppTest, label: str) -> AppTest:
    """Presses the button with a label."""
    next(button for button in app.button if button.label == label).click()
    return run(app)


def fill(app: AppTest, settings: Mapping[str, Any]) -> AppTest:
    """Sets the Lab's settings one after another, by the ends of their keys; a visitor sees each before the next."""
    for name, value in settings.items():
        kinds = (app.selectbox, app.multiselect, app.text_input, app.number_input, app.checkbox, app.toggle)
        next(widget for kind in kinds for widget in kind if widget.key == f"lab-{name}").set_value(value)
        run(app)
    return app


def labels(app: AppTest) -> set[str]:
    """What stands on the buttons."""
    return {button.label for button in app.button}


def address(app: AppTest) -> dict[str, str]:
    """The parameters of the address."""
    values = {name: app.query_params[name] for name in app.query_params}
    return {name: value if isinstance(value, str) else value[0] for name, value in values.items()}


def links(app: AppTest) -> dict[str, str]:
    """The links to pages, by their labels: the query of each."""
    return {link.proto.label: link.proto.query_string for link in app.get("page_link")}


def box(app: AppTest, parameter: str) -> Any:
    """The box of a choice that stands in the address; its key changes where something else changes the choice."""
    boxes = (*app.selectbox, *app.button_group)
    return next(one for one in boxes if (one.key or "").split(".")[0] == f"choose-{parameter}")


def follow(app: AppTest, page: str) -> AppTest:
    """Opens another page as a click in the navigation does: its address is the link's, and nothing else.

    Args:
        page: Its name in the navigation.
    """
    query = parse_qs(links(app)[page])
    app.query_params.clear()
    app.query_params.update(query)
    return run(app.switch_page(PAGES[page]))


def players(app: AppTest) -> list[dict[str, Any]]:
    """What each of the page's players was given, from the top; of a story those that move."""
    found = []
    for data in _mounted(app):
        moving = (step["player"] for step in data.get("steps", ()) if step["player"])
        found += [scene for scene in moving if scene["frames"][0]["name"]] if "steps" in data else [data]
    return found


def story(app: AppTest) -> dict[str, Any]:
    """What the page's story was given."""
    (data,) = (data for data in _mounted(app) if "steps" in data)
    return data


def _mounted(app: AppTest) -> list[dict[str, Any]]:
    components = [component.proto for component in app.get("bidi_component")]
    return [_read(json.loads(one.json)) for one in components if one.component_name.endswith("prunescope_player")]


def _read(data: dict[str, Any]) -> dict[str, Any]:
    """Reads the pictures, which are JSON in JSON, as player.js does."""
    views = {name: json.loads(text) for name, text in data.get("views", {}).items()}
    choices = [_read(choice) for choice in data.get("choices", [])]
    if "steps" in data:
        steps = [{**step, "player": step["player"] and _read(step["player"])} for step in data["steps"]]
        return {**data, "steps": steps}
    return {**data, **({"views": views} if views else {}), **({"choices": choices} if choices else {})}


def player(app: AppTest) -> dict[str, Any]:
    """What the page's only player was given."""
    (data,) = players(app)
    return data


def told(app: AppTest) -> str:
    """All text in Markdown elements and notes, without the escapes."""
    return unescaped("\n".join(element.value for element in (*app.markdown, *app.info)))


def title(app: AppTest) -> str:
    """What stands over a page, without the escapes."""
    return unescaped(app.title[0].value)


def errors(app: AppTest) -> list[str]:
    """What the page refuses, without the escapes."""
    return [unescaped(error.value) for error in app.error]


def unescaped(text: str) -> str:
    return text.replace("\\", "").replace("\u2060", "").replace("\u00a0", " ")

"""Opens pages without a browser, for tests."""

import json
from typing import Any

from streamlit.testing.v1 import AppTest

from core.request.catalog import ROOT


def open_page(page: str, **parameters: str) -> AppTest:
    """Opens a page with an address, and sees that nothing breaks.

    Args:
        page: Its file in the project, such as `pages/lab.py`.
        parameters: Of the address.
    """
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60).switch_page(page)
    for name, value in parameters.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception
    return app


def address(app: AppTest) -> dict[str, str]:
    """The parameters of the address."""
    values = {name: app.query_params[name] for name in app.query_params}
    return {name: value if isinstance(value, str) else value[0] for name, value in values.items()}


def player(app: AppTest) -> dict[str, Any]:
    """What the page's only player was given."""
    (component,) = app.get("bidi_component")
    data: dict[str, Any] = json.loads(component.proto.json)
    return data


def told(app: AppTest) -> str:
    """All text in Markdown elements and notes, without the escapes."""
    texts = [element.value for element in (*app.markdown, *app.info)]
    return "\n".join(texts).replace("\\", "").replace("\u2060", "")

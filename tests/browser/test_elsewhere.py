"""The app inside another site's page, which is how a Space is shown: uploads arrive, and none that the site forges."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from playwright.sync_api import Browser, Page, Response

from benchmarks.serving import served
from core.exports.tables import result_json
from tests.browser import shipped

NEW = "11111111-1111-1111-1111-111111111111"  # an id that no session and no file has
FORGED = """address => fetch(address, {method: "PUT", body: new FormData(), credentials: "include"})
  .then((answer) => String(answer.status), (error) => error.name)"""


class _Elsewhere(BaseHTTPRequestHandler):
    """A page of another site: `localhost` is one, and 127.0.0.1 another."""

    def do_GET(self) -> None:
        frame = f'<!doctype html><iframe src="{self.server.shown}/lab" width="1200" height="1400"></iframe>'  # type: ignore[attr-defined]
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(frame.encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def space(copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The app as it is served in a Space."""
    monkeypatch.setenv("STREAMLIT_SERVER_ENABLE_XSRF_PROTECTION", "false")
    monkeypatch.setenv("PRUNESCOPE_HOSTED", "1")
    with served(copy, tmp_path) as address:
        yield address


@pytest.fixture(params=["site", "space"])
def shown(request: pytest.FixtureRequest) -> str:
    """The address of the app by default, or in a Space."""
    return str(request.getfixturevalue(request.param))


@pytest.fixture
def protected(shown: str, site: str) -> bool:
    """Whether Streamlit protects uploads by a cookie, as it does by default."""
    return shown == site


@pytest.fixture
def elsewhere(shown: str) -> Iterator[str]:
    """The address of a page of another site that shows the app."""
    with ThreadingHTTPServer(("localhost", 0), _Elsewhere) as server:
        server.shown = shown  # type: ignore[attr-defined]
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield f"http://localhost:{server.server_port}/"
        server.shutdown()


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A page of a visitor who has not been here before."""
    with chromium.new_context(viewport={"width": 1280, "height": 1500}) as context:
        yield context.new_page()


def is_upload(response: Response) -> bool:
    return "/_stcore/upload_file/" in response.url


def test_an_upload_arrives_where_the_cookie_does_not(page: Page, elsewhere: str, protected: bool) -> None:
    page.goto(elsewhere)
    app = page.frame_locator("iframe")
    app.get_by_text("Open a result file").first.click()
    file = {"name": "mine.json", "mimeType": "application/json", "buffer": result_json(shipped.WRITTEN).encode()}
    with page.expect_response(is_upload) as waiting:
        app.locator(".st-key-upload input[type=file]").set_input_files(file)  # type: ignore[arg-type]
    assert waiting.value.status == (403 if protected else 204)
    assert waiting.value.request.method == "PUT"
    # The page around the app cannot do the same, not even with the id of this visitor's session.
    address = waiting.value.url.rpartition("/")[0]
    assert page.evaluate(FORGED, f"{address}/{NEW}") == "TypeError"
    # Nor can anybody whose session does not live, nor by the method for which a browser asks nobody's consent.
    stranger = f"{address.rpartition('/')[0]}/{NEW}/{NEW}"
    assert page.request.put(stranger, multipart={"file": "x"}).status == (403 if protected else 400)
    assert page.request.post(stranger, multipart={"file": "x"}).status == 405

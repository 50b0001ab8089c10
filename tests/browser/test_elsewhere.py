"""The app inside another site's page, which is how a Space is shown: uploads arrive, and none that the site forges."""

from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from playwright.sync_api import Browser, Page
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from benchmarks.serving import served
from tests.browser import look, shipped

MESSAGE_TOO_BIG = 1009  # why a websocket is closed
NEW = "11111111-1111-1111-1111-111111111111"  # an id that no session and no file has
FORGED = """address => fetch(address, {method: "PUT", body: new FormData(), credentials: "include"})
  .then((answer) => String(answer.status), (error) => error.name)"""
UPLOAD = {"name": "mine.json", "mimeType": "application/json", "buffer": shipped.WRITTEN.model_dump_json().encode()}


def test_an_upload_arrives_where_the_cookie_does_not(
    chromium: Browser, copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STREAMLIT_SERVER_ENABLE_XSRF_PROTECTION", "false")  # as in a Space
    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path))
    with (
        served(copy, tmp_path / "results") as shown,
        ThreadingHTTPServer(("localhost", 0), handler) as elsewhere,  # another site than 127.0.0.1
        chromium.new_context(viewport={"width": 1280, "height": 1500}) as context,
    ):
        frame = f'<!doctype html><iframe src="{shown}/lab" width="1200" height="1400"></iframe>'
        (tmp_path / "index.html").write_text(frame)
        Thread(target=elsewhere.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        page = context.new_page()
        page.goto(f"http://localhost:{elsewhere.server_port}/")
        app = page.frame_locator("iframe")
        app.get_by_text("Open a result file").first.click()
        with page.expect_response(lambda response: "/_stcore/upload_file/" in response.url) as waiting:
            app.locator(".st-key-upload input[type=file]").set_input_files(UPLOAD)  # type: ignore[arg-type]
        assert (waiting.value.status, waiting.value.request.method) == (204, "PUT")
        # The page around the app cannot do the same, not even with the id of this visitor's session.
        address = waiting.value.url.rpartition("/")[0]
        assert page.evaluate(FORGED, f"{address}/{NEW}") == "TypeError"
        # Nor can anybody whose session does not live, nor by the method for which a browser asks nobody's consent.
        stranger = f"{address.rpartition('/')[0]}/{NEW}/{NEW}"
        assert page.request.put(stranger, multipart={"file": "x"}).status == 400
        assert page.request.post(stranger, multipart={"file": "x"}).status == 405
        elsewhere.shutdown()


def test_a_message_that_no_page_sends_ends_the_visit(site: str) -> None:
    """What a visit's fields hold stays in memory as long as the visit does."""
    with connect(f"{site.replace('http', 'ws')}/_stcore/stream", subprotocols=["streamlit"]) as visit:
        visit.send(bytes(2**20))
        with pytest.raises(ConnectionClosed):
            visit.recv(look.PATIENCE / 1000)
        assert visit.close_code == MESSAGE_TOO_BIG


def test_the_page_around_the_app_is_told_what_is_on_show_and_leads_to_it(page: Page, site: str) -> None:
    frame = f'<iframe src="{site}/#/layers?reduction=cls" width="1200" height="700"></iframe>'
    told = "<script>onmessage = ({ data }) => { globalThis.last = data.hash ?? globalThis.last }</script>"
    page.route("https://huggingface.co/**", lambda route: route.fulfill(body=told + frame, content_type="text/html"))
    page.goto("https://huggingface.co/spaces/who/what")
    look.eventually(page, lambda: page.evaluate("globalThis.last"), "#/layers?reduction=cls")
    page.frame_locator("iframe").get_by_role("link", name="Methods").click()
    look.eventually(page, lambda: page.evaluate("last"), "#/methods?reduction=cls")

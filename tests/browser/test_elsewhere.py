"""The app inside another site's page, as a Space is shown.

Uploads arrive, except those that the site forges.
"""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from tests.browser import look

MESSAGE_TOO_BIG = 1009  # why a websocket is closed
NEW = "11111111-1111-1111-1111-111111111111"  # the id of no session and no file
FORGED = """address => fetch(address, {method: "PUT", body: new FormData(), credentials: "include"})
  .then((answer) => String(answer.status), (error) => error.name)"""
TABLE = "review,mood\n" + "".join(f"a fine film {k},{('bad', 'good')[k % 2]}\n" for k in range(12))


def test_the_lab_inside_another_page_reads_the_table_of_its_visitor_and_no_forged_one(
    chromium: Browser, site: str, tmp_path: Path
) -> None:
    with (
        look.served_files(tmp_path) as elsewhere,
        chromium.new_context(viewport={"width": 1280, "height": 1500}) as context,
    ):
        frame = f'<!doctype html><iframe src="{site}/lab" width="1200" height="1400"></iframe>'
        (tmp_path / "index.html").write_text(frame)
        page = context.new_page()
        page.goto(elsewhere)
        _, lab = page.frames
        look.pick(lab, "Examples from", "A file of my own")
        with page.expect_response(
            lambda response: "/_stcore/upload_file/" in response.url
        ) as waiting:
            lab.locator(".st-key-lab-upload input[type=file]").set_input_files(
                look.csv("moods.csv", TABLE)
            )
        assert (waiting.value.status, waiting.value.request.method) == (
            204,
            "PUT",
        )
        expect(lab.locator(".st-key-lab-texts")).to_contain_text("review")
        expect(lab.get_by_role("combobox", name="Label column")).to_have_value("mood")
        expect(lab.get_by_text("Match 2 label values to continue")).to_be_visible()
        # The page around the app cannot do the same, not even with this session's id.
        address = waiting.value.url.rpartition("/")[0]
        assert page.evaluate(FORGED, f"{address}/{NEW}") == "TypeError"
        # Nor can anybody without a living session, nor by a method that needs no consent from the
        # browser.
        stranger = f"{address.rpartition('/')[0]}/{NEW}/{NEW}"
        assert page.request.put(stranger, multipart={"file": "x"}).status == 400
        assert page.request.post(stranger, multipart={"file": "x"}).status == 405


def test_a_message_that_no_page_sends_ends_the_visit(site: str) -> None:
    """The server keeps what a visit sends as long as the visit lasts."""
    with connect(
        f"{site.replace('http', 'ws')}/_stcore/stream",
        subprotocols=["streamlit"],
    ) as visit:
        visit.send(bytes(2**20))
        with pytest.raises(ConnectionClosed):
            visit.recv(look.PATIENCE / 1000)
        assert visit.close_code == MESSAGE_TOO_BIG


def test_the_page_around_the_app_opens_a_view_and_hears_what_is_on_show(
    page: Page, site: str
) -> None:
    frame = f'<iframe src="{site}/#/layers?reduction=cls" width="1200" height="700"></iframe>'
    note = """<script>
      onmessage = ({ data }) => { globalThis.last = data.hash ?? globalThis.last }
    </script>"""
    page.route(
        "https://huggingface.co/**",
        lambda route: route.fulfill(body=note + frame, content_type="text/html"),
    )
    page.goto("https://huggingface.co/spaces/who/what")
    look.eventually(page, lambda: page.evaluate("globalThis.last"), "#/layers?reduction=cls")
    page.frame_locator("iframe").get_by_role("link", name="Methods").click()
    look.eventually(page, lambda: page.evaluate("last"), "#/methods?reduction=cls")

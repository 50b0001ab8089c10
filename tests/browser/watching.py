"""What a page in the browser says while it is used."""

from playwright.sync_api import ConsoleMessage, Page, WebSocket

PATIENCE = 20_000  # milliseconds: the first page of a fresh server imports everything


def complaints_of(page: Page) -> list[str]:
    """Errors in a page's console and of its scripts, as they come.

    Not counted: Streamlit looks for its server under a deep link's own path before it tries the root.
    """
    complaints: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        if message.type == "error" and "/_stcore/" not in message.location["url"]:
            complaints.append(f"{message.text} {message.location['url']}")

    page.on("console", listen)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    return complaints


def messages_of(page: Page) -> list[str]:
    """What goes over a page's websocket, either way, as it comes."""
    seen: list[str] = []

    def listen(socket: WebSocket) -> None:
        socket.on("framesent", lambda _: seen.append("sent"))
        socket.on("framereceived", lambda _: seen.append("received"))

    page.on("websocket", listen)
    return seen

"""A Chromium with several tabs and a wire that can be cut, for the tablet page.

Odoo's own test browser has one tab and one profile per test; a tablet is reloaded while
the network is gone and may be open twice.
"""

import base64
import contextlib
import itertools
import json
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from pathlib import Path

import requests
import websocket

from odoo.tests.common import _find_executable, _preexec

WAIT_SECONDS = 15
FLAGS = [
    "--headless=new",
    "--no-sandbox",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-extensions",
    "--disable-background-networking",
    "--disable-background-timer-throttling",
    "--disable-renderer-backgrounding",
    "--remote-allow-origins=*",
    "--remote-debugging-port=0",
    "--lang=en-US",
]


class Browser:
    """A Chromium process; use it in a ``with`` block and open tabs."""

    def __init__(self):
        self.profile = tempfile.mkdtemp(suffix="_kiosk")
        self.process = None
        self.socket = None
        self._ids = itertools.count(1)
        self._events = []

    def __enter__(self):
        self.process = subprocess.Popen(
            [
                _find_executable(),
                *FLAGS,
                f"--user-data-dir={self.profile}",
                "about:blank",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            # Odoo limits the address space of its own process; a browser needs more.
            preexec_fn=_preexec,  # noqa: PLW1509
        )
        try:
            self._connect()
        except Exception:
            self.__exit__()
            raise
        return self

    def _connect(self):
        port_file = Path(self.profile, "DevToolsActivePort")
        wait_for(lambda: port_file.exists() and port_file.read_text().count("\n"))
        port = port_file.read_text().split()[0]
        version = requests.get(
            f"http://127.0.0.1:{port}/json/version", timeout=10
        ).json()
        self.socket = websocket.create_connection(
            version["webSocketDebuggerUrl"], timeout=WAIT_SECONDS, suppress_origin=True
        )

    def __exit__(self, *_exc):
        if self.socket:
            self.socket.close()
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.profile, ignore_errors=True)

    def send(self, method, session=None, **params):
        """One command of the devtools protocol.

        :return: its result
        :raise AssertionError: when the browser refuses
        """
        number = next(self._ids)
        message = {"id": number, "method": method, "params": params}
        if session:
            message["sessionId"] = session
        self.socket.send(json.dumps(message))
        while True:
            answer = json.loads(self.socket.recv())
            if answer.get("id") == number:
                break
            if "method" in answer:
                self._events.append(answer)
        if "error" in answer:
            raise AssertionError(f"{method}: {answer['error']}")
        return answer["result"]

    def events(self, method, session):
        """Take the events that came so far.

        :return: the parameters of each
        """
        # A command that changes nothing makes the browser send what it has.
        self.send("Runtime.evaluate", session, expression="0")
        found, rest = [], []
        for event in self._events:
            mine = event["method"] == method and event.get("sessionId") == session
            (found if mine else rest).append(event)
        self._events = rest
        return [event["params"] for event in found]

    def tab(self, url, width=820, height=1180):
        """Open a page in a tab of its own.

        :rtype: Tab
        """
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        session = self.send("Target.attachToTarget", targetId=target, flatten=True)
        tab = Tab(self, session["sessionId"], target)
        tab.send("Page.enable")
        tab.send("Runtime.enable")
        tab.send("Network.enable")
        tab.send("Emulation.setFocusEmulationEnabled", enabled=True)
        tab.resize(width, height)
        tab.open(url)
        return tab


class Tab:
    """One tab, driven as a person would."""

    def __init__(self, browser, session, target):
        self.browser = browser
        self.session = session
        self.target = target

    def send(self, method, **params):
        return self.browser.send(method, self.session, **params)

    def open(self, url, seconds=WAIT_SECONDS):
        answer = self.send("Page.navigate", url=url)
        if "errorText" in answer:
            raise AssertionError(f"{url}: {answer['errorText']}")
        self.wait("document.readyState === 'complete'", seconds)

    def reopen(self):
        """Leave the page and come back, as after a restart of the tablet."""
        url = self.run("location.href")
        self.open("about:blank")
        self.open(url)

    def close(self):
        self.browser.send("Target.closeTarget", targetId=self.target)

    def resize(self, width, height):
        self.send(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )

    def run(self, expression):
        """Evaluate an expression, or what it promises.

        :raise AssertionError: when it throws
        """
        answer = self.send(
            "Runtime.evaluate",
            expression=expression,
            awaitPromise=True,
            returnByValue=True,
        )
        if "exceptionDetails" in answer:
            raise AssertionError(f"{expression}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def wait(self, expression, seconds=WAIT_SECONDS):
        """Wait until an expression is true.

        :return: its value
        :raise AssertionError: with what the page shows, when it does not come true
        """

        def evaluate():
            # A page that is being left throws.
            with contextlib.suppress(AssertionError):
                return self.run(expression)

        try:
            return wait_for(evaluate, seconds)
        except AssertionError:
            text = self.run("document.body.innerText")
            raise AssertionError(f"never true: {expression}\n{text}") from None

    def click(self, selector):
        """Click where the element is, as a finger would."""
        box = self.run(
            f"(() => {{ const box = document.querySelector({json.dumps(selector)})"
            ".getBoundingClientRect();"
            " return [box.x + box.width / 2, box.y + box.height / 2]; })()"
        )
        for kind in ("mousePressed", "mouseReleased"):
            self.send(
                "Input.dispatchMouseEvent",
                type=kind,
                x=box[0],
                y=box[1],
                button="left",
                clickCount=1,
            )

    def type(self, text):
        """Type on a keyboard, one key after the other."""
        for char in text:
            self.send("Input.dispatchKeyEvent", type="keyDown", text=char, key=char)
            self.send("Input.dispatchKeyEvent", type="keyUp", key=char)

    def enter(self):
        key = {"key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13}
        self.send("Input.dispatchKeyEvent", type="keyDown", text="\r", **key)
        self.send("Input.dispatchKeyEvent", type="keyUp", **key)

    def text(self, selector):
        """What an element shows, or "" while it is hidden."""
        return self.run(
            f"(() => {{ const found = document.querySelector({json.dumps(selector)});"
            " return found && !found.hidden ? found.innerText.trim() : ''; })()"
        )

    def value(self, selector):
        return self.run(f"document.querySelector({json.dumps(selector)}).value")

    def offline(self, is_offline):
        """Tell the page that the network is gone, as a tablet's radio does."""
        self.send(
            "Network.emulateNetworkConditions",
            offline=is_offline,
            latency=0,
            downloadThroughput=-1,
            uploadThroughput=-1,
        )

    def screenshot(self, path):
        """Keep what the tab shows, for whoever looks at it."""
        data = self.send("Page.captureScreenshot", format="png")["data"]
        Path(path).write_bytes(base64.b64decode(data))


class Wire:
    """Forwards a port to another until it is cut: a network that can really fail.

    It keeps what the browser sent, and can lose the answers on their way back.
    """

    def __init__(self, port, host="127.0.0.1"):
        self.target = (host, port)
        self.sent = b""
        self.answer = None
        self.loses_answers = False
        self.delay_seconds = 0
        self._open = set()
        self._lock = threading.Lock()
        self._is_cut = False
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_exc):
        self.cut()
        self._listener.close()

    def cut(self):
        """End every connection and let no other through."""
        with self._lock:
            self._is_cut = True
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def mend(self):
        self._is_cut = False
        self.answer = None
        self.loses_answers = False

    def forget(self):
        """Keep only what is sent from now on."""
        self.sent = b""

    def answer_instead(self, status, content_type, body, *headers):
        """Let everything else answer: a proxy, a hotel, an Odoo without PostgreSQL."""
        body = body.encode()
        lines = [
            f"HTTP/1.1 {status}",
            f"Content-Type: {content_type}",
            f"Content-Length: {len(body)}",
            "Connection: close",
            *headers,
        ]
        self.cut()
        self.answer = "\r\n".join([*lines, "", ""]).encode() + body
        self._is_cut = False

    def _accept(self):
        while True:
            try:
                client, _address = self._listener.accept()
            except OSError:
                return
            if self._is_cut:
                client.close()
            elif self.answer:
                threading.Thread(
                    target=self._answer, args=(client, self.answer), daemon=True
                ).start()
            else:
                self._forward(client)

    def _answer(self, client, answer):
        with contextlib.suppress(OSError), client:
            self.sent += client.recv(65536)
            client.sendall(answer)

    def _forward(self, client):
        try:
            server = socket.create_connection(self.target)
        except OSError:
            client.close()
            return
        with self._lock:
            self._open |= {client, server}
        for source, target, is_request in (
            (client, server, True),
            (server, client, False),
        ):
            threading.Thread(
                target=self._pump, args=(source, target, is_request), daemon=True
            ).start()

    def _pump(self, source, target, is_request):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if is_request:
                    self.sent += data
                elif self.loses_answers:
                    break
                else:
                    time.sleep(self.delay_seconds)
                target.sendall(data)
        for end in (source, target):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        # Each socket is closed by the one thread that reads it.
        with self._lock:
            self._open.discard(source)
            source.close()


def wait_for(condition, seconds=WAIT_SECONDS):
    """Call until something true is returned.

    :raise AssertionError: after so many seconds
    """
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if value := condition():
            return value
        time.sleep(0.05)
    raise AssertionError("waited in vain")

"""``make run``: Odoo with demo data on http://localhost:8069."""

import argparse
import http.cookiejar
import json
import os
import signal
import socket
import sys
import urllib.request

from bootstrap import database, environment
from bootstrap.paths import (
    LANGUAGES,
    LOG,
    MODULE,
    ROOT,
    SetupError,
    free_port,
    main,
    say,
    source_hash,
    step,
)
from bootstrap.server import OdooServer

DEMO_DEVICE = "demo_device_counter"
RUN_LOG = LOG / "run"


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8069)
    parser.add_argument("--db", default="demo", type=database.check_name)
    parser.add_argument("--interface", default="127.0.0.1")
    return parser.parse_args()


def check_port(interface: str, port: int) -> None:
    """Refuse a port somebody listens on, before any work is done."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((interface, port))
        except OverflowError:
            raise SetupError(f"{port} is no port number") from None
        except PermissionError:
            raise SetupError(f"port {port} is reserved for root") from None
        except OSError as error:
            raise SetupError(
                f"cannot listen on port {port} ({error.strerror}); "
                f"choose another: make run PORT={port + 1}"
            ) from None


def ensure_database(env, name: str) -> list[str]:
    """Create the demo database, or say how to bring it up to date.

    :return: options for the server's command line
    """
    if database.exists(env, name):
        if database.note(env, name) == source_hash():
            return []
        return ["-u", MODULE]
    incoming = f"{name}_new"
    database.drop(env, incoming)
    with step(f"database {name} with demo data"):
        database.install(
            env,
            incoming,
            [MODULE],
            RUN_LOG / "install.log",
            "--with-demo",
            f"--load-language={LANGUAGES}",
        )
        database.rename(env, incoming, name)
    database.set_note(env, name, source_hash())
    return []


class Client:
    """Calls Odoo the way the web client does."""

    def __init__(self, url: str, db: str):
        self.url = url
        jar = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        self.opener = urllib.request.build_opener(jar)
        self._post(
            "/web/session/authenticate",
            {"db": db, "login": "admin", "password": "admin"},
        )

    def call(self, model: str, method: str, *args, **kwargs):
        params = {"model": model, "method": method, "args": args, "kwargs": kwargs}
        return self._post(f"/web/dataset/call_kw/{model}/{method}", params)

    def _post(self, path: str, params: dict):
        request = urllib.request.Request(
            self.url + path,
            json.dumps({"jsonrpc": "2.0", "params": params}).encode(),
            {"Content-Type": "application/json"},
        )
        with self.opener.open(request, timeout=60) as response:
            answer = json.load(response)
        if "error" in answer:
            raise LookupError(answer["error"].get("data", {}).get("message", "error"))
        return answer["result"]


def pairing_line(server: OdooServer, public_url: str) -> str:
    """Return the line with the demo device's setup string, or why there is none."""
    try:
        client = Client(server.url, server.db)
        found = client.call(
            "ir.model.data",
            "search_read",
            [("module", "=", MODULE), ("name", "=", DEMO_DEVICE)],
            fields=["res_id"],
        )
        if not found:
            return f"demo device    none: no {MODULE}.{DEMO_DEVICE} in this database"
        code = client.call("club.device", "generate_pairing_code", [found[0]["res_id"]])
    except (LookupError, OSError) as error:
        return f"demo device    no setup string: {error}"
    return f"setup string   {public_url}|{server.db}|{code}"


def stop_on_terminate(_signum, _frame):
    raise KeyboardInterrupt


def serve(env, arguments) -> int:
    options = ensure_database(env, arguments.db)
    log = RUN_LOG / "odoo.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_bytes(b"")
    server = OdooServer(
        arguments.db,
        name="run/odoo",
        port=arguments.port,
        cron_threads=3,
        conf={"http_interface": arguments.interface, "gevent_port": free_port()},
        args=options,
        timeout=180,
        environment=env,
    )
    server.start()
    try:
        if options:
            database.set_note(env, arguments.db, source_hash())
        public_url = f"http://localhost:{arguments.port}"
        say(f"\naddress        {public_url}")
        say(f"database       {arguments.db}")
        say("login          admin / admin")
        say(pairing_line(server, public_url))
        say(f"log            {log.relative_to(ROOT)}")
        say("Ctrl-C stops everything.")
        return server.process.wait()
    except KeyboardInterrupt:
        say("\nstopping")
        return 0
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        server.stop()


def run() -> int:
    arguments = parse_arguments()
    check_port(arguments.interface, arguments.port)
    signal.signal(signal.SIGTERM, stop_on_terminate)
    if hasattr(signal, "SIGHUP"):
        signal.signal(signal.SIGHUP, stop_on_terminate)
    os.chdir(ROOT)
    with environment.ready() as env:
        return serve(env, arguments)


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT / "dev"))
    main(run)

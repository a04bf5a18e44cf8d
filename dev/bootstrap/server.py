"""An Odoo process of its own, for tests and measurements.

with OdooServer(db="test", workers=2) as server:
    requests.get(server.url + "/web/health", timeout=10)
"""

import atexit
import contextlib
import os
import signal
import subprocess
import time
import urllib.error
import urllib.request

from . import environment as environments
from .paths import LOG, SetupError, free_port


class OdooServer:
    """Start Odoo on a free port and stop it at the end of a ``with`` block.

    :param str db: the database it serves, and the only one
    :param str name: of the log, ``.local/log/<name>.log``
    :param int workers: 0 for one threaded process, else that many workers
    :param int threads: most concurrent HTTP threads of a threaded process
    :param int cron_threads: cron threads, or cron workers
    :param dict conf: further options of the configuration file
    :param list args: further command line options
    :param dict env: further environment variables
    :param list expected: patterns of warnings and errors the test provokes; the log
        guard lets them pass in this server's log only
    :param float timeout: seconds to wait for the first answer
    :param environment: what :func:`.environment.ready` gave; found when left out
    """

    def __init__(
        self,
        db,
        *,
        name="server",
        workers=0,
        threads=None,
        cron_threads=0,
        port=None,
        conf=None,
        args=(),
        env=None,
        expected=(),
        timeout=60,
        environment=None,
    ):
        self.db = db
        self.name = name
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = LOG / f"{name}.log"
        self.args = list(args)
        self.timeout = timeout
        self.extra_env = dict(env or {})
        if threads:
            self.extra_env["ODOO_MAX_HTTP_THREADS"] = str(threads)
        self.options = {
            "db_name": db,
            "dbfilter": f"^{db}$",
            "http_port": self.port,
            "gevent_port": free_port(),
            "workers": workers,
            "max_cron_threads": cron_threads,
            "logfile": self.log,
            **(conf or {}),
        }
        self.expected = list(expected)
        self.process = None
        self._environment = environment

    # === LIFE === #

    def __enter__(self):
        return self.start()

    def __exit__(self, *_exc):
        self.stop()

    def start(self, wait=True):
        """Start the process; may be called again after :meth:`stop` or :meth:`kill`."""
        environment = self._environment
        if environment is None:
            with environments.ready() as environment:
                pass
        self.log.parent.mkdir(parents=True, exist_ok=True)
        if self.expected:
            patterns = "\n".join(self.expected) + "\n"
            self.log.with_suffix(".expected").write_text(patterns)
        conf = environment.write_conf(self.name, **self.options)
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                environment.command("-c", conf, *self.args),
                env={**environment.env, **self.extra_env},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        atexit.register(self.kill)
        if wait:
            self.wait()
        return self

    def wait(self, path="/web/login"):
        """Wait until a page is answered.

        :raise SetupError: when the process ends or the time is over
        """
        deadline = time.monotonic() + self.timeout
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                break
            try:
                with urllib.request.urlopen(self.url + path, timeout=self.timeout):
                    return
            except urllib.error.HTTPError as error:
                if error.code < 500:
                    return
            except OSError:
                pass
            time.sleep(0.1)
        tail = self.log.read_text(errors="replace").splitlines()[-20:]
        self.kill()
        raise SetupError("\n".join([f"Odoo does not answer at {self.url}:", *tail]))

    def stop(self, timeout=15):
        """Ask the process to end, and insist after ``timeout`` seconds."""
        if self.process and self.process.poll() is None:
            self.process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(timeout)
        self.kill()

    def kill(self):
        """End the process and its workers at once, as a crash would."""
        atexit.unregister(self.kill)
        if not self.process:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    @property
    def pid(self):
        return self.process.pid

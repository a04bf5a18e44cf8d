"""How long a message waits: from the check-in's answer to its place in the queue.

A steady stream of new phones, as many a second as a busy chain has at its peak, on a
server with its worker. The queue is looked at every tenth of a second.
"""

import json
import statistics
import threading
import time
import urllib.request
import uuid
from concurrent.futures import ThreadPoolExecutor

from ._figures import Figure, number

RATE = 50  # check-ins a second
LIMIT_SECONDS = 5
LOOK_SECONDS = 0.1
PATIENCE_SECONDS = 60
SENDERS = 16


def main(club, quick=False) -> list[Figure]:
    """Measure the wait of each message.

    :param Club club: the database
    :param bool quick: a shorter stream
    :return: the figures
    """
    count = RATE * (5 if quick else 20)
    first = club.first_new + 2_000_000
    sent, queued = {}, {}
    # As docs/operations.md advises: the other jobs have threads of their own.
    with club.server(name="bench-arrival", cron_threads=3) as server:
        done = threading.Event()
        watcher = threading.Thread(target=_watch, args=(club, queued, count, done))
        watcher.start()
        _stream(club, server, first, count, sent)
        watcher.join(PATIENCE_SECONDS)
        done.set()
        watcher.join()
    waits = sorted(queued[event] - sent[event] for event in sent if event in queued)
    took = max(sent.values()) - min(sent.values())
    return [
        Figure(
            f"{RATE} check-ins a second: median seconds from answer to queue",
            statistics.median(waits),
            LIMIT_SECONDS,
            "<=",
            note=f"95 of 100 within {number(waits[int(len(waits) * 0.95)])}, "
            f"{number(count / took)} a second came",
        ),
        Figure(
            "the same: check-ins whose message never came",
            count - len(waits),
            0,
            "<=",
        ),
    ]


def _stream(club, server, first, count, sent):
    """Post check-ins at their times, whatever the answers take; note each answer."""
    began = time.monotonic()

    def post(at):
        time.sleep(max(0.0, began + at / RATE - time.monotonic()))
        event = str(uuid.uuid4())
        body = {"event_id": event, "phone": f"0912{first + at:07d}", "tag": 1}
        request = urllib.request.Request(
            f"{server.url}/club/device/v1/checkins",
            json.dumps(body).encode(),
            {
                "Content-Type": "application/json",
                "Authorization": f"Bearer {club.tokens[at % len(club.tokens)]}",
            },
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            answer.read()
        sent[event] = time.monotonic()

    with ThreadPoolExecutor(SENDERS) as pool:
        list(pool.map(post, range(count)))


def _watch(club, queued, count, done):
    """Note when each check-in's message is first seen."""
    with club.cursor() as cr:
        while len(queued) < count and not done.is_set():
            cr.execute(
                "SELECT event_id FROM club_checkin WHERE message_state IS NOT NULL"
                " AND event_id NOT LIKE 'fill-%%'"
            )
            now = time.monotonic()
            for (event,) in cr.fetchall():
                queued.setdefault(event, now)
            time.sleep(LOOK_SECONDS)

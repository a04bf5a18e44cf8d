"""The test gateway: every message counts as sent, nothing leaves this server."""

from .base import Caps, Gateway, Result, Status


class Test(Gateway):
    """Takes everything, delivers everything.

    Known to :meth:`status` under the id that :meth:`send` gave, which is the message's
    own reference.
    """

    __test__ = False  # a name that pytest would collect

    caps = Caps(
        max_batch=500,
        ref_dedupes=True,
        ref_hours=24 * 365,
        poll=True,
        poll_batch=500,
        pattern=True,
    )
    states = {"1": "sent", "2": "delivered", "3": "undelivered"}

    def _send(self, items):
        return [Result("accepted", f"test-{item.ref}") for item in items]

    def _send_pattern(self, item):
        return self._send([item])[0]

    def reconcile(self, items, known_ids=()):
        return self._send(items)

    def status(self, provider_ids):
        return [Status(provider_id, "delivered") for provider_id in provider_ids]

    def pattern_state(self, code):
        """Approves whatever it is asked about."""
        return ("approved", "")

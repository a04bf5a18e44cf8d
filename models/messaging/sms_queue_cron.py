import time

from odoo import api, models

from .sms_queue import SLICE


class SmsQueue(models.AbstractModel):
    """The clock of the queue."""

    _inherit = "sms.queue"

    @api.model
    def _cron_work(self):
        """One slice: a batch, then look-ups and delivery as long as time is left.

        Sending has core's own cron as well, woken by every new message; this one is
        for what comes due by the clock.
        """
        began = time.monotonic()
        handled, more = self._send_slice()
        for step in (
            self._reconcile_slice,
            self._poll_slice,
            self._poll_approvals,
            self._balance_slice,
        ):
            if time.monotonic() - began > SLICE:
                more = True
                break
            done = step()
            handled += done
            more = more or bool(done)
        self.env["ir.cron"]._commit_progress(handled, remaining=int(more))

    @api.model
    def _balance_slice(self):
        """Ask one provider for its balance."""
        line = self.env["sms.line"]._get_balance_due()[:1]
        if not line:
            return 0
        line._refresh_balance()
        return 1

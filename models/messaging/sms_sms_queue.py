from odoo import api, fields, models

REFERENCE_BITS = 63


def reference(uuid):
    """The reference that a provider knows a message by: random, 63 bits, never 0.

    Made of all the random bits of the message's uuid. Never the row's id: a restored
    or second database on the same account would hit references of the first.

    :param str uuid: 32 hexadecimal digits
    :rtype: int
    """
    number = int(uuid, 16)
    return ((number >> 64) ^ number) & (2**REFERENCE_BITS - 1) or 1


class SmsSms(models.Model):
    """What the queue of a line knows about a message.

    ``state`` stays as core has it; a message whose outcome nobody knows is in state
    *process*, which neither core's queue nor *Resend* touches, with an ``outcome``.
    """

    _inherit = "sms.sms"

    source = fields.Char(
        readonly=True, copy=False, help="What made it; one source makes one message."
    )
    outcome = fields.Selection(
        [
            ("claimed", "Being handed over"),
            ("accepted", "Taken by the provider"),
            ("rejected", "Refused by the provider"),
            ("unknown", "Not known"),
            ("absent", "Not at the provider"),
        ],
        readonly=True,
        copy=False,
    )
    provider_id = fields.Char(string="Provider's id", readonly=True, copy=False)
    reference = fields.Char(compute="_compute_reference")
    batch = fields.Char(readonly=True, copy=False)
    claimed_at = fields.Datetime(readonly=True, copy=False)
    tries = fields.Integer(readonly=True, copy=False)
    reconcile_at = fields.Datetime(readonly=True, copy=False)
    reconcile_count = fields.Integer(readonly=True, copy=False)
    poll_at = fields.Datetime(readonly=True, copy=False)
    poll_count = fields.Integer(readonly=True, copy=False)
    fail_code = fields.Char(string="Provider's code", readonly=True, copy=False)
    fail_message = fields.Char(string="Provider's words", readonly=True, copy=False)
    cost = fields.Float(readonly=True, copy=False)
    progress = fields.Char(string="What happens", compute="_compute_progress")

    _queue = models.Index("(line_id, id) WHERE state = 'outgoing'")
    _claimed = models.Index("(line_id, claimed_at) WHERE claimed_at IS NOT NULL")
    _reconcile = models.Index(
        "(line_id, reconcile_at) WHERE outcome IN ('claimed', 'unknown')"
    )
    _provider = models.Index("(provider_id, line_id) WHERE provider_id IS NOT NULL")
    _poll = models.Index("(line_id, poll_at) WHERE poll_at IS NOT NULL")

    @api.depends("uuid")
    def _compute_reference(self):
        for sms in self:
            sms.reference = sms.uuid and str(reference(sms.uuid))

    @api.depends(
        "state", "outcome", "due_at", "reconcile_at", "failure_type", "fail_message"
    )
    @api.depends_context("lang", "tz")
    def _compute_progress(self):
        words = self._get_state_words()
        failures = dict(self._fields["failure_type"]._description_selection(self.env))
        for sms in self:
            if sms.state == "outgoing":
                sms.progress = sms._get_waiting_words()
            elif sms.state == "process" and sms.outcome:
                sms.progress = sms._get_unsure_words()
            elif sms.state == "error":
                reason = failures.get(sms.failure_type, "")
                sms.progress = ": ".join(
                    part for part in (reason, sms.fail_message) if part
                )
            else:
                sms.progress = words[sms.state]

    def _get_state_words(self):
        """What the states say to people; core's words where ours add nothing."""
        return {
            **dict(self._fields["state"]._description_selection(self.env)),
            "pending": self.env._("Sent"),
            "sent": self.env._("Delivered"),
        }

    def _get_waiting_words(self):
        """Why a message still waits; a hook for whatever else holds one back."""
        self.ensure_one()
        line = self.sudo().line_id
        if self.sudo().company_id.club_silent:
            return self.env._("Waits: the club is silent")
        if line.paused:
            return self.env._("Waits: the line is paused")
        if self.due_at and self.due_at > fields.Datetime.now():
            # The reader's clock, as in the columns beside it.
            zone = self.env.context.get("tz") or self.env.user.tz or line.tz
            moment = self.env["sms.placeholder"]._moment(
                self.due_at, zone, self.env.lang
            )
            if self.tries:
                return self.env._("Is tried again at %(moment)s", moment=moment)
            return self.env._("Leaves at %(moment)s", moment=moment)
        return self.env._("Leaves with the next batch")

    def _get_unsure_words(self):
        self.ensure_one()
        if self.outcome == "claimed":
            return self.env._("Being handed over")
        if self.outcome == "absent":
            return self.env._("The provider does not have it: send it again?")
        if self.reconcile_at:
            return self.env._("Not known whether it left: the provider will be asked")
        return self.env._("Not known whether it left: please decide")

    # === BY HAND === #

    def action_send_again(self):
        """Send messages whose outcome nobody knows; the person takes the risk."""
        undecided = self._get_undecided()
        undecided.check_access("write")
        undecided.sudo().write({"state": "outgoing", "outcome": False, "due_at": False})
        undecided.sudo().sms_tracker_id._action_update_from_sms_state("outgoing")
        self.env["sms.queue"]._wake()

    def action_mark_sent(self):
        """Take messages whose outcome nobody knows as sent."""
        undecided = self._get_undecided()
        undecided.check_access("write")
        undecided.sudo().write({"state": "pending", "outcome": "accepted"})
        undecided.sudo().sms_tracker_id._action_update_from_sms_state("pending")

    def _get_undecided(self):
        """Those that only a person can decide about."""
        return self.filtered(
            lambda sms: (
                sms.state == "process"
                and sms.outcome in ("unknown", "absent")
                and not sms.reconcile_at
            )
        )

from odoo import api, fields, models
from odoo.exceptions import UserError

from ...tools.phone import PhoneError, parse_phone
from ...tools.problem import PROBLEM_TYPES
from ...tools.refusal import PROBLEMS, REASONS

RESULTS = [("new", "First visit"), ("repeat", "Repeat visit"), ("too_soon", "Too soon")]
MESSAGE_KINDS = [
    ("welcome", "Welcome text"),
    ("repeat", "Repeat text"),
    ("milestone", "Milestone text"),
    ("tag_first", "First text of the tag"),
    ("tag_repeat", "Repeat text of the tag"),
]
MESSAGE_REASONS = [
    ("no_text", "No text is set"),
    ("tag_none", "The tag sends nothing"),
    ("too_soon", "Too soon after the last visit"),
    ("late", "Arrived too late"),
    ("daily_cap", "Enough messages today"),
    *REASONS,
    ("non_customer", "Not a customer"),
    ("silent", "The club is silent"),
    ("no_line", "No service line"),
    *PROBLEMS,
    ("known", "Sent already"),
]
NOT_COUNTED_REASONS = [("too_soon", "Too soon"), ("non_customer", "Not a customer")]


class ClubCheckin(models.Model):
    """The journal: one row per accepted check-in, never removed by editing tags."""

    _name = "club.checkin"
    _description = "Club Check-in"
    _inherit = ["club.read.only.mixin"]
    _order = "arrived_at desc, id desc"
    _check_company_auto = True

    company_id = fields.Many2one(
        "res.company", required=True, readonly=True, ondelete="restrict"
    )
    device_id = fields.Many2one(
        "club.device", required=True, readonly=True, ondelete="restrict"
    )
    branch = fields.Char(related="device_id.branch")
    member_id = fields.Many2one("club.member", readonly=True, ondelete="set null")
    partner_id = fields.Many2one(related="member_id.partner_id")
    phone_e164 = fields.Char(related="member_id.phone_e164")
    event_id = fields.Char(required=True, readonly=True)
    fingerprint = fields.Char(
        readonly=True, help="SHA-256 of number, tag and time as sent, to know a replay."
    )
    phone_raw = fields.Char(
        string="Number as typed",
        readonly=True,
        groups="customer_segmentation.customer_segmentation_group_club_manager",
    )
    digit = fields.Integer(readonly=True, aggregator=False)
    tag_id = fields.Many2one(
        "club.device.tag", readonly=True, ondelete="set null", index="btree_not_null"
    )
    category_id = fields.Many2one(
        "res.partner.category",
        string="Contact tag",
        readonly=True,
        ondelete="set null",
        index="btree_not_null",
    )
    config_rev = fields.Integer(
        string="Configuration revision", readonly=True, aggregator=False
    )
    occurred_at = fields.Datetime(required=True, readonly=True)
    arrived_at = fields.Datetime(required=True, readonly=True, index=True)
    is_late = fields.Boolean(string="Late", readonly=True)
    counted = fields.Boolean(readonly=True)
    not_counted_reason = fields.Selection(NOT_COUNTED_REASONS, readonly=True)
    not_customer_reason = fields.Selection(
        [
            ("passer_by", "Passer-by"),
            ("job_seeker", "Job seeker"),
            ("seller", "Sells something"),
            ("mistake", "Typed by mistake"),
            ("other", "Other"),
        ],
        readonly=True,
    )
    not_customer_note = fields.Char(readonly=True)
    visit_no = fields.Integer(string="Visit number", readonly=True, aggregator=False)
    result = fields.Selection(RESULTS, readonly=True)
    unknown_digit = fields.Boolean(
        readonly=True, help="The configuration did not know this digit."
    )
    clock_clamped = fields.Boolean(
        string="Clock corrected",
        readonly=True,
        help="The device's clock was ahead; the time of arrival is used.",
    )

    state = fields.Selection(
        [("pending", "In preparation"), ("done", "Done"), ("failed", "Needs a person")],
        default="pending",
        required=True,
        readonly=True,
    )
    attempts = fields.Integer(readonly=True, aggregator=False)
    next_attempt_at = fields.Datetime(readonly=True)
    error = fields.Char(readonly=True)

    message_kind = fields.Selection(MESSAGE_KINDS, readonly=True)
    message_template_id = fields.Many2one(
        "sms.template", readonly=True, ondelete="set null", index="btree_not_null"
    )
    message_reason = fields.Selection(
        MESSAGE_REASONS, string="Why no message", readonly=True
    )
    answer_sms = fields.Char(
        readonly=True, help="What the device was told: queued, none or not_allowed."
    )
    sms_id = fields.Many2one(
        "sms.sms", readonly=True, ondelete="set null", index="btree_not_null"
    )
    message_state = fields.Selection(
        [
            ("outgoing", "Waiting"),
            ("process", "Being sent"),
            ("pending", "Sent"),
            ("sent", "Delivered"),
            ("error", "Failed"),
            ("canceled", "Cancelled"),
        ],
        readonly=True,
    )

    _event_unique = models.Constraint(
        "unique(device_id, event_id)", "This check-in was stored before."
    )
    # Each index costs every check-in: this one serves the member's foreign key, too.
    _member_time = models.Index("(member_id, occurred_at)")
    _to_prepare = models.Index("(id) WHERE state = 'pending'")
    _failed = models.Index("(company_id) WHERE state = 'failed'")

    @api.depends("member_id", "visit_no", "occurred_at")
    def _compute_display_name(self):
        for checkin in self:
            checkin.display_name = (
                checkin.env._("Visit %s", checkin.visit_no)
                if checkin.counted
                else checkin.env._("Check-in")
            )

    # === ACTIONS === #

    def action_retry(self):
        """Prepare failed check-ins again."""
        self.check_access("write")
        failed = self.sudo().filtered(lambda checkin: checkin.state == "failed")
        failed.write(
            {
                "state": "pending",
                "attempts": 0,
                "next_attempt_at": False,
                "error": False,
            }
        )
        self.env["club.checkin.followup"]._wake()

    def action_mark_not_customer(self):
        """Ask for the reason and mark these check-ins as not a customer's."""
        return {
            "type": "ir.actions.act_window",
            "res_model": "club.checkin.not.customer",
            "name": self.env._("Not a customer"),
            "view_mode": "form",
            "target": "new",
            "context": {"default_checkin_ids": self.ids},
        }

    def mark_not_customer(self, reason, note=False):
        """Mark check-ins as not a customer's: they no longer count.

        The contact leaves the connected group, a message that still waits is cancelled,
        and the next counted visit is a first visit again when none is left.

        :param str reason: passer_by, job_seeker, seller, mistake or other
        :param str note: free text for colleagues
        """
        self.check_access("write")
        checkins = self.sudo().filtered(
            lambda checkin: checkin.not_counted_reason != "non_customer"
        )
        members = checkins.member_id
        # Lock before counting: a check-in may come in at this very moment.
        members.lock_for_update(allow_referencing=True)
        waiting = checkins.sms_id.filtered(lambda sms: sms.state == "outgoing")
        waiting.action_set_canceled()
        checkins.write(
            {
                "counted": False,
                "not_counted_reason": "non_customer",
                "not_customer_reason": reason,
                "not_customer_note": note,
            }
        )
        checkins.filtered(lambda checkin: checkin.sms_id in waiting).write(
            {"message_reason": "non_customer", "message_state": "canceled"}
        )
        members._recount()
        for group, group_checkins in checkins.grouped(
            lambda checkin: checkin.device_id.group_id
        ).items():
            group._remove_partners(group_checkins.member_id.partner_id)

    def action_undo_not_customer(self):
        """Take «not a customer» back: the visit counts again."""
        self.check_access("write")
        checkins = self.sudo().filtered(
            lambda checkin: checkin.not_counted_reason == "non_customer"
        )
        members = checkins.member_id
        members.lock_for_update(allow_referencing=True)
        for checkin in checkins:
            was_too_soon = checkin.result == "too_soon"
            checkin.write(
                {
                    "counted": not was_too_soon,
                    "not_counted_reason": "too_soon" if was_too_soon else False,
                    "not_customer_reason": False,
                    "not_customer_note": False,
                }
            )
        members._recount()
        for group, group_checkins in checkins.grouped(
            lambda checkin: checkin.device_id.group_id
        ).items():
            group._add_partners(group_checkins.member_id.partner_id)

    def action_correct_number(self):
        """Ask for the right number of this check-in."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": "club.checkin.correct.number",
            "name": self.env._("Correct number"),
            "view_mode": "form",
            "target": "new",
            "context": {"default_checkin_id": self.id},
        }

    def correct_number(self, phone, resend=True):
        """Move one check-in to the number it was meant for, and fix both counts.

        The wrong member disappears when no check-in and no imported visit is left to
        it; its contact leaves the group, and is archived if its number is all that is
        known of it. Contact, group, tag and message of the right number follow as for
        any check-in.

        :param str phone: as typed, in the device's region
        :param bool resend: send the text to the right number too, if one was chosen
        :raise UserError: when the number cannot be used
        """
        self.ensure_one()
        self.check_access("write")
        checkin = self.sudo()
        device, old_member = checkin.device_id, checkin.member_id
        try:
            number = parse_phone(
                phone,
                device.country_id.code,
                foreign_allowed=device.foreign_allowed,
                accept_unverified=device.unverified_allowed,
            )
        except PhoneError as error:
            raise UserError(self.env._(PROBLEM_TYPES[error.code].title)) from error
        if number.e164 == old_member.phone_e164:
            return
        Member = self.env["club.member"].sudo()
        member = Member.search(
            [
                ("company_id", "=", checkin.company_id.id),
                ("phone_e164", "=", number.e164),
            ]
        ) or Member.create(
            {
                "company_id": checkin.company_id.id,
                "phone_e164": number.e164,
                "joined_by": "hand",
                "joined_device_id": device.id,
                "consent_version": checkin.company_id.club_consent_version,
                "unverified": not number.verified,
            }
        )
        (member | old_member).sorted("id").lock_for_update(allow_referencing=True)
        checkin.write(
            {
                "member_id": member.id,
                "phone_raw": phone[:32],
                "state": "pending",
                "attempts": 0,
                "next_attempt_at": False,
                **checkin._prepare_resend_values(resend),
            }
        )
        (member | old_member)._recount()
        checkin.write(
            {
                "visit_no": member.visit_count,
                "result": checkin._result_for(member.visit_count),
            }
        )
        old_member._drop_if_unused(device.group_id)
        self.env["club.checkin.followup"].sudo()._wake()

    def _result_for(self, visit_no):
        if not self.counted:
            return "too_soon"
        return "new" if visit_no <= 1 else "repeat"

    def _prepare_resend_values(self, resend):
        """Take the message back from the wrong number, as far as it still can be."""
        self.ensure_one()
        if self.sms_id.state == "outgoing":
            self.sms_id.action_set_canceled()
        elif not resend:
            return {}
        trackers = self.env["sms.tracker"].sudo()
        trackers.search([("checkin_id", "=", self.id)]).checkin_id = False
        return {"sms_id": False, "message_state": False}

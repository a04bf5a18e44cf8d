from odoo import api, fields, models
from odoo.tools import SQL


class ClubMember(models.Model):
    """A phone number that joined the club; the only row a check-in updates."""

    _name = "club.member"
    _description = "Club Member"
    _inherit = ["club.read.only.mixin"]
    _order = "last_visit desc, id desc"
    _rec_name = "phone_e164"
    _check_company_auto = True

    company_id = fields.Many2one(
        "res.company", required=True, readonly=True, ondelete="restrict"
    )
    phone_e164 = fields.Char(string="Mobile", required=True, readonly=True)
    partner_id = fields.Many2one(
        "res.partner",
        string="Contact",
        readonly=True,
        index="btree_not_null",
        ondelete="cascade",
    )
    visit_count = fields.Integer(string="Visits", default=0, readonly=True)
    first_visit = fields.Datetime(readonly=True)
    # Not indexed: a visit would then write into every index of the member.
    last_visit = fields.Datetime(readonly=True)
    imported_visits = fields.Integer(
        default=0,
        readonly=True,
        help="Visits from before the journal: imported, or folded in by retention.",
    )
    panel_visits = fields.Integer(
        readonly=True,
        aggregator=False,
        help="The highest number of visits an import told: it is not added twice.",
    )
    imported_first_visit = fields.Datetime(readonly=True)
    imported_last_visit = fields.Datetime(readonly=True)
    joined_by = fields.Selection(
        [("device", "Device"), ("hand", "By hand"), ("import", "Import")],
        default="device",
        required=True,
        readonly=True,
    )
    joined_device_id = fields.Many2one(
        "club.device", readonly=True, ondelete="set null", index="btree_not_null"
    )
    consent_version = fields.Char(
        string="Consent wording",
        readonly=True,
        help="Version of the wording that stood at the desk when the member joined.",
    )
    no_sms = fields.Boolean(
        string="No SMS at all",
        help="Nothing is sent to this number until it is taken back.",
    )
    unverified = fields.Boolean(
        string="Unknown prefix",
        readonly=True,
        help="The number looks like a mobile number but its prefix is not known yet.",
    )
    checkin_ids = fields.One2many("club.checkin", "member_id")

    _phone_unique = models.Constraint(
        "unique(company_id, phone_e164)", "This number is a member already."
    )
    _no_sms = models.Index("(company_id, phone_e164) WHERE no_sms")

    @api.depends("partner_id.name", "phone_e164")
    def _compute_display_name(self):
        # As core names any related record: after a merge the contact may be another
        # company's, and one such row must not close the whole list.
        for member in self:
            member.display_name = member.sudo().partner_id.name or member.phone_e164

    def unlink(self):
        """Forget the member: check-ins stay as anonymous counts."""
        checkins = (
            self.env["club.checkin"].sudo().search([("member_id", "in", self.ids)])
        )
        checkins.write({"phone_raw": False, "member_id": False})
        return super().unlink()

    def action_open_checkins(self):
        """Open the check-ins of this member."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "customer_segmentation.club_checkin_action"
        )
        action["domain"] = [("member_id", "=", self.id)]
        action["context"] = {}
        return action

    def _recount(self):
        """Count the visits again from import and journal, in one statement."""
        if not self:
            return
        self.env["club.checkin"].flush_model(["counted", "member_id", "occurred_at"])
        self.flush_model(
            ["imported_visits", "imported_first_visit", "imported_last_visit"]
        )
        self.env.cr.execute(
            SQL(
                """
                UPDATE club_member m
                   SET visit_count = coalesce(m.imported_visits, 0) + j.visits,
                       first_visit = least(m.imported_first_visit, j.first_visit),
                       last_visit = greatest(m.imported_last_visit, j.last_visit)
                  FROM (SELECT member.id,
                               count(c.id) AS visits,
                               min(c.occurred_at) AS first_visit,
                               max(c.occurred_at) AS last_visit
                          FROM club_member member
                          LEFT JOIN club_checkin c
                                 ON c.member_id = member.id AND c.counted
                         WHERE member.id = ANY(%s)
                         GROUP BY member.id) j
                 WHERE m.id = j.id
                """,
                list(self.ids),
            )
        )
        self.invalidate_recordset(["visit_count", "first_visit", "last_visit"])

    # === CORRECTING === #

    def _change_phone(self, number):
        """Give one member another number, joining the member who has it already.

        Rules: the member that is corrected stays, with its contact; the visits of both
        are added up; «no SMS at all» of either stays; the earlier consent stays.

        :param str number: E.164
        """
        self.ensure_one()
        if self.phone_e164 == number:
            return
        other = self.sudo().search(
            [("company_id", "=", self.company_id.id), ("phone_e164", "=", number)]
        )
        old_number = self.phone_e164
        joined_visits = other.visit_count
        if other:
            self._absorb(other)
        self.phone_e164 = number
        if self.partner_id:
            self.partner_id.sudo()._message_log(
                body=self.env._(
                    "Club number changed from %(old)s to %(new)s; visits joined: "
                    "%(visits)s.",
                    old=old_number,
                    new=number,
                    visits=joined_visits,
                )
            )

    def _absorb(self, other):
        """Take over the visits and refusals of another member, which disappears."""
        self.ensure_one()
        (self | other).sorted("id").lock_for_update()
        other.checkin_ids.sudo().write({"member_id": self.id})
        firsts = [
            date for date in (self + other).mapped("imported_first_visit") if date
        ]
        lasts = [date for date in (self + other).mapped("imported_last_visit") if date]
        self.write(
            {
                "imported_visits": self.imported_visits + other.imported_visits,
                "imported_first_visit": min(firsts, default=False),
                "imported_last_visit": max(lasts, default=False),
                "no_sms": self.no_sms or other.no_sms,
                "consent_version": self.consent_version or other.consent_version,
            }
        )
        if other.partner_id and other.partner_id != self.partner_id:
            other.partner_id.sudo()._message_log(
                body=self.env._(
                    "The club membership of this contact went to %s.",
                    self.partner_id.display_name or self.phone_e164,
                )
            )
        # Written and flushed before the row goes: its deletion blanks what is left.
        self.env.flush_all()
        other.invalidate_recordset(["checkin_ids"])
        other.unlink()
        self._recount()

    def _drop_if_unused(self, group):
        """Forget a member that came from a mistyped number and has nothing left.

        :param group: ``customer.segment`` its contact leaves
        """
        for member in self.sudo():
            if member.checkin_ids or member.imported_visits:
                continue
            partner = member.partner_id
            group._remove_partners(partner)
            member.unlink()
            if partner and not any(letter.isalpha() for letter in partner.name or ""):
                partner.action_archive()

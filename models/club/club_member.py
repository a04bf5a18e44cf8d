from odoo import api, fields, models
from odoo.tools import SQL


class ClubMember(models.Model):
    """A phone number that joined the club; the only row a check-in updates."""

    _name = "club.member"
    _description = "Club Member"
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
    last_visit = fields.Datetime(readonly=True, index=True)
    imported_visits = fields.Integer(
        readonly=True,
        aggregator=False,
        help="Visits before this club, from an import; part of the number of visits.",
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

    @api.depends("partner_id.name", "phone_e164")
    def _compute_display_name(self):
        for member in self:
            member.display_name = member.partner_id.name or member.phone_e164

    def unlink(self):
        """Forget the member: check-ins stay as anonymous counts."""
        checkins = self.env["club.checkin"].sudo().search([("member_id", "in", self.ids)])
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
        """Count the visits again in one statement: the journal's and the imported."""
        if not self:
            return
        self.env["club.checkin"].flush_model(["counted", "member_id", "occurred_at"])
        self.flush_recordset(
            ["imported_visits", "imported_first_visit", "imported_last_visit"]
        )
        self.env.cr.execute(
            SQL(
                """
                UPDATE club_member m
                   SET visit_count = j.visits + coalesce(m.imported_visits, 0),
                       first_visit = least(j.first_visit, m.imported_first_visit),
                       last_visit = greatest(j.last_visit, m.imported_last_visit)
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

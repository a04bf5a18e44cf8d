from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from ..models.campaign.mailing_answer import ANSWERS
from ..tools.placeholder import format_number

RECIPIENTS = "mailing.recipient"


class CustomerSegmentAssign(models.TransientModel):
    """Puts those who answered a campaign, or some chosen in its results, into a group,
    or makes them always in one of the campaign's segments; set-based, for any size.
    """

    _inherit = "customer.segment.assign"

    mailing_id = fields.Many2one(
        "mailing.mailing", string="Campaign", readonly=True, ondelete="cascade"
    )
    answer = fields.Selection(ANSWERS, string="Those", default="answered")
    target = fields.Selection(
        [("segment", "A segment or group"), ("new", "A new group")],
        string="Into",
        default="segment",
    )
    new_name = fields.Char(
        string="Name", compute="_compute_new_name", store=True, readonly=False
    )
    enlarge_sentence = fields.Char(
        string="How many", compute="_compute_enlarge_sentence"
    )

    @api.model
    def default_get(self, fields):
        """Chosen in the results, they are of one campaign as a rule."""
        values = super().default_get(fields)
        if values.get("model") == RECIPIENTS:
            recipients = self.env[RECIPIENTS].browse(values["record_ids"])
            if len(recipients.company_id) > 1:
                raise UserError(self.env._("Choose recipients of one company."))
            mailings = recipients.mailing_id
            values["mailing_id"] = mailings.id if len(mailings) == 1 else False
        return values

    @api.depends("mailing_id", "model")
    def _compute_available_segment_ids(self):
        """Of a campaign the groups of its company, and its own segments."""
        result = super()._compute_available_segment_ids()
        for wizard in self.filtered(lambda wizard: wizard._is_enlarging()):
            segments = self.env["customer.segment"].search(wizard._segment_domain())
            wizard.available_segment_ids = segments._filtered_access("write")
        return result

    @api.depends("mailing_id", "model")
    def _compute_new_name(self):
        for wizard in self:
            subject = wizard.mailing_id.subject or ""
            if not wizard.mailing_id:
                wizard.new_name = False
            elif wizard.model == RECIPIENTS:
                wizard.new_name = self.env._("Chosen from “%s”", subject)
            else:
                wizard.new_name = self.env._("Answered “%s”", subject)

    @api.depends("mailing_id", "model", "record_ids", "answer", "target", "segment_id")
    @api.depends_context("lang")
    def _compute_enlarge_sentence(self):
        for wizard in self:
            wizard.enlarge_sentence = wizard._is_enlarging() and wizard._say_places()

    @api.model_create_multi
    def create(self, vals_list):
        campaign = self.env.context.get("default_mailing_id")
        model = self.env.context.get("active_model")
        for vals in vals_list:
            is_chosen = vals.get("model", model) == RECIPIENTS
            if vals.get("mailing_id", campaign) and not is_chosen:
                # Whom it is about, the campaign knows.
                vals.update(model="res.partner", record_ids=False)
        wizards = super().create(vals_list)
        # Its name is shown to whoever may read the choice.
        wizards.mailing_id.check_access("read")
        return wizards

    def write(self, vals):
        result = super().write(vals)
        self.mailing_id.check_access("read")
        return result

    def _is_enlarging(self):
        return bool(self.mailing_id) or self.model == RECIPIENTS

    # === HOW MANY === #

    def _say_places(self):
        """How many will be added, and why the others will not."""
        counts = dict(
            self.env.execute_query(
                SQL("SELECT place, sum(n)::int FROM (%s) p GROUP BY 1", self._places())
            )
        )
        counts.setdefault("new", 0)

        def number(place):
            return format_number(counts.get(place, 0), self.env.lang)

        words = {
            "new": self.env._("%s will be added", number("new")),
            "present": self.env._("%s in already", number("present")),
            "out": self.env._(
                "%s kept out: always out, or in a segment that is left out",
                number("out"),
            ),
            "unseen": self.env._(
                "%s without a record that you may see", number("unseen")
            ),
        }
        total = format_number(sum(counts.values()), self.env.lang)
        parts = [self.env._("%s in all", total)]
        parts += [word for place, word in words.items() if place in counts]
        return " · ".join(parts)

    def _places(self):
        """Where each of them stands.

        :return: query of ``id``, ``place`` (``new``; ``present`` by hand; ``out`` by
            the segment; ``unseen`` by the user, or of the other kind) and ``n``
        :rtype: SQL
        """
        self.mailing_id.check_access("read")
        self.env.flush_all()
        segment = self._segment()
        model = segment.model or "res.partner"
        relation = self.env["customer.segment"]._relation_of(model)
        records = self.env[model].with_context(
            allowed_company_ids=self._company().ids, active_test=True
        )
        # Joined, not «IN»: a hash of a million ids is no plan for a column.
        return SQL(
            """
            SELECT answered.id, answered.n,
                   CASE WHEN seen.id IS NULL THEN 'unseen'
                        WHEN left_out.id IS NOT NULL THEN 'out'
                        WHEN present.id IS NOT NULL THEN 'present'
                        ELSE 'new' END AS place
              FROM (SELECT %(column)s AS id,
                           CASE WHEN %(column)s IS NULL THEN count(*) ELSE 1 END AS n
                      FROM (%(recipients)s) r
                     GROUP BY %(column)s) answered
         LEFT JOIN (%(seen)s) seen(id) ON seen.id = answered.id
         LEFT JOIN (SELECT %(column)s FROM %(excluded)s WHERE segment_id = %(segment)s
                     UNION
                    SELECT %(column)s FROM %(table)s
                     WHERE segment_id = ANY(%(without)s::int[])
                   ) left_out(id) ON left_out.id = answered.id
         LEFT JOIN (SELECT %(column)s FROM %(included)s WHERE segment_id = %(segment)s
                   ) present(id) ON present.id = answered.id
            """,
            recipients=self._recipients().select(relation.column),
            seen=records._search([]).subselect(),
            segment=segment.id or 0,
            without=list(segment.sudo().exclude_segment_ids.ids),
            **relation._asdict(),
        )

    def _recipients(self):
        """Those who answered, or who were chosen, as far as the user may see them.

        :rtype: Query
        """
        if self.model != RECIPIENTS:
            return self.env["mailing.audience"]._answered(
                self.mailing_id, self.answer or "answered", self.env.user
            )
        recipients = self.env[RECIPIENTS].with_context(
            allowed_company_ids=self._company().ids
        )
        return recipients._search([("id", "in", self.record_ids or [])])

    def _segment(self):
        return self.segment_id if self.target == "segment" else self.segment_id[:0]

    def _segment_domain(self):
        mailing = self.mailing_id.sudo()
        named = mailing.audience_segment_ids | mailing.series_id.segment_id
        models = ["res.partner"]
        if self.env["crm.lead"].has_access("read"):
            models.append("crm.lead")
        return [
            ("company_id", "=", self._company().id),
            ("model", "in", models),
            "|",
            ("kind", "=", "static"),
            ("id", "in", named.ids),
        ]

    def _company(self):
        if self.mailing_id or self.model != RECIPIENTS:
            return self.mailing_id.company_id or self.env.company
        return self.env[RECIPIENTS].browse(self.record_ids or []).company_id[:1]

    # === ADD THEM === #

    def action_apply(self):
        """Add them, at once and with events by hand.

        :raise UserError: when nobody would be added, or the segment is no choice here
        :raise AccessError: for whoever may not change the segment
        """
        if not self._is_enlarging():
            return super().action_apply()
        self.ensure_one()
        ids = [
            row[0]
            for row in self.env.execute_query(
                SQL("SELECT id FROM (%s) p WHERE place = 'new'", self._places())
            )
        ]
        if not ids:
            raise UserError(self.env._("Nobody would be added."))
        segment = self._new_group() if self.target == "new" else self.segment_id
        segment.check_access("write")
        if segment not in self.available_segment_ids and self.target != "new":
            raise UserError(
                self.env._("Choose a group, or a segment of this campaign.")
            )
        if segment.model == "res.partner":
            segment._add_partners(self.env["res.partner"].browse(ids), cause="hand")
        else:
            segment._pin("lead", set(ids), set())
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success",
                "message": self.env._(
                    "%(group)s: %(count)s added.",
                    count=format_number(len(ids), self.env.lang),
                    group=segment.name,
                ),
                "next": {"type": "ir.actions.act_window_close"},
            },
        }

    def _new_group(self):
        return self.env["customer.segment"].create(
            {
                "name": self.new_name,
                "kind": "static",
                "model": "res.partner",
                "company_id": self._company().id,
            }
        )

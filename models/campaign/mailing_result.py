import logging
from ast import literal_eval
from datetime import timedelta
from functools import partial

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from ...tools.placeholder import format_number
from ..segment.customer_segment_refresh import RETRIABLE

_logger = logging.getLogger(__name__)

# Delivery reports come as long after the last answer that counts.
REPORT_DAYS = 3
LONGEST_DAYS = 90 + REPORT_DAYS
MEASURES = (
    "is_sent",
    "is_delivered",
    "is_failed",
    "is_clicked",
    "is_replied",
    "is_opted_out",
    "is_visited",
    "is_purchased",
    "revenue",
)
RESULTS = (*MEASURES, "failure_type")


class MailingMailing(models.Model):
    """What came of a campaign, against those who were held back."""

    _inherit = "mailing.mailing"

    # Sums by state of recipients, so that no screen adds up a million of them.
    result_counts = fields.Json(string="Results", readonly=True, copy=False)
    delivered_count = fields.Integer(
        string="Messages delivered", compute="_compute_delivered_count"
    )
    result_sentence = fields.Char(string="Result", compute="_compute_result_sentence")

    def write(self, vals):
        """What came of it is worked out as soon as the last message has left."""
        result = super().write(vals)
        if vals.get("state") == "done" and any(self.mapped("is_prepared")):
            self.env.ref("customer_segmentation.mailing_result_cron").sudo()._trigger()
        return result

    def refresh_results(self):
        """Work out what came of these campaigns: delivery, clicks, replies, refusals,
        visits and purchases within their days.

        Visits are counted check-ins of the number or of the contact; purchases are
        those of ``customer.profile``, of the contact's company.

        :return: how many recipients' results changed
        :rtype: int
        """
        self.check_access("read")
        self.env.flush_all()
        changed = 0
        for mailing in self.sudo().filtered("is_prepared"):
            self.env.cr.execute(mailing._result_statement())
            changed += self.env.cr.rowcount
            if self.env.cr.rowcount or "queued" not in (mailing.result_counts or {}):
                mailing.result_counts = mailing._sum_results()
        self.env["mailing.recipient"].invalidate_model()
        self.invalidate_recordset(["result_sentence"])
        return changed

    @api.model
    def _cron_refresh_results(self):
        """Hourly; each campaign whose answers still count has its transaction."""
        now = fields.Datetime.now()
        unsent = Domain("sent_date", "=", False)
        recent = Domain("sent_date", ">", now - timedelta(days=LONGEST_DAYS))
        mailings = self.search(
            Domain("is_prepared", "=", True) & (unsent | recent), order="id desc"
        ).filtered(
            lambda mailing: (
                mailing.state != "done"
                or now - (mailing.sent_date or mailing.launched_at)
                < timedelta(days=mailing.answer_days + REPORT_DAYS)
            )
        )
        cron = self.env["ir.cron"]
        cron._commit_progress(remaining=len(mailings))
        for mailing in mailings:
            try:
                mailing.refresh_results()
            except RETRIABLE as error:
                # Somebody changes it just now: the next hour counts it.
                self.env.cr.rollback()
                _logger.info("Results of %s: %s", mailing.id, type(error).__name__)
            cron._commit_progress(1)

    def _result_statement(self):
        return SQL(
            """
            WITH person AS MATERIALIZED (
                SELECT r.id, r.number, r.partner_id, r.lead_id,
                       p.commercial_partner_id AS entity,
                       coalesce(r.queued_at, %(launched)s) AS since
                  FROM mailing_recipient r
             LEFT JOIN res_partner p ON p.id = r.partner_id
                 WHERE r.mailing_id = %(mailing)s AND r.state IN ('queued', 'holdout')),
            trace AS (%(traces)s),
            refused AS (
                SELECT DISTINCT person.id
                  FROM person JOIN customer_consent c ON c.number = person.number
                 WHERE c.company_id = %(company)s AND c.active
                   AND c.kind IN ('optout', 'stop', 'no_sms')
                   AND c.date >= person.since
                   AND c.date < person.since + %(days)s),
            visited AS (
                SELECT DISTINCT person.id
                  FROM person
                  JOIN club_member m ON m.company_id = %(company)s
                   AND (m.phone_e164 = person.number
                        OR m.partner_id = person.partner_id)
                  JOIN club_checkin c ON c.member_id = m.id
                 WHERE c.counted AND c.occurred_at >= person.since
                   AND c.occurred_at < person.since + %(days)s),
            document AS (%(documents)s),
            bought AS (
                SELECT person.id, sum(d.amount) AS revenue,
                       bool_or(d.bought) AS bought
                  FROM person JOIN document d ON d.partner_id = person.entity
                 WHERE d.day >= person.since::date
                   AND d.day < (person.since + %(days)s)::date
                 GROUP BY person.id),
            result AS (
                SELECT person.id,
                       coalesce(trace.sent, 0) AS is_sent,
                       coalesce(trace.delivered, 0) AS is_delivered,
                       coalesce(trace.failed, 0) AS is_failed,
                       coalesce(trace.clicked, 0) AS is_clicked,
                       coalesce(trace.replied, 0) AS is_replied,
                       (refused.id IS NOT NULL)::int AS is_opted_out,
                       (visited.id IS NOT NULL)::int AS is_visited,
                       coalesce(bought.bought, FALSE)::int AS is_purchased,
                       coalesce(bought.revenue, 0)::float8 AS revenue,
                       trace.failure_type
                  FROM person
             LEFT JOIN trace ON trace.id = person.id
             LEFT JOIN refused ON refused.id = person.id
             LEFT JOIN visited ON visited.id = person.id
             LEFT JOIN bought ON bought.id = person.id)
            UPDATE mailing_recipient r SET %(sets)s
              FROM result
             WHERE result.id = r.id AND (%(olds)s) IS DISTINCT FROM (%(news)s)
            """,
            mailing=self.id,
            launched=self.launched_at,
            company=self.company_id.id,
            days=SQL("make_interval(days => %s)", self.answer_days),
            traces=self._trace_statement(),
            documents=self._document_statement(),
            sets=SQL(", ").join(
                SQL("%s = result.%s", SQL.identifier(name), SQL.identifier(name))
                for name in RESULTS
            ),
            olds=SQL(", ").join(SQL.identifier("r", name) for name in RESULTS),
            news=SQL(", ").join(SQL.identifier("result", name) for name in RESULTS),
        )

    def _sum_results(self):
        """Sums of each measure and ``count``, by state: ``queued`` and ``holdout``.

        :rtype: dict
        """
        rows = self.env["mailing.recipient"]._read_group(
            [("mailing_id", "=", self.id), ("state", "in", ("queued", "holdout"))],
            ["state"],
            ["__count", *(f"{name}:sum" for name in MEASURES)],
        )
        return {
            state: dict(zip(("count", *MEASURES), sums, strict=True))
            for state, *sums in rows
        }

    def _trace_statement(self):
        """Delivery and answers, as the gateway and the links tell."""
        joined = SQL(
            """
            JOIN sms_tracker k ON k.source = 'mailing.recipient,' || person.id
            JOIN mailing_trace t ON t.id = k.mailing_trace_id
            """
        )
        if self.mailing_type == "mail":
            joined = SQL(
                """
                JOIN mailing_trace t ON t.mass_mailing_id = %s
                 AND t.model = 'res.partner' AND t.res_id = person.partner_id
                """,
                self.id,
            )
        return SQL(
            """
            SELECT person.id,
                   max((t.trace_status IN ('pending', 'sent', 'open', 'reply'))::int)
                       AS sent,
                   max((t.trace_status IN ('sent', 'open', 'reply'))::int) AS delivered,
                   max((t.trace_status IN ('error', 'bounce'))::int) AS failed,
                   max(t.failure_type) FILTER (
                       WHERE t.trace_status IN ('error', 'bounce')) AS failure_type,
                   max((t.links_click_datetime IS NOT NULL)::int) AS clicked,
                   max((t.reply_datetime IS NOT NULL)::int) AS replied
              FROM person %s GROUP BY person.id
            """,
            joined,
        )

    def _document_statement(self):
        purchases = self.env["customer.profile.purchase"]
        profiles = self.env["customer.profile"]
        return purchases._documents(profiles._scope(self.company_id, None))

    # === IN WORDS === #

    @api.depends("result_counts")
    def _compute_delivered_count(self):
        for mailing in self:
            counts = (mailing.result_counts or {}).get("queued", {})
            mailing.delivered_count = counts.get("is_delivered", 0)

    @api.depends("state", "queued_cost", "result_counts")
    @api.depends_context("lang")
    def _compute_result_sentence(self):
        for mailing in self:
            counts = mailing.result_counts or {}
            sent = counts.get("queued", {})
            # What waits for the line's hours nobody got yet.
            is_known = bool(sent) and (sent["is_sent"] or mailing.state == "done")
            sentence = is_known and mailing._say_result(sent, counts.get("holdout", {}))
            mailing.result_sentence = sentence or False

    def _say_result(self, sent, without):
        """One sentence such as «1,150 got it, 87 came within 7 days, 41 more than
        without it».

        :param dict sent: sums of those it was handed over for
        :param dict without: sums of those held back
        """
        number = partial(format_number, lang=self.env.lang)
        sentence = self.env._(
            "%(count)s got it, %(visited)s came and %(bought)s bought within %(days)s "
            "days",
            count=number(sent["is_sent"]),
            visited=number(sent.get("is_visited", 0)),
            bought=number(sent.get("is_purchased", 0)),
            days=number(self.answer_days),
        )
        if sent.get("revenue"):
            sentence += self.env._(" for %s", self._say_money(sent["revenue"]))
        if sent.get("is_clicked") or sent.get("is_replied"):
            sentence += self.env._(
                "; %(clicked)s clicked and %(replied)s replied",
                clicked=number(sent.get("is_clicked", 0)),
                replied=number(sent.get("is_replied", 0)),
            )
        if self.queued_cost:
            sentence += self.env._("; it cost %s", self._say_money(self.queued_cost))
        if not without.get("count"):
            return sentence + self.env._("; nobody was held back to compare.")
        share = sent["count"] / without["count"]
        visits, purchases = (
            sent.get(name, 0) - round(without.get(name, 0) * share)
            for name in ("is_visited", "is_purchased")
        )
        return sentence + self.env._(
            "; %(visits)s and %(purchases)s than without it.",
            visits=self.env._("%s more visits", number(visits))
            if visits >= 0
            else self.env._("%s fewer visits", number(-visits)),
            purchases=self.env._("%s more purchases", number(purchases))
            if purchases >= 0
            else self.env._("%s fewer purchases", number(-purchases)),
        )

    def _say_money(self, amount):
        """An amount in the company's own currency, as the reader's language writes it:
        tomans are for what customers read.
        """
        return self.env["sms.placeholder"]._money(
            amount, self.company_id.currency_id, self.env.lang, unit="rial"
        )

    def action_open_results(self):
        """Open the recipients, to sum up by segment, state and reason."""
        self.ensure_one()
        self.refresh_results()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "customer_segmentation.mailing_recipient_action"
        )
        action["domain"] = [("mailing_id", "=", self.id)]
        action["display_name"] = self.env._("Results of %s", self.subject or "")
        action["context"] = literal_eval(action["context"])
        rows = ["variant_id", "segment_id"] if self.variant_ids else ["segment_id"]
        action["context"] |= {
            "pivot_row_groupby": [*rows, "state"],
            "graph_groupbys": [rows[0], "state"],
        }
        return action

    def action_enlarge_segment(self):
        """Ask which of those who answered join which segment or group."""
        self.ensure_one()
        self.refresh_results()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "customer_segmentation.customer_segment_assign_action_enlarge"
        )
        action["context"] = {"default_mailing_id": self.id}
        return action

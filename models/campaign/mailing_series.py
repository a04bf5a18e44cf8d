import logging

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tools import SQL

from .mailing_state import UNDER_WAY

_logger = logging.getLogger(__name__)


class MailingSeries(models.Model):
    """Text after text to whoever stays in a segment, every so many days.

    Each text that is due becomes a campaign of its own, with all its rules and
    results; leaving the segment ends it.
    """

    _name = "mailing.series"
    _description = "Series of Group Messages"
    _inherit = ["customer.segment.chosen.mixin"]
    _order = "name, id"
    _check_company_auto = True

    name = fields.Char(required=True)
    active = fields.Boolean(default=True)
    company_id = fields.Many2one(
        "res.company",
        required=True,
        index=True,
        default=lambda self: self.env.company,
        ondelete="cascade",
    )
    segment_id = fields.Many2one(
        "customer.segment",
        required=True,
        index=True,
        check_company=True,
        domain="[('company_id', '=', company_id), ('model', '=', 'res.partner')]",
        ondelete="restrict",
        help="Whoever is in it gets the next text; whoever leaves it gets none.",
    )
    line_id = fields.Many2one(
        "sms.line",
        required=True,
        index=True,
        check_company=True,
        domain="[('company_id', '=', company_id)]",
        ondelete="restrict",
    )
    every_days = fields.Integer(string="Days between texts", default=14, required=True)
    user_id = fields.Many2one(
        "res.users",
        string="Responsible",
        required=True,
        default=lambda self: self.env.user,
        help="Its texts are sent with the rights of this user.",
    )
    step_ids = fields.One2many("mailing.series.step", "series_id", copy=True)
    mailing_ids = fields.One2many("mailing.mailing", "series_id")
    mailing_count = fields.Integer(compute="_compute_mailing_count")
    error = fields.Text(readonly=True, copy=False)

    _every_days_range = models.Constraint(
        "CHECK (every_days BETWEEN 1 AND 365)", "Between 1 and 365 days."
    )

    @api.depends("mailing_ids")
    def _compute_mailing_count(self):
        for series in self:
            series.mailing_count = len(series.mailing_ids)

    @api.constrains("company_id")
    def _check_company_id(self):
        self.step_ids._check_owned()

    @api.constrains("user_id")
    def _check_user_id(self):
        for series in self:
            if series.user_id._is_superuser():
                raise ValidationError(
                    self.env._("Choose a person as responsible, not the system.")
                )

    @api.model_create_multi
    def create(self, vals_list):
        series = super().create(vals_list)
        series._check_responsible()
        return series

    def write(self, vals):
        self._check_responsible()
        result = super().write(vals)
        self._check_responsible()
        return result

    def unlink(self):
        self._check_responsible()
        return super().unlink()

    def _check_responsible(self):
        """Nobody lets a colleague send what one could not send oneself."""
        manager = "customer_segmentation.customer_segmentation_group_club_manager"
        if self.env.su or self.env.user.has_group(manager):
            return
        if any(one.user_id != self.env.user for one in self):
            raise AccessError(
                self.env._("Only the responsible or a manager may change a series.")
            )

    # === EVERY DAY === #

    @api.model
    def _cron_send_due(self):
        """Launch what is due, each series in a transaction of its own."""
        series = self.search([("step_ids", "!=", False)])
        cron = self.env["ir.cron"]
        cron._commit_progress(remaining=len(series))
        for one in series:
            one._send_due()
            cron._commit_progress(1)

    def _send_due(self):
        """Launch a campaign for each text that somebody is due for.

        A series that cannot send says why and leaves the others alone.
        """
        self.ensure_one()
        try:
            with self.env.cr.savepoint():
                self._check_segment()
                for step in self.step_ids:
                    step._send_due()
        except (UserError, AccessError, ValidationError) as error:
            _logger.info("Series %s: %s", self.id, type(error).__name__)
            self.error = str(error)
        else:
            if self.error:
                self.error = False

    def _check_segment(self):
        """Nothing is sent to people whom the responsible may not know to be in it."""
        segment = self.segment_id.with_user(self.user_id).with_context(
            allowed_company_ids=self.company_id.ids
        )
        if not segment.has_access("read"):
            raise UserError(
                self.env._(
                    "%s may not see the segment of this series.", self.user_id.name
                )
            )

    def action_open_mailings(self):
        """Open the messages that this series has sent."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "customer_segmentation.mailing_campaign_action"
        )
        action["domain"] = [("series_id", "=", self.id)]
        action["context"] = {}
        return action


class MailingSeriesStep(models.Model):
    """One text of a series."""

    _name = "mailing.series.step"
    _description = "Text of a Series"
    _order = "series_id, sequence, id"
    _rec_name = "sms_template_id"

    series_id = fields.Many2one(
        "mailing.series", required=True, index=True, ondelete="cascade"
    )
    sequence = fields.Integer(default=10)
    sms_template_id = fields.Many2one(
        "sms.template",
        string="SMS text",
        required=True,
        domain="[('model', '=', 'res.partner')]",
        ondelete="restrict",
    )
    body = fields.Char(
        related="sms_template_id.body", related_sudo=False, string="Text"
    )

    @api.constrains("series_id", "sms_template_id")
    def _check_owned(self):
        for step in self:
            step.series_id.company_id._check_owns(step, ("sms_template_id",))

    @api.model_create_multi
    def create(self, vals_list):
        steps = super().create(vals_list)
        steps.series_id._check_responsible()
        return steps

    def write(self, vals):
        self.series_id._check_responsible()
        result = super().write(vals)
        self.series_id._check_responsible()
        return result

    def unlink(self):
        self.series_id._check_responsible()
        return super().unlink()

    def _number(self):
        """Which one it is, from 1."""
        self.ensure_one()
        return self.series_id.step_ids.ids.index(self.id) + 1

    def _due_statement(self):
        """Contacts that this text is due for, and the segment."""
        series = self.series_id
        relation = series.segment_id._relation_of("res.partner")
        return SQL(
            """
            SELECT r.partner_id, r.segment_id
              FROM %(table)s r
         LEFT JOIN mailing_series_progress p
                ON p.partner_id = r.partner_id AND p.series_id = %(series)s
             WHERE r.segment_id = %(segment)s
               AND coalesce(p.text_count, 0) = %(before)s
               AND (p.last_at IS NULL
                    OR p.last_at <= %(now)s - make_interval(days => %(days)s))
            """,
            table=relation.table,
            series=series.id,
            segment=series.segment_id.id,
            before=self._number() - 1,
            now=fields.Datetime.now(),
            days=series.every_days,
        )

    def _send_due(self):
        series = self.series_id
        under_way = series.mailing_ids.filtered(
            lambda mailing: (
                mailing.series_step_id == self and mailing.state in UNDER_WAY
            )
        )
        if under_way or not self.env.execute_query(
            SQL("%s LIMIT 1", self._due_statement())
        ):
            return
        mailing = (
            self.env["mailing.mailing"]
            .with_user(series.user_id)
            .with_context(allowed_company_ids=series.company_id.ids)
            .create(
                {
                    "mailing_type": "sms",
                    "subject": f"{series.name} · {self._number()}",
                    "company_id": series.company_id.id,
                    "audience_mode": "series",
                    "series_id": series.id,
                    "series_step_id": self.id,
                    "line_id": series.line_id.id,
                    "sms_template_id": self.sms_template_id.id,
                }
            )
        )
        audience = self.env["mailing.audience"]
        audience._build(mailing, series.user_id, mailing._next_due())
        if audience._counts().get(None):
            mailing.action_put_in_queue()
        else:
            # Whoever is due may not be reached now: no empty message every hour.
            mailing.sudo().unlink()


class MailingSeriesProgress(models.Model):
    """How far somebody is in a series; a merged contact goes on where it is."""

    _name = "mailing.series.progress"
    _description = "Progress in a Series"
    _log_access = False
    _rec_name = "partner_id"

    series_id = fields.Many2one(
        "mailing.series", required=True, readonly=True, ondelete="cascade"
    )
    partner_id = fields.Many2one(
        "res.partner", required=True, readonly=True, index=True, ondelete="cascade"
    )
    text_count = fields.Integer(required=True, readonly=True)
    last_at = fields.Datetime(required=True, readonly=True)

    _once = models.Constraint(
        "unique(series_id, partner_id)", "Somebody is in a series once."
    )


class MailingMailing(models.Model):
    _inherit = "mailing.mailing"

    audience_mode = fields.Selection(
        selection_add=[("series", "Whom a text of a series is due for")],
        ondelete={"series": "set default"},
    )
    series_id = fields.Many2one(
        "mailing.series", readonly=True, index="btree_not_null", ondelete="set null"
    )
    series_step_id = fields.Many2one(
        "mailing.series.step",
        readonly=True,
        index="btree_not_null",
        ondelete="set null",
    )

    def _note_queued(self, queued):
        """With the messages goes how far each person is in the series."""
        result = super()._note_queued(queued)
        if queued and self.series_step_id:
            self.env.cr.execute(
                SQL(
                    """
                    INSERT INTO mailing_series_progress AS p
                           (series_id, partner_id, text_count, last_at)
                    SELECT %(series)s, partner_id, %(number)s, %(now)s
                      FROM mailing_recipient
                     WHERE id = ANY(%(ids)s) AND partner_id IS NOT NULL
                    ON CONFLICT (series_id, partner_id)
                    DO UPDATE SET text_count = excluded.text_count,
                                  last_at = excluded.last_at
                    """,
                    series=self.series_id.id,
                    number=self.series_step_id._number(),
                    now=fields.Datetime.now(),
                    ids=[row_id for row_id, _text in queued],
                )
            )
        return result


class MailingAudience(models.AbstractModel):
    _inherit = "mailing.audience"

    def _chosen_series(self, mailing, model):
        step = mailing.sudo().series_step_id
        if model != "res.partner" or not step:
            return None
        # As with named segments: of a hidden one the sender might learn who is in it.
        if not self._visible(mailing, step.series_id.segment_id):
            return None
        return step._due_statement()

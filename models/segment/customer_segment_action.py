from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tools import SQL

from .customer_condition_mixin import MANAGER

# Whoever enters and leaves in circles is acted on this often within a day.
TIMES_A_DAY = 5


class CustomerSegmentAction(models.Model):
    """What follows when somebody enters or leaves a segment."""

    _name = "customer.segment.action"
    _description = "Action on Entry or Exit"
    _order = "segment_id, sequence, id"
    _rec_name = "offer_id"

    segment_id = fields.Many2one(
        "customer.segment", required=True, index=True, ondelete="cascade"
    )
    model = fields.Selection(related="segment_id.model")
    company_id = fields.Many2one(related="segment_id.company_id")
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    trigger = fields.Selection(
        [("enter", "On entry"), ("leave", "On exit")],
        string="When",
        required=True,
        default="enter",
    )
    offer_id = fields.Many2one(
        "customer.segment.offer",
        string="Action",
        required=True,
        ondelete="restrict",
        index=True,
    )
    kind = fields.Selection(related="offer_id.kind")
    first_time_only = fields.Boolean(
        string="Only the first time",
        help="Coming back does not count: only somebody's first entry (or first exit).",
    )
    ask_above = fields.Integer(
        string="Ask above",
        default=100,
        required=True,
        help="When more people than this wait at once, after a changed condition for "
        "example, nothing happens until you say so. 0 never asks.",
    )
    is_asking = fields.Boolean(readonly=True, copy=False)
    is_reported = fields.Boolean(readonly=True, copy=False)
    done_count = fields.Integer(string="Done", readonly=True, copy=False)
    skipped_count = fields.Integer(
        string="Left out",
        readonly=True,
        copy=False,
        help="Wants no SMS, has no number, refused e-mail.",
    )
    waiting_count = fields.Integer(string="Waiting", compute="_compute_job_counts")
    failed_count = fields.Integer(string="Failed", compute="_compute_job_counts")
    last_run = fields.Datetime(readonly=True, copy=False)
    error = fields.Text(string="Last failure", readonly=True, copy=False)

    _ask_above_positive = models.Constraint(
        "CHECK(ask_above >= 0)", "Ask above a number of people, or 0 for never."
    )

    # === COMPUTE METHODS === #

    def _compute_job_counts(self):
        counts = {
            (action.id, state): count
            for action, state, count in self.env["customer.segment.action.job"]
            .sudo()
            ._read_group(
                [("action_id", "in", self.ids)],
                ["action_id", "state"],
                ["__count"],
            )
        }
        for action in self:
            action.failed_count = counts.get((action.id, "failed"), 0)
            action.waiting_count = counts.get((action.id, "waiting"), 0) + counts.get(
                (action.id, "approved"), 0
            )

    # === CONSTRAINTS === #

    @api.constrains("offer_id", "segment_id", "trigger")
    def _check_offer(self):
        for action in self:
            offer, segment = action.offer_id, action.segment_id
            if offer.model != segment.model:
                raise ValidationError(
                    self.env._(
                        "“%s” is not meant for this kind of segment.", offer.name
                    )
                )
            if offer.company_id and offer.company_id != segment.company_id:
                raise ValidationError(
                    self.env._("“%s” belongs to another company.", offer.name)
                )

    def _check_may_choose(self):
        """Only system administrators attach code; constraints run as superuser."""
        if self.env.su or self.env.user.has_group("base.group_system"):
            return
        for offer in self.offer_id.filtered("admin_only"):
            raise AccessError(
                self.env._(
                    "“%s” runs code or calls another system: only a system "
                    "administrator may choose it.",
                    offer.name,
                )
            )

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        actions = super().create(vals_list)
        actions._check_may_choose()
        return actions

    def write(self, vals):
        if "segment_id" in vals and any(
            action.segment_id.id != vals["segment_id"] for action in self
        ):
            raise UserError(
                self.env._("Make a new action instead of moving it to another segment.")
            )
        result = super().write(vals)
        if {"offer_id", "trigger"} & set(vals):
            self._check_may_choose()
        return result

    # === ACTIONS === #

    def action_approve(self):
        """Let those who wait be acted on, however many they are."""
        self.check_access("write")
        self._jobs("waiting")._drop_outdated().write({"state": "approved"})
        self.sudo().write({"is_asking": False})
        self.env["customer.segment.action.job"]._wake()
        return True

    def action_retry(self):
        """Try those who failed once more."""
        self.check_access("write")
        jobs = self._jobs("failed")._drop_outdated()
        jobs.write({"state": "approved", "error": False})
        self.sudo().write({"is_reported": False, "error": False})
        self.env["customer.segment.action.job"]._wake()
        return True

    def action_forget(self):
        """Forget those who wait and those who failed: nothing happens to them."""
        self.check_access("write")
        self._jobs("waiting", "approved", "failed").unlink()
        self.sudo().write({"is_asking": False, "is_reported": False, "error": False})
        return True

    def action_open_jobs(self):
        """Open those who wait and those who failed."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "customer_segmentation.customer_segment_action_job_action"
        )
        action["domain"] = [("action_id", "=", self.id)]
        return action

    def _jobs(self, *states):
        return (
            self.env["customer.segment.action.job"]
            .sudo()
            .search([("action_id", "in", self.ids), ("state", "in", states)])
        )


class CustomerSegment(models.Model):
    """The actions of a segment, and how its events become work for them."""

    _inherit = "customer.segment"

    action_ids = fields.One2many(
        "customer.segment.action",
        "segment_id",
        string="On entry and exit",
        groups="customer_segmentation.customer_segmentation_group_marketer",
    )

    def _answerable_user(self):
        """The responsible; when that person has gone whoever made the segment, or a
        manager of its company.
        """
        managers = self.env.ref(MANAGER).sudo().all_user_ids
        return (self.user_id | self.create_uid | managers).filtered(
            lambda user: user.active and self.company_id in user.company_ids
        )[:1] or self.user_id

    def _action_jobs(self, relation, cause):
        """What a refresh adds to its statement so that actions follow its events.

        Written with the events, in the same transaction: nobody is acted on twice and
        nobody is lost. The first fill of a segment and merged contacts are no entry.

        :param relation: ``Membership`` of these segments
        :param str cause: cause of the events
        :return: a further CTE, which reads ``segment_id, id, kind`` of the CTE
            ``events``; empty where no action waits for anything
        :rtype: SQL
        """
        filled = self.sudo().filtered("last_refresh")
        if cause == "merge" or not filled.action_ids:
            return SQL()
        same = SQL(
            "FROM customer_segment_event old WHERE old.segment_id = e.segment_id "
            "AND old.kind = e.kind AND old.%(column)s = e.id",
            column=relation.column,
        )
        return SQL(
            """,
            jobs AS (
                INSERT INTO customer_segment_action_job
                            (action_id, %(column)s, date, state)
                     SELECT a.id, e.id, clock_timestamp() AT TIME ZONE 'UTC', 'waiting'
                       FROM events e
                       JOIN customer_segment_action a
                         ON a.segment_id = e.segment_id AND a.trigger = e.kind
                      WHERE a.active AND a.segment_id = ANY(%(filled)s)
                        AND (a.first_time_only IS NOT TRUE
                             OR NOT EXISTS (SELECT %(same)s))
                        AND (SELECT count(*) %(same)s
                                AND old.date > now() AT TIME ZONE 'UTC'
                                               - interval '1 day') < %(times)s)
            """,
            column=relation.column,
            filled=list(filled.ids),
            same=same,
            times=TIMES_A_DAY,
        )

import logging

import psycopg2.errors

from odoo import fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain
from odoo.tools import SQL

from ..segment.customer_segment_refresh import STATEMENT_SECONDS

_logger = logging.getLogger(__name__)

ACTIVITY = "mail.mail_activity_data_warning"


class CustomerScoreRule(models.Model):
    """Whether a rule works, has stopped, or lacks data."""

    _inherit = "customer.score.rule"

    template_id = fields.Many2one(
        "customer.score.template",
        string="Made from",
        readonly=True,
        copy=False,
        ondelete="set null",
        index="btree_not_null",
    )
    missing = fields.Text(
        compute="_compute_missing",
        help="What this database has to know before the rule can give points.",
    )

    # === STOPPED === #

    def _note_works(self):
        """These were evaluated; who was stopped goes on."""
        others = self.filtered(lambda rule: rule.state != "fresh")
        recovered = others.filtered(lambda rule: rule.state == "quarantined")
        others._stamp("fresh", None)
        if recovered:
            recovered.activity_unlink([ACTIVITY])

    def _quarantine(self, error):
        """Keep the last good lines, say why, and tell the responsible once.

        :param Exception error: why the rule cannot be evaluated
        """
        self.ensure_one()
        was_stopped = self.state == "quarantined"
        self._stamp("quarantined", self._reason(error))
        if was_stopped:
            return
        _logger.info("Scoring rule %s stopped: %s", self.id, type(error).__name__)
        user = self.user_id if self.user_id.active else self.create_uid
        me = self.with_context(lang=user.lang or self.env.lang)
        me.activity_schedule(
            ACTIVITY,
            user_id=user.id,
            summary=me.env._("This scoring rule has stopped"),
            note=me.env._(
                "It cannot be evaluated. The points it gave last stay, the other rules "
                "go on. Open the rule to see why."
            ),
        )

    def _stamp(self, state, error):
        """Note an outcome: one narrow statement, nobody's edit."""
        if not self:
            return
        self.env.cr.execute(
            SQL(
                "UPDATE customer_score_rule SET state = %s, error = %s "
                "WHERE id = ANY(%s)",
                state,
                error,
                list(self.ids),
            )
        )
        self.invalidate_recordset(["state", "error"], flush=False)

    def _reason(self, error):
        """Why a rule cannot be evaluated, in the responsible's words."""
        me = self.with_context(lang=self.user_id.lang or self.env.lang)
        if isinstance(error, psycopg2.errors.QueryCanceled):
            return me.env._(
                "The scores take longer than %s seconds. Ask for less.",
                STATEMENT_SECONDS,
            )
        try:
            condition = me.env["customer.segment.condition"]
            condition._check_domain(
                condition._model_of(me), condition._parse(me.domain)
            )
        except ValidationError as known:
            return known.args[0]
        except Exception as other:  # noqa: BLE001 - the first one says what is wrong
            _logger.debug("Rule %s: %s", self.id, type(other).__name__)
        text = str(error).strip()
        return text.splitlines()[0] if text else type(error).__name__

    # === MISSING DATA === #

    def _compute_missing(self):
        for rule in self:
            rule.missing = "\n".join(rule._missing()) or False

    def _missing(self):
        """What has to be known before a rule can give points, in words.

        :rtype: list[str]
        """
        self.ensure_one()
        template = self.template_id.sudo()
        if template.choice and self.domain == template.domain:
            return [template.with_env(self.env).sudo().choice]
        try:
            return self._missing_fields() + self._missing_events()
        except Exception as error:  # noqa: BLE001 - conditions run anybody's code
            return [self._reason(error)]

    def _missing_fields(self):
        """Fields of the condition that are empty everywhere."""
        condition = self.env["customer.segment.condition"]
        model = condition._model_of(self)
        domain = condition._parse(self.domain)
        condition._check_domain(model, domain)
        missing = []
        asked = dict.fromkeys(leaf.field_expr for leaf in domain.iter_conditions())
        audience = condition._audience_domain(self)
        for path in asked:
            filled = condition._honest(model, Domain(path, "!=", False))
            with self.env.cr.savepoint(flush=False):
                if model.search_count(filled & audience, limit=1):
                    continue
            label = self._label_of(model, self._first_empty(model, path))
            if self.model == "crm.lead":
                missing.append(self.env._("No lead has “%s” yet.", label))
            else:
                missing.append(self.env._("No contact has “%s” yet.", label))
        return missing

    def _first_empty(self, model, path):
        """The beginning of a path that nobody has: what it leads to is empty, too."""
        first = path.partition(".")[0]
        if first == path or not model._fields[first].relational:
            return path
        has_any = model.search_count([(first, "!=", False)], limit=1)
        return path if has_any else first

    def _label_of(self, model, path):
        """What the last field of a path is called."""
        words = self.env["customer.segment.words"]
        name, _dot, rest = path.partition(".")
        field = model._fields[name]
        if rest and field.relational:
            return self._label_of(model.env[field.comodel_name], rest)
        return words._label(field, rest)

    def _missing_events(self):
        if not self.event_source:
            return []
        source = self.env["customer.score.source"]
        label = source._label(self.event_source)
        if source._query(self) is None:
            return [self.env._("Nothing here records “%s”.", label)]
        if not source._is_recorded(self):
            return [self.env._("No “%s” has been recorded yet.", label)]
        return []

    # === CONSTRAINTS === #

    def _check_switched_on(self):
        """A shipped rule cannot be switched on before its data exists.

        :raise ValidationError: with what is missing
        """
        for rule in self:
            missing = rule._missing() if rule.template_id else []
            if missing:
                raise ValidationError(
                    self.env._(
                        "“%(rule)s” cannot be switched on yet. %(missing)s",
                        rule=rule.name,
                        missing=" ".join(missing),
                    )
                )

    def write(self, vals):
        off = self.filtered(lambda rule: not rule.active) if vals.get("active") else ()
        result = super().write(vals)
        if off:
            off._check_switched_on()
        return result

import logging
import time

from odoo import api, models
from odoo.exceptions import UserError

from ..segment.customer_segment_refresh import RETRIABLE
from ..segment.customer_segment_worker import SLICE_SECONDS
from .customer_score_run import CRON

_logger = logging.getLogger(__name__)


class CustomerScoreRefresh(models.AbstractModel):
    """When scores are worked out: every day of the company, after a rule changed, for
    touched contacts within seconds, and on demand.

    Transactions are those of the segments: READ COMMITTED, under the lock of the rules.
    """

    _inherit = "customer.score.refresh"

    @api.model
    def _refresh_now(self, company, model, ids=None):
        """Work scores out for somebody who waits.

        :return: how many lines and scores were written
        :rtype: int
        """
        engine = self.env["customer.segment.refresh"]
        # What waits for this user's own transaction is seen only within it.
        if not engine._may_begin_anew():
            return self._refresh(company, model, ids, verify=True)
        try:
            changed = engine._in_turn(self._refresh, company, model, ids, True)
            self.env.cr.commit()  # pylint: disable=invalid-commit
        except RETRIABLE as error:
            raise UserError(
                self.env._("Somebody else refreshes this now. Try again in a moment.")
            ) from error
        return changed

    @api.model
    def _cron_refresh(self):
        """Work out what is due, one company after the other, for one slice."""
        cron, run = self.env["ir.cron"], self.env["customer.score.run"]
        stop = time.monotonic() + SLICE_SECONDS
        for company, model in run._due():
            if time.monotonic() > stop:
                self.env.ref(CRON)._trigger()
                break
            self._refresh_due(company, model)
            cron._commit_progress(1)
        cron._commit_progress(remaining=0)

    def _refresh_due(self, company, model):
        """One company; nothing that goes wrong reaches the others."""
        engine = self.env["customer.segment.refresh"]
        try:
            engine._in_turn(self._refresh_day, company, model)
        except RETRIABLE as error:
            _logger.info("Scores of %s wait: %s", company.id, type(error).__name__)
            self.env.ref(CRON)._trigger()
        except Exception as error:
            if engine._is_passing(error):
                raise
            self.env.cr.rollback()
            _logger.exception("Scores of company %s cannot be worked out", company.id)

    def _refresh_day(self, company, model):
        self._refresh(company, model, verify=True)
        self.env["customer.score.snapshot"]._take(company, model)

    @api.model
    def _refresh_touched(self, model, ids):
        """Scores of contacts or leads that changed, in each company with rules.

        :param list ids: some may be deleted; None: everybody
        """
        rules = self.env["customer.score.rule"].search(
            [("model", "=", model), ("active", "=", True)]
        )
        if ids is None:
            units = {(company.id, model) for company in rules.company_id}
            self.env["customer.score.run"]._make_stale(units)
            return
        for company in rules.company_id:
            self._refresh(company, model, ids)


class CustomerSegmentRefresh(models.AbstractModel):
    """Scores come before the segments that ask for them."""

    _inherit = "customer.segment.refresh"

    def _before_touched(self, model, ids):
        result = super()._before_touched(model, ids)
        self.env["customer.score.refresh"]._refresh_touched(model, ids)
        return result


class CustomerProfile(models.Model):
    """Scores and segments follow the figures they judge."""

    _inherit = "customer.profile"

    @api.model
    def refresh(self, partner_ids=None):
        """Work out figures, then the scores that judge them; as in the figures.

        :param list partner_ids: contacts, or None for all
        :return: how many profiles changed
        :rtype: int
        """
        changed = super().refresh(partner_ids)
        engine = self.env["customer.score.refresh"].sudo()
        rules = self.env["customer.score.rule"].sudo()
        scored = rules._read_group(
            [("company_id", "in", self.env.companies.ids)], ["company_id"]
        )
        for (company,) in scored:
            engine._refresh(company, "res.partner", partner_ids)
            if partner_ids is None:
                engine._refresh(company, "crm.lead")
        return changed

    def _tell_changed(self, company, ids):
        result = super()._tell_changed(company, ids)
        if ids is None:
            rules = self.env["customer.score.rule"]._read_group(
                [("company_id", "=", company.id)], ["model"]
            )
            units = {(company.id, model) for (model,) in rules}
            self.env["customer.score.run"]._make_stale(units)
        else:
            self.env["res.partner"].browse(ids)._touch_segments()
            leads = self.env["crm.lead"].search([("partner_id", "in", ids)])
            leads._touch_segments()
        return result

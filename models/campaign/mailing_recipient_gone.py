from odoo import models
from odoo.tools import SQL

from .mailing_state import UNDER_WAY


class MailingMailing(models.Model):
    """What a campaign needs may be gone when its turn comes."""

    _inherit = "mailing.mailing"

    def _check_needs(self):
        """Look at its line and segments again: one that is left out and cannot be
        asked any more must not let its members in.

        :raise UserError: with what to do
        """
        if self.mailing_type == "sms":
            self._check_launch_line()
        self._check_launch_segments()

    def _say_progress(self):
        sentence = super()._say_progress()
        line = self.line_id.sudo()
        if self.mailing_type == "sms" and self.is_prepared and not line.active:
            sentence += " " + self.env._(
                "The line “%s” is archived: they wait on it.", line.name
            )
        return sentence


class MailingRecipient(models.Model):
    _inherit = "mailing.recipient"

    def _hold_gone(self, column, records):
        """Whoever is deleted gets nothing any more.

        :param str column: ``partner_id`` or ``lead_id``
        :param records: those that are about to be deleted
        """
        self.env["mailing.recipient"].flush_model()
        self.env["mailing.progress"].flush_model()
        self.env.cr.execute(
            SQL(
                """
                WITH gone AS (
                    UPDATE mailing_recipient SET state = 'held', reason = 'gone'
                     WHERE state = 'waiting' AND %(column)s = ANY(%(ids)s)
                       AND (lead_id IS NULL OR %(is_lead)s
                            OR mailing_id IN (SELECT id FROM mailing_mailing
                                               WHERE mailing_type = 'mail'))
                 RETURNING mailing_id)
                UPDATE mailing_progress p
                   SET waiting_count = greatest(0, p.waiting_count - g.count)
                  FROM (SELECT mailing_id, count(*) FROM gone GROUP BY 1) g
                  JOIN mailing_mailing m ON m.id = g.mailing_id
                 WHERE p.id = m.progress_id
                """,
                column=SQL.identifier(column),
                ids=list(records.ids),
                is_lead=column == "lead_id",
            )
        )
        if self.env.cr.rowcount:
            self.env["mailing.recipient"].invalidate_model(flush=False)
            self.env["mailing.progress"].invalidate_model(flush=False)
            self.env["mailing.mailing"].invalidate_model(["waiting_count"], flush=False)


class ResPartner(models.Model):
    _inherit = "res.partner"

    def unlink(self):
        self.env["mailing.recipient"]._hold_gone("partner_id", self)
        return super().unlink()


class CrmLead(models.Model):
    _inherit = "crm.lead"

    def unlink(self):
        self.env["mailing.recipient"]._hold_gone("lead_id", self)
        return super().unlink()


class CustomerSegment(models.Model):
    _inherit = "customer.segment"

    def _used_by(self):
        """Campaigns, too: those that are to leave its members out, from the draft on,
        and all that are under way, whose recipients have their text by it.
        """
        mailings = self.env["mailing.mailing"].sudo()
        leaving_out = [
            ("audience_exclude_segment_ids", "in", self.ids),
            ("state", "!=", "done"),
        ]
        under_way = [
            ("audience_segment_ids", "in", self.ids),
            ("state", "in", UNDER_WAY),
        ]
        using = mailings.search(["|", "&", *leaving_out, "&", *under_way])
        seen = using.with_env(self.env)._filtered_access("read")
        names = seen.mapped("subject")
        if len(using) > len(seen):
            hidden = len(using) - len(seen)
            names.append(self.env._("%s group messages that you may not see", hidden))
        return super()._used_by() + names

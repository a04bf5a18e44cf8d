import logging

from odoo import api, models
from odoo.exceptions import UserError

from ..segment.customer_segment_refresh import RETRIABLE
from .mailing_queue import BUSY_MINUTES
from .mailing_state import UNDER_WAY

_logger = logging.getLogger(__name__)


class MailingMailing(models.Model):
    """Odoo's own mailings by SMS: they leave over our lines and by our rules.

    The system works off what waits in the queue. So rights are asked of whoever puts
    something there, and one that cannot be sent holds up no other.
    """

    _inherit = "mailing.mailing"

    @api.model_create_multi
    def create(self, vals_list):
        mailings = super().create(vals_list)
        mailings._check_own_service()
        return mailings

    def write(self, vals):
        result = super().write(vals)
        if {"state", "sms_template_id", "line_id", "mailing_type"} & set(vals):
            self._check_own_service()
        if vals.get("state") == "in_queue" and not self.env.su:
            self._own_by_sms().sudo().launched_by_id = self.env.user
        return result

    def _own_by_sms(self):
        return self.filtered(
            lambda mailing: (
                mailing.audience_mode == "odoo" and mailing.mailing_type == "sms"
            )
        )

    def _check_own_service(self):
        """A service text is put into the queue by whoever may send it.

        :raise AccessError: to anybody else
        """
        if self.env.su:
            return
        for mailing in self._own_by_sms().sudo():
            if mailing.state in UNDER_WAY and (
                "service"
                in (mailing.sms_template_id.message_class, mailing.message_class)
            ):
                self.env["sms.template"]._check_may_send_service()

    def _action_send_mail(self, res_ids=None):
        """The same of whatever else fails on the way, of ours, too."""
        if not self.env.su:
            return super()._action_send_mail(res_ids)
        for mailing in self:
            try:
                super(MailingMailing, mailing)._action_send_mail(res_ids)
            except UserError as error:
                _logger.info("Mailing %s: %s", mailing.id, type(error).__name__)
                mailing._put_aside(str(error))
            except RETRIABLE as error:
                self.env.cr.rollback()
                _logger.info("Mailing %s waits: %s", mailing.id, type(error).__name__)
                mailing._continue(BUSY_MINUTES)
            except Exception:
                self.env.cr.rollback()
                _logger.exception("Mailing %s", mailing.id)
                mailing._put_aside(
                    self.env._("Something in it fails: the server's log says what.")
                )
        return True

    def _put_aside(self, reason):
        """A draft again if nothing has left, else stopped; its sender is told.

        :param str reason: for people
        """
        if self.audience_mode == "odoo" or self._not_begun():
            self._back_to_draft(reason)
            return
        if self.state in UNDER_WAY:
            self.action_stop()
        self.activity_schedule(
            "mail.mail_activity_data_todo",
            summary=self.env._("Stopped: %s", self.subject or ""),
            note=reason,
            user_id=self._in_charge().id,
        )

    def _in_charge(self):
        """Who is told of it."""
        return self.launched_by_id or self.user_id or self.env.user

    def action_send_sms(self, res_ids=None):
        """What the composer refuses becomes a draft again when nobody is there to be
        told: an error would stop the job, and all campaigns with it.
        """
        own = self.filtered(lambda mailing: mailing.audience_mode == "odoo")
        for mailing in own:
            try:
                with self.env.cr.savepoint():
                    super(MailingMailing, mailing).action_send_sms(res_ids)
            except UserError as error:
                if not self.env.su:
                    raise
                mailing._back_to_draft(str(error))
        if self - own:
            return super(MailingMailing, self - own).action_send_sms(res_ids)
        return True

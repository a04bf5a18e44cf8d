from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import SQL

from .mailing_state import UNDER_WAY

MARKETER = "customer_segmentation.customer_segmentation_group_marketer"


class MailingMailing(models.Model):
    """From a draft to the queue: checked once, by one person, once."""

    _inherit = "mailing.mailing"

    variant_ids = fields.One2many("mailing.variant", "mailing_id", copy=True)

    # === LAUNCH === #

    def action_put_in_queue(self):
        """Launch: checks what could go wrong, freezes the text, queues.

        :raise UserError: naming what to do first
        """
        ours = self.filtered(lambda mailing: mailing.audience_mode != "odoo")
        for mailing in ours:
            mailing._check_launch()
            mailing._claim_launch()
        super().action_put_in_queue()
        # XML-RPC carries no None.
        return True

    def action_send_mail(self, res_ids=None):
        """*Send now* of a campaign is its launch: it is prepared in slices."""
        ours = self.filtered(lambda mailing: mailing.audience_mode != "odoo")
        waiting = ours.filtered(lambda mailing: mailing.state in ("draft", "test"))
        if waiting:
            waiting.action_put_in_queue()
        if self - ours:
            return super(MailingMailing, self - ours).action_send_mail(res_ids)
        return True

    def _check_launch(self):
        """Refuse what cannot be sent as it is.

        :raise UserError: with what to do
        :raise AccessError: without the right to send campaigns or service texts
        """
        self.ensure_one()
        if not (self.env.su or self.env.user.has_group(MARKETER)):
            raise AccessError(
                self.env._(
                    "Sending a campaign needs the right “Segments: Marketer”; ask "
                    "your administrator."
                )
            )
        if not self.company_id or self.company_id not in self.env.companies:
            raise UserError(
                self.env._("Switch to the company that this campaign belongs to.")
            )
        # Something may have been given away since it was chosen.
        self._check_owned()
        self.variant_ids._check_owned()
        if self.mailing_type == "sms":
            self._check_launch_sms()
        else:
            self._check_launch_mail()
        self._check_launch_segments()

    def _check_launch_line(self):
        line = self.line_id.sudo()
        if not line:
            raise UserError(self.env._("Choose the line that it goes over."))
        if not line.active or line.company_id != self.company_id:
            raise UserError(
                self.env._(
                    "The line “%s” is archived or of another company. Choose another.",
                    line.name,
                )
            )

    def _check_launch_sms(self):
        self._check_launch_line()
        line = self.line_id.sudo()
        if not any(text.strip() for text in self._texts_by_lang().values()):
            raise UserError(self.env._("Write the text first."))
        self._check_texts()
        if self.is_text_saved and not self.sms_template_id:
            raise UserError(
                self.env._(
                    "Over the line “%s” only saved texts are sent. Choose one, or "
                    "another line.",
                    line.name,
                )
            )
        if line.message_class == "service":
            selling = self._templates().filtered(
                lambda template: template.message_class != "service"
            )
            if selling:
                raise UserError(
                    self.env._(
                        "“%s” is advertising and must not go over a service line: its "
                        "owner is fined for that. Choose an advertising line.",
                        selling[0].name,
                    )
                )
            self.env["sms.template"]._check_may_send_service()
        self._check_launch_approvals()

    def _check_launch_approvals(self):
        """What the panel has refused never leaves; what it has not judged yet waits."""
        for template, state, reason in self._pending_approvals():
            if state == "refused":
                raise UserError(
                    self.env._(
                        "The panel refused the text “%(text)s”: %(reason)s. Change it "
                        "and ask again, or choose another.",
                        text=template.name,
                        reason=reason or self.env._("no reason given"),
                    )
                )

    def _check_launch_segments(self):
        """Stopped segments hold their last good members: somebody has to want that."""
        segments = self.sudo().audience_segment_ids | (
            self.sudo().audience_exclude_segment_ids
        )
        stopped = segments.filtered(lambda segment: segment.state == "quarantined")
        if stopped:
            raise UserError(self._say_stopped(stopped[0]))
        archived = segments.filtered(lambda segment: not segment.active)
        if archived:
            raise UserError(
                self.env._(
                    "“%s” is archived: nobody keeps its members up to date. Restore "
                    "it, or take it out of this campaign.",
                    archived[0].name,
                )
            )

    def _say_stopped(self, segment):
        since = segment.last_refresh
        moment = self.env["sms.placeholder"]._moment
        return self.env._(
            "“%(segment)s” was stopped and holds its members as of %(date)s. Repair "
            "it, or take it out of this campaign.",
            segment=segment.name,
            date=moment(since, segment.tz, self.env.lang) if since else "?",
        )

    def _claim_launch(self):
        """Of two who launch at once, one does.

        :raise UserError: to the other
        """
        self.flush_recordset()
        rows = self.env.execute_query(
            SQL(
                "SELECT state, launched_by_id FROM mailing_mailing WHERE id = %s"
                " FOR UPDATE",
                self.id,
            )
        )
        state, user_id = rows[0]
        if state not in ("draft", "test"):
            raise UserError(
                self.env._(
                    "%s has launched this campaign already.",
                    self.env["res.users"].sudo().browse(user_id).name
                    or self.env._("Somebody"),
                )
            )
        if self.line_id.sudo().message_class == "service":
            self.env["sms.service.log"]._note(
                "send",
                self.sms_template_id,
                company_id=self.company_id.id,
                line_id=self.line_id.id,
                model="mailing.mailing",
            )
        if not self.progress_id:
            self.sudo().progress_id = self.env["mailing.progress"].sudo().create({})
        self.sudo().write(
            {
                "launched_by_id": self.env.uid,
                "launched_at": fields.Datetime.now(),
                "launched_text": self._freeze_texts(),
                "is_prepared": False,
                "is_stopped": False,
            }
        )

    # === BACK === #

    def action_retry_failed(self):
        """Core would take the failed messages away and launch it once more."""
        if self.filtered(lambda mailing: mailing.audience_mode != "odoo"):
            raise UserError(
                self.env._(
                    "Messages that failed are tried again one by one, in the list of "
                    "messages."
                )
            )
        return super().action_retry_failed()

    def action_cancel(self):
        """Back to a draft: nothing has left, so its recipients are chosen anew."""
        ours = self.filtered(lambda mailing: mailing.audience_mode != "odoo")
        if ours - ours._not_begun():
            raise UserError(
                self.env._(
                    "It is under way. Stop it; a stopped campaign stays as it is."
                )
            )
        result = super().action_cancel()
        ours._forget_snapshot()
        ours.sudo().write(
            {
                "is_prepared": False,
                "launched_text": False,
                "launched_at": False,
                "launched_by_id": False,
            }
        )
        return result

    def action_save_as_segment(self):
        """Keep the condition typed here for later, as a segment of its own."""
        self.ensure_one()
        segment = self.env["customer.segment"].create(
            {
                "name": self.subject or self.env._("From a group message"),
                "model": "res.partner",
                "kind": "dynamic",
                "domain": self.audience_condition,
                "company_id": self.company_id.id,
            }
        )
        self.write(
            {
                "audience_mode": "segments",
                "audience_segment_ids": [fields.Command.set(segment.ids)],
                "audience_condition": "[]",
            }
        )
        return True

    # === ONE AFTER ANOTHER === #

    def copy_data(self, default=None):
        """Leads chosen by hand are copied by whoever may see leads."""
        if self.env["crm.lead"].has_access("read"):
            return super().copy_data(default)
        copies = super().copy_data({"audience_lead_ids": [], **(default or {})})
        for values in copies:
            values.pop("audience_lead_ids", None)
        return copies

    def action_resend(self):
        """A new draft to those who did not answer this one."""
        return self._follow_up("silent")

    def action_follow_answered(self):
        """A new draft to those who answered this one."""
        return self._follow_up("answered")

    def _follow_up(self, answer):
        self.ensure_one()
        copied = self.copy(
            {
                "audience_mode": "previous",
                "previous_mailing_id": self.id,
                "previous_answer": answer,
                "audience_segment_ids": False,
                "audience_tag_ids": False,
                "audience_partner_ids": False,
                "audience_condition": "[]",
            }
        )
        return copied._action_open()

    def _action_open(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": "mailing.mailing",
            "res_id": self.id,
            "views": [
                (
                    self.env.ref("customer_segmentation.mailing_campaign_form").id,
                    "form",
                )
            ],
            "name": self.env._("Group message"),
        }

    @api.ondelete(at_uninstall=False)
    def _unlink_only_before_sending(self):
        """What was sent to whom is kept with the campaign."""
        for mailing in self:
            if mailing.audience_mode != "odoo" and mailing.state in UNDER_WAY:
                raise UserError(self.env._("It is under way: stop it first."))

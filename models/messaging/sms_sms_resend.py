from odoo import models
from odoo.tools import SQL


class SmsSms(models.Model):
    """Trying a failed message of a line again, when a person says so."""

    _inherit = "sms.sms"

    def action_set_outgoing(self):
        result = super().action_set_outgoing()
        waiting = self.filtered(lambda sms: sms.line_id and sms.state == "outgoing")
        if waiting:
            waiting.sudo()._begin_anew()
            self.env["sms.queue"]._wake()
        return result

    def _begin_anew(self):
        """Forget earlier attempts. A provider that took one and could not deliver it
        still knows its reference, and would not send it again: it gets another one.
        """
        self.write({"tries": 0, "outcome": False, "fail_code": False})
        self.flush_recordset()
        self.env["sms.tracker"].flush_model(["sms_uuid"])
        self.env.cr.execute(
            SQL(
                """
                WITH old AS (
                    SELECT id, uuid FROM sms_sms
                     WHERE id = ANY(%s) AND provider_id IS NOT NULL),
                fresh AS (
                    UPDATE sms_sms s
                       SET uuid = replace(gen_random_uuid()::text, '-', ''),
                           provider_id = NULL
                      FROM old WHERE s.id = old.id
                 RETURNING old.uuid AS old, s.uuid AS new),
                tracked AS (
                    UPDATE sms_tracker t SET sms_uuid = fresh.new
                      FROM fresh WHERE t.sms_uuid = fresh.old)
                UPDATE sms_advertising a SET sms_uuid = fresh.new
                  FROM fresh WHERE a.sms_uuid = fresh.old
                """,
                list(self.ids),
            )
        )
        self.invalidate_recordset()
        self.env["sms.tracker"].invalidate_model()

    def resend_failed(self):
        """Messages of lines wait again; core's own are sent at once."""
        on_lines = self.filtered("line_id")
        if not on_lines:
            return super().resend_failed()
        if others := self - on_lines:
            super(SmsSms, others).resend_failed()
        failed = on_lines.filtered(
            lambda sms: sms.state == "error" and not sms.to_delete
        )
        failed.action_set_outgoing()
        waiting = failed.filtered(lambda sms: sms.state == "outgoing")
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success" if waiting else "warning",
                "message": self.env._(
                    "%(waiting)s of %(total)s wait to be sent again.",
                    waiting=len(waiting),
                    total=len(self),
                ),
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
            },
        }

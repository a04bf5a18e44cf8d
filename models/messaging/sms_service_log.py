from odoo import api, fields, models


class SmsServiceLog(models.Model):
    """Who sent what over a service line, and who changed what counts as service."""

    _name = "sms.service.log"
    _description = "Service Message Log"
    _order = "id desc"
    _log_access = False

    company_id = fields.Many2one(
        "res.company", required=True, index=True, ondelete="cascade"
    )
    date = fields.Datetime(required=True, default=lambda self: fields.Datetime.now())
    user_id = fields.Many2one("res.users", string="By", ondelete="set null")
    kind = fields.Selection(
        [
            ("send", "Sent"),
            ("declared", "Declared as service"),
            ("withdrawn", "No longer service"),
            ("text", "Text changed"),
        ],
        required=True,
    )
    template_id = fields.Many2one(
        "sms.template", string="SMS text", index="btree_not_null", ondelete="set null"
    )
    body = fields.Text(string="Text", help="Of the template, as it was.")
    line_id = fields.Many2one("sms.line", ondelete="set null")
    model = fields.Char(string="Documents")
    message_count = fields.Integer(string="Messages")

    @api.model
    def _note(self, kind, template, **values):
        """Note one deed of the current user.

        :param str kind: of :attr:`kind`
        :param template: ``sms.template``, one
        :param values: further columns; the company is the current one by default
        """
        self.sudo().create(
            {
                "kind": kind,
                "user_id": self.env.uid,
                "template_id": template.id,
                "body": template.sudo().body,
                "company_id": self.env.company.id,
                **values,
            }
        )

from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ...tools import gateways
from ...tools.gateways import BadSettings
from .sms_gateway_core import CoreGateway

SYSTEM = "base.group_system"
# Names of settings of a gateway by field of the line.
SETTINGS = {
    "sender": "sender",
    "api_key": "api_key",
    "username": "username",
    "password": "password",
    "base_url": "base_url",
    "allow_private": "allow_private",
    "pattern_url": "pattern_url",
    "pattern_approved": "pattern_approved",
    "http_method": "method",
    "http_headers": "headers",
    "http_body_type": "body_type",
    "http_body": "body",
    "http_success_status": "success_status",
    "http_success_key": "success_key",
    "http_success_value": "success_value",
    "http_id_key": "id_key",
    "http_error_key": "error_key",
    "http_error_map": "error_map",
    "http_state_map": "state_map",
}


class SmsLine(models.Model):
    """How a line reaches its provider. Keys are for system administrators only."""

    _inherit = "sms.line"

    sender = fields.Char(
        help="The number or name that recipients see, as the provider writes it."
    )
    gateway = fields.Selection(
        selection_add=[
            ("kavenegar", "Kavenegar"),
            ("sms_ir", "SMS.ir"),
            ("melipayamak", "Melipayamak and panels like it"),
            ("generic_http", "Any other, over HTTPS"),
        ],
        ondelete={
            "kavenegar": "set default",
            "sms_ir": "set default",
            "melipayamak": "set default",
            "generic_http": "set default",
        },
    )
    api_key = fields.Char(string="API key", groups=SYSTEM, copy=False)
    username = fields.Char(groups=SYSTEM, copy=False)
    password = fields.Char(groups=SYSTEM, copy=False)
    base_url = fields.Char(
        string="Address",
        groups=SYSTEM,
        help="Empty for the provider's own; resellers of a panel have one of theirs.",
    )
    allow_private = fields.Boolean(
        string="Own network",
        groups=SYSTEM,
        help="The address may lie in the own network, where http is enough.",
    )
    pattern_url = fields.Char(
        string="List of patterns",
        groups=SYSTEM,
        help="Where the panel lists its patterns, to learn which are approved. Empty "
        "for the provider's own; of resellers nobody knows it.",
    )
    pattern_approved = fields.Char(
        string="Approved is",
        default="1",
        groups=SYSTEM,
        help="The state that the list gives to an approved pattern. With any other a "
        "person decides.",
    )
    http_method = fields.Selection(
        [("POST", "POST"), ("PUT", "PUT"), ("GET", "GET")],
        string="Method",
        default="POST",
        groups=SYSTEM,
    )
    http_headers = fields.Text(
        string="Headers",
        groups=SYSTEM,
        help="One «Name: value» a line; {api_key} stands for the key.",
    )
    http_body_type = fields.Selection(
        [("json", "JSON"), ("form", "Form")],
        string="Body as",
        default="json",
        groups=SYSTEM,
    )
    http_body = fields.Text(
        string="Body",
        groups=SYSTEM,
        help="With {number}, {local_number}, {text}, {sender}, {ref}, {api_key}, "
        "{username} and {password}. As a form: one «name=value» a line.",
    )
    http_success_status = fields.Char(
        string="Success: HTTP status", default="200,201", groups=SYSTEM
    )
    http_success_key = fields.Char(
        string="Success: where",
        groups=SYSTEM,
        help="Where in the answer success is told, such as result.ok",
    )
    http_success_value = fields.Char(string="Success: value", groups=SYSTEM)
    http_id_key = fields.Char(
        string="Message id: where", groups=SYSTEM, help="Such as data.ids.0"
    )
    http_error_key = fields.Char(string="Error code: where", groups=SYSTEM)
    http_error_map = fields.Text(
        string="Error codes",
        groups=SYSTEM,
        help="One «code=kind» a line, with the kinds credit, key, line, number, "
        "blocked, text, throttled and server.",
    )
    http_state_map = fields.Text(
        string="Delivery codes",
        groups=SYSTEM,
        help="One «code=state» a line, with the states sent, delivered, undelivered, "
        "blocked and refused.",
    )
    is_default = fields.Boolean(
        string="Used first",
        copy=False,
        help="Before the other lines of this class and company.",
    )
    foreign_allowed = fields.Boolean(
        string="Numbers abroad",
        default=lambda self: self.env.company.country_id.code != "IR",
        help="Numbers of other countries than the company's.",
    )
    links_allowed = fields.Boolean(
        string="Links",
        default=True,
        help="Many lines in Iran refuse texts with a link: switch it off for those, "
        "and such a text is refused before it costs anything.",
    )
    resend_absent = fields.Boolean(
        string="Send again what the provider lacks",
        help="When it is not known whether a message left and the provider's own list "
        "does not have it. Off: a person decides.",
    )
    user_id = fields.Many2one(
        "res.users",
        string="Told about trouble",
        default=lambda self: not self.env.su and self.env.user,
        ondelete="set null",
    )

    @api.constrains("gateway", *SETTINGS)
    def _check_gateway(self):
        """Settings that cannot work are refused when they are saved."""
        for line in self.sudo():
            if line.gateway in ("odoo", "test"):
                continue
            try:
                line._connect().http.close()
            except BadSettings as error:
                raise ValidationError(line._settings_problem(error)) from error

    def _settings_problem(self, error):
        """Words for settings that a gateway refused."""
        reason, name = error.args
        by_setting = {setting: field for field, setting in SETTINGS.items()}
        field = self._fields.get(by_setting.get(name, name))
        label = field._description_string(self.env) if field else name
        if reason == "missing":
            return self.env._("This provider needs: %(setting)s.", setting=label)
        if reason == "https":
            return self.env._(
                "The address must begin with https://. In your own network http:// "
                "works, too, once «Own network» is on."
            )
        return self.env._(
            "Please correct «%(setting)s»: it cannot be read.", setting=label
        )

    @api.model_create_multi
    def create(self, vals_list):
        lines = super().create(vals_list)
        lines.filtered("is_default")._be_the_only_default()
        return lines

    def write(self, vals):
        result = super().write(vals)
        if {"is_default", "message_class", "company_id"} & set(vals):
            self.filtered("is_default")._be_the_only_default()
        return result

    def _be_the_only_default(self):
        """One line per class and company is used first: the last one chosen."""
        for line in self:
            self.search(
                [
                    ("id", "!=", line.id),
                    ("company_id", "=", line.company_id.id),
                    ("message_class", "=", line.message_class),
                    ("is_default", "=", True),
                ]
            ).is_default = False

    # === CONNECTING === #

    def _get_gateway_settings(self):
        """What the gateway is given; a hook for gateways with settings of their own.

        :rtype: dict
        """
        self.ensure_one()
        line = self.sudo()  # keys are for administrators, sending is for everybody
        return {setting: line[field] or "" for field, setting in SETTINGS.items()}

    def _connect(self):
        """The gateway of this line, to be closed by the caller.

        :rtype: tools.gateways.base.Gateway
        :raise BadSettings:
        """
        self.ensure_one()
        if self.gateway == "odoo":
            return CoreGateway(self)
        return gateways.connect(self.gateway, self._get_gateway_settings())

    def _get_caps(self):
        """What the provider of this line can do."""
        if self.gateway == "odoo":
            return CoreGateway.caps
        return gateways.GATEWAYS[self.gateway].caps

from odoo import api, models
from odoo.exceptions import AccessError

MANAGER = "customer_segmentation.customer_segmentation_group_club_manager"
SENDER = "customer_segmentation.customer_segmentation_group_marketer"


class SmsTemplate(models.Model):
    """What counts as a service text is decided by managers, and noted."""

    _inherit = "sms.template"

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            # Texts that other apps ship tell customers of their own documents.
            if self.env.context.get("install_mode") and self.env.su:
                vals.setdefault("message_class", "service")
        templates = super().create(vals_list)
        for template in templates.filtered(
            lambda template: template.message_class == "service"
        ):
            template._check_may_declare()
            self.env["sms.service.log"]._note("declared", template)
        return templates

    def write(self, vals):
        """Note changes of service texts; others need the manager's right."""
        if not {"message_class", "body"} & set(vals):
            return super().write(vals)
        before = {
            template: (template.message_class, template.body) for template in self
        }
        result = super().write(vals)
        for template, (message_class, body) in before.items():
            if "service" not in (message_class, template.message_class):
                continue
            kind = "text"
            if message_class != template.message_class:
                declared = template.message_class == "service"
                kind = "declared" if declared else "withdrawn"
            elif body == template.body:
                continue
            template._check_may_declare()
            self.env["sms.service.log"]._note(kind, template)
        return result

    def _check_may_declare(self):
        if not (self.env.su or self.env.user.has_group(MANAGER)):
            raise AccessError(
                self.env._(
                    "Service texts are written by managers of the club. Choose the "
                    "class Advertising, or ask one of them."
                )
            )

    @api.model
    def _check_may_send_service(self):
        """Whether the current user may send service texts.

        :raise AccessError: without the right
        """
        if not (self.env.su or self.env.user.has_group(SENDER)):
            raise AccessError(
                self.env._(
                    "This is a service text: it also reaches people who refused "
                    "advertising. Sending it needs the right “Segments: Marketer”; ask "
                    "your administrator."
                )
            )

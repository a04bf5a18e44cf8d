from odoo import api, models
from odoo.exceptions import ValidationError

# What belongs to a company and may be named by its id.
OWNED = (
    "line_id",
    "sms_template_id",
    "audience_segment_ids",
    "audience_exclude_segment_ids",
    "previous_mailing_id",
)


class ResCompany(models.Model):
    _inherit = "res.company"

    def _check_owns(self, record, names):
        """Refuse what is another company's; what is no company's is everybody's.

        Core's own check would tell its name.

        :param record: one record that uses it
        :param names: fields of the record
        :raise ValidationError: naming the field
        """
        for name in names:
            if record.sudo()[name].company_id - self:
                field = record._fields[name]
                raise ValidationError(
                    self.env._(
                        "%(field)s: choose what belongs to %(company)s.",
                        field=field._description_string(self.env),
                        company=self.name or "",
                    )
                )


class MailingMailing(models.Model):
    """A campaign uses nothing of another company: by whom it reaches, or does not
    reach, one would learn about that company's customers.
    """

    _inherit = "mailing.mailing"

    @api.constrains("audience_mode", "company_id", *OWNED)
    def _check_owned(self):
        for mailing in self:
            # Odoo's own mailings use lines, too.
            names = ("line_id",) if mailing.audience_mode == "odoo" else OWNED
            mailing.company_id._check_owns(mailing, names)

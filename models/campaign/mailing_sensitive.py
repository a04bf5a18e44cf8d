from odoo import api, fields, models


class MailingMailing(models.Model):
    """Campaigns whose recipients tell a sensitive fact, by the segments they address.

    Record rules keep them, their statistics and messages from whoever may not see it.
    """

    _inherit = "mailing.mailing"

    is_sensitive = fields.Boolean(
        string="By sensitive facts",
        compute="_compute_is_sensitive",
        store=True,
        recursive=True,
    )

    @api.depends(
        "audience_segment_ids.is_sensitive",
        "audience_exclude_segment_ids.is_sensitive",
        "series_id.segment_id.is_sensitive",
        "previous_mailing_id.is_sensitive",
    )
    def _compute_is_sensitive(self):
        for mailing in self:
            segments = (
                mailing.audience_segment_ids
                | mailing.audience_exclude_segment_ids
                | mailing.series_id.segment_id
            )
            mailing.is_sensitive = (
                any(segments.mapped("is_sensitive"))
                or mailing.previous_mailing_id.is_sensitive
            )

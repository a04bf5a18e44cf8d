from odoo import fields, models
from odoo.tools import SQL


class SmsSms(models.Model):
    _inherit = "sms.sms"

    # Whether a campaign has something that has not left yet.
    _mailing_outgoing = models.Index(
        "(mailing_id) WHERE state = 'outgoing' AND mailing_id IS NOT NULL"
    )


class SmsLine(models.Model):
    _inherit = "sms.line"

    def _prepare_sms_values(self, messages, due_at):
        values = super()._prepare_sms_values(messages, due_at)
        if any("mailing_id" in message for message in messages):
            for vals, message in zip(values, messages, strict=True):
                vals["mailing_id"] = message.get("mailing_id")
        return values

    def _create_traces(self, messages, ids):
        """Core's statistics of mailings follow the messages of campaigns."""
        traces = super()._create_traces(messages, ids)
        of_campaigns = [
            (
                sms_id,
                message["mailing_id"],
                "crm.lead" if message.get("lead_id") else "res.partner",
                message.get("lead_id") or message.get("partner_id") or None,
                message["number"],
            )
            for message, sms_id in zip(messages, ids, strict=True)
            if message.get("mailing_id")
        ]
        if not of_campaigns:
            return traces
        rows = self.env.execute_query(
            SQL(
                """
                INSERT INTO mailing_trace
                       (mass_mailing_id, model, res_id, sms_number, sms_id_int,
                        sms_code, trace_type, trace_status, create_uid, write_uid,
                        create_date, write_date)
                SELECT mailing, model, record, number, sms,
                       substr(md5(random()::text), 1, 3), 'sms', 'outgoing', %(uid)s,
                       %(uid)s, %(now)s, %(now)s
                  FROM unnest(%(sms)s::int[], %(mailings)s::int[],
                              %(models)s::varchar[], %(records)s::int[],
                              %(numbers)s::varchar[])
                       AS t(sms, mailing, model, record, number)
             RETURNING sms_id_int, id
                """,
                uid=self.env.uid,
                now=fields.Datetime.now(),
                **dict(
                    zip(
                        ("sms", "mailings", "models", "records", "numbers"),
                        map(list, zip(*of_campaigns, strict=True)),
                        strict=True,
                    )
                ),
            )
        )
        self.env["mailing.trace"].invalidate_model(flush=False)
        made = dict(rows)
        return [made.get(sms_id) for sms_id in ids]

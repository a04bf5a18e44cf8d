import time

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL, html2plaintext, is_html_empty

from .mailing_queue import BATCH, SLICE_SECONDS

SAMPLES = 3
PREVIEW_CHARACTERS = 300


class MailingMailing(models.Model):
    """Campaigns by e-mail: the snapshot is ours, the rest is core's composer."""

    _inherit = "mailing.mailing"

    def _action_send_mail(self, res_ids=None):
        """E-mails of a campaign go to core's composer batch after batch, too.

        Core commits in the middle of a batch. After a crash whoever has a trace was
        written to, and everybody else is next.
        """
        ours = self.filtered(lambda mailing: mailing._is_mail_campaign())
        stop = time.monotonic() + SLICE_SECONDS
        for mailing in ours:
            if not mailing._prepare_until(stop):
                continue
            while not mailing._is_stopping() and (batch := mailing._next_mail_batch()):
                written_to = mailing._mailed([row[1] for row in batch])
                rest = [row for row in batch if row[1] not in written_to]
                for text, partner_ids in mailing._group_by_text(rest).items():
                    part = mailing.with_context(campaign_segment=text)
                    super(MailingMailing, part)._action_send_mail(res_ids=partner_ids)
                mailing._note_mailed([row[0] for row in batch])
                if time.monotonic() > stop:
                    mailing._continue()
                    break
            if mailing.is_stopped:
                mailing._stop_now()
            elif mailing.state == "sending" and not mailing._is_unsent():
                mailing.write({"state": "done", "sent_date": fields.Datetime.now()})
        return super(MailingMailing, self - ours)._action_send_mail(res_ids=res_ids)

    def _is_mail_campaign(self):
        return self.audience_mode != "odoo" and self.mailing_type == "mail"

    def write(self, vals):
        """Core calls a mailing done after each batch: it is when nobody waits."""
        if vals.get("state") == "done":
            going_on = self.filtered(
                lambda mailing: mailing._is_mail_campaign() and mailing._is_unsent()
            )
            if going_on:
                super(MailingMailing, going_on).write({**vals, "state": "sending"})
                return super(MailingMailing, self - going_on).write(vals)
        return super().write(vals)

    # === BATCHES === #

    def _next_mail_batch(self):
        """Who is next, as many as may be now.

        :return: ``(recipient id, partner id, segment id)``
        :rtype: list[tuple]
        """
        return self._next_waiting(
            SQL("r.id, r.partner_id, r.segment_id"),
            min(BATCH // 2, self._room_this_hour()),
        )

    def _group_by_text(self, batch):
        """Those who get the same text, by the segment that it is of.

        :return: partner ids by segment id, empty for the text of all others
        :rtype: dict[str, list[int]]
        """
        by_text = {}
        for _id, partner_id, segment_id in batch:
            text = str(segment_id) if self._mail_variant(segment_id) else ""
            if partner_id:
                by_text.setdefault(text, []).append(partner_id)
        return by_text

    def _mail_variant(self, segment_id):
        """Title and text of a segment's own e-mail, as they were when it was launched.

        :rtype: dict
        """
        return (self.launched_text or {}).get("variants", {}).get(str(segment_id), {})

    def _mailed(self, partner_ids):
        """Who of some contacts was written to, and under which address.

        :rtype: dict[int, str]
        """
        self.env["mailing.trace"].flush_model()
        return dict(
            self.env.execute_query(
                # One by one: else all traces may be read, when PostgreSQL has not
                # noticed yet how many there are.
                SQL(
                    """
                    SELECT asked.id, t.email
                      FROM unnest(%s::int[]) AS asked(id)
                CROSS JOIN LATERAL (
                           SELECT email FROM mailing_trace
                            WHERE mass_mailing_id = %s AND res_id = asked.id
                              AND trace_type = 'mail' AND model = 'res.partner'
                            LIMIT 1) t
                    """,
                    partner_ids,
                    self.id,
                )
            )
        )

    def _get_seen_list(self):
        """Core reads the addresses of the whole campaign for each batch. Here each
        address is in the snapshot once: those of the batch are enough.
        """
        if not self._is_mail_campaign():
            return super()._get_seen_list()
        partner_ids = list(self.env.context.get("active_ids") or [])
        mailed = self._mailed(partner_ids)
        return {*filter(None, mailed.values()), *self._others(partner_ids)}

    def _others(self, partner_ids):
        """Addresses of contacts that are somebody else's in the snapshot: they were
        corrected since.

        :rtype: list[str]
        """
        rows = self.env.execute_query(
            SQL(
                """
                SELECT p.email_normalized
                  FROM res_partner p JOIN mailing_recipient r
                    ON r.mailing_id = %s AND r.number = p.email_normalized
                   AND (r.reason IS NULL OR r.reason <> 'duplicate')
                   AND r.partner_id IS DISTINCT FROM p.id
                 WHERE p.id = ANY(%s)
                """,
                self.id,
                partner_ids,
            )
        )
        return [row[0] for row in rows]

    def _note_mailed(self, recipient_ids):
        self.env.flush_all()
        self.env.cr.execute(
            SQL(
                # Stopped in the middle of the batch: who was written to before was.
                """
                UPDATE mailing_recipient r
                   SET state = 'queued', reason = NULL, queued_at = %(now)s
                 WHERE r.id = ANY(%(ids)s) AND (
                       r.state = 'waiting' AND r.partner_id IS NOT NULL
                       OR r.reason = 'halted' AND EXISTS (
                          SELECT FROM mailing_trace t
                           WHERE t.mass_mailing_id = %(mailing)s
                             AND t.res_id = r.partner_id AND t.trace_type = 'mail'
                             AND t.model = 'res.partner'
                             AND t.trace_status NOT IN ('outgoing', 'cancel')))
                """,
                now=fields.Datetime.now(),
                ids=recipient_ids,
                mailing=self.id,
            )
        )
        mailed = self.env.cr.rowcount
        if mailed:
            self.sudo().progress_id._add(waiting=-mailed, queued=mailed)
            self.env["mailing.recipient"].invalidate_model(flush=False)

    # === BEFORE === #

    def _check_launch_mail(self):
        if is_html_empty(self.body_html):
            raise UserError(self.env._("Write the text first."))

    def _preflight_mails(self):
        """The beginning of some e-mails, as their readers get them.

        What is typed and not saved yet is rendered as for anybody: the placeholders
        that everybody may use, and no code.

        :return: of each ``{"name", "number", "subject", "text"}``
        :rtype: list[dict]
        """
        variants = {one.segment_id.id: one for one in self._saved().variant_ids}
        previews = []
        for partner_id, _lead, segment_id, email in self.env[
            "mailing.audience"
        ]._samples(SAMPLES):
            variant = variants.get(segment_id, self.env["mailing.variant"])
            subject = variant.subject or self.subject
            body = self.body_html
            if not is_html_empty(variant.body_html):
                body = variant.body_html
            text = html2plaintext(
                self._render_mail(body, partner_id, "qweb"), include_references=False
            ).strip()
            if len(text) > PREVIEW_CHARACTERS:
                text = text[:PREVIEW_CHARACTERS].rstrip() + "…"
            partner = self.env["res.partner"].browse(partner_id)
            previews.append(
                {
                    "name": partner.sudo().display_name or "",
                    "number": email,
                    "subject": self._render_mail(
                        subject, partner_id, "inline_template"
                    ),
                    "text": text,
                }
            )
        return previews

    def _render_mail(self, source, partner_id, engine):
        rendered = self.env["mail.render.mixin"]._render_template(
            source or "", "res.partner", [partner_id], engine=engine
        )
        return rendered[partner_id]

    # === TEXTS === #

    def _freeze_mail_texts(self):
        """The texts of single segments: the main one stays in its own fields."""
        return {
            "variants": {
                str(variant.segment_id._origin.id): {
                    "subject": variant.subject or self.subject,
                    "body": variant.body_html or self.body_html or "",
                }
                for variant in self.variant_ids
            }
        }


class MailComposeMessage(models.TransientModel):
    _inherit = "mail.compose.message"

    @api.model_create_multi
    def create(self, vals_list):
        """Those of a segment with a text of its own get that one; whoever wants no
        e-mail gets none, whatever core's switch says.
        """
        segment = self.env.context.get("campaign_segment")
        for vals in vals_list:
            mailing = self.env["mailing.mailing"].browse(vals.get("mass_mailing_id"))
            if not mailing or not mailing._is_mail_campaign():
                continue
            vals["use_exclusion_list"] = True
            variant = segment and mailing._mail_variant(segment)
            if variant:
                body = mailing._prepend_preview(variant["body"], mailing.preview)
                vals.update(subject=variant["subject"], body=body)
        return super().create(vals_list)

    def action_send_mail(self):
        """A person's way; a campaign's own batches are sent without it."""
        mailings = self.sudo().mass_mailing_id
        if mailings.filtered(lambda mailing: mailing.audience_mode != "odoo"):
            raise UserError(
                self.env._("A group message goes to those chosen in it, by its Send.")
            )
        return super().action_send_mail()


class MailingTrace(models.Model):
    _inherit = "mailing.trace"

    # Who of a batch was written to already: core's traces are not found by document.
    _mailed = models.Index("(mass_mailing_id, res_id) WHERE trace_type = 'mail'")


class MailBlacklist(models.Model):
    """Core looks at it when it makes e-mails, which may then wait for an hour."""

    _inherit = "mail.blacklist"

    @api.model_create_multi
    def create(self, vals_list):
        refusals = super().create(vals_list)
        refusals._cancel_campaign_mails()
        return refusals

    def write(self, vals):
        result = super().write(vals)
        if vals.get("active"):
            self._cancel_campaign_mails()
        return result

    def _cancel_campaign_mails(self):
        """What campaigns have for these addresses at the mail server's door."""
        emails = self.filtered("active").mapped("email")
        if not emails:
            return
        self.env.flush_all()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT m.id FROM mail_mail m
                  JOIN mailing_mailing c ON c.id = m.mailing_id
                   AND c.audience_mode != 'odoo'
                  JOIN mailing_trace t ON t.mail_mail_id = m.id
                 WHERE m.state = 'outgoing' AND t.email = ANY(%s)
                """,
                emails,
            )
        )
        mails = self.env["mail.mail"].sudo().browse(row[0] for row in rows)
        mails.mailing_trace_ids.write(
            {"trace_status": "cancel", "failure_type": "mail_bl"}
        )
        mails.write({"state": "cancel"})

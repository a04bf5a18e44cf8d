import logging
import time
from collections import defaultdict
from datetime import timedelta

from odoo import fields, models
from odoo.tools import SQL

from ...tools.placeholder import fill
from ...tools.sms_text import count, normalize, with_suffix

_logger = logging.getLogger(__name__)

SLICE_SECONDS = 2.0
BATCH = 1000


class MailingMailing(models.Model):
    """What follows a launch: the snapshot, then message after message, in batches.

    Each batch is one transaction: the recipients that it takes, their messages, traces
    and trackers are written together or not at all. So a crash repeats nothing and
    loses nothing; the next slice goes on.
    """

    _inherit = "mailing.mailing"

    def _get_remaining_recipients(self):
        """Core's question of whether something is left to do."""
        if self.audience_mode == "odoo":
            return super()._get_remaining_recipients()
        # Put in the queue by a bare write, past the checks: nobody answers for it.
        if self.is_stopped or not self.launched_at:
            return []
        if not self.is_prepared:
            return [self.id]
        waiting = self.env.execute_query(
            SQL(
                "SELECT partner_id FROM mailing_recipient"
                " WHERE mailing_id = %s AND state = 'waiting' ORDER BY id LIMIT %s",
                self.id,
                BATCH,
            )
        )
        return [partner_id or 0 for (partner_id,) in waiting]

    def action_send_sms(self, res_ids=None):
        """One slice of the work; core's queue calls again while something is left."""
        ours = self.filtered(lambda mailing: mailing.audience_mode != "odoo")
        for mailing in ours:
            mailing._work_off()
        if self - ours:
            return super(MailingMailing, self - ours).action_send_sms(res_ids)
        return True

    def _work_off(self):
        """Prepare and queue for about two seconds; commits after each batch."""
        stop = time.monotonic() + SLICE_SECONDS
        cron = self.env["ir.cron"]
        while self._work_off_batch():
            cron._commit_progress(1)
            if time.monotonic() > stop:
                self.env.ref(
                    "mass_mailing.ir_cron_mass_mailing_queue"
                ).sudo()._trigger()
                return
        cron._commit_progress(1)

    def _work_off_batch(self):
        """One batch, in this transaction.

        :return: whether something may be left
        :rtype: bool
        """
        self.ensure_one()
        self.flush_recordset()
        rows = self.env.execute_query(
            SQL(
                "SELECT is_prepared, is_stopped OR launched_at IS NULL, state"
                "  FROM mailing_mailing"
                " WHERE id = %s FOR NO KEY UPDATE SKIP LOCKED",
                self.id,
            )
        )
        # Somebody else is at it, or it was stopped.
        if not rows or rows[0][1] or rows[0][2] not in ("in_queue", "sending"):
            return False
        self.invalidate_recordset(["is_prepared", "is_stopped", "state"])
        if not rows[0][0]:
            self._prepare()
            return True
        return self._queue_batch()

    # === SNAPSHOT === #

    def _prepare(self):
        """Bring the segments up to date and take the snapshot of who gets it."""
        user = self._sender()
        segments = self.sudo().audience_segment_ids | (
            self.sudo().audience_exclude_segment_ids
        )
        for segment in segments.filtered(lambda segment: segment.kind == "dynamic"):
            engine = self.env["customer.segment.refresh"].sudo()
            for unit in engine._units(segment):
                engine._refresh_unit(unit)
        audience = self.env["mailing.audience"]
        audience._build(self, user, self._next_due())
        self.env.cr.execute(
            SQL("DELETE FROM mailing_recipient WHERE mailing_id = %s", self.id)
        )
        waiting = audience._store(self)
        self.sudo().write({"is_prepared": True, "state": "sending"})
        _logger.info("Campaign %s: %s recipients", self.id, waiting)

    def _next_due(self):
        """When its messages may leave: advertising waits for the line's hours.

        :rtype: datetime
        """
        now = fields.Datetime.now()
        line = self.line_id.sudo()
        if line.message_class != "advertising":
            return now
        return line._next_due(now)

    # === MESSAGES === #

    def _queue_batch(self):
        """Write the messages of the next recipients.

        :return: whether there were any
        :rtype: bool
        """
        limit = self._room_this_hour()
        if not limit:
            return False
        rows = self.env.execute_query(
            SQL(
                """
                SELECT id, partner_id, lead_id, segment_id, number
                  FROM mailing_recipient
                 WHERE mailing_id = %s AND state = 'waiting'
                 ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED
                """,
                self.id,
                limit,
            )
        )
        if not rows:
            return False
        texts = self._render_rows(rows)
        results = self.line_id.sudo()._queue_messages(
            [self._prepare_message(row, texts.get(row[0]) or "") for row in rows]
        )
        self._hold(
            {
                row[0]: reason
                for row, (_sms_id, reason) in zip(rows, results, strict=True)
            }
        )
        self._trace(
            [
                (row[0], sms_id, texts[row[0]])
                for row, (sms_id, _reason) in zip(rows, results, strict=True)
                if sms_id
            ]
        )
        return True

    def _prepare_message(self, row, text):
        """A message for the line's one door; there refusals of meanwhile count."""
        row_id, partner_id, lead_id, segment_id, number = row
        source = (self.launched_text or {}).get("variants", {}).get(str(segment_id))
        template_id = (source or self.launched_text or {}).get("template")
        return {
            "number": number,
            "body": text,
            "partner_id": partner_id,
            "mailing_id": self.id,
            # The last word on «never twice».
            "source": f"mailing.recipient,{row_id}",
            "template_id": template_id,
            "res_id": None if lead_id else partner_id,
        }

    def _room_this_hour(self):
        """How many may be queued now under the campaign's own rate."""
        if not self.rate_per_hour:
            return BATCH
        [(used,)] = self.env.execute_query(
            SQL(
                "SELECT count(*) FROM mailing_recipient WHERE mailing_id = %s"
                " AND state = 'queued' AND queued_at > %s",
                self.id,
                fields.Datetime.now() - timedelta(hours=1),
            )
        )
        room = max(0, min(BATCH, self.rate_per_hour - used))
        if not room:
            cron = self.env.ref("mass_mailing.ir_cron_mass_mailing_queue").sudo()
            cron._trigger(fields.Datetime.now() + timedelta(minutes=5))
        return room

    def _hold(self, reasons):
        held = {row_id: reason for row_id, reason in reasons.items() if reason}
        if held:
            self.env.cr.execute(
                SQL(
                    """
                    UPDATE mailing_recipient r SET state = 'held', reason = h.reason
                      FROM unnest(%s::int[], %s::varchar[]) AS h(id, reason)
                     WHERE r.id = h.id
                    """,
                    list(held),
                    list(held.values()),
                )
            )

    def _trace(self, queued):
        """Note what was queued, for core's statistics and ours.

        :param list queued: ``(recipient id, sms id, text)``
        """
        if not queued:
            return
        suffix = self.line_id.sudo().optout_suffix or ""
        self.env.flush_all()
        self.env.cr.execute(
            SQL(
                """
                WITH message AS (
                    SELECT m.id, m.parts, s.id AS sms_id, s.uuid
                      FROM unnest(%(ids)s::int[], %(sms)s::int[], %(parts)s::int[])
                           AS m(id, sms_id, parts)
                      JOIN sms_sms s ON s.id = m.sms_id),
                done AS (
                    UPDATE mailing_recipient r
                       SET state = 'queued', queued_at = %(now)s, sms_uuid = m.uuid,
                           part_count = m.parts
                      FROM message m WHERE r.id = m.id
                 RETURNING r.partner_id, r.lead_id, r.number, m.sms_id, m.uuid),
                trace AS (
                    INSERT INTO mailing_trace
                           (mass_mailing_id, model, res_id, sms_number, sms_id_int,
                            sms_code, trace_type, trace_status, create_uid, write_uid,
                            create_date, write_date)
                    SELECT %(mailing)s,
                           CASE WHEN lead_id IS NULL THEN 'res.partner'
                                ELSE 'crm.lead' END,
                           coalesce(lead_id, partner_id), number, sms_id,
                           substr(md5(random()::text), 1, 3), 'sms', 'outgoing',
                           %(uid)s, %(uid)s, %(now)s, %(now)s
                      FROM done
                 RETURNING id, sms_id_int)
                UPDATE sms_tracker k SET mailing_trace_id = trace.id
                  FROM trace JOIN done ON done.sms_id = trace.sms_id_int
                 WHERE k.sms_uuid = done.uuid
                """,
                ids=[row_id for row_id, _sms, _text in queued],
                sms=[sms_id for _row, sms_id, _text in queued],
                parts=[
                    count(with_suffix(text, suffix)).parts
                    for _row, _sms, text in queued
                ],
                now=fields.Datetime.now(),
                uid=self.env.uid,
                mailing=self.id,
            )
        )
        self.env["mailing.trace"].invalidate_model()
        self.env["sms.tracker"].invalidate_model()

    # === TEXTS === #

    def _render_rows(self, rows):
        """The text of each recipient, in the contact's language and with short links;
        the line adds its ending.

        :param list rows: ``(id, partner id, lead id, segment id, number)``
        :return: text by row id
        :rtype: dict
        """
        frozen = self.launched_text or self._freeze_texts()
        by_segment = defaultdict(list)
        for row in rows:
            by_segment[row[3]].append(row)
        texts = {}
        for segment_id, batch in by_segment.items():
            source = frozen["variants"].get(str(segment_id)) or frozen
            # «The segment's offer» is that of the segment somebody is in here.
            mailing = self.with_context(sms_segment_id=segment_id)
            texts.update(mailing._render_source(source, batch))
        return {row_id: normalize(text) for row_id, text in texts.items()}

    def _render_source(self, source, rows):
        contacts = [row for row in rows if not row[2]]
        leads = [row for row in rows if row[2]]
        texts = {}
        if contacts:
            rendered = self._render_text(
                source, "res.partner", [row[1] for row in contacts]
            )
            texts.update((row[0], rendered.get(row[1], "")) for row in contacts)
        if leads:
            rendered = self._render_text(source, "crm.lead", [row[2] for row in leads])
            texts.update((row[0], rendered.get(row[2], "")) for row in leads)
        return texts

    def _render_text(self, source, model, ids):
        """Render one text for records of a model, each in its contact's language."""
        partner = SQL("id" if model == "res.partner" else "partner_id")
        langs = dict(
            self.env.execute_query(
                SQL(
                    "SELECT r.id, p.lang FROM %(table)s r"
                    " JOIN res_partner p ON p.id = r.%(partner)s"
                    " WHERE r.id = ANY(%(ids)s)",
                    table=SQL.identifier(self.env[model]._table),
                    partner=partner,
                    ids=list(ids),
                )
            )
        )
        fallback = self.company_id.partner_id.lang or self.env.lang or "en_US"
        by_lang = defaultdict(list)
        for record_id in ids:
            by_lang[langs.get(record_id) or fallback].append(record_id)
        rendered = {}
        for lang, record_ids in by_lang.items():
            text = source["text"].get(lang)
            if text is None:
                text = source["text"].get("")
            if text is None:
                text = source["text"].get(fallback) or next(
                    iter(source["text"].values())
                )
            rendered.update(
                self._render_in(text, lang, model, record_ids, "" in source["text"])
            )
        return rendered

    def _render_in(self, text, lang, model, ids, is_typed):
        """Fill in the placeholders, which are names and fields: no code is ever run.

        :param bool is_typed: by the sender, whose rights its values are read with; a
            saved text was checked when it was saved
        """
        saved = self._saved()
        if saved:
            text = self._shorten_links_text(text, saved._get_link_tracker_values())
        user = self._sender()
        placeholder = (
            self.env["sms.placeholder"]
            .with_user(user)
            .with_context(
                lang=lang,
                allowed_company_ids=self.company_id.ids,
                sms_segment_id=self.env.context.get("sms_segment_id"),
            )
        )
        if model == "crm.lead":
            # A contact's text: what a lead does not have is said by the other words.
            text = fill(
                text,
                lambda one: (
                    one.fallback
                    if placeholder._find_problem(one.expression, model)
                    else one.source
                ),
            )
        return placeholder._render(
            text,
            placeholder.env[model].browse(ids),
            trusted=not is_typed,
            sample="preflight_of" in self.env.context,
        )

    def _sender(self):
        """Who answers for it: whoever has launched it, before that whoever looks.

        :rtype: recordset
        """
        return self.sudo().launched_by_id.with_env(self.env) or self.env.user

    def _saved(self):
        """The campaign itself where this is what the form holds of it."""
        return self.browse(self.env.context.get("preflight_of", self._origin.ids))

    # === E-MAIL === #

    def _action_send_mail(self, res_ids=None):
        """E-mails of a campaign go to core's composer batch after batch, too."""
        ours = self.filtered(
            lambda mailing: (
                mailing.audience_mode != "odoo" and mailing.mailing_type == "mail"
            )
        )
        stop = time.monotonic() + SLICE_SECONDS
        for mailing in ours:
            if not mailing.is_prepared:
                mailing._prepare_mail()
            while batch := mailing._take_mail_batch():
                super(MailingMailing, mailing)._action_send_mail(res_ids=batch)
                if time.monotonic() > stop:
                    break
            if mailing._get_remaining_recipients():
                mailing.state = "sending"
                cron = self.env.ref("mass_mailing.ir_cron_mass_mailing_queue")
                cron.sudo()._trigger()
        return super(MailingMailing, self - ours)._action_send_mail(res_ids=res_ids)

    def _prepare_mail(self):
        """The snapshot of an e-mail: contacts with an address, each address once."""
        audience = self.env["mailing.audience"]
        audience._build_mail(self, self._sender())
        audience._store(self)
        self.sudo().write({"is_prepared": True, "state": "sending"})

    def _take_mail_batch(self):
        rows = self.env.execute_query(
            SQL(
                """
                UPDATE mailing_recipient SET state = 'queued', queued_at = %(now)s
                 WHERE id IN (SELECT id FROM mailing_recipient
                               WHERE mailing_id = %(mailing)s AND state = 'waiting'
                               ORDER BY id LIMIT %(limit)s FOR UPDATE SKIP LOCKED)
             RETURNING partner_id
                """,
                now=fields.Datetime.now(),
                mailing=self.id,
                limit=BATCH // 2,
            )
        )
        return [row[0] for row in rows]


class SmsLine(models.Model):
    _inherit = "sms.line"

    def _prepare_sms_values(self, messages, due_at):
        values = super()._prepare_sms_values(messages, due_at)
        if any("mailing_id" in message for message in messages):
            for vals, message in zip(values, messages, strict=True):
                vals["mailing_id"] = message.get("mailing_id")
        return values

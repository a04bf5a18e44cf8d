from datetime import datetime

import psycopg2.errors

from odoo import fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import SQL

from ...tools.placeholder import format_number, is_persian
from ...tools.quiet_sql import quiet_sql
from ...tools.sms_text import count, with_suffix
from .mailing_recipient import HELD_REASONS

SAMPLES = 3
LENGTH_SAMPLES = 50
PATIENCE_SECONDS = 2.0
LONGEST_PATIENCE_SECONDS = 60.0


class MailingMailing(models.Model):
    """What would happen if it were sent now: seen beside the text, all the time."""

    _inherit = "mailing.mailing"

    def preflight(self, values=None, patience=PATIENCE_SECONDS):
        """Who would get this campaign, who not and why; nothing is written.

        :param dict values: what the form holds and is not saved yet; by field name,
            many2many fields as lists of ids; ``variants`` as a list of
            ``[segment id, template id]``
        :param float patience: seconds; at most 60
        :return: ``{"counting": True}`` when it takes longer, ``{"error": text}`` when
            nobody can be counted so; else ``total``, ``reachable``, ``held`` (list of
            ``{"reason", "label", "count"}``), ``problem`` (what has to be done first,
            or empty), ``companies`` (whom companies are reached through, or empty),
            ``characters`` and ``parts`` of the longest text of the audience,
            ``cost`` (text, empty if unknown), ``due``, ``previews`` (three of
            ``{"name", "number", "text"}``; of e-mails the address and the
            ``subject``, too) and ``sentence``
        :rtype: dict
        :raise AccessError: for whoever may not read campaigns
        """
        if self:
            self.ensure_one()
            self.check_access("read")
        self.browse().check_access("create")
        mailing = self._preflight_draft(values or {})
        if mailing.audience_mode == "odoo":
            return {"error": self.env._("Choose to whom it goes.")}
        seconds = min(max(patience, 0.1), LONGEST_PATIENCE_SECONDS)
        # Undone in any case: short links of the previews, for example.
        savepoint = self.env.cr.savepoint()
        try:
            with quiet_sql():
                self.env.cr.execute(
                    SQL("SET LOCAL statement_timeout = %s", f"{int(seconds * 1000)}ms")
                )
                return mailing._preflight_answer()
        except psycopg2.errors.QueryCanceled:
            return {"counting": True}
        except (UserError, AccessError) as error:
            return {"error": str(error)}
        finally:
            savepoint.close(rollback=True)

    def _preflight_draft(self, values):
        """The campaign as it would be saved, its records readable by the user."""
        # What the user may not read is left out below.
        saved = self.sudo()
        known = {
            name: field.convert_to_write(saved[name], saved)
            if field.type == "many2one"
            else saved[name].ids
            if field.type == "many2many"
            else saved[name]
            for name, field in self._fields.items()
            if name in PREFLIGHT_FIELDS
            or (name.startswith(("audience_", "previous_")) and field.store)
        }
        known.update((name, values[name]) for name in known if name in values)
        variants = values.get("variants")
        if variants is None:
            variants = [
                (variant.segment_id.id, variant.sms_template_id.id)
                for variant in self.variant_ids
            ]
        for name in list(known):
            field, value = self._fields[name], known[name]
            if field.type == "many2many":
                records = self.env[field.comodel_name].with_context(**field.context)
                if records.has_access("read"):
                    records = records.search([("id", "in", value)])
                known[name] = [fields.Command.set(records.ids)]
            elif field.type == "many2one":
                known[name] = (
                    self.env[field.comodel_name].search([("id", "=", value)]).id
                )
        texts = self.env["sms.template"].search(
            [("id", "in", [template for _segment, template in variants])]
        )
        known["variant_ids"] = [
            fields.Command.create({"segment_id": segment, "sms_template_id": template})
            for segment, template in variants
            if template in texts.ids
        ]
        # No draft of the record itself: those of one record share their cache.
        draft = self.with_context(preflight_of=self.id or 0).new(known)
        if not draft.company_id:
            draft.company_id = self.env.company
        if draft.company_id not in self.env.companies:
            raise AccessError(self.env._("Choose a company you work for."))
        return draft

    def _preflight_answer(self):
        audience = self.env["mailing.audience"]
        if self.mailing_type == "mail":
            audience._build_mail(self, self.env.user)
        else:
            audience._build(self, self.env.user, self._planned_due())
        counts = audience._counts()
        reachable = counts.pop(None, 0)
        labels = dict(
            self.env["mailing.recipient"]
            ._fields["reason"]
            ._description_selection(self.env)
        )
        labels["holdout"] = self.env._("Held back to compare")
        order = [code for code, _label in HELD_REASONS] + ["holdout"]
        held = [
            {"reason": reason, "label": labels[reason], "count": counts[reason]}
            for reason in order
            if reason in counts
        ]
        answer = {
            "total": reachable + sum(counts.values()),
            "reachable": reachable,
            "held": held,
            "problem": "",
        }
        if self.mailing_type == "sms":
            answer.update(self._preflight_due(), companies=self._preflight_companies())
        try:
            if self.mailing_type == "sms":
                self._check_launch_sms()
                answer.update(self._preflight_texts(reachable))
            else:
                self._check_launch_mail()
                answer["previews"] = self._preflight_mails()
            self._check_launch_segments()
        except (UserError, AccessError) as error:
            answer["problem"] = str(error)
        answer["sentence"] = self._preflight_sentence(answer)
        return answer

    def _preflight_texts(self, reachable):
        """Real texts of some who would get it, and what they cost."""
        audience = self.env["mailing.audience"]
        rows = audience._samples(LENGTH_SAMPLES)
        samples = len(rows)
        # Each once: the longest may be among the samples.
        rows = list(dict.fromkeys(rows + audience._longest(self._all_texts())))
        numbered = [
            (at, partner, lead, segment, number)
            for at, (partner, lead, segment, number) in enumerate(rows)
        ]
        line = self.line_id.sudo()
        # Links tell the message that they are of: about as long as the next one's.
        last = self.env["sms.sms"].sudo().search([], order="id desc", limit=1)
        texts = {
            at: with_suffix(self._as_sent(text, last.id + 1), line.optout_suffix or "")
            for at, text in (self._render_rows(numbered) if numbered else {}).items()
        }
        counted = {at: count(text) for at, text in texts.items()}
        longest = max(counted.values(), key=lambda one: one.units, default=None)
        previews = []
        for at, partner, lead, _segment, number in numbered[:SAMPLES]:
            record = self.env["crm.lead" if lead else "res.partner"].browse(
                lead or partner
            )
            previews.append(
                {
                    "name": record.sudo().display_name or "",
                    "number": number,
                    "text": texts[at],
                }
            )
        return {
            "characters": longest.characters if longest else 0,
            "parts": longest.parts if longest else 0,
            # Of some by chance: the longest ones are none of the many.
            "cost": self._preflight_cost(
                [counted[at] for at in range(samples)], reachable
            ),
            "previews": previews,
        }

    def _preflight_companies(self):
        """Whom companies are reached through, in words; empty without any."""
        found, some = self.env["mailing.audience"]._companies(SAMPLES)
        if not found:
            return ""
        partners = self.env["res.partner"].sudo().browse
        return self.env._(
            "%(count)s companies through a contact: %(names)s",
            count=format_number(found, self.env.lang),
            names=self._comma().join(
                f"{partners(company).name} → {partners(contact).name}"
                for company, contact in some
            )
            + (" …" if found > len(some) else ""),
        )

    def _all_texts(self):
        """Every text of the campaign in every language, one below the other."""
        frozen = self.launched_text or self._freeze_texts()
        sources = [frozen, *frozen["variants"].values()]
        return "\n".join(
            text or "" for source in sources for text in source["text"].values()
        )

    def _preflight_due(self):
        """When the first leaves, in the line's time zone."""
        due = self._planned_due()
        tz = self.line_id.sudo().tz or "UTC"
        return {
            "due": self.env["sms.placeholder"]._moment(due, tz, self.env.lang),
            "is_later": due > fields.Datetime.now(),
        }

    def _planned_due(self):
        """When the first leaves: as planned, within the line's hours.

        :return: naive UTC
        """
        planned = max(fields.Datetime.now(), self.schedule_date or datetime.min)
        line = self.line_id.sudo()
        return line._get_opening(planned) if line else planned

    def _preflight_cost(self, counted, reachable):
        """About what it costs, as text; by the mean of real texts."""
        line = self.line_id.sudo()
        if not line.price_per_part or not counted:
            return ""
        mean = sum(one.parts for one in counted) / len(counted)
        return self._say_money(reachable * mean * line.price_per_part)

    def _comma(self):
        return "، " if is_persian(self.env.lang) else ", "

    def _preflight_sentence(self, answer):
        """Who gets it, when, over which line, and who does not."""
        not_sent = self._comma().join(
            f"{row['label']}: {format_number(row['count'], self.env.lang)}"
            for row in answer["held"]
        )
        words = {
            "count": format_number(answer["reachable"], self.env.lang),
            "line": self.line_id.sudo().name or "",
            "due": answer.get("due", ""),
        }
        if not answer["total"]:
            sentence = self.env._("Choose to whom it goes.")
        elif not answer["reachable"]:
            sentence = self.env._("Nobody gets it.")
        elif self.mailing_type == "mail":
            sentence = self.env._("Goes out to %(count)s by e-mail.", **words)
        elif answer.get("is_later"):
            sentence = self.env._(
                "Goes out to %(count)s from %(due)s over the line “%(line)s”.",
                **words,
            )
        else:
            sentence = self.env._(
                "Goes out to %(count)s now over the line “%(line)s”.", **words
            )
        if not_sent:
            sentence += " " + self.env._("Not sent – %s.", not_sent)
        for template, _state, _said in self._pending_approvals():
            sentence += " " + self.env._(
                "“%s” waits until the panel has approved it.", template.name
            )
        return sentence


PREFLIGHT_FIELDS = (
    "mailing_type",
    "company_id",
    "schedule_date",
    "line_id",
    "holdout_percent",
    "body_plaintext",
    "sms_template_id",
    "subject",
    "body_html",
)

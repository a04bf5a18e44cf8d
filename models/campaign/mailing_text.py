from collections import defaultdict

from odoo import models
from odoo.tools import SQL

from ...tools.placeholder import fill
from ...tools.sms_text import normalize, trace_links


class MailingMailing(models.Model):
    """The text of each recipient: in their language, of their segment, as it was when
    the campaign was launched.
    """

    _inherit = "mailing.mailing"

    # === BEFORE === #

    def _texts_by_lang(self, template=None):
        """The text in each language it may be read in.

        :param template: ``sms.template`` of a variant, default the campaign's own
        :return: text by language; a text typed here is the same in all
        :rtype: dict[str, str]
        """
        template = (template or self.sms_template_id).sudo()
        if not template:
            return {"": self.body_plaintext or ""}
        langs = [code for code, _name in self.env["res.lang"].get_installed()]
        texts = {lang: template.with_context(lang=lang).body or "" for lang in langs}
        # Chosen in one language, it may be looked at and sent in another.
        is_edited = template == self.sms_template_id.sudo() and (
            self.body_plaintext and self.body_plaintext not in texts.values()
        )
        if is_edited and not self.is_text_saved:
            return {"": self.body_plaintext}
        return texts

    def _freeze_texts(self):
        """Texts as they are now: whoever edits a template later changes no campaign
        that is under way.

        :rtype: dict
        """
        if self.mailing_type == "mail":
            return self._freeze_mail_texts()
        return {
            "text": self._texts_by_lang(),
            "template": self.sms_template_id.id,
            "variants": {
                str(variant.segment_id._origin.id): {
                    "text": self._texts_by_lang(variant.sms_template_id),
                    "template": variant.sms_template_id.id,
                }
                for variant in self.variant_ids
            },
        }

    def _check_texts(self):
        """Refuse what is no placeholder of ours, or not for the eyes of the sender.

        :raise ValidationError: naming it
        """
        frozen = self._freeze_texts()
        checker = self.env["sms.placeholder"]
        for source in (frozen, *frozen["variants"].values()):
            for text in source["text"].values():
                checker._check(text, "res.partner")

    def _templates(self):
        """The saved texts that it sends, its own and those of some segments."""
        return (self.sms_template_id | self.variant_ids.sms_template_id).sudo()

    def _pending_approvals(self):
        """Texts that the panel of the line has not approved.

        :return: ``(sms.template, state, what the panel said)``
        :rtype: list[tuple]
        """
        line = self.line_id.sudo()
        if self.mailing_type != "sms" or line.text_policy in (False, "free"):
            return []
        known = {approval.template_id: approval for approval in line.approval_ids}
        return [
            (template, approval.state or "none", approval.reason)
            for template in self._templates()
            for approval in [known.get(template, line.approval_ids.browse())]
            if approval.state != "approved"
        ]

    # === FOR EACH === #

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

    def _as_sent(self, text, sms_id):
        """A text with its links as the queue hands them over: they count."""
        return trace_links(text, self.get_base_url(), sms_id) if "/r/" in text else text

    def _sender(self):
        """Who answers for it: whoever has launched it, before that whoever looks.

        :rtype: recordset
        """
        return self.sudo().launched_by_id.with_env(self.env) or self.env.user

    def _saved(self):
        """The campaign itself where this is what the form holds of it."""
        return self.browse(self.env.context.get("preflight_of", self._origin.ids))

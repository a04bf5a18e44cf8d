from ast import literal_eval

from odoo import api, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain
from odoo.tools import SQL

from ...tools.placeholder import PATH, placeholders
from ...tools.sms_text import count, with_suffix

PREVIEWS = 3
# Up to so many recipients are all rendered; of more, those with the longest values.
RENDERED_AT_MOST = 300
LONGEST_PER_COLUMN = 20


class SmsPlaceholder(models.AbstractModel):
    """What real recipients get, and what the longest of their texts costs."""

    _inherit = "sms.placeholder"

    @api.model
    def inspect(self, text, model, res_ids=None, suffix="", domain=None):
        """Render a text for real recipients without sending anything.

        :param str text: the template as it is being typed
        :param str model: technical name of the documents
        :param list[int] res_ids: the audience; else documents the reader may see
        :param str domain: the audience as a mailing keeps it
        :param str suffix: the line's ending, counted too
        :return: ``{"problem": str, "previews": [{"id", "name", "body", "parts",
            "lang"}], "longest": {"characters", "units", "encoding", "parts",
            "remaining", "name"} or False, "total": int}``
        :rtype: dict
        :raise AccessError: for portal users
        """
        self._check_employee()
        answer = {"problem": "", "previews": [], "longest": False, "total": 0}
        if not text or model not in self.env:
            return answer
        try:
            self._check(text, model)
        except ValidationError as error:
            answer["problem"] = str(error)
            return answer
        total, records = self._audience(text, model, res_ids, domain)
        answer["total"] = total
        try:
            bodies = self._render_by_lang(text, records, sample=True)
        except UserError as error:
            answer["problem"] = str(error)
            return answer
        counted = {
            record: (count(with_suffix(bodies[record.id], suffix or "")))
            for record in records
        }
        if counted:
            longest = max(counted, key=lambda record: counted[record].units)
            answer["longest"] = {
                **counted[longest]._asdict(),
                "name": longest.display_name,
            }
            langs = self._lang_of(records)
            answer["previews"] = [
                {
                    "id": record.id,
                    "name": record.display_name,
                    "body": with_suffix(bodies[record.id], suffix or ""),
                    "parts": counted[record].parts,
                    "lang": langs[record.id],
                }
                for record in self._telling(records, counted)
            ]
        return answer

    def _telling(self, records, counted):
        """Three recipients: the first, the longest text, the shortest."""
        ordered = sorted(records, key=lambda record: counted[record].units)
        telling = records[:1]
        for record in (ordered[-1], ordered[0], *records):
            if len(telling) < PREVIEWS:
                telling |= record
        return telling

    def _audience(self, text, model, res_ids, domain=None):
        """How many there are, and those that tell how long the text gets."""
        documents = self.env[model]
        if res_ids:
            domain = [("id", "in", res_ids)]
        else:
            domain = self._read_domain(domain) or self._real_domain(documents)
        total = documents.search_count(domain)
        if total <= RENDERED_AT_MOST:
            return total, documents.search(domain)
        records = documents.search(domain, limit=RENDERED_AT_MOST // 3)
        query = documents._search(domain)
        return total, records | documents.browse(
            self._longest_ids(text, documents, query)
        )

    def _longest_ids(self, text, documents, query):
        """Documents whose names and fields make a text long.

        :param documents: empty recordset of their model
        :param Query query: the audience
        :return: ids, at most :const:`LONGEST_PER_COLUMN` for each column
        :rtype: list[int]
        """
        found = []
        for column in self._text_columns(text, documents):
            rows = self.env.execute_query(
                SQL(
                    "%s ORDER BY char_length(%s) DESC NULLS LAST LIMIT %s",
                    query.select(),
                    column(query),
                    LONGEST_PER_COLUMN,
                )
            )
            found += [row[0] for row in rows]
        return found

    def _read_domain(self, domain):
        """A domain as text; none where it cannot be read or names everybody."""
        try:
            domain = Domain(literal_eval(domain or "[]"))
        except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
            return []
        return [] if domain.is_true() else list(domain)

    def _real_domain(self, documents):
        """Whoever has a number, where the model tells."""
        if "phone_sanitized" in documents._fields:
            return [("phone_sanitized", "!=", False)]
        if "partner_id" in documents._fields:
            return [("partner_id.phone_sanitized", "!=", False)]
        return []

    def _text_columns(self, text, documents):
        """Columns whose length makes the text long: names, and fields of the path."""
        names, paths = set(), set()
        for placeholder in placeholders(text):
            path = PATH.fullmatch(placeholder.expression)
            if not path:
                names.add(placeholder.expression)
                continue
            paths.add(path[1].strip(".").partition(".")[0])
        if names & {"name", "greeting", "salutation"} or "sms_greeting" in paths:
            has_partner = "partner_id" in documents._fields
            yield (
                lambda query: (
                    SQL(
                        "(SELECT name FROM res_partner WHERE id = %s)",
                        SQL.identifier(query.table, "partner_id"),
                    )
                    if has_partner and documents._name != "res.partner"
                    else SQL.identifier(query.table, "name")
                )
            )
        for name in paths:
            # A text for contacts may name what a lead does not have.
            field = documents._fields.get(name)
            if (
                field
                and field.type in ("char", "text")
                and field.store
                and not field.translate
            ):
                yield lambda query, name=name: SQL.identifier(query.table, name)

from odoo import api, models
from odoo.tools import SQL

from .mailing_answer import ANSWERED_BY

# How many are chosen and judged in one transaction: one to two seconds.
SLICE = 20_000


class MailingAudience(models.AbstractModel):
    """Whom a campaign names: by segments, tags, a condition, by hand, or by what came
    of an earlier one.
    """

    _inherit = "mailing.audience"

    @api.model
    def _slices(self, mailing, user):
        """Cut the audience, so that no transaction grows with it.

        :param mailing: one ``mailing.mailing`` with an audience of its own
        :param user: ``res.users`` with whose rights contacts are chosen
        :return: ``[model, after, upto]`` each, ids of its records; contacts come
            first, the last of each model has no end
        :rtype: list[list]
        """
        slices = []
        for model in ("res.partner", "crm.lead"):
            chosen = self._chosen(mailing, model)
            if chosen is None or not self.env[model].with_user(user).has_access("read"):
                continue
            rows = self.env.execute_query(
                SQL(
                    """
                    SELECT id FROM (
                           SELECT id, row_number() OVER (ORDER BY id) AS nth
                             FROM (%s) chosen(id, segment_id)
                            WHERE id IN (%s)) numbered
                     WHERE nth %% %s = 0 ORDER BY id
                    """,
                    chosen,
                    self._allowed(mailing, user, model).subselect(),
                    SLICE,
                )
            )
            ends = [row[0] for row in rows]
            slices += [
                [model, after, upto]
                for after, upto in zip([0, *ends], [*ends, None], strict=True)
            ]
        return slices

    def _allowed(self, mailing, user, model, within=None):
        """Whoever may be an audience and, of contacts, meets the condition.

        :param tuple within: ids after the first and up to the second, None for all
        :rtype: Query
        """
        draft = mailing._audience_draft(model, user)
        query = self.env["customer.segment.condition"]._query(draft)
        query.add_where(self._within(SQL.identifier(query.table, "id"), within))
        return query

    @api.model
    def _within(self, column, within):
        """Whether an id is in a slice, None for all.

        :rtype: SQL
        """
        after, upto = within or (0, None)
        if upto is None:
            return SQL("%s > %s", column, after)
        return SQL("%s > %s AND %s <= %s", column, after, column, upto)

    def _chosen(self, mailing, model):
        """Ids and segments that the campaign names, None for nobody.

        :rtype: SQL or None
        """
        return getattr(self, f"_chosen_{mailing.audience_mode}")(mailing, model)

    def _chosen_odoo(self, _mailing, _model):
        return None

    def _chosen_segments(self, mailing, model):
        parts = []
        named = mailing.sudo().audience_segment_ids
        visible = self._visible(mailing, named)
        segments = named.filtered(
            lambda segment: (
                segment._origin.id in visible._ids and segment.model == model
            )
        )
        if segments:
            relation = segments._relation_of(model)
            parts.append(
                SQL(
                    """
                    SELECT r.%(column)s, r.segment_id, wanted.rank
                      FROM unnest(%(ids)s::int[]) WITH ORDINALITY wanted(id, rank)
                      JOIN %(table)s r ON r.segment_id = wanted.id
                    """,
                    column=relation.column,
                    table=relation.table,
                    ids=list(segments.ids),
                )
            )
        if model == "res.partner" and mailing.audience_tag_ids:
            tags = self.env["res.partner.category"]._search(
                [("id", "child_of", mailing.audience_tag_ids.ids)]
            )
            parts.append(
                SQL(
                    """
                    SELECT partner_id, NULL::int, 1000000
                      FROM res_partner_res_partner_category_rel
                     WHERE category_id IN (%s)
                    """,
                    tags.subselect(),
                )
            )
        if not parts:
            return None
        return SQL(
            """
            SELECT DISTINCT ON (named.id) named.id, named.segment_id
              FROM (%s) named(id, segment_id, rank) ORDER BY named.id, named.rank
            """,
            SQL(" UNION ALL ").join(parts),
        )

    def _visible(self, mailing, segments):
        """Those that the sender may see: of others one might learn who is in them."""
        return (
            self.env["customer.segment"]
            .with_user(mailing._sender())
            .with_context(allowed_company_ids=mailing.company_id.ids)
            .search([("id", "in", segments.ids)])
        )

    def _chosen_condition(self, mailing, model):
        condition = self.env["customer.segment.condition"]
        if model != "res.partner":
            return None
        if condition._parse(mailing.audience_condition or "[]").is_true():
            # Nothing asked is nobody, never everybody.
            return None
        return SQL("SELECT id, NULL::int FROM res_partner WHERE active")

    def _chosen_chosen(self, mailing, model):
        name = "partner" if model == "res.partner" else "lead"
        ids = mailing.sudo()[f"audience_{name}_ids"]._origin.ids
        if not ids:
            return None
        return SQL("SELECT id, NULL::int FROM unnest(%s::int[]) named(id)", list(ids))

    def _chosen_previous(self, mailing, model):
        answer = mailing.previous_answer or "silent"
        previous = mailing.sudo().previous_mailing_id
        query = self._answered(previous, answer, mailing._sender())
        column = SQL("partner_id" if model == "res.partner" else "lead_id")
        query.add_where(SQL("%s IS NOT NULL", column))
        if model == "res.partner":
            query.add_where(SQL("lead_id IS NULL"))
        return query.select(column, SQL("segment_id"))

    def _answered(self, mailing, answer, user):
        """Those who got a campaign and gave an answer, as far as a user may see them:
        who is in a hidden segment is told to nobody.

        :param str answer: a key of ``ANSWERED_BY``
        :rtype: Query
        """
        recipients = (
            self.env["mailing.recipient"]
            .with_user(user)
            .with_context(allowed_company_ids=mailing.company_id.ids)
        )
        domain = [("mailing_id", "=", mailing.id), ("state", "=", "queued")]
        query = recipients._search(domain)
        query.add_where(ANSWERED_BY[answer])
        return query

    def _excluded(self, mailing, model, record):
        """Whether a record is in a segment that gets nothing; nobody has to be allowed
        to see that segment.
        """
        relation = self.env["customer.segment"]._relation_of(model)
        return SQL(
            "SELECT FROM %(table)s r"
            " WHERE r.%(column)s = %(record)s AND r.segment_id = ANY(%(ids)s::int[])",
            table=relation.table,
            column=relation.column,
            record=record,
            ids=list(mailing.sudo().audience_exclude_segment_ids.ids),
        )

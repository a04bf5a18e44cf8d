from odoo import api, models
from odoo.fields import Domain
from odoo.orm.domains import DomainCondition
from odoo.tools import SQL, Query

# How many conditions one statement asks; a row has at most 1,600 columns, and a
# longer statement takes longer to plan than two.
CONDITIONS_AT_ONCE = 100
LEAVES_AT_ONCE = 1000
# What a many2one may refer to that is too large to be read for a single contact.
LARGE = ("res.partner", "crm.lead")


class CustomerSegmentCondition(models.AbstractModel):
    """Many conditions asked of few records: within seconds after an edit."""

    _inherit = "customer.segment.condition"

    @api.model
    def _matches(self, segments, record_ids):
        """Which of a few records meet the conditions of which segments.

        The records are read once, with each condition as one more column: what is asked
        of other documents is then looked up for just these records.

        :param segments: dynamic ``customer.segment`` recordset of one model
        :param list record_ids: ids of contacts or leads
        :return: queries of ``segment_id, id``
        :rtype: list[SQL]
        """
        return [
            self._matches_of(alike[start : start + CONDITIONS_AT_ONCE], record_ids)
            for alike in segments.grouped(self._viewpoint).values()
            for start in range(0, len(alike), CONDITIONS_AT_ONCE)
        ]

    def _viewpoint(self, segment):
        """What segments share that can be evaluated in one reading."""
        return (
            segment.user_id,
            segment.company_id,
            self._class_domain(segment),
            segment.tz,
            segment.lang,
            self._asks_active(segment),
        )

    def _matches_of(self, segments, record_ids):
        model = self._model_of(segments[:1])
        if not self._has_plain_search(model):
            return SQL(" UNION ALL ").join(
                SQL(
                    "SELECT %s AS segment_id, q.id FROM (%s) q(id)",
                    segment.id,
                    self._query(segment, record_ids).select(),
                )
                for segment in segments
            )
        ids = list(record_ids)
        query = model._search(
            self._audience_domain(segments[:1]) & Domain("id", "in", ids),
            active_test=not self._asks_active(segments[:1]),
        )
        leaves = {}
        holds = [
            self._combined(segment, model, query, ids, leaves) for segment in segments
        ]
        if len(leaves) > LEAVES_AT_ONCE and len(segments) > 1:
            half = len(segments) // 2
            return SQL(
                "%s UNION ALL %s",
                self._matches_of(segments[:half], record_ids),
                self._matches_of(segments[half:], record_ids),
            )
        columns = [SQL("%s AS %s", leaf, name) for name, leaf in leaves.values()]
        return SQL(
            """
            SELECT segment_id, id
              FROM (SELECT id, unnest(%s) AS segment_id, unnest(ARRAY[%s]) AS holds
                      FROM (%s OFFSET 0) leaves) matched
             WHERE holds
            """,
            list(segments.ids),
            SQL(", ").join(holds),
            query.select(SQL("%s AS id", SQL.identifier(query.table, "id")), *columns),
        )

    def _combined(self, segment, model, query, ids, leaves):
        """A condition as a boolean expression on its single conditions.

        What several segments ask is one column, planned and computed once.

        :param dict leaves: name and SQL of the single conditions on the table of
            ``query``, to which missing ones are added
        :rtype: SQL
        """

        def column(leaf):
            key = (leaf.field_expr, leaf.operator, repr(leaf.value))
            if key not in leaves:
                domain = self._narrow(model, leaf.optimize_full(model), ids)
                domain = domain.optimize_full(model)
                name = SQL.identifier(f"leaf_{len(leaves)}")
                leaves[key] = name, domain._to_sql(model, query.table, query)
            name = leaves[key][0]
            return Domain.custom(to_sql=lambda *_table: name)

        # Negations are at the single conditions by now.
        domain = self._domain_of(segment).optimize(model).map_conditions(column)
        return domain._to_sql(model, query.table, query)

    def _narrow(self, model, domain, ids):
        """Ask documents of these records only, wherever the condition asks documents.

        Says the same of these records; else PostgreSQL may well read all documents to
        answer for one contact, always so below «or» and «not».

        :param model: the model of ``domain``
        :param Domain domain: fully optimised
        :param list ids: the only records that are asked about
        """

        narrowed = []

        def narrow(condition):
            field = model._fields.get(condition.field_expr)
            if isinstance(condition.value, (Query, SQL)):
                only = self._only(model, field, condition, ids)
                if only is not condition:
                    narrowed.append(field)
                return only
            if condition.operator not in ("any", "not any") or not isinstance(
                condition.value, Domain
            ):
                return condition
            comodel = model.env[field.comodel_name]
            if field.type == "one2many" and len(ids) > 1:
                # For a single record PostgreSQL looks them up by itself.
                inverse = comodel._fields[field.inverse_name]
                if not inverse.store or not comodel._has_field_access(inverse, "read"):
                    return condition
                inner = condition.value
                only = Domain(inverse.name, "in", ids)
            elif field.type == "many2one" and comodel._name in LARGE:
                related = self._related_ids(model, field, tuple(ids))
                only = Domain("id", "in", related)
                inner = self._narrow(comodel, condition.value, related)
            else:
                return condition
            narrowed.append(field)
            return Domain(field.name, condition.operator, inner & only)

        answer = domain.map_conditions(narrow)
        # What has not changed need not be optimised once more.
        return answer if narrowed else domain

    def _only(self, model, field, condition, ids):
        """The same condition with a query that looks for these records only.

        Searches of figures, visits or segments give the ids of everybody they find; a
        list of ids that is not a query is left as it is.

        :param field: ``id`` or a many2one of ``model``, else the condition stays
        :param DomainCondition condition: whose value is a query
        :param list ids: the only records that are asked about
        """
        query, operator = condition.value, condition.operator
        if operator.rstrip("!") not in ("in", "not in", "any", "not any"):
            return condition
        if field.type == "many2one" and field.comodel_name in LARGE:
            ids = self._related_ids(model, field, tuple(ids))
        elif field.name != "id":
            return condition
        if isinstance(query, Query):
            query = query.subselect()
        if not query.code.lstrip("( ").startswith("SELECT"):
            return condition
        # «Not in» a list with an empty value is never true: it stays like that.
        empty = SQL(" OR q.id IS NULL") if operator.startswith("not") else SQL()
        wanted = SQL(
            "(SELECT q.id FROM (%s) AS q(id) WHERE q.id = ANY(%s)%s)",
            query,
            list(ids),
            empty,
        )
        return DomainCondition(field.name, operator, wanted)

    def _related_ids(self, model, field, ids):
        """What a many2one of a few records refers to; read once in a transaction."""
        cache = self.env.cr.cache.setdefault("customer_segment_related_ids", {})
        key = (model._name, field.name, ids)
        if key not in cache:
            rows = self.env.execute_query(
                SQL(
                    "SELECT DISTINCT %s FROM %s WHERE id = ANY(%s)",
                    SQL.identifier(field.name, to_flush=field),
                    SQL.identifier(model._table),
                    list(ids),
                )
            )
            cache[key] = [row[0] for row in rows if row[0]]
        return cache[key]

    def _has_plain_search(self, model):
        """Whether no addon changes what a search on the model finds."""
        return type(model)._search is models.BaseModel._search

import ast
from datetime import date, datetime

from odoo import api, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Domain
from odoo.orm.domains import DomainCondition
from odoo.tools import SQL, ormcache

# Core answers these with «match everybody» for some operators (odoo19 §2.3).
LYING_FIELDS = {
    ("res.partner", "credit"): (">", "<", ">=", "<="),
    ("res.partner", "debit"): (">", "<", ">=", "<="),
}
# Custom properties without a value are NULL: a negative condition misses them.
PROPERTY_OPERATORS = (
    "=",
    "in",
    ">",
    ">=",
    "<",
    "<=",
    "like",
    "ilike",
    "=like",
    "=ilike",
)

# How many conditions one statement asks; a row has at most 1,600 columns, and a
# longer statement takes longer to plan than two.
CONDITIONS_AT_ONCE = 100
# What a many2one may refer to that is too large to be read for a single contact.
LARGE = ("res.partner", "crm.lead")


class CustomerSegmentCondition(models.AbstractModel):
    """Reads a segment's condition, refuses what would lie, and builds its query.

    A condition is evaluated as its responsible: with that person's rights, in the
    segment's company, time zone and language, never as superuser.
    """

    _name = "customer.segment.condition"
    _description = "Segment Condition"

    @api.model
    def _parse(self, text):
        """The stored text as a domain.

        :param str text: a literal list, as Odoo's domain editor writes it
        :return: ``odoo.fields.Domain``
        :raise ValidationError: for anything but a literal domain
        """
        try:
            raw = ast.literal_eval(text or "[]")
        except (
            ValueError,
            SyntaxError,
            TypeError,
            MemoryError,
            RecursionError,
        ) as error:
            raise ValidationError(
                self.env._("The condition is not a plain list of conditions.")
            ) from error
        if not isinstance(raw, (list, tuple)):
            raise ValidationError(
                self.env._("The condition is not a plain list of conditions.")
            )
        try:
            return Domain(list(raw))
        except (ValueError, TypeError, AssertionError) as error:
            raise ValidationError(
                self.env._("The condition cannot be read: %s", error)
            ) from error

    @api.model
    def _model_of(self, segment):
        """The audience's model, as the responsible sees it.

        :param segment: one ``customer.segment``
        :raise UserError: when the responsible may not evaluate conditions any more
        """
        user = segment.user_id
        if not user.active or user.share or user._is_superuser():
            raise UserError(
                self.env._(
                    "%s may not be responsible for a condition. Choose a colleague "
                    "with a normal user.",
                    user.name or self.env._("Nobody"),
                )
            )
        if segment.company_id not in user.company_ids:
            raise UserError(
                self.env._(
                    "%(user)s does not work for %(company)s.",
                    user=user.name,
                    company=segment.company_id.name,
                )
            )
        return (
            self.env[segment.model]
            .with_user(user)
            .with_context(
                allowed_company_ids=segment.company_id.ids,
                tz=segment.tz or "UTC",
                lang=segment.lang or "en_US",
                active_test=True,
            )
        )

    @api.model
    def _audience_domain(self, segment):
        """Whom a segment may hold at all: persons and companies, no addresses, no
        colleagues, nobody of another company.
        """
        company = Domain("company_id", "in", [False, segment.company_id.id])
        if segment.model == "res.partner":
            return (
                company
                & Domain("type", "=", "contact")
                & Domain("partner_share", "=", True)
            )
        return company

    @api.model
    def _query(self, segment, record_ids=None):
        """The ORM's own query of those who meet the condition.

        :param segment: one dynamic ``customer.segment``
        :param list record_ids: only these, or None for all
        :return: ``odoo.tools.Query``
        """
        model = self._model_of(segment)
        domain = self._compiled(segment.model, segment.domain)
        domain &= self._audience_domain(segment)
        if record_ids is not None:
            domain &= Domain("id", "in", list(record_ids))
        return model._search(domain)

    @api.model
    @ormcache("model_name", "text")
    def _compiled(self, model_name, text):
        """A condition read and simplified, as far as that depends on nothing but the
        fields: dates, rights and what searches find are resolved at every use.
        """
        model = self.env[model_name]
        return self._with_rules(model, self._parse(text)).optimize(model)

    def _with_rules(self, model, domain):
        """Ask for documents «that the responsible may see» also where core does not.

        «Set» and «not set» on a list of documents look at all of them, whoever asks;
        the same question as «any» goes through the record rules.
        """

        def rewrite(condition):
            field = model._fields.get(condition.field_expr)
            is_list = field is not None and field.type in ("one2many", "many2many")
            if is_list and condition.operator in ("=", "!=") and not condition.value:
                operator = "any" if condition.operator == "!=" else "not any"
                return Domain(condition.field_expr, operator, [("id", "!=", False)])
            return condition

        return domain.map_conditions(rewrite)

    # === FEW RECORDS, MANY CONDITIONS === #

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
        active = self.env[segment.model]._active_name
        asks_active = any(
            leaf.field_expr == active
            for leaf in self._compiled(segment.model, segment.domain).iter_conditions()
        )
        return (
            segment.user_id,
            segment.company_id,
            segment.tz,
            segment.lang,
            asks_active,
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
            active_test=not self._viewpoint(segments[:1])[-1],
        )
        holds = [self._to_sql(segment, model, query, ids) for segment in segments]
        return SQL(
            "SELECT segment_id, id FROM (%s) matched WHERE holds",
            query.select(
                SQL("%s AS id", SQL.identifier(query.table, "id")),
                SQL("unnest(%s) AS segment_id", list(segments.ids)),
                SQL("unnest(ARRAY[%s]) AS holds", SQL(", ").join(holds)),
            ),
        )

    def _to_sql(self, segment, model, query, ids):
        """A condition as one boolean expression on the table of a query of a few ids."""
        domain = self._compiled(segment.model, segment.domain).optimize_full(model)
        domain = self._narrow(model, domain, ids)
        return domain.optimize_full(model)._to_sql(model, query.table, query)

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

    # === CHECKING === #

    @api.model
    def _check(self, segment):
        """Refuse a condition that cannot be evaluated honestly.

        :param segment: one ``customer.segment``
        :raise ValidationError: with the reason, in the user's words
        """
        domain = self._parse(segment.domain)
        model = self._model_of(segment)
        self._segment_ids(segment)
        self._check_domain(model, domain)
        try:
            model._search(domain & self._audience_domain(segment)).subselect()
            model.search_count(domain, limit=1)
        except AccessError as error:
            raise ValidationError(
                self.env._(
                    "%(user)s may not use this condition: %(reason)s",
                    user=segment.user_id.name,
                    reason=error,
                )
            ) from error
        except (ValueError, TypeError, NotImplementedError, UserError) as error:
            raise ValidationError(
                self.env._("The condition cannot be evaluated: %s", error)
            ) from error

    def _check_domain(self, model, domain):
        for condition in domain.iter_conditions():
            self._check_condition(model, condition)

    def _check_condition(self, model, condition):
        path = condition.field_expr.split(".")
        for position, name in enumerate(path):
            field = model._fields.get(name)
            if field is None:
                raise ValidationError(
                    self.env._(
                        "“%(field)s” does not exist on %(model)s (any more).",
                        field=name,
                        model=model._description,
                    )
                )
            if not model._has_field_access(field, "read"):
                raise ValidationError(
                    self.env._(
                        "%(user)s may not read “%(field)s”.",
                        user=model.env.user.name,
                        field=field.string,
                    )
                )
            if field.type == "properties":
                self._check_property(field, path[position + 1 :], condition)
                return
            if not field.store and not field.search:
                raise ValidationError(
                    self.env._(
                        "“%s” is only computed on the screen and cannot be searched.",
                        field.string,
                    )
                )
            self._check_lying(model, field, condition)
            if field.relational:
                model = model.env[field.comodel_name].with_env(model.env)
            elif path[position + 1 :]:
                # A part of a date, such as birthdate.month_number.
                break
        if isinstance(condition.value, Domain):
            self._check_domain(model, condition.value)
        elif condition.operator in ("any", "not any"):
            self._check_domain(model, Domain(condition.value))

    def _check_property(self, field, rest, condition):
        if rest and condition.operator not in PROPERTY_OPERATORS:
            raise ValidationError(
                self.env._(
                    "“%s” is a custom property: conditions with “is not” miss those "
                    "who have no value. Ask for what it is instead.",
                    field.string,
                )
            )
        text = condition.value
        if isinstance(text, str) and text.split(" ")[0] in ("today", "now"):
            raise ValidationError(
                self.env._(
                    "“%s” is a custom property: relative dates do not work on it. "
                    "Write a date.",
                    field.string,
                )
            )

    def _check_lying(self, model, field, condition):
        allowed = LYING_FIELDS.get((model._name, field.name))
        if allowed and condition.operator not in allowed:
            raise ValidationError(
                self.env._(
                    "“%s” can only be compared with more than or less than: other "
                    "conditions on it match everybody.",
                    field.string,
                )
            )

    # === DEPENDENCIES === #

    @api.model
    def _segment_ids(self, segment):
        """Ids of the segments a condition uses.

        :raise ValidationError: where they are not used by id
        :rtype: set[int]
        """
        found = set()
        self._collect_segments(self._parse(segment.domain), found)
        return found

    def _collect_segments(self, domain, found):
        for condition in domain.iter_conditions():
            if condition.field_expr.split(".")[-1] in ("segment_ids", "segment_ids.id"):
                ids = condition.value
                ids = ids if isinstance(ids, (list, tuple, set)) else [ids]
                if not all(isinstance(id_, int) and id_ for id_ in ids):
                    raise ValidationError(
                        self.env._("Choose other segments from the list, not by name.")
                    )
                found.update(ids)
            elif "segment_ids" in condition.field_expr.split("."):
                raise ValidationError(
                    self.env._("Choose other segments from the list, not by name.")
                )
            if isinstance(condition.value, Domain):
                self._collect_segments(condition.value, found)

    # === EXPLAINING === #

    @api.model
    def _explain(self, segment, record):
        """Each condition of a segment, with whether it holds for one record.

        :param segment: one ``customer.segment``
        :param record: one contact or lead
        :return: ``[{"depth", "text", "holds"}]`` in reading order
        :rtype: list[dict]
        """
        model = self._model_of(segment)
        rows = []
        self._explain_domain(model, self._parse(segment.domain), record, 0, rows)
        return rows

    def _explain_domain(self, model, domain, record, depth, rows):
        holds = bool(model.search_count(domain & Domain("id", "=", record.id), limit=1))
        if isinstance(domain, DomainCondition):
            rows.append(
                {"depth": depth, "text": self._describe(model, domain), "holds": holds}
            )
            return
        children = getattr(domain, "children", None)
        if children is None:
            child = getattr(domain, "child", None)
            text, children = self.env._("Not"), [child] if child is not None else []
        else:
            is_and = domain.OPERATOR == "&"
            text = self.env._("All of:") if is_and else self.env._("Any of:")
        if not children:
            text = self.env._("Everybody") if domain.is_true() else self.env._("Nobody")
        rows.append({"depth": depth, "text": text, "holds": holds})
        for child in children:
            self._explain_domain(model, child, record, depth + 1, rows)

    def _describe(self, model, condition):
        """One condition in words: labels of its path, operator, value."""
        labels = []
        for name in condition.field_expr.split("."):
            field = model._fields.get(name)
            labels.append(field.get_description(self.env)["string"] if field else name)
            if field is not None and field.relational:
                model = model.env[field.comodel_name]
        value = condition.value
        if isinstance(value, Domain):
            inner = ", ".join(
                self._describe(model, part) for part in value.iter_conditions()
            )
            value = f"({inner})"
        elif isinstance(value, (list, tuple)):
            value = ", ".join(map(str, value))
        elif isinstance(value, (date, datetime)):
            value = str(value)
        return f"{' → '.join(labels)} {condition.operator} {value}"

import ast
import re

import psycopg2

from odoo import api, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Domain
from odoo.orm.domains import DomainCondition, DomainNot
from odoo.tools import ormcache

from ...tools.persian import spellings

# Core searches these over journal items only: contacts without any are missed, and
# other operators match everybody (odoo19 §2.3).
LYING_FIELDS = {("res.partner", "credit"), ("res.partner", "debit")}
ABOVE_ZERO = {
    ">": lambda value: value >= 0,
    ">=": lambda value: value > 0,
    "<": lambda value: value <= 0,
    "<=": lambda value: value < 0,
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
RELATIVE_DATE = re.compile(r"(today|now)\b|[+=-]\d+[dwmyHMS]\b|[+=-]\w+day\b")
# Core reads weeks in the user's language; a segment has its own.
WEEK = re.compile(r"week_start|\w+day\b")


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
            company &= Domain("type", "=", "contact")
            company &= Domain("partner_share", "=", True)
        return company & self._class_domain(segment)

    def _class_domain(self, segment):
        """Nothing more for a segment that is no class of a set."""
        return Domain.TRUE

    @api.model
    def _query(self, segment, record_ids=None):
        """The ORM's own query of those who meet the condition.

        :param segment: one dynamic ``customer.segment``
        :param list record_ids: only these, or None for all
        :return: ``odoo.tools.Query``
        """
        model = self._model_of(segment)
        domain = self._domain_of(segment)
        domain &= self._audience_domain(segment)
        if record_ids is not None:
            domain &= Domain("id", "in", list(record_ids))
        domain = self._cheap_first(domain.optimize_full(model))
        return model._search(domain, active_test=not self._asks_active(segment))

    def _asks_active(self, segment):
        """Whether a condition says itself what it means by archived records.

        Asked of the text: a simplified condition may have lost that part.
        """
        if "active" not in (segment.domain or ""):
            return False
        active = self.env[segment.model]._active_name
        return any(
            condition.field_expr == active
            for condition in self._parse(segment.domain).iter_conditions()
        )

    def _domain_of(self, segment):
        """A segment's condition as it is asked.

        :param segment: one dynamic ``customer.segment``
        :rtype: Domain
        """
        if WEEK.search(segment.domain or ""):
            # Depends on the day.
            model = self._model_of(segment)
            return self._honest(model, self._parse(segment.domain))
        return self._compiled(segment.model, segment.domain)

    @ormcache("model_name", "text")
    def _compiled(self, model_name, text):
        """A condition as far as it depends on nothing but its text and the fields;
        dates, rights and what searches find are resolved at every use.
        """
        model = self.env[model_name]
        return self._honest(model, self._parse(text)).optimize(model)

    def _honest(self, model, domain):
        """The same condition where core would read it differently from its words.

        «Set» on a list of documents looks at those that the responsible may see; weeks
        start as the segment says; both ways to write a Persian letter are one.

        :param model: with the rights, time zone and language of the segment
        :param Domain domain: as written
        :rtype: Domain
        """

        def rewrite(condition):
            name, _dot, rest = condition.field_expr.partition(".")
            operator, value = condition.operator, condition.value
            field = model._fields.get(name)
            if field is None:
                return condition
            if field.relational and (rest or operator in ("any", "not any")):
                inner = Domain(rest, operator, value) if rest else Domain(value)
                inner = self._honest(model.env[field.comodel_name], inner)
                return Domain(name, "any" if rest else operator, inner)
            is_list = field.type in ("one2many", "many2many")
            if is_list and operator in ("=", "!=") and not value:
                operator = "any" if operator == "!=" else "not any"
                return Domain(name, operator, [("id", "!=", False)])
            if field.type in ("date", "datetime") and not rest:
                return Domain(name, operator, self._on_clock(model, value))
            if field.type in ("char", "text") and not rest:
                return self._both_letters(name, operator, value)
            return condition

        return domain.map_conditions(rewrite)

    def _on_clock(self, model, value):
        """A date that depends on the week's first day, resolved here."""
        if not isinstance(value, str) or not WEEK.search(value):
            return value
        words = self.env["customer.segment.words"]
        context = model.env.context
        clock = words._clock_of(context.get("tz"), context.get("lang"))
        return words._utc(words._resolve(value, clock))

    def _both_letters(self, name, operator, value):
        texts = list(value) if isinstance(value, (list, tuple, set)) else [value]
        variants = [variant for text in texts for variant in spellings(text)]
        if len(variants) == len(texts):
            return Domain(name, operator, value)
        if operator in ("=", "in", "!=", "not in"):
            positive = operator in ("=", "in")
            return Domain(name, "in" if positive else "not in", variants)
        combine = Domain.AND if operator.startswith("not") else Domain.OR
        return combine(Domain(name, operator, variant) for variant in variants)

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
        try:
            self._check_domain(model, domain)
            with self.env.cr.savepoint():
                self._query(segment).subselect()
                model.search_count(self._honest(model, domain), limit=1)
        except ValidationError:
            raise
        except AccessError as error:
            raise ValidationError(
                self.env._(
                    "%(user)s may not use this condition: %(reason)s",
                    user=segment.user_id.name,
                    reason=error,
                )
            ) from error
        except (
            ValueError,
            TypeError,
            NotImplementedError,
            UserError,
            psycopg2.DataError,
            psycopg2.ProgrammingError,
        ) as error:
            raise ValidationError(
                self.env._("The condition cannot be evaluated: %s", error)
            ) from error

    def _check_domain(self, model, domain, negated=False):
        if isinstance(domain, DomainNot):
            self._check_domain(model, domain.child, not negated)
        elif isinstance(domain, DomainCondition):
            self._check_condition(model, domain, negated)
        else:
            for child in getattr(domain, "children", ()):
                self._check_domain(model, child, negated)

    def _check_condition(self, model, condition, negated):
        if condition.operator == "=?":
            raise ValidationError(
                self.env._("The operator “=?” matches everybody without a value.")
            )
        path = condition.field_expr.split(".")
        for position, name in enumerate(path):
            field = self._check_field(model, name)
            rest = path[position + 1 :]
            if field.type == "properties":
                self._check_property(field, rest, condition, negated)
                return
            if not rest:
                self._check_lying(model, field, condition, negated)
                self._check_date(field, condition)
            if not field.relational:
                # A part of a date, such as birthdate.month_number.
                break
            model = model.env[field.comodel_name].with_env(model.env)
        if condition.operator in ("any", "not any"):
            self._check_domain(model, Domain(condition.value))

    def _check_field(self, model, name):
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
        if not field.store and not field.search:
            raise ValidationError(
                self.env._(
                    "“%s” is only computed on the screen and cannot be searched.",
                    field.string,
                )
            )
        return field

    def _check_property(self, field, rest, condition, negated):
        if rest and (negated or condition.operator not in PROPERTY_OPERATORS):
            raise ValidationError(
                self.env._(
                    "“%s” is a custom property: conditions with “is not” miss those "
                    "who have no value. Ask for what it is instead.",
                    field.string,
                )
            )
        values = condition.value
        values = values if isinstance(values, (list, tuple)) else [values]
        if any(isinstance(text, str) and RELATIVE_DATE.match(text) for text in values):
            raise ValidationError(
                self.env._(
                    "“%s” is a custom property: relative dates do not work on it. "
                    "Write a date.",
                    field.string,
                )
            )

    def _check_date(self, field, condition):
        if field.type not in ("date", "datetime"):
            return
        words = self.env["customer.segment.words"]
        values = condition.value
        for value in values if isinstance(values, (list, tuple)) else [values]:
            if not value:
                continue
            try:
                words._resolve(value, words._clock_of("UTC", "en_US"))
            except (ValueError, TypeError, OverflowError) as error:
                raise ValidationError(
                    self.env._(
                        "“%(value)s” is not a date. Write one as 2026-10-23, or as "
                        "“today -30d”.",
                        value=value,
                    )
                ) from error

    def _check_lying(self, model, field, condition, negated):
        """Refuse conditions for which core's own search gives everybody."""
        if (model._name, field.name) in LYING_FIELDS:
            is_above = ABOVE_ZERO.get(condition.operator)
            value = condition.value
            is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
            if negated or not is_above or not is_number or not is_above(value):
                raise ValidationError(
                    self.env._(
                        "“%s” can only be asked for more than an amount: other "
                        "conditions on it match everybody, or miss those who have no "
                        "entries.",
                        field.string,
                    )
                )
        if not field.search or condition.operator in ("any", "not any"):
            return
        operator, value = condition.operator, condition.value
        if Domain(field.name, operator, value).optimize_full(model).is_true():
            raise ValidationError(
                self.env._("“%s” matches everybody with this condition.", field.string)
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

        It is asked with the responsible's rights: what the reader may not read is not
        told.

        :param segment: one ``customer.segment``
        :param record: one contact or lead
        :return: ``[{"depth", "text", "holds"}]`` in reading order; ``holds`` is None
            where the reader may not know
        :rtype: list[dict]
        """
        model = self._model_of(segment)
        clock = self.env["customer.segment.words"]._clock(segment)
        rows = []
        domain = self._parse(segment.domain)
        self._explain_domain(model, domain, record, clock, 0, rows)
        return rows

    def _explain_domain(self, model, domain, record, clock, depth, rows):
        holds = None
        if self._may_know(self.env[model._name], domain):
            honest = self._honest(model, domain) & Domain("id", "=", record.id)
            holds = bool(model.search_count(honest, limit=1))
        if isinstance(domain, DomainCondition):
            text = self.env._("A condition on something that you may not see")
            if holds is not None:
                text = self.env["customer.segment.words"]._part(model, domain, clock)
            rows.append({"depth": depth, "text": text, "holds": holds})
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
            self._explain_domain(model, child, record, clock, depth + 1, rows)

from collections import Counter

from odoo import api, models
from odoo.fields import Domain
from odoo.orm.domains import DomainCondition, DomainNot

SHOWN_VALUES = 6
WHOLE_COMPANY = "whole_company_ids"
NEGATIVE = ("not any", "not in", "!=")


class CustomerSegmentWords(models.AbstractModel):
    """Says a condition in words: one sentence with its brackets.

    Labels are in the reader's language, dates resolved in the segment's time zone.
    """

    _name = "customer.segment.words"
    _description = "Condition in Words"

    # === SENTENCE === #

    @api.model
    def _sentence(self, model, domain, clock):
        """A whole condition.

        :param model: the audience's model, with the rights names are read with
        :param Domain domain: parsed, as written
        :param Clock clock: the segment's time zone and language
        :rtype: str
        """
        if domain.is_true():
            return self.env._("Everybody, without a condition.")
        if domain.is_false():
            return self.env._("Nobody.")
        return self.env._("%s.", self._part(model, domain, clock))

    def _part(self, model, domain, clock):
        if isinstance(domain, DomainCondition):
            return self._condition(model, domain, clock)
        if isinstance(domain, DomainNot):
            inner = self._part(model, domain.child, clock)
            return self.env._("it does not hold that (%s)", inner)
        if not getattr(domain, "children", None):
            return self._sentence(model, domain, clock)
        parts = []
        for child in domain.children:
            part = self._part(model, child, clock)
            is_bracket = len(getattr(child, "children", ())) > 1
            parts.append(f"({part})" if is_bracket else part)
        joined = self._join(parts, domain.OPERATOR == "&")
        if domain.OPERATOR == "&":
            for field in self._shared_lists(model, domain.children):
                joined = self.env._(
                    "%(conditions)s — each of these may be another one of “%(field)s”",
                    conditions=joined,
                    field=field,
                )
        return joined

    def _join(self, parts, is_and):
        return (self.env._(" and ") if is_and else self.env._(" or ")).join(parts)

    def _shared_lists(self, model, children):
        """Labels of the lists that several conditions of one AND look into."""
        found = Counter()
        for child in children:
            if not isinstance(child, DomainCondition) or child.operator in NEGATIVE:
                continue
            path, comodel = [], model
            value = child.value
            names = child.field_expr.split(".")
            if names[0] == WHOLE_COMPANY and isinstance(value, (list, tuple, Domain)):
                inner = Domain(value) if child.operator == "any" else None
                if isinstance(inner, DomainCondition):
                    names += inner.field_expr.split(".")
            for name in names:
                field = comodel._fields.get(name)
                if field is None or not field.relational:
                    break
                path.append(name)
                comodel = comodel.env[field.comodel_name]
                looks_inside = len(path) < len(names) or child.operator == "any"
                if (
                    field.type in ("one2many", "many2many")
                    and name != WHOLE_COMPANY
                    and looks_inside
                ):
                    found[(tuple(path), self._label(field))] += 1
                    break
        return [label for (_path, label), count in found.items() if count > 1]

    # === ONE CONDITION === #

    def _condition(self, model, condition, clock, owner=None):
        name, _dot, rest = condition.field_expr.partition(".")
        field = model._fields.get(name)
        if field is None:
            return self.env._("“%s” (does not exist any more)", name)
        if rest and field.relational:
            inner = DomainCondition(rest, condition.operator, condition.value)
            return self._related(model, field, inner, False, clock, owner)
        if condition.operator in ("any", "not any"):
            inner = Domain(condition.value)
            negate = condition.operator == "not any"
            return self._related(model, field, inner, negate, clock, owner)
        label = self._label(field, rest)
        if owner:
            label = self.env._("%(field)s of %(record)s", field=label, record=owner)
        return self._comparison(model, field, rest, label, condition, clock)

    def _related(self, model, field, inner, negate, clock, owner=None):
        """A condition on related records, and whether one must meet all of it."""
        comodel = model.env[field.comodel_name]
        is_single = isinstance(inner, DomainCondition)
        if field.name == WHOLE_COMPANY and is_single:
            if negate and inner.operator in ("any", "not any"):
                flipped = "not any" if inner.operator == "any" else "any"
                inner = DomainCondition(inner.field_expr, flipped, inner.value)
                negate = False
            if not negate:
                text = self._condition(comodel, inner, clock)
                return self.env._("in the company with all its contacts, %s", text)
        label = self._label(field)
        if owner:
            label = self.env._("%(field)s of %(record)s", field=label, record=owner)
        if field.type == "many2one" and is_single and not negate:
            return self._condition(comodel, inner, clock, label)
        values = {"field": label, "conditions": self._part(comodel, inner, clock)}
        if field.type == "many2one":
            return self._one_phrase(negate, values)
        if inner.is_true():
            if negate:
                return self.env._("there is none of “%(field)s”", **values)
            return self.env._("there is one of “%(field)s”", **values)
        is_both = not is_single and getattr(inner, "OPERATOR", "") == "&"
        return self._list_phrase(negate, is_both, values)

    def _one_phrase(self, negate, values):
        if negate:
            return self.env._("%(field)s is not one with (%(conditions)s)", **values)
        return self.env._("%(field)s is one with (%(conditions)s)", **values)

    def _list_phrase(self, negate, is_both, values):
        """Whether one record of a list must meet all of several conditions."""
        if not is_both:
            if negate:
                return self.env._(
                    "there is none of “%(field)s” with (%(conditions)s)", **values
                )
            return self.env._(
                "there is one of “%(field)s” with (%(conditions)s)", **values
            )
        if negate:
            return self.env._(
                "there is none of “%(field)s” that is at the same time "
                "(%(conditions)s)",
                **values,
            )
        return self.env._(
            "there is one of “%(field)s” that is at the same time (%(conditions)s)",
            **values,
        )

    def _comparison(self, model, field, rest, label, condition, clock):
        operator, value = condition.operator, condition.value
        if isinstance(value, (list, tuple, set)) and operator in ("=", "!="):
            operator = "in" if operator == "=" else "not in"
        if operator in ("=", "!=") and (value is False or value is None):
            return self._is_set(field, label, operator == "!=")
        if field.type == "boolean" and operator in ("=", "!="):
            return self._is_set(field, label, bool(value) == (operator == "="))
        if operator in ("in", "not in"):
            return self._one_of(model, field, rest, label, operator, value, clock)
        if operator == "=ilike" and isinstance(value, str) and value[-1:] == "%":
            operator, value = "starts", value[:-1]
        told = self._value(model, field, rest, value, clock)
        values = {"field": label, "value": told}
        if field.type in ("date", "datetime") and not rest:
            phrase = self._date_phrase(operator, values)
        else:
            phrase = self._phrase(operator, values)
        return phrase or f"{label} {operator} {told}"

    def _is_set(self, field, label, is_set):
        if field.type == "boolean":
            if is_set:
                return self.env._("%s is ticked", label)
            return self.env._("%s is not ticked", label)
        if is_set:
            return self.env._("%s is filled in", label)
        return self.env._("%s is empty", label)

    def _one_of(self, model, field, rest, label, operator, value, clock):
        value = list(value) if isinstance(value, (list, tuple, set)) else [value]
        filled = [item for item in value if item or item == 0]
        shown = filled[:SHOWN_VALUES]
        told = [self._value(model, field, rest, item, clock) for item in shown]
        if len(filled) > len(shown):
            count = self._digits(str(len(filled) - len(shown)))
            told.append(self.env._("%s others", count))
        if any(item is False or item is None for item in value):
            told.append(self.env._("empty"))
        values = {"field": label, "value": self.env._(" or ").join(told)}
        if not told:
            return self.env._("nobody") if operator == "in" else self.env._("anybody")
        is_list = field.type in ("one2many", "many2many")
        if operator == "in":
            if is_list:
                return self.env._("%(field)s include %(value)s", **values)
            return self.env._("%(field)s is %(value)s", **values)
        if is_list:
            return self.env._("%(field)s do not include %(value)s", **values)
        return self.env._("%(field)s is not %(value)s", **values)

    def _phrase(self, operator, values):
        phrases = {
            "=": self.env._("%(field)s is %(value)s", **values),
            "!=": self.env._("%(field)s is not %(value)s", **values),
            ">": self.env._("%(field)s is more than %(value)s", **values),
            ">=": self.env._("%(field)s is at least %(value)s", **values),
            "<": self.env._("%(field)s is less than %(value)s", **values),
            "<=": self.env._("%(field)s is at most %(value)s", **values),
            "like": self.env._("%(field)s contains %(value)s", **values),
            "ilike": self.env._("%(field)s contains %(value)s", **values),
            "not like": self.env._("%(field)s does not contain %(value)s", **values),
            "not ilike": self.env._("%(field)s does not contain %(value)s", **values),
            "=like": self.env._("%(field)s looks like %(value)s", **values),
            "=ilike": self.env._("%(field)s looks like %(value)s", **values),
            "starts": self.env._("%(field)s starts with %(value)s", **values),
            "not =like": self.env._("%(field)s does not look like %(value)s", **values),
            "not =ilike": self.env._(
                "%(field)s does not look like %(value)s", **values
            ),
            "child_of": self.env._("%(field)s is %(value)s or below it", **values),
            "parent_of": self.env._("%(field)s is %(value)s or above it", **values),
        }
        return phrases.get(operator)

    def _date_phrase(self, operator, values):
        phrases = {
            "=": self.env._("%(field)s is %(value)s", **values),
            "!=": self.env._("%(field)s is not %(value)s", **values),
            ">": self.env._("%(field)s after %(value)s", **values),
            ">=": self.env._("%(field)s since %(value)s", **values),
            "<": self.env._("%(field)s before %(value)s", **values),
            "<=": self.env._("%(field)s until %(value)s", **values),
        }
        return phrases.get(operator)

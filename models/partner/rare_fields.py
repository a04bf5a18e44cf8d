"""Fields that most readings of contacts can do without.

Every form, list and document reads contacts: what only the pages *Attributes* and
*Profile* show must not make each of these slower.
"""

from odoo import fields

# Columns of one group are read together, when one of them is asked for.
RARE = "customer_attributes"


class Tags(fields.Many2many):
    """Several values of a list: it groups and does not sort.

    Core finds that out by building a query for each field, whenever a form opens.
    """

    def _description_sortable(self, env):
        return False

    def _description_groupable(self, env):
        return True


class Shown:
    """Shows a column of another table by a join: it sorts, groups and sums as that."""

    def _description_sortable(self, env):
        return self.related_field.store or super()._description_sortable(env)

    def _description_groupable(self, env):
        return self.related_field.store or super()._description_groupable(env)

    def _description_aggregator(self, env):
        if self.related_field.store:
            return self.aggregator
        return super()._description_aggregator(env)


def shown(field_class):
    """Return a class of fields that show a stored column of another table."""
    return type(field_class.__name__, (Shown, field_class), {})

from datetime import datetime

import pytz

from odoo import fields, models
from odoo.exceptions import ValidationError

MAXIMUM_DAYS = 36_500


class CustomerSegmentConditionBlank(models.Model):
    """One blank of a ready condition: what is asked, and what it may hold."""

    _name = "customer.segment.condition.blank"
    _description = "Blank of a Ready Condition"
    _order = "sequence, id"

    template_id = fields.Many2one(
        "customer.segment.condition.template",
        required=True,
        index=True,
        ondelete="cascade",
    )
    sequence = fields.Integer(default=10)
    key = fields.Char(required=True, help="Stands as {key} in the condition.")
    name = fields.Char(string="Question", required=True, translate=True)
    kind = fields.Selection(
        [
            ("integer", "Number"),
            ("days", "Number of days"),
            ("text", "Text"),
            ("many2one", "One record"),
            ("many2many", "Records"),
            ("selection", "One of a list"),
            ("east_of", "Time zones east of one"),
        ],
        default="integer",
        required=True,
    )
    comodel = fields.Char(
        string="Model", help="Technical name of the records' model, e.g. res.country."
    )
    selection_field = fields.Char(
        string="List of",
        help="Model and field whose list is offered, e.g. res.partner,lang.",
    )
    default = fields.Char(help="A number, a text, or the external id of a record.")

    _key_unique = models.Constraint(
        "UNIQUE(template_id, key)", "Each blank has its own key."
    )

    def _is_usable(self):
        """Whether the records or the list it asks for exist and may be read."""
        if self.kind in ("many2one", "many2many"):
            return self.comodel in self.env and self.env[self.comodel].has_access(
                "read"
            )
        if self.kind in ("selection", "east_of"):
            model, _comma, name = (self.selection_field or "").partition(",")
            return model in self.env and name in self.env[model]._fields
        return True

    def _offer(self):
        return {
            "key": self.key,
            "name": self.name,
            "kind": self.kind,
            "comodel": self.comodel or "",
            "options": self._options(),
            "default": self._default(),
        }

    def _options(self):
        """What the list offers, in the user's language: value and label."""
        if self.kind not in ("selection", "east_of"):
            return []
        model, _comma, name = self.selection_field.partition(",")
        return self.env[model]._fields[name]._description_selection(self.env)

    def _default(self):
        if self.kind in ("many2one", "many2many"):
            record = self.default and self.env.ref(
                self.default, raise_if_not_found=False
            )
            ids = record.ids if record else []
            return ids if self.kind == "many2many" else (ids[0] if ids else False)
        if self.kind in ("integer", "days"):
            return int(self.default) if (self.default or "").isdecimal() else 0
        return self.default or False

    def _read(self, values):
        """The value of this blank, checked.

        :param dict values: value per key
        :raise ValidationError: where it is missing or does not fit
        """
        self.ensure_one()
        value = values.get(self.key)
        if isinstance(value, str):
            value = value.strip()
        reader = getattr(self, f"_read_{self.kind}")
        result = reader(value)
        if result is None:
            raise ValidationError(self.env._("Please fill in “%s”.", self.name))
        return result

    def _read_integer(self, value):
        is_number = isinstance(value, int) and not isinstance(value, bool)
        return value if is_number else None

    def _read_days(self, value):
        number = self._read_integer(value)
        return number if number and 0 < number <= MAXIMUM_DAYS else None

    def _read_text(self, value):
        return value if isinstance(value, str) and value else None

    def _read_many2one(self, value):
        ids = self._existing([value])
        return ids[0] if ids else None

    def _read_many2many(self, value):
        return self._existing(value if isinstance(value, (list, tuple)) else []) or None

    def _read_selection(self, value):
        return value if value in dict(self._options()) else None

    def _read_east_of(self, value):
        zones = dict(self._options())
        if value not in zones:
            return None
        now = datetime.now(tz=pytz.utc)

        def offset(zone):
            return now.astimezone(pytz.timezone(zone)).utcoffset()

        start = offset(value)
        return [zone for zone in zones if offset(zone) > start] or None

    def _existing(self, ids):
        """Those ids that the user can see."""
        ids = [id_ for id_ in ids if isinstance(id_, int) and id_ > 0]
        return self.env[self.comodel].search([("id", "in", ids)]).ids

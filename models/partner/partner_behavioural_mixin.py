from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.fields import Domain
from odoo.tools import SQL

from ..profile.typed_day import read_days
from .partner_visits_mixin import COMPARE
from .rare_fields import RARE, Tags


def _attributes(kind, string):
    """Several values of one list."""
    return Tags(
        "customer.attribute",
        f"customer_partner_{kind}_rel",
        "partner_id",
        "attribute_id",
        string=string,
        domain=[("kind", "=", kind)],
        context={"default_kind": kind},
        groups="base.group_user",
    )


class PartnerBehaviouralMixin(models.AbstractModel):
    """What a contact told us it prefers."""

    _name = "partner.behavioural.mixin"
    _description = "Partner Behaviour"

    preferred_channel = fields.Selection(
        [
            ("sms", "SMS"),
            ("email", "E-mail"),
            ("phone", "Phone"),
            ("post", "Post"),
            ("social", "Social network or messenger"),
            ("visit", "Visit"),
        ],
        groups="base.group_user",
        prefetch=RARE,
    )
    preferred_hour_ids = _attributes("hours", "Preferred hours")
    occasion_ids = _attributes("occasion", "Occasions")
    benefit_ids = _attributes("benefit", "Benefits sought")
    buying_device_ids = _attributes("device", "Devices and apps used to buy")
    satisfaction = fields.Integer(
        search="_search_satisfaction",
        aggregator="avg",
        groups="base.group_user",
        prefetch=RARE,
        help="From 0 to 10, as answered on the day beside it.",
    )
    satisfaction_date = fields.Date(
        string="Satisfaction asked on",
        groups="base.group_user",
        prefetch=RARE,
        help="Empty: not asked yet, and the figure says nothing.",
    )
    customer_event_ids = fields.One2many(
        "customer.event",
        "partner_id",
        string="Events",
        groups="customer_segmentation.customer_segmentation_group_club_user",
    )

    _satisfaction_in_range = models.Constraint(
        "CHECK(satisfaction BETWEEN 0 AND 10)", "Satisfaction goes from 0 to 10."
    )

    def _search_satisfaction(self, operator, value):
        """Only of who was asked: 0 is an answer, nothing is none.

        :raise AccessError: for portal users, whom a field's group does not stop here
        """
        if not (self.env.su or self.env.user._is_internal()):
            raise AccessError(self.env._("Only employees may search by satisfaction."))
        if operator == "in":
            # By identity: 0 equals False.
            answers = [answer for answer in value if answer is not False]
            asked = self._answered(SQL("= ANY(%s)", answers))
            none = Domain("satisfaction_date", "=", False)
            return asked | none if len(answers) < len(value) else asked
        if operator not in COMPARE:
            return NotImplemented
        return self._answered(SQL("%s %s", COMPARE[operator], value))

    def _answered(self, condition):
        """Who was asked and gave an answer like this; the stored column itself."""
        self.flush_model(["satisfaction", "satisfaction_date"])
        return Domain(
            "id",
            "in",
            SQL(
                """
                SELECT id FROM res_partner
                 WHERE satisfaction_date IS NOT NULL AND coalesce(satisfaction, 0) %s
                """,
                condition,
            ),
        )

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            read_days(self.env, vals, ["satisfaction_date"])
            self._date_satisfaction(vals)
        return super().create(vals_list)

    def write(self, vals):
        if {"satisfaction", "satisfaction_date"} & set(vals):
            vals = dict(vals)
            read_days(self.env, vals, ["satisfaction_date"])
            self._date_satisfaction(vals)
        return super().write(vals)

    def _date_satisfaction(self, vals):
        """An answer without a day is from today."""
        answer = vals.get("satisfaction")
        if answer is None or answer is False:
            return
        # A form sends 0 and no day for what nobody filled in.
        if "satisfaction_date" in vals and (vals["satisfaction_date"] or not answer):
            return
        vals["satisfaction_date"] = fields.Date.context_today(self)

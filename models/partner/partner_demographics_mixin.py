from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, ValidationError
from odoo.fields import Domain
from odoo.tools.sql import column_exists, create_column

from ...tools.birthdate import generation
from ..profile.typed_day import read_days
from .rare_fields import RARE

SENSITIVE = "customer_segmentation.customer_segmentation_group_sensitive"


class PartnerDemographicsMixin(models.AbstractModel):
    """Who a contact is.

    Names, types and keys of birth date, age and gender are those of OCA's
    partner_contact_birthdate and partner_contact_gender.
    """

    _name = "partner.demographics.mixin"
    _description = "Partner Demographics"

    birthdate_date = fields.Date(
        string="Birth date",
        groups="base.group_user",
        prefetch=RARE,
        help="A year below 1600 is read as Solar Hijri: 1368/5/12 becomes 1989-08-03.",
    )
    age = fields.Integer(
        compute="_compute_age",
        search="_search_age",
        groups="base.group_user",
        help="In full years, today; nothing has to be rewritten for it.",
    )
    generation = fields.Selection(
        [
            ("silent", "Silent generation (to 1945)"),
            ("boomer", "Baby boomers (1946–1964)"),
            ("x", "Generation X (1965–1980)"),
            ("millennial", "Millennials (1981–1996)"),
            ("z", "Generation Z (1997–2012)"),
            ("alpha", "Generation Alpha (from 2013)"),
        ],
        compute="_compute_generation",
        store=True,
        groups="base.group_user",
        prefetch=RARE,
    )
    gender = fields.Selection(
        [("male", "Male"), ("female", "Female"), ("other", "Other")],
        groups="base.group_user",
        prefetch=RARE,
    )
    marital_status = fields.Selection(
        [
            ("single", "Single"),
            ("married", "Married"),
            ("divorced", "Divorced"),
            ("widowed", "Widowed"),
        ],
        groups="base.group_user",
        prefetch=RARE,
    )
    household_size = fields.Integer(
        string="People in the household", groups="base.group_user", prefetch=RARE
    )
    household_structure = fields.Selection(
        [
            ("alone", "Lives alone"),
            ("couple", "Couple"),
            ("couple_children", "Couple with children"),
            ("one_parent", "One parent with children"),
            ("extended", "With grandparents or relatives"),
            ("shared", "Shared home"),
        ],
        string="Household",
        groups="base.group_user",
        prefetch=RARE,
    )
    education_level = fields.Selection(
        [
            ("below_diploma", "Below diploma"),
            ("diploma", "School diploma"),
            ("associate", "Associate degree"),
            ("bachelor", "Bachelor"),
            ("master", "Master"),
            ("doctorate", "Doctorate"),
        ],
        string="Education",
        groups="base.group_user",
        prefetch=RARE,
    )
    occupation = fields.Char(groups="base.group_user", prefetch=RARE)
    income_band = fields.Selection(
        [
            ("low", "Low"),
            ("lower_middle", "Lower middle"),
            ("middle", "Middle"),
            ("upper_middle", "Upper middle"),
            ("high", "High"),
        ],
        groups=SENSITIVE,
        prefetch=RARE,
        copy=False,
    )
    ethnicity = fields.Char(groups=SENSITIVE, prefetch=RARE, copy=False)
    religion = fields.Char(groups=SENSITIVE, prefetch=RARE, copy=False)
    _household_size_positive = models.Constraint(
        "CHECK(household_size >= 0)", "A household has no negative number of people."
    )

    def _auto_init(self):
        # Nobody has a birth date yet: spare a hundred thousand empty computations.
        if self._name == "res.partner":
            cr = self.env.cr
            if not column_exists(cr, self._table, "birthdate_date") and (
                not column_exists(cr, self._table, "generation")
            ):
                create_column(cr, self._table, "generation", "varchar")
        return super()._auto_init()

    # === COMPUTE METHODS === #

    @api.depends("birthdate_date")
    @api.depends_context("tz")
    def _compute_age(self):
        today = fields.Date.context_today(self)
        for partner in self:
            born = partner.birthdate_date
            partner.age = born and relativedelta(today, born).years

    def _search_age(self, operator, value):
        """Turn an age into days of birth; who has no birth date has no age.

        :raise AccessError: for portal users, whom a field's group does not stop here
        """
        if not (self.env.su or self.env.user._is_internal()):
            raise AccessError(self.env._("Only employees may search by age."))
        if operator == "in":
            none = Domain("birthdate_date", "=", False)
            return Domain.OR(
                none if age is False or age is None else self._aged(age, age)
                for age in value
            )
        if operator in ("<", "<="):
            return self._aged(None, value - 1 if operator == "<" else value)
        if operator in (">", ">="):
            return self._aged(value + 1 if operator == ">" else value, None)
        return NotImplemented

    def _aged(self, youngest, oldest):
        """Contacts of these ages in full years, today."""
        today = fields.Date.context_today(self)
        domain = Domain("birthdate_date", "!=", False)
        if youngest is not None:
            domain &= self._born("<=", today, youngest)
        if oldest is not None:
            domain &= self._born(">", today, oldest + 1)
        return domain

    def _born(self, operator, today, years):
        """Born before or after the day that lies so many years back."""
        if years > today.year - 1:
            return Domain.FALSE if operator == "<=" else Domain.TRUE
        # An age below zero: nobody is born after today.
        day = today - relativedelta(years=max(int(years), -100))
        return Domain("birthdate_date", operator, day)

    @api.depends("birthdate_date")
    def _compute_generation(self):
        for partner in self:
            partner.generation = generation(partner.birthdate_date) or False

    # === CONSTRAINTS === #

    @api.constrains("birthdate_date")
    def _check_birthdate_date(self):
        tomorrow = fields.Date.add(fields.Date.today(), days=1)
        for partner in self:
            if partner.birthdate_date and partner.birthdate_date > tomorrow:
                raise ValidationError(
                    self.env._("A birth date cannot lie in the future.")
                )

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            read_days(self.env, vals, ["birthdate_date"])
        return super().create(vals_list)

    def write(self, vals):
        if vals.get("birthdate_date"):
            vals = dict(vals)
            read_days(self.env, vals, ["birthdate_date"])
        return super().write(vals)

import pytz

from odoo import api, fields, models
from odoo.exceptions import AccessError, ValidationError
from odoo.tools import SQL

from .customer_profile_scope import ProfileScope

MANAGER = "customer_segmentation.customer_segmentation_group_club_manager"
WORK_MEM = "256MB"
UNIT_COSTS = ("call", "meeting", "message", "ticket", "return")


class CustomerProfile(models.Model):
    """Works out figures and writes those that changed: a few statements a company."""

    _inherit = "customer.profile"

    @api.model
    def refresh(self, partner_ids=None):
        """Work the figures out again and write what changed.

        :param list partner_ids: contacts, with everybody of their companies; None for
            all contacts, which is for club managers
        :return: how many profiles changed, in the companies of the user's session
        :rtype: int
        :raise AccessError: for whoever may not see figures
        :raise ValidationError: when the ids are no list of numbers
        """
        if partner_ids is None:
            if not (self.env.su or self.env.user.has_group(MANAGER)):
                raise AccessError(
                    self.env._("Only club managers may compute the figures of all.")
                )
        else:
            self.check_access("read")
            if not isinstance(partner_ids, list | tuple) or not all(
                isinstance(id_, int) and not isinstance(id_, bool)
                for id_ in partner_ids
            ):
                raise ValidationError(
                    self.env._("Give the contacts as a list of their ids.")
                )
        return self.sudo()._refresh(self.env.companies, partner_ids)

    @api.model
    def _refresh_now(self, partners):
        """Work out contacts at once, in the user's companies, and say so.

        :return: how many profiles changed
        :rtype: int
        """
        changed = self.refresh(partners.ids)
        profiles = self.sudo().search(
            [
                ("partner_id", "in", (partners | partners.commercial_partner_id).ids),
                ("company_id", "in", self.env.companies.ids),
            ]
        )
        profiles.changed_at = fields.Datetime.now()
        return changed

    def _refresh(self, companies, partner_ids=None, today=None):
        """Work out the figures of companies, of all contacts or of some.

        :param date today: for measurements on history; default today
        :return: how many profiles changed
        :rtype: int
        """
        self.env.flush_all()
        family = None if partner_ids is None else self._family(partner_ids)
        if family == []:
            return 0
        cr = self.env.cr
        if family is None:
            # The figures of everybody are sorted and joined several times.
            cr.execute("SET LOCAL work_mem = %s", [WORK_MEM])
        changed = sum(
            self._refresh_company(company, family, today) for company in companies
        )
        if family is None:
            cr.execute("SET LOCAL work_mem TO DEFAULT")
        if changed:
            self.env["customer.profile"].invalidate_model()
            self.env["res.partner"].invalidate_model(
                ["customer_profile_id", "customer_entity_profile_ids"]
            )
        return changed

    def _family(self, partner_ids):
        """These contacts, their companies and everybody there."""
        rows = self.env.execute_query(
            SQL(
                """
                SELECT id FROM res_partner
                 WHERE commercial_partner_id IN (
                       SELECT commercial_partner_id FROM res_partner
                        WHERE id = ANY(%s))
                """,
                list(partner_ids),
            )
        )
        return sorted(id_ for (id_,) in rows)

    def _lock_company(self, company):
        """One refresh of a company at a time: two would wait for each other's rows."""
        self.env.cr.execute(
            SQL(
                "SELECT pg_advisory_xact_lock(hashtext('customer_profile'), %s)",
                company.id,
            )
        )

    def _scope(self, company, ids, today=None):
        tz = company.club_tz or "UTC"
        now = fields.Datetime.now()
        if not today:
            local = pytz.utc.localize(now).astimezone(pytz.timezone(tz))
            today = local.date()
        return ProfileScope(
            company_id=company.id,
            digits=company.currency_id.decimal_places,
            tz=tz,
            today=today,
            now=now,
            ids=ids,
            visits_are_purchases=company.club_visits_are_purchases,
            horizon_days=company.profile_horizon_days,
            unit_costs={name: company[f"profile_cost_{name}"] for name in UNIT_COSTS},
        )

    def _refresh_company(self, company, ids, today=None):
        scope = self._scope(company, ids, today)
        self._lock_company(company)
        statement = self.env["customer.profile.statement"]
        [[changed, moved]] = self.env.execute_query(statement._write_figures(scope))
        if scope.ids is not None and moved:
            # Whoever buys changes the place of others, too.
            [[ranked]] = self.env.execute_query(statement._write_ranks(scope))
            changed += ranked
        if changed:
            self._tell_changed(company, ids)
        return changed

    def _tell_changed(self, company, ids):
        """Hook: figures of a company changed.

        :param list ids: contacts that were looked at, or None for all
        """

import time

from odoo import api, models
from odoo.fields import Domain
from odoo.tools import SQL

from .customer_profile_touch import CRON, SLICE_SECONDS

# Contacts of one statement: well below a slice, also where a million are known.
CONTACTS = 5_000


class CustomerProfileSlice(models.AbstractModel):
    """Works out everybody's figures at night, a slice of two seconds at a time.

    One statement for all would be faster and hold the other jobs up. Slices go through
    the companies and single persons in the order of their ids; what depends on all of
    them (RFM, what is expected) follows when the last one is done.
    """

    _inherit = "customer.profile.touch"

    @api.model
    def _cron_refresh_all(self):
        """Work out one slice, and come again until every company is done."""
        cron, stop = self.env["ir.cron"], time.monotonic() + SLICE_SECONDS
        runs = self._open_runs() or self._begin_runs()
        while runs:
            run = runs[0]
            if self._refresh_slice(run):
                self._end_run(run)
                runs -= run
            cron._commit_progress(1)
            if time.monotonic() > stop:
                break
        if runs:
            self.env.ref(CRON).sudo()._trigger()
        cron._commit_progress(remaining=0)

    def _open_runs(self):
        domain = Domain("kind", "=", "slices") & Domain("company_id.active", "=", True)
        return self.env["customer.profile.run"].search(domain)

    def _begin_runs(self):
        runs = self.env["customer.profile.run"]
        for company in self.env["res.company"].search([("active", "=", True)]):
            runs._note(company, "slices", 0)
        return self._open_runs()

    def _refresh_slice(self, run):
        """Work out the next contacts of a company.

        :return: whether those were the last
        :rtype: bool
        """
        profiles = self.env["customer.profile"]
        ids, last = self._next_contacts(run.after_id)
        if ids:
            profiles._lock_company(run.company_id)
            scope = profiles._scope(run.company_id, ids)._replace(expects=False)
            statement = self.env["customer.profile.statement"]._write_figures(scope)
            [[changed, _moved]] = self.env.execute_query(statement)
            run.write({"after_id": last, "changed_count": run.changed_count + changed})
        return not ids

    def _next_contacts(self, after_id):
        """Contacts of the next companies and single persons, each of them as a whole.

        :return: their ids, and the id of the last company or person
        :rtype: tuple[list, int]
        """
        self.env.flush_all()
        [[last]] = self.env.execute_query(
            SQL(
                """
                SELECT max(id) FROM (
                       SELECT commercial_partner_id AS id FROM res_partner
                        WHERE commercial_partner_id > %s
                        ORDER BY commercial_partner_id LIMIT %s) next
                """,
                after_id,
                CONTACTS,
            )
        )
        rows = self.env.execute_query(
            SQL(
                "SELECT id FROM res_partner WHERE commercial_partner_id > %s "
                "AND commercial_partner_id <= %s",
                after_id,
                last or 0,
            )
        )
        return [id_ for (id_,) in rows], last

    def _end_run(self, run):
        """What depends on all customers, and who is told."""
        profiles, company = self.env["customer.profile"], run.company_id
        profiles._lock_company(company)
        statement = self.env["customer.profile.statement"]
        scope = profiles._scope(company, None)
        [[changed]] = self.env.execute_query(statement._write_among_all(scope))
        changed += run.changed_count
        profiles.invalidate_model()
        if changed:
            profiles._tell_changed(company, None)
        runs = self.env["customer.profile.run"]
        runs._note(company, "all", changed)
        # Whatever changed since the beginning is still to be looked at.
        done = runs.search([("company_id", "=", company.id), ("kind", "=", "all")])
        done.write(
            {"started_at": run.started_at, "last_message_id": run.last_message_id}
        )
        run.unlink()

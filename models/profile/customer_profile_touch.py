import time
from datetime import timedelta

from odoo import api, models
from odoo.tools import SQL

# A change is seen when it is committed, under the time at which it began.
MARGIN = timedelta(minutes=10)
MESSAGE_MARGIN = 1_000
SLICE_SECONDS = 2.0
BATCH = 2_000
CRON = "customer_segmentation.customer_profile_cron"
# Documents of a contact, by the column that names it; ``point_of_sale`` and others
# only where they are installed.
DOCUMENTS = {
    "res.partner": "id",
    "sale.order": "partner_id",
    "account.move": "partner_id",
    "crm.lead": "partner_id",
    "club.member": "partner_id",
    "customer.event": "partner_id",
    "pos.order": "partner_id",
    "helpdesk.ticket": "partner_id",
}
WRITTEN_ON = ("res.partner", "sale.order", "account.move", "crm.lead")


class CustomerProfileTouch(models.AbstractModel):
    """Finds the contacts whose documents changed, and keeps their figures fresh.

    Documents are looked through by their time of change, so that nothing is added to
    saving them; whatever slips through is found by the nightly run of all.
    """

    _name = "customer.profile.touch"
    _description = "Contacts with Changed Documents"

    @api.model
    def _cron_refresh_touched(self):
        """Work out the figures of contacts whose documents changed since last time."""
        cron = self.env["ir.cron"]
        stop = time.monotonic() + SLICE_SECONDS
        companies = self.env["res.company"].search([("active", "=", True)])
        since, message_id = self._last_run(companies)
        if since is None:
            # Nothing was worked out yet: that is the nightly run's.
            self.env.ref(CRON).sudo()._trigger()
            return
        ids = self._touched(since, message_id)
        if self._are_many(ids):
            self.env.ref(CRON).sudo()._trigger()
            ids = []
        for start in range(0, len(ids), BATCH):
            self.env["customer.profile"]._refresh(companies, ids[start : start + BATCH])
            cron._commit_progress(BATCH)
            if time.monotonic() > stop and start + BATCH < len(ids):
                # The rest waits for all: it would not be found again.
                self.env.ref(CRON).sudo()._trigger()
                break
        for company in companies:
            self.env["customer.profile.run"]._note(company, "touched", len(ids))
        cron._commit_progress(remaining=0)

    def _last_run(self, companies):
        """From when on to look for changes, and from which message on."""
        runs = self.env["customer.profile.run"].search(
            [("company_id", "in", companies.ids), ("kind", "!=", "slices")]
        )
        last = {}
        for run in runs.sorted("started_at"):
            last[run.company_id] = run
        if not runs or set(companies) - set(last):
            return None, 0
        return (
            min(run.started_at for run in last.values()) - MARGIN,
            min(run.last_message_id for run in last.values()) - MESSAGE_MARGIN,
        )

    def _are_many(self, ids):
        """Whether so many contacts changed that all at once is less work."""
        partners = self.env["res.partner"].with_context(active_test=False)
        return len(ids) > BATCH and len(ids) > partners.search_count([]) / 5

    def _touched(self, since, message_id):
        """Contacts of whom a document changed.

        :param datetime since: UTC
        :param int message_id: messages after this one
        :return: sorted ids
        :rtype: list
        """
        self.env.flush_all()
        rows = self.env.execute_query(
            SQL(
                "SELECT DISTINCT partner_id FROM (%s) touched "
                "WHERE partner_id IS NOT NULL",
                SQL(" UNION ALL ").join(self._touches(since, message_id)),
            )
        )
        return sorted(id_ for (id_,) in rows)

    def _touches(self, since, message_id):
        """Queries of contacts, one per kind of document."""
        parts = [
            SQL(
                "SELECT %s AS partner_id FROM %s WHERE write_date > %s",
                SQL.identifier(column),
                SQL.identifier(self.env[model]._table),
                since,
            )
            for model, column in DOCUMENTS.items()
            if model in self.env
        ]
        parts += [
            SQL(
                "SELECT guest.res_partner_id FROM calendar_event e "
                "JOIN calendar_event_res_partner_rel guest "
                "ON guest.calendar_event_id = e.id WHERE e.write_date > %s",
                since,
            ),
            SQL(
                "SELECT d.partner_id FROM customer_event e "
                "JOIN crm_lead d ON d.id = e.lead_id WHERE e.write_date > %s",
                since,
            ),
            SQL(
                "SELECT m.partner_id FROM club_checkin c "
                "JOIN club_member m ON m.id = c.member_id "
                "WHERE c.arrived_at > %(since)s OR c.write_date > %(since)s",
                since=since,
            ),
        ]
        for model in WRITTEN_ON:
            for table, changed in (
                ("mail_message", SQL("t.id > %s", message_id)),
                ("mailing_trace", SQL("t.write_date > %s", since)),
            ):
                parts.append(self._on_documents(model, table, changed))
        return parts

    def _on_documents(self, model, table, changed):
        """Contacts of the documents that messages or traces name."""
        return SQL(
            "SELECT d.%s FROM %s t JOIN %s d ON d.id = t.res_id "
            "WHERE t.model = %s AND %s",
            SQL.identifier(DOCUMENTS[model]),
            SQL.identifier(table),
            SQL.identifier(self.env[model]._table),
            model,
            changed,
        )

from odoo import models
from odoo.fields import Domain
from odoo.tools import SQL

from ..club.club_dashboard_attention import _entry


class ClubDashboardAttention(models.AbstractModel):
    """What a person has to do before figures can be trusted."""

    _inherit = "club.dashboard.attention"

    def _get_settings_attention(self):
        """Foreign amounts without a rate stand one to one in the figures."""
        entries = super()._get_settings_attention()
        missing = self._get_currencies_without_rate()
        if missing:
            domain = Domain("id", "in", missing.ids)
            name = self.env._("Currencies")
            action = self._prepare_action(name, "res.currency", domain)
            text = self.env._(
                "No rate is entered for %s: amounts in it count one to one in the "
                "figures.",
                ", ".join(missing.mapped("name")),
            )
            entries.append(_entry("no_rate", "warning", text, 0, action))
        return entries

    def _get_currencies_without_rate(self):
        """Currencies of sales of this company that it knows no rate of.

        :rtype: recordset
        """
        company = self.env.company
        if not self.env["res.currency"].has_access("read"):
            return self.env["res.currency"]
        rows = self.env.execute_query(
            SQL(
                """
                SELECT c.id FROM res_currency c
                 WHERE c.active AND c.id <> %(own)s
                   AND NOT EXISTS (SELECT FROM res_currency_rate r
                                    WHERE r.currency_id = c.id
                                      AND (r.company_id IS NULL
                                           OR r.company_id = %(root)s))
                   AND (EXISTS (SELECT FROM sale_order o
                                 WHERE o.company_id = %(company)s
                                   AND o.currency_id = c.id AND o.state = 'sale')
                        OR EXISTS (SELECT FROM account_move m
                                    WHERE m.company_id = %(company)s
                                      AND m.currency_id = c.id AND m.state = 'posted'
                                      AND m.move_type IN (
                                          'out_invoice', 'out_receipt', 'out_refund')))
                 ORDER BY c.name
                """,
                own=company.currency_id.id,
                root=company.root_id.id,
                company=company.id,
            )
        )
        return self.env["res.currency"].browse(row[0] for row in rows)

from datetime import timezone

import psycopg2.errors

from odoo import api, models
from odoo.tools import SQL

from ...tools.problem import Problem

BATCH_SIZE = 200
# Orders of a till that was offline are stored later but with earlier numbers.
LOOK_BACK = 500


class ClubPointOfSale(models.AbstractModel):
    """Paid orders of the point of sale as visits, where that app is installed."""

    _name = "club.point.of.sale"
    _description = "Club Point of Sale"

    @api.model
    def _cron_take_orders(self):
        """Check in the customers of new paid orders, one batch."""
        taken = self._take_orders()
        self.env["ir.cron"]._commit_progress(taken)
        if taken:
            self.env["club.checkin.followup"]._wake()

    @api.model
    def _take_orders(self, limit=BATCH_SIZE):
        """Turn paid orders with a reachable customer into check-ins.

        They go through the same door as a device's, so the gap rule holds, and each
        order is taken once (``event_id`` is made of its number).

        :return: orders looked at
        :rtype: int
        """
        if "pos.order" not in self.env:
            return 0
        looked_at = 0
        companies = self.env["res.company"].sudo()
        for company in companies.search([("club_pos_device_id", "!=", False)]):
            looked_at += self._take_company_orders(company, limit)
        return looked_at

    def _take_company_orders(self, company, limit):
        orders = (
            self.env["pos.order"]
            .sudo()
            .search(
                [
                    ("company_id", "=", company.id),
                    ("id", ">", company.club_pos_last_order - LOOK_BACK),
                    ("state", "in", ("paid", "done", "invoiced")),
                    ("partner_id", "!=", False),
                ],
                order="id",
                limit=limit + LOOK_BACK,
            )
        )
        device = company.club_pos_device_id
        known = self._known_events(device, orders)
        fresh = orders.filtered(lambda order: self._event_id(order) not in known)[
            :limit
        ]
        numbers = fresh.partner_id._get_sms_numbers(company)
        for order in fresh:
            if number := numbers.get(order.partner_id.id):
                self._check_in(device, order, number)
        if fresh:
            company.club_pos_last_order = max(company.club_pos_last_order, *fresh.ids)
        return len(fresh.filtered(lambda order: order.partner_id.id in numbers))

    def _known_events(self, device, orders):
        rows = self.env.execute_query(
            SQL(
                """
                SELECT event_id FROM club_checkin
                 WHERE device_id = %s AND event_id = ANY(%s)
                """,
                device.id,
                [self._event_id(order) for order in orders],
            )
        )
        return {row[0] for row in rows}

    def _event_id(self, order):
        return f"pos-order-{order.id}"

    def _check_in(self, device, order, number):
        moment = order.date_order.replace(tzinfo=timezone.utc)
        item = {
            "event_id": self._event_id(order),
            "phone": number,
            "occurred_at": int(moment.timestamp()),
        }
        row = {
            **device._get_intake_row(),
            "tag_required": False,
            "foreign_allowed": True,
        }
        try:
            with self.env.cr.savepoint():
                self.env["club.checkin.intake"]._receive(row, item, "hand")
        except Problem:
            # Not a number we can use, too old, or the club is closed: no visit.
            return
        except psycopg2.errors.SerializationFailure:
            return

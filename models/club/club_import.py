from datetime import timezone

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_date

from ...tools.import_row import (
    REPEATABLE,
    RowError,
    parse_row,
)
from ...tools.jalali import from_gregorian
from .club_import_column import isolate
from .club_import_file import PREVIEW_ROWS

KEEP_FILES_DAYS = 30


class ClubImport(models.Model):
    """A file of customers from the panel a shop used before, on its way into the club.

    A person checks the mapping and the preview; the worker then stores the rows in
    chunks. It sends nothing, and storing a file again changes nothing.
    """

    _name = "club.import"
    _description = "Club Import"
    _inherit = ["club.import.file", "club.import.worker"]
    _order = "id desc"
    _check_company_auto = True

    # === FIELDS === #

    name = fields.Char(compute="_compute_name", store=True, readonly=False)
    company_id = fields.Many2one(
        "res.company",
        required=True,
        default=lambda self: self.env.company,
        ondelete="cascade",
        index=True,
    )
    user_id = fields.Many2one(
        "res.users",
        string="Imported by",
        required=True,
        readonly=True,
        default=lambda self: self.env.user,
        ondelete="restrict",
    )
    state = fields.Selection(
        [
            ("draft", "Choose a file"),
            ("mapped", "Check"),
            ("running", "Importing"),
            ("done", "Done"),
            ("failed", "Stopped"),
        ],
        default="draft",
        required=True,
        readonly=True,
    )
    group_id = fields.Many2one(
        "customer.segment",
        string="Put everybody into",
        domain="[('company_id', '=', company_id), ('kind', '=', 'static')]",
        check_company=True,
        ondelete="set null",
    )
    country_id = fields.Many2one(
        "res.country",
        required=True,
        ondelete="restrict",
        default=lambda self: self._default_country_id(),
        help="Numbers without a country code are of this country.",
    )
    foreign_allowed = fields.Boolean(string="Numbers from abroad")
    lang = fields.Selection(
        lambda self: self.env["res.lang"].get_installed(),
        string="Language",
        required=True,
        default=lambda self: self.env.user.lang or "en_US",
        help="Language of the contacts that are created.",
    )
    date_order = fields.Selection(
        [("day", "3 April"), ("month", "4 March")],
        string="03/04/2024 is",
        default="day",
        required=True,
    )
    default_visits = fields.Integer(
        string="Visits where the file tells none",
        default=1,
        help="With 0 they are greeted as new at their next visit.",
    )
    preview = fields.Html(compute="_compute_preview", sanitize=False)
    mapping_problem = fields.Char(compute="_compute_mapping_problem")

    _running = models.Index("(id) WHERE state = 'running'")
    _default_visits_positive = models.Constraint(
        "CHECK(default_visits BETWEEN 0 AND 1000)", "Choose a number from 0 to 1000."
    )

    # === DEFAULTS === #

    def _default_country_id(self):
        """Where the shop's devices stand, else where the company is."""
        device = self.env["club.device"].search(
            [("company_id", "=", self.env.company.id)], limit=1
        )
        return (
            device.country_id
            or self.env.company.country_id
            or self.env.ref("base.ir", False)
        )

    # === COMPUTE === #

    @api.depends("filename")
    def _compute_name(self):
        for club_import in self:
            club_import.name = club_import.filename or club_import.env._("New import")

    @api.depends("column_ids.field")
    @api.depends_context("lang")
    def _compute_mapping_problem(self):
        labels = dict(
            self.env["club.import.column"]
            ._fields["field"]
            ._description_selection(self.env)
        )
        for club_import in self:
            chosen = [name for name in club_import._get_mapping() if name]
            twice = [
                labels[name]
                for name in dict.fromkeys(chosen)
                if chosen.count(name) > 1 and name not in REPEATABLE
            ]
            problem = False
            if "phone" not in chosen:
                problem = club_import.env._(
                    "Choose the column that holds the mobile numbers."
                )
            elif twice:
                problem = club_import.env._(
                    "Two columns cannot both hold “%(field)s”.", field=twice[0]
                )
            club_import.mapping_problem = problem

    @api.depends(
        "state",
        "sample_rows",
        "has_header",
        "column_ids.field",
        "group_id",
        "country_id",
        "foreign_allowed",
        "lang",
        "date_order",
        "default_visits",
    )
    @api.depends_context("lang", "tz")
    def _compute_preview(self):
        for club_import in self:
            club_import.preview = (
                self.env["ir.qweb"]._render(
                    "customer_segmentation.club_import_preview",
                    {"rows": club_import._prepare_preview()},
                )
                if club_import.state == "mapped" and not club_import.mapping_problem
                else False
            )

    def _prepare_preview(self):
        """The first rows as they will be stored.

        :return: for each a dict: ``reason`` and ``cells`` of a refused row, or
            ``customer`` and how it is shown
        :rtype: list[dict]
        """
        options, mapping = self._get_row_options(), self._get_mapping()
        previews = []
        for cells in self._sample_body()[:PREVIEW_ROWS]:
            try:
                customer = parse_row(cells, mapping, options)
            except RowError as error:
                reason = self._get_reason(error)
                shown = " · ".join(isolate(cell) for cell in cells if cell)
                previews.append({"reason": reason, "cells": shown})
            else:
                previews.append({"customer": customer, "reason": False})
        self._describe_customers([row for row in previews if not row["reason"]])
        return previews

    def _describe_customers(self, rows):
        customers = [row["customer"] for row in rows]
        known = set(
            self.env["club.member"]
            .sudo()
            .search(
                [
                    ("company_id", "=", self.company_id.id),
                    ("phone_e164", "in", [item.number.e164 for item in customers]),
                ]
            )
            .mapped("phone_e164")
        )
        store = self.env["club.import.store"].sudo()
        salutations = store._match_salutations(customers)
        for row, customer in zip(rows, customers, strict=True):
            salutation = self.env["customer.salutation"].browse(
                salutations.get(customer.number.e164, ())
            )
            row.update(
                is_known=customer.number.e164 in known,
                salutation=salutation.name,
                groups=[*self.group_id.mapped("name"), *customer.groups],
                visits=(
                    customer.assumed_visits
                    if customer.visits is None
                    else customer.visits
                ),
                first_visit=self._format_moment(customer.first_visit),
                last_visit=self._format_moment(customer.last_visit),
            )

    def _format_moment(self, moment):
        """A date by the reader's calendar, with its time where the file tells one."""
        if not moment:
            return ""
        local = moment.replace(tzinfo=timezone.utc).astimezone(self._get_zone())
        if (self.env.lang or "").startswith("fa"):
            text = "{:04}/{:02}/{:02}".format(*from_gregorian(local.date()))
        else:
            text = format_date(self.env, local.date())
        if local.hour or local.minute:
            text = f"{text} {local:%H:%M}"
        return text

    # === CRUD === #

    def write(self, vals):
        """Refuse to change what the worker reads by; another file starts again."""
        settings = {
            "file", "has_header", "company_id", "group_id", "country_id", "lang",
            "foreign_allowed", "date_order", "default_visits",
        }  # fmt: skip
        if settings & set(vals) and any(item.state == "running" for item in self):
            raise UserError(self.env._("Stop the import before you change it."))
        if "file" in vals:
            vals = {**vals, "state": "draft", "sample_rows": False}
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_running(self):
        if any(club_import.state == "running" for club_import in self):
            raise UserError(self.env._("Stop the import before you delete it."))

    @api.autovacuum
    def _gc_files(self):
        """Files full of numbers are not kept: an import ends, its file goes."""
        old = self.search(
            [
                ("state", "!=", "running"),
                ("write_date", "<", f"now -{KEEP_FILES_DAYS}d"),
                "|",
                ("file", "!=", False),
                ("rejected_file", "!=", False),
            ],
            limit=100,
        )
        for club_import in old:
            self.env["club.import.row"]._forget(club_import)
        old.write({"file": False, "rejected_file": False})

    # === ACTIONS === #

    def action_open_members(self):
        """Open the members who came by import."""
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "customer_segmentation.club_member_action"
        )
        action["domain"] = [
            ("joined_by", "=", "import"),
            ("company_id", "=", self.company_id.id),
        ]
        return action

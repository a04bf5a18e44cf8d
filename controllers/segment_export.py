from odoo import http
from odoo.http import content_disposition, request

from odoo.addons.web.controllers.export import ExportXlsxWriter

BATCH_SIZE = 1_000
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
FIELDS = {
    "res.partner": [
        "complete_name",
        "phone",
        "email",
        "city",
        "state_id",
        "country_id",
        "user_id",
        "category_id",
    ],
    "crm.lead": [
        "name",
        "contact_name",
        "partner_name",
        "phone",
        "email_from",
        "city",
        "stage_id",
        "user_id",
        "tag_ids",
    ],
}


class SegmentExport(http.Controller):
    """The members of a segment as a table, with the user's own rights."""

    @http.route(
        "/customer_segmentation/segment/<int:segment_id>/members.xlsx",
        type="http",
        auth="user",
        methods=["GET"],
        readonly=True,
    )
    def members(self, segment_id):
        """Answer with a spreadsheet of the members that the user may see."""
        segment = request.env["customer.segment"].browse(segment_id)
        segment._check_may_export()
        segment.check_access("read")
        names = FIELDS[segment.model]
        members = segment._members()
        labels = members.fields_get(names, ["string", "type"])
        columns = [{"name": name, **labels[name]} for name in names]
        headers = [labels[name]["string"] for name in names]
        with ExportXlsxWriter(columns, headers, len(members)) as writer:
            # Names come from customers, too: they are never formulas.
            writer.worksheet.strings_to_formulas = False
            for start in range(0, len(members), BATCH_SIZE):
                batch = members[start : start + BATCH_SIZE]
                rows = batch.export_data(names)["datas"]
                for row, cells in enumerate(rows, start + 1):
                    for column, cell in enumerate(cells):
                        writer.write_cell(row, column, cell)
                batch.invalidate_recordset()
        return request.make_response(
            writer.value,
            headers=[
                ("Content-Type", XLSX),
                ("Content-Disposition", content_disposition(f"{segment.name}.xlsx")),
            ],
        )

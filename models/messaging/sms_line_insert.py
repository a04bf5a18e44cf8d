import uuid

from odoo import fields, models
from odoo.tools import SQL

from ...tools.sms_route import SmsRoute

# Whose ``create`` of a message the direct insert below does the work of.
KNOWN_CREATES = ("odoo.orm.", "odoo.addons.sms.", "odoo.addons.customer_segmentation.")


class SmsLine(models.Model):
    """Writing thousands of messages at once."""

    _inherit = "sms.line"

    def _create_messages(self, messages, values):
        """Create the rows of messages and of what outlives them, in two statements.

        Where another app, or an automation rule, has a say in creating messages, the
        ordinary way is taken: nothing is bypassed that somebody put there.

        :param list messages: as in ``_queue_messages``
        :param list values: of each, as ``_prepare_sms_values`` makes them
        :return: their ids, in order
        :rtype: list[int]
        """
        sms = self.env["sms.sms"].sudo().with_context(sms_route=SmsRoute(judged=True))
        if not self._may_insert_directly(sms):
            created = sms.create(values)
            self._create_trackers(messages, created.mapped("uuid"))
            return created.ids
        uuids = [uuid.uuid4().hex for _vals in values]
        ids = self._insert_rows(sms, uuids, values)
        self._create_trackers(messages, uuids)
        self.env["sms.advertising"].sudo()._count_in(sms.browse(ids))
        due = {vals["due_at"] for vals in values if vals.get("due_at")}
        cron = self.env.ref("sms.ir_cron_sms_scheduler_action").sudo()
        cron._trigger(sorted(due) or None)
        return ids

    def _may_insert_directly(self, sms):
        """Whether nobody but core and us overrides ``create`` of messages."""
        creates = (vars(cls).get("create") for cls in type(sms).__mro__)
        return all(
            create.__module__.startswith(KNOWN_CREATES) for create in creates if create
        )

    def _insert_rows(self, sms, uuids, values):
        """Insert messages by one statement.

        :return: their ids, in order
        """
        now = fields.Datetime.now()
        default = {
            "state": "outgoing",
            "to_delete": False,
            "create_uid": self.env.uid,
            "write_uid": self.env.uid,
            "create_date": now,
            "write_date": now,
        }
        rows = [
            {**default, "uuid": one, **vals}
            for one, vals in zip(uuids, values, strict=True)
        ]
        # Every field is stored; a column that holds nothing at all is left out.
        names = [name for name in rows[0] if any(row.get(name) for row in rows)]
        columns, arrays = [], []
        for name in names:
            field = sms._fields[name]
            convert = field.convert_to_column_insert
            columns.append(SQL.identifier(name))
            arrays.append(
                SQL(
                    "%s::%s[]",
                    [convert(row.get(name) or False, sms) for row in rows],
                    SQL(field.column_type[1].partition("(")[0]),
                )
            )
        found = self.env.execute_query(
            SQL(
                "INSERT INTO sms_sms (%s) SELECT * FROM unnest(%s) RETURNING id, uuid",
                SQL(", ").join(columns),
                SQL(", ").join(arrays),
            )
        )
        by_uuid = {one: row_id for row_id, one in found}
        return [by_uuid[one] for one in uuids]

    def _create_trackers(self, messages, uuids):
        """What the messages' state is carried by once they are purged."""
        self.env.execute_query(
            SQL(
                """
                INSERT INTO sms_tracker (sms_uuid, line_id, checkin_id, source,
                                         create_uid, write_uid, create_date, write_date)
                     SELECT uuid, %(line)s, checkin, source, %(uid)s, %(uid)s,
                            %(now)s, %(now)s
                       FROM unnest(%(uuids)s::varchar[], %(checkins)s::int[],
                                   %(sources)s::varchar[]) AS t(uuid, checkin, source)
                  RETURNING id
                """,
                line=self.id,
                uid=self.env.uid,
                now=fields.Datetime.now(),
                uuids=list(uuids),
                checkins=[one.get("checkin_id") or None for one in messages],
                sources=[one.get("source") or None for one in messages],
            )
        )
        self.env["sms.tracker"].invalidate_model()

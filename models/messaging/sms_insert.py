import json
import uuid

from odoo import api, models
from odoo.fields import Datetime
from odoo.tools import SQL

from ...tools.sms_route import SmsRoute

# Modules whose ``create`` is known: what it does for our messages is done here, too.
KNOWN_MODULES = {"base", "mail", "sms", "mass_mailing_sms", "customer_segmentation"}
# What each message differs in, of which type; everything else has its default.
COLUMNS = {
    "number": "varchar",
    "body": "text",
    "partner_id": "int",
    "company_id": "int",
    "line_id": "int",
    "message_class": "varchar",
    "source": "varchar",
    "due_at": "timestamp",
    "mailing_id": "int",
    "approval_id": "int",
    "params": "jsonb",
}


class SmsSms(models.Model):
    """Many messages of one line at once.

    Creating them one by one through the ORM takes three times as long (measured:
    ``make bench NAME=campaign``). Where another module listens to ``create``, it is
    called.
    """

    _inherit = "sms.sms"

    @api.model
    def _insert_queued(self, vals_list):
        """Create messages that nothing refuses any more, and wake the queue.

        :param list vals_list: dicts with keys of ``COLUMNS``
        :return: ``(id, uuid)`` of each, in their order
        :rtype: list[tuple]
        """
        unknown = {name for vals in vals_list for name in vals} - set(COLUMNS)
        if unknown or self._has_unknown_create():
            judged = SmsRoute(judged=True)
            messages = self.with_context(sms_route=judged).create(vals_list)
            return [(message.id, message.uuid) for message in messages]
        rows = [{"uuid": uuid.uuid4().hex, **vals} for vals in vals_list]
        self.env.cr.execute(self._insert_statement(rows))
        ids = dict(self.env.cr.fetchall())
        messages = self.browse([ids[row["uuid"]] for row in rows])
        self.env["sms.advertising"].sudo()._count_in(messages)
        due = {row["due_at"] for row in rows if row.get("due_at")}
        cron = self.env.ref("sms.ir_cron_sms_scheduler_action").sudo()
        cron._trigger([Datetime.now(), *sorted(due)])
        return [(ids[row["uuid"]], row["uuid"]) for row in rows]

    def _has_unknown_create(self):
        """Whether a module we do not know overrides ``create``."""
        return any(
            getattr(base, "_module", None) not in KNOWN_MODULES
            for base in type(self).__mro__
            if "create" in vars(base) and getattr(base, "_name", None)
        )

    def _insert_statement(self, rows):
        defaults = self.default_get(
            [
                name
                for name, field in self._fields.items()
                if field.store
                and field.column_type
                and name not in COLUMNS
                and name not in ("id", "uuid")
            ]
        )
        fixed = {
            **defaults,
            "create_uid": self.env.uid,
            "write_uid": self.env.uid,
            "create_date": Datetime.now(),
            "write_date": Datetime.now(),
        }
        records = [
            {
                name: (Datetime.to_string(value) if name == "due_at" else value) or None
                for name, value in row.items()
            }
            for row in rows
        ]
        return SQL(
            """
            INSERT INTO sms_sms (uuid, %(columns)s, %(fixed)s)
            SELECT uuid, %(columns)s, %(values)s
              FROM json_to_recordset(%(rows)s::json) AS v(uuid varchar, %(typed)s)
         RETURNING uuid, id
            """,
            columns=SQL(", ").join(map(SQL.identifier, COLUMNS)),
            typed=SQL(", ").join(
                SQL("%s %s", SQL.identifier(name), SQL(column_type))
                for name, column_type in COLUMNS.items()
            ),
            fixed=SQL(", ").join(map(SQL.identifier, fixed)),
            values=SQL(", ").join(
                SQL("%s", self._fields[name].convert_to_column_insert(value, self))
                for name, value in fixed.items()
            ),
            rows=json.dumps(records),
        )


class SmsTracker(models.Model):
    _inherit = "sms.tracker"

    @api.model
    def _insert_for(self, line, queued, messages):
        """Trackers of messages that were just queued, in one statement.

        :param line: ``sms.line``
        :param list queued: ``(id, uuid)`` of each message
        :param list messages: as in ``sms.line._queue_messages``, in that order
        """
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO sms_tracker
                       (sms_uuid, line_id, checkin_id, source,
                        create_uid, write_uid, create_date, write_date)
                SELECT uuid, %(line)s, checkin_id, source, %(uid)s, %(uid)s, %(now)s,
                       %(now)s
                  FROM unnest(%(uuids)s::varchar[], %(checkins)s::int[],
                              %(sources)s::varchar[]) AS t(uuid, checkin_id, source)
                """,
                line=line.id,
                uid=self.env.uid,
                now=Datetime.now(),
                uuids=[message_uuid for _id, message_uuid in queued],
                checkins=[message.get("checkin_id") or None for message in messages],
                sources=[message.get("source") or None for message in messages],
            )
        )
        self.invalidate_model()

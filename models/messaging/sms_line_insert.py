import os

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
            self._create_trackers(messages, created.ids, created.mapped("uuid"))
            return created.ids
        uuids = _random_uuids(len(values))
        ids = self._insert_rows(sms, uuids, values)
        self._create_trackers(messages, ids, uuids)
        if self.message_class == "advertising":
            self.env["sms.advertising"].sudo()._count_in(sms.browse(ids))
        due = {vals["due_at"] for vals in values if vals["due_at"]}
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
        of_all = {
            "state": "outgoing",
            "create_uid": self.env.uid,
            "write_uid": self.env.uid,
            "create_date": now,
            "write_date": now,
        }
        # What is the same in all of them is said once, nothing at all not even that.
        names, chosen, aliases, arrays = [], [], [], []
        columns = {"uuid": uuids}
        for name in values[0]:
            column = [vals[name] for vals in values]
            if len(values) > 1 and any(value != column[0] for value in column):
                columns[name] = column
            else:
                of_all[name] = column[0]
        for name, value in of_all.items():
            if value:
                field = sms._fields[name]
                names.append(SQL.identifier(name))
                chosen.append(
                    SQL(
                        "%s::%s",
                        field.convert_to_column_insert(value, sms),
                        _column_type(field),
                    )
                )
        for name, column in columns.items():
            field = sms._fields[name]
            convert = field.convert_to_column_insert
            names.append(SQL.identifier(name))
            chosen.append(SQL.identifier("t", name))
            aliases.append(SQL.identifier(name))
            arrays.append(
                SQL(
                    "%s::%s[]",
                    [convert(value or False, sms) for value in column],
                    _column_type(field),
                )
            )
        found = self.env.execute_query(
            SQL(
                "INSERT INTO sms_sms (%s) SELECT %s FROM unnest(%s) AS t(%s) "
                "RETURNING id, uuid",
                SQL(", ").join(names),
                SQL(", ").join(chosen),
                SQL(", ").join(arrays),
                SQL(", ").join(aliases),
            )
        )
        by_uuid = {one: row_id for row_id, one in found}
        return [by_uuid[one] for one in uuids]

    def _create_traces(self, messages, _ids):
        """What core's statistics know messages by; a hook.

        :param list messages: as in ``_queue_messages``
        :param list _ids: of their rows
        :return: the id of each one's ``mailing.trace``, or None
        :rtype: list
        """
        return [None] * len(messages)

    def _create_trackers(self, messages, ids, uuids):
        """What outlives messages that something follows, and what their source is
        known by; the others need none.
        """
        traces = self._create_traces(messages, ids)
        followed = [
            (
                one,
                trace,
                message.get("checkin_id") or None,
                message.get("source") or None,
            )
            for message, one, trace in zip(messages, uuids, traces, strict=True)
            if message.get("checkin_id") or message.get("source")
        ]
        if not followed:
            return
        uuids, traces, checkins, sources = map(list, zip(*followed, strict=True))
        self.env.execute_query(
            SQL(
                """
                INSERT INTO sms_tracker (sms_uuid, mailing_trace_id, line_id,
                                         checkin_id, source, create_uid, write_uid,
                                         create_date, write_date)
                     SELECT uuid, trace, %(line)s, checkin, source, %(uid)s, %(uid)s,
                            %(now)s, %(now)s
                       FROM unnest(%(uuids)s::varchar[], %(traces)s::int[],
                                   %(checkins)s::int[], %(sources)s::varchar[])
                            AS t(uuid, trace, checkin, source)
                  RETURNING id
                """,
                line=self.id,
                uid=self.env.uid,
                now=fields.Datetime.now(),
                uuids=uuids,
                traces=traces,
                checkins=checkins,
                sources=sources,
            )
        )
        self.env["sms.tracker"].invalidate_model()


def _column_type(field):
    return SQL(field.column_type[1].partition("(")[0])


def _random_uuids(count):
    """As many random uuids as hexadecimal digits: one call instead of thousands."""
    digits = os.urandom(16 * count).hex()
    return [digits[at : at + 32] for at in range(0, 32 * count, 32)]

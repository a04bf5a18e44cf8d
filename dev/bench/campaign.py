"""How fast a group message is prepared and queued, beside core's mailing and plain SQL.

As many recipients and the same text each time; rounds take turns; nothing is sent.
Core's mailing runs in a database without this addon, which makes it faster, too. Plain
SQL writes the same tables. Each commits as it does at work. What counts there is the
time of the processor, Odoo's and PostgreSQL's.
"""

import time

from bootstrap.paths import step

from odoo.tools import SQL

from . import _club, _composer
from ._figures import Figure, processor, ratio

OWN_DATABASES = True
OF_MAILING, OF_SQL, LINEAR = 6.0, 4.0, 1.3
TABLES = [
    *("sms.sms", "sms.tracker", "mailing.trace"),
    *("mailing.recipient", "sms.advertising"),
]


def main(environment, quick=False, _sizes=None) -> list[Figure]:
    """Measure queueing 10,000 personal messages.

    :param environment: where PostgreSQL runs
    :param bool quick: 2,000, and no 100,000
    :return: the figures
    """
    count, rounds = (2000, 2) if quick else (10_000, 3)
    ours, mailing, bare = [], [], []
    with (
        _club.ready(environment) as club,
        club.orm() as env,
        _composer.ready(environment, count) as core,
    ):
        # A person: nobody answers for what the system launches.
        world = _World(env(user=env.ref("base.user_admin")), count)
        theirs = _CoreWorld(core(user=core.ref("base.user_admin")), count)
        for _round in range(rounds):
            bare.append(_timed(world, _bare))
            ours.append(_timed(world, _ours))
            mailing.append(_timed(theirs, _mailing))
        figures = [
            Figure(
                f"{count:,} queued, times faster than core's mailing",
                ratio(mailing, ours),
                OF_MAILING,
                note=f"{_each(ours, count)} and {_each(mailing, count)} a message",
            ),
            Figure(
                f"{count:,} queued, of plain SQL into the same tables",
                ratio(ours, bare),
                OF_SQL,
                "<=",
                note=f"plain {_each(bare, count)}",
            ),
        ]
        if not quick:
            figures += _large(world.env, ours)
    return figures


def _each(rounds, count):
    return f"{sorted(rounds)[len(rounds) // 2] / count * 1e6:.0f} µs"


def _large(env, ours):
    """The same for all 100,000, and what the form asks for."""
    with step("100,000 recipients"):
        world = _World(env, 100_000)
        began = time.perf_counter()
        world.draft().preflight(patience=60)
        preflight = time.perf_counter() - began
        large = _timed(world, _ours)
    small = sorted(ours)[len(ours) // 2]
    return [
        Figure(
            "100,000 queued, of ten times 10,000",
            large / (10 * small),
            LINEAR,
            "<=",
            note=f"{large:.1f} s",
        ),
        Figure(
            "preflight of 100,000, seconds of a patience of 2",
            preflight / 2,
            1.0,
            "<=",
            note=f"{preflight:.1f} s",
        ),
    ]


class _World:
    """A segment of so many, a line that sends nothing, a text."""

    def __init__(self, env, count):
        self.env = env
        company = env.company
        company.write({"sms_cap_day": 0, "sms_cap_week": 0})
        self.line = env["sms.line"].create(
            {
                "name": "Bench",
                "message_class": "advertising",
                "gateway": "test",
                "window_start": 0,
                "window_end": 24,
            }
        )
        self.segment = env["customer.segment"].create(
            {"name": f"Bench {count}", "kind": "static"}
        )
        env.flush_all()
        env.cr.execute(
            """
            INSERT INTO customer_segment_partner_rel (segment_id, partner_id)
            SELECT %s, partner_id FROM club_member
             WHERE partner_id IS NOT NULL ORDER BY id LIMIT %s
            """,
            [self.segment.id, count],
        )
        env.cr.execute("ANALYZE customer_segment_partner_rel")
        self.template = env["sms.template"].create(
            {
                "name": "Bench",
                "body": _composer.TEXT,
                "model_id": env["ir.model"]._get_id("res.partner"),
                "message_class": "advertising",
            }
        )
        self.count = count

    def draft(self, **values):
        """A campaign to the segment."""
        return self.env["mailing.mailing"].create(
            {
                "mailing_type": "sms",
                "subject": "Bench",
                "sms_template_id": self.template.id,
                "body_plaintext": _composer.TEXT,
                "mailing_model_id": self.env["ir.model"]._get_id("res.partner"),
                "audience_mode": "segments",
                "audience_segment_ids": self.segment.ids,
                "line_id": self.line.id,
                **values,
            }
        )


class _CoreWorld:
    """As many contacts, and core's mailing to all of them."""

    def __init__(self, env, count):
        self.env = env
        self.count = count

    def draft(self):
        """Core's mailing to whoever has a number."""
        return self.env["mailing.mailing"].create(
            {
                "mailing_type": "sms",
                "subject": "Bench",
                "body_plaintext": _composer.TEXT,
                "mailing_model_id": self.env["ir.model"]._get_id("res.partner"),
                "mailing_domain": "[('phone_sanitized', '=like', '+98912%')]",
                "keep_archives": False,
            }
        )


def _timed(world, way):
    """Seconds of the processor of one way, into tables without rows."""
    env = world.env
    env.cr.execute(
        SQL(
            "TRUNCATE %s CASCADE",
            SQL(", ").join(
                SQL.identifier(env[model]._table) for model in TABLES if model in env
            ),
        )
    )
    subject = way(world, None)
    env.cr.commit()
    env.invalidate_all()
    began = processor(env)
    way(world, subject)
    env.cr.commit()
    seconds = processor(env) - began
    queued = _queued(env)
    if queued != world.count:
        raise AssertionError(f"{queued} queued instead of {world.count}")
    return seconds


def _queued(env):
    env.cr.execute("SELECT count(*) FROM sms_sms WHERE state = 'outgoing'")
    return env.cr.fetchone()[0]


def _ours(world, mailing):
    """Snapshot and messages, as the queue makes them."""
    if mailing is None:
        draft = world.draft()
        draft.action_put_in_queue()
        return draft
    while mailing._work_off_batch():
        world.env.cr.commit()
    return None


def _mailing(world, mailing):
    """Core's mailing."""
    if mailing is None:
        return world.draft()
    mailing.action_send_sms()
    return None


def _bare(world, ready):
    """The least: the same rows by INSERT … SELECT, every text the same."""
    if ready is None:
        return world.draft()
    world.env.cr.execute(
        """
        WITH message AS (
            INSERT INTO sms_sms
                   (uuid, number, body, partner_id, company_id, line_id,
                    message_class, state, mailing_id, create_uid, write_uid,
                    create_date, write_date)
            SELECT md5(random()::text || p.id), p.phone_sanitized,
                   'Dear guest, ' || p.name || ': here', p.id, %(company)s, %(line)s,
                   'advertising', 'outgoing', %(mailing)s, 1, 1, now(), now()
              FROM customer_segment_partner_rel r JOIN res_partner p
                ON p.id = r.partner_id
             WHERE r.segment_id = %(segment)s
         RETURNING id, uuid, partner_id, number),
        trace AS (
            INSERT INTO mailing_trace
                   (mass_mailing_id, model, res_id, sms_number, sms_id_int, sms_code,
                    trace_type, trace_status, create_uid, write_uid, create_date,
                    write_date)
            SELECT %(mailing)s, 'res.partner', partner_id, number, id, 'abc', 'sms',
                   'outgoing', 1, 1, now(), now()
              FROM message RETURNING id, sms_id_int),
        recipient AS (
            INSERT INTO mailing_recipient
                   (mailing_id, company_id, partner_id, segment_id, number, state,
                    queued_at, part_count)
            SELECT %(mailing)s, %(company)s, partner_id, %(segment)s, number, 'queued',
                   now(), 1
              FROM message RETURNING id, number),
        counted AS (
            INSERT INTO sms_advertising (company_id, number, due_at, sms_uuid)
            SELECT %(company)s, number, now(), uuid FROM message)
        INSERT INTO sms_tracker
               (sms_uuid, mailing_trace_id, line_id, source, create_uid, write_uid,
                create_date, write_date)
        SELECT message.uuid, trace.id, %(line)s, 'mailing.recipient,' || recipient.id,
               1, 1, now(), now()
          FROM trace JOIN message ON message.id = trace.sms_id_int
          JOIN recipient ON recipient.number = message.number
        """,
        {
            "company": world.env.company.id,
            "line": world.line.id,
            "mailing": ready.id,
            "segment": world.segment.id,
        },
    )
    return None

"""How fast personal messages are queued and handed to a provider.

Queueing means rendering one text for everybody, asking who may be reached, and writing
the messages. Beside it stand the bare insert of the same rows, texts ready, and core's
composer, which does the same job in a database without this addon (without a note in
each contact's chatter, which it would write unless told not to). What counts there is
the time of the processor, Odoo's and PostgreSQL's: other work on the machine does not
change it much.

Sending goes over a real socket to dev/sms_provider.py, which takes a fixed time per
call: the rate that leaves is what the queue costs.
"""

import time

from sms_provider import KEY, SENDER, SmsProvider

from . import _composer
from ._figures import Figure, number, processor, ratio

MAXIMUM_TIMES_BARE = 4.0
MINIMUM_TIMES_COMPOSER = 10.0
MAXIMUM_GROWTH = 1.3
MINIMUM_SHARE = 0.8
CALL_SECONDS = 0.2
ROUNDS = 3


def main(club, quick=False) -> list[Figure]:
    """Measure queueing and sending.

    :param Club club: the database
    :param bool quick: fewer messages
    :return: the figures
    """
    count = 1_000 if quick else 10_000
    with club.orm() as env:
        # First: what is queued below and undone leaves its dead rows behind.
        figures = _sending(env, 600 if quick else 3_000)
    with (
        club.orm() as env,
        _composer.ready(club.environment, count) as core,
    ):
        figures += _queueing(env, core, count, quick)
        env.cr.rollback()
        core.cr.rollback()
    return figures


def _line(env, **values):
    return env["sms.line"].create(
        {
            "name": "Bench",
            "message_class": "service",
            "gateway": "test",
            "company_id": env.company.id,
            **values,
        }
    )


# === QUEUEING === #


def _queueing(env, core, count, quick):
    line, template = _line(env), _template(env)
    everybody = env["res.partner"].search([("phone_sanitized", "!=", False)])
    env.cr.execute("UPDATE res_partner SET city = 'Tehran' WHERE city IS NULL")
    env.invalidate_all()
    partners = everybody[:count]
    theirs = core["res.partner"].search([("phone_sanitized", "!=", False)])
    core_template = _template(core)
    if len(theirs) != len(partners):
        raise AssertionError(f"{len(theirs)} and {len(partners)} recipients")
    _queue(env, line, template, partners[:100])  # warm
    _composer.queue(core, theirs[:100], core_template)
    ours, bare, composer = [], [], []
    for _round in range(ROUNDS):
        composer.append(
            _timed(core, lambda: _composer.queue(core, theirs, core_template))
        )
        ours.append(_timed(env, lambda: _queue(env, line, template, partners)))
        bare.append(_timed(env, lambda: _bare(env, line, partners)))
    figures = [
        Figure(
            f"{count:,} personal messages queued, times faster than core's composer",
            ratio(composer, ours),
            MINIMUM_TIMES_COMPOSER,
            note=f"{_each(ours, count)} and {_each(composer, count)} a message",
        ),
        Figure(
            "the same, times the bare insert of the rows, texts ready",
            ratio(ours, bare),
            MAXIMUM_TIMES_BARE,
            sense="<=",
            note=f"bare {_each(bare, count)}",
        ),
    ]
    if not quick:
        large = _timed(env, lambda: _queue(env, line, template, everybody))
        times = len(everybody) / count
        figures.append(
            Figure(
                f"{len(everybody):,} queued at once, of {times:.0f} times {count:,}",
                large / times / sorted(ours)[ROUNDS // 2],
                MAXIMUM_GROWTH,
                sense="<=",
                note=_each([large], len(everybody)),
            )
        )
    return figures


def _template(env):
    return env["sms.template"].create(
        {
            "name": "Bench",
            "body": _composer.TEXT,
            "model_id": env["ir.model"]._get_id("res.partner"),
        }
    )


def _timed(env, step):
    """Seconds of the processor of one step, which is undone."""
    env.flush_all()
    env.invalidate_all()
    with env.cr.savepoint() as savepoint:
        began = processor(env)
        step()
        seconds = processor(env) - began
        savepoint.rollback()
    env.invalidate_all(flush=False)
    return seconds


def _each(rounds, count):
    return f"{sorted(rounds)[len(rounds) // 2] / count * 1e6:.0f} µs"


def _queue(env, line, template, partners):
    """As the club's check-ins and the actions of segments do."""
    texts = template._render_field("body", partners.ids, compute_lang=True)
    numbers = partners._get_sms_numbers(line.company_id)
    results = line._queue_messages(
        [
            {
                "number": numbers[partner_id],
                "body": texts[partner_id],
                "partner_id": partner_id,
                "template_id": template.id,
                "res_id": partner_id,
            }
            for partner_id in partners.ids
        ]
    )
    env.flush_all()
    if refused := [reason for _id, reason in results if reason]:
        raise AssertionError(f"{len(refused)} refused: {refused[0]}")


def _bare(env, line, partners):
    """The same rows by one statement, texts ready."""
    env.cr.execute(
        """
        INSERT INTO sms_sms (uuid, number, body, partner_id, state, line_id, company_id,
                             message_class, create_uid, write_uid, create_date,
                             write_date)
        SELECT md5(random()::text || id), phone_sanitized,
               'Dear ' || name || ', welcome to the club in Tehran, Iran!', id,
               'outgoing', %s, %s, 'service', 1, 1, now(), now()
          FROM res_partner WHERE id = ANY(%s)
        """,
        (line.id, env.company.id, partners.ids),
    )


# === SENDING === #


def _sending(env, count):
    """The queue beside bare calls of the same gateway over the same socket."""
    with SmsProvider() as provider:
        provider.delay = CALL_SECONDS
        line = _line(
            env,
            gateway="kavenegar",
            sender=SENDER,
            api_key=KEY,
            allow_private=True,
            base_url=provider.url("kavenegar"),
        )
        env.cr.commit()
        shares, ours = [], []
        for turn in range(ROUNDS):
            numbers = [
                f"+98912555{n:04d}" for n in range(turn * count, (turn + 1) * count)
            ]
            bare = _call(line, numbers)
            ours.append(_send(env, line, numbers))
            shares.append(bare / ours[-1])
        taken, calls = len(provider.accepted), provider.calls
        if taken != 2 * ROUNDS * count:
            raise AssertionError(f"{taken} taken instead of {2 * ROUNDS * count}")
        line.write({"paused": True})
        env.cr.commit()
    overhead = [
        seconds * (1 - share) for seconds, share in zip(ours, shares, strict=True)
    ]
    return [
        Figure(
            f"sending {count:,} messages, share of the provider's batch rate",
            sorted(shares)[ROUNDS // 2],
            MINIMUM_SHARE,
            note=f"{number(count / sorted(ours)[ROUNDS // 2])} a second in calls of "
            f"{taken / calls:.0f} and {CALL_SECONDS} s; the queue takes "
            f"{_each(overhead, count)} a message",
        )
    ]


def _call(line, numbers):
    """Seconds of the provider's own rate: one batch after the other, nothing stored."""
    from odoo.addons.customer_segmentation.tools.gateways import Item

    items = [
        Item(ref=at, number=one, text=f"Hello {one}")
        for at, one in enumerate(numbers, start=int(numbers[0][1:]))
    ]
    with line._connect() as gateway:
        began = time.perf_counter()
        gateway.send(items)
        return time.perf_counter() - began


def _send(env, line, numbers):
    line._queue_messages([{"number": one, "body": f"Hello {one}"} for one in numbers])
    env.cr.commit()
    began = time.perf_counter()
    while env["sms.queue"]._send_slice()[1]:
        pass
    return time.perf_counter() - began

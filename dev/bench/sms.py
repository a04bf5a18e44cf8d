"""How fast messages are queued and handed to a provider.

Queueing is set beside the bare insert of the same rows, message and tracker, and beside
core's composer. Sending goes over a real socket to dev/sms_provider.py, which takes a
fixed time per call: the rate that leaves is what the queue costs.
"""

import time
import uuid

from sms_provider import KEY, SENDER, SmsProvider

from ._figures import Figure, number, ratio

MAXIMUM_TIMES_BARE = 4.0
MINIMUM_TIMES_COMPOSER = 10.0
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
    figures = []
    with club.orm() as env:
        figures += _queueing(env, count)
        env.cr.rollback()
    with club.orm() as env:
        figures += _sending(env, min(count, 4_000))
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


def _queueing(env, count):
    line = _line(env)
    partners = env["res.partner"].search(
        [("phone_sanitized", "!=", False)], limit=count
    )
    template = env.company.club_welcome_template_id
    _queue(env, line, partners[:100])  # warm
    ours, bare, composer = [], [], []
    for _round in range(ROUNDS):
        env.invalidate_all()
        ours.append(_queue(env, line, partners))
        bare.append(_bare(env, line, partners))
    sample = partners[: max(200, count // 10)]
    for _round in range(ROUNDS):
        env.invalidate_all()
        composer.append(_composer(env, template, sample) / len(sample))
    per_message = [seconds / len(partners) for seconds in ours]
    return [
        Figure(
            f"{len(partners)} written messages queued, times the bare insert",
            ratio(ours, bare),
            MAXIMUM_TIMES_BARE,
            sense="<=",
            note=f"{number(len(partners) / ours[-1])} a second; "
            f"bare {number(len(partners) / bare[-1])}",
        ),
        Figure(
            "the same, times faster than core's composer",
            ratio(composer, per_message),
            MINIMUM_TIMES_COMPOSER,
            note=f"composer {number(1 / composer[-1])} a second, {len(sample)} at once",
        ),
    ]


def _queue(env, line, partners):
    messages = [
        {
            "number": partner.phone_sanitized,
            "body": f"Welcome to the club, {partner.name}",
            "partner_id": partner.id,
        }
        for partner in partners
    ]
    began = time.perf_counter()
    line._queue_messages(messages)
    env.flush_all()
    return time.perf_counter() - began


def _bare(env, line, partners):
    """The same rows by one statement a table, texts ready."""
    rows = [
        (uuid.uuid4().hex, partner.phone_sanitized, partner.id) for partner in partners
    ]
    began = time.perf_counter()
    uuids, numbers, ids = map(list, zip(*rows, strict=True))
    env.cr.execute(
        """
        INSERT INTO sms_sms (uuid, number, body, partner_id, state, line_id, company_id,
                             message_class, create_uid, write_uid, create_date,
                             write_date)
        SELECT u, n, 'Welcome to the club, ' || n, p, 'outgoing', %s, %s, 'service',
               1, 1, now(), now()
          FROM unnest(%s, %s, %s) AS t(u, n, p)
        """,
        (line.id, env.company.id, uuids, numbers, ids),
    )
    env.cr.execute(
        "INSERT INTO sms_tracker (sms_uuid, line_id) SELECT u, %s FROM unnest(%s) t(u)",
        (line.id, uuids),
    )
    return time.perf_counter() - began


def _composer(env, template, partners):
    composer = env["sms.composer"].with_context(active_model="res.partner")
    began = time.perf_counter()
    composer.create(
        {
            "res_model": "res.partner",
            "res_ids": repr(partners.ids),
            "composition_mode": "mass",
            "template_id": template.id,
            "body": template.body,
            "mass_force_send": False,
            "mass_keep_log": False,
        }
    )._action_send_sms()
    env.flush_all()
    return time.perf_counter() - began


# === SENDING === #


def _sending(env, count):
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
        line._queue_messages(
            [
                {"number": f"+98912555{turn:04d}", "body": f"Hello {turn}"}
                for turn in range(count)
            ]
        )
        env.cr.commit()
        began = time.perf_counter()
        while env["sms.queue"]._send_slice()[1]:
            pass
        seconds = time.perf_counter() - began
        taken = len(provider.accepted)
        calls = provider.calls
        line.write({"paused": True})
        env.cr.commit()
    overhead = (seconds - calls * CALL_SECONDS) / max(taken, 1)
    return [
        Figure(
            f"sending {taken} messages, share of the provider's batch rate",
            calls * CALL_SECONDS / seconds,
            MINIMUM_SHARE,
            note=f"{number(taken / seconds)} a second, {calls} calls of "
            f"{CALL_SECONDS} s; overhead {overhead * 1e6:.0f} µs a message",
        )
    ]

"""How a group message grows: 100,000 and 1,000,000 recipients, prepared, queued and
looked at; and an e-mail to as many.

In a database of its own, committed batch by batch as the queue does. Nothing is sent.
"""

import time

from bootstrap.paths import step
from lxml import etree

from . import _audience, _composer
from ._figures import Figure
from .form import _fields_of
from .segments import _forget_peak, _resident

OWN_DATABASES = True
SIZES = (10_000, 100_000)
LINEAR, FORM_SECONDS, MEMORY_MB = 1.3, 2.0, 200
SLICE_SECONDS = 2.0  # that other jobs wait


def main(environment, quick=False, sizes=None) -> list[Figure]:
    """Measure campaigns to everybody, at several sizes.

    :param environment: of the databases
    :param bool quick: only a fifth of the recipients is queued
    :param list sizes: numbers of contacts
    :return: the figures
    """
    measured, figures = {}, []
    for size in sorted(sizes or SIZES):
        with (
            _audience.ready(environment, size) as audience,
            audience.orm() as env,
            step(f"a campaign to {size:,}"),
        ):
            measured[size] = _measure(env, audience, 0.2 if quick else 1.0)
    smallest = min(measured)
    for size, found in measured.items():
        prepared, longest, queued, counted, form, peak, late = found
        times = size / smallest
        if size > smallest:
            figures += [
                Figure(
                    f"{size:,} {what}, of {times:g} times {smallest:,}",
                    seconds / (times * of_smallest),
                    LINEAR,
                    "<=",
                    note=f"{seconds:.1f} s",
                )
                for what, seconds, of_smallest in (
                    ("prepared", prepared, measured[smallest][0]),
                    ("queued", queued, measured[smallest][2]),
                    ("results counted", counted, measured[smallest][3]),
                )
            ]
        figures += [
            Figure(
                f"longest slice of {size:,} recipients, seconds",
                longest,
                SLICE_SECONDS,
                "<=",
            ),
            Figure(
                f"form of a campaign to {size:,}, seconds",
                form,
                FORM_SECONDS,
                "<=",
                note=f"{form:.2f} s",
            ),
            Figure(f"memory of the process for {size:,}", peak, MEMORY_MB, "<=", " MB"),
            Figure(
                f"the last e-mails of {size:,}, of the first as many",
                late,
                LINEAR,
                "<=",
            ),
        ]
    return figures


def _measure(env, audience, share):
    """Launch, prepare and queue one campaign to everybody, then open its form.

    :param float share: of the recipients are queued
    :return: seconds to prepare all, of the longest slice, to queue all, to count
        results, seconds of the form, MB at the peak,
        and of an e-mail the time of the last batches by that of the first
    """
    env = env(user=env.ref("base.user_admin"))
    company = env["res.company"].browse(audience.company_id)
    company.sudo().write({"sms_cap_day": 0, "sms_cap_week": 0})
    # Everybody may be reached: what is measured is the work.
    company.sudo().sms_consent_basis = "relation"
    env.user.write({"company_ids": [(4, company.id)], "company_id": company.id})
    env = env(context={**env.context, "allowed_company_ids": company.ids})
    line = env["sms.line"].create(
        {
            "name": "Bench",
            "company_id": company.id,
            "message_class": "advertising",
            "gateway": "test",
            "window_start": 0,
            "window_end": 24,
        }
    )
    group = env["customer.segment"].create(
        {"name": "Everybody", "kind": "static", "company_id": company.id}
    )
    env.flush_all()
    env.cr.execute(
        """
        INSERT INTO customer_segment_partner_rel (segment_id, partner_id)
        SELECT %s, id FROM res_partner WHERE active AND phone_sanitized IS NOT NULL
        """,
        [group.id],
    )
    env.cr.execute("ANALYZE customer_segment_partner_rel")
    mailing = env["mailing.mailing"].create(
        {
            "mailing_type": "sms",
            "subject": "Bench",
            "company_id": company.id,
            "audience_mode": "segments",
            "audience_segment_ids": group.ids,
            "line_id": line.id,
            "body_plaintext": _composer.TEXT,
        }
    )
    mailing.action_put_in_queue()
    env.cr.commit()
    before = _resident("VmRSS")
    _forget_peak()
    prepared = []
    while not mailing.is_prepared:
        prepared.append(_seconds(env, mailing._work_off_batch))
    waiting = env["mailing.recipient"].search_count(
        [("mailing_id", "=", mailing.id), ("state", "=", "waiting")]
    )
    if waiting < 0.5 * audience.size:
        raise AssertionError(f"only {waiting} of {audience.size} would get it")
    batches = max(1, round(share * waiting / 1000))
    queued = 0.0
    for _batch in range(batches):
        queued += _seconds(env, mailing._work_off_batch)
    queued *= waiting / min(waiting, batches * 1000)
    peak = _resident("VmHWM") - before
    view = env.ref("customer_segmentation.mailing_campaign_form")
    arch = mailing.get_view(view.id, "form")["arch"]
    specification = _fields_of(mailing, etree.fromstring(arch))
    counted = _seconds(env, mailing.refresh_results)
    form = _seconds(env, lambda: mailing.web_read(specification))
    return (
        *(sum(prepared), max(prepared), queued, counted),
        *(form, peak, _mails(env, mailing)),
    )


def _mails(env, mailing):
    """An e-mail to the same, first with nobody written to, then with nearly all."""
    mails = mailing.copy(
        {
            "mailing_type": "mail",
            "email_from": "shop@example.com",
            "body_html": "<p>Dear guest</p>",
            "audience_mode": "segments",
            "audience_segment_ids": mailing.audience_segment_ids.ids,
        }
    )
    mails.action_put_in_queue()
    env.cr.commit()
    while not mails.is_prepared:
        mails._prepare()
        env.cr.commit()
    first = _per_mail(env, mails)
    env.cr.execute(
        """
        WITH mailed AS (
            UPDATE mailing_recipient SET state = 'queued', queued_at = now()
             WHERE mailing_id = %(id)s AND state = 'waiting' AND id <= (
                   SELECT max(id) - 5000 FROM mailing_recipient
                    WHERE mailing_id = %(id)s)
         RETURNING partner_id, number)
        INSERT INTO mailing_trace (mass_mailing_id, model, res_id, email, trace_type,
                                   trace_status)
        SELECT %(id)s, 'res.partner', partner_id, number, 'mail', 'sent' FROM mailed
        """,
        {"id": mails.id},
    )
    env.cr.commit()
    _per_mail(env, mails)
    return _per_mail(env, mails) / first


def _per_mail(env, mails):
    """Seconds of one e-mail in a slice of the queue."""
    env.invalidate_all()
    before = mails.queued_count
    seconds = _seconds(env, mails._action_send_mail)
    return seconds / (mails.queued_count - before)


def _seconds(env, work):
    began = time.perf_counter()
    work()
    env.flush_all()
    env.cr.commit()
    seconds = time.perf_counter() - began
    env.invalidate_all()
    return seconds

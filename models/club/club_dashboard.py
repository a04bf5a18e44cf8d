from datetime import timedelta

import pytz

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from ...tools.midnight import midnight
from ...tools.placeholder import is_persian
from ...tools.sms_text import to_persian_digits
from .club_dashboard_base import CLUB_USER

# Hours a chart of a day always shows; busier ones widen it.
FIRST_HOUR, LAST_HOUR = 8, 21
SENT_STATES = ("pending", "sent")
WAITING_STATES = ("outgoing", "process")


class ClubDashboard(models.AbstractModel):
    """What happened in the club: every figure together with the list behind it.

    Figures are read as the user, in the current company and by the days of its time
    zone, so that a figure and its list cannot disagree.
    """

    _name = "club.dashboard"
    _description = "Club Today"
    _inherit = [
        "club.dashboard.attention",
        "club.dashboard.caller",
        "club.dashboard.onboarding",
    ]

    # === PUBLIC METHODS === #

    @api.model
    @api.readonly
    def get_figures(self, period="today", branch=False):
        """Everything the screen «Today» shows.

        :param str period: ``today``, ``yesterday``, ``7_days``, ``30_days`` or
            ``month``; whoever sees only today's check-ins gets today
        :param str branch: a branch of the devices, False for all
        :return: groups of tiles, charts, devices, what needs a person, and the
            onboarding steps until the first real check-in; a figure's ``action`` opens
            exactly what it counts
        :rtype: dict
        :raise AccessError: for whoever may not read check-ins
        """
        self.env["club.checkin"].check_access("read")
        is_user = self.env.user.has_group(CLUB_USER)
        labels = self._get_periods() if is_user else self._get_periods()[:1]
        if period not in dict(labels):
            period = "today"
        devices = self._get_devices()
        branches = sorted({device.branch for device in devices if device.branch})
        if branch not in branches:
            branch = False
        if branch:
            devices = devices.filtered(lambda device: device.branch == branch)
        window = self._get_window(period)
        domain = self._get_scope_domain(devices, branch)
        visits, charts = self._get_visits(domain, window, period)
        messages = self._get_messages(domain, window)
        groups = [visits, messages]
        if is_user:
            groups.insert(1, self._get_members(devices, branch, window))
        shown = devices.filtered("active")
        return {
            "company": self.env.company.name,
            "periods": [{"key": key, "label": label} for key, label in labels],
            "period": period,
            "period_text": self._get_period_text(window),
            "branches": branches,
            "branch": branch,
            "groups": groups,
            "charts": charts,
            "devices": self._get_device_rows(shown, domain, window),
            "attention": self._get_attention(shown, domain, window),
            "onboarding": self._get_onboarding(),
            "can_find_callers": is_user,
        }

    # === PERIOD AND SCOPE === #

    def _get_periods(self):
        return [
            ("today", self.env._("Today")),
            ("yesterday", self.env._("Yesterday")),
            ("7_days", self.env._("7 days")),
            ("30_days", self.env._("30 days")),
            ("month", self.env._("This month")),
        ]

    def _get_window(self, period):
        """First day, day after the last, and both midnights in UTC."""
        zone = pytz.timezone(self.env.company.club_tz or "UTC")
        now = pytz.utc.localize(fields.Datetime.now()).astimezone(zone)
        today = now.date()
        first, after = {
            "today": (today, today + timedelta(days=1)),
            "yesterday": (today - timedelta(days=1), today),
            "7_days": (today - timedelta(days=6), today + timedelta(days=1)),
            "30_days": (today - timedelta(days=29), today + timedelta(days=1)),
            "month": (today.replace(day=1), today + timedelta(days=1)),
        }[period]
        return {
            "first": first,
            "last": after - timedelta(days=1),
            "start": _midnight(first, zone),
            "end": _midnight(after, zone),
        }

    def _get_period_text(self, window):
        write = self.env["sms.placeholder"]._date
        first, last = (write(window[key], self.env.lang) for key in ("first", "last"))
        return first if first == last else f"{first} – {last}"

    def _get_devices(self):
        """Devices of the company, archived ones too: their visits still count."""
        return (
            self.env["club.device"]
            .with_context(active_test=False)
            .search_fetch(
                [("company_id", "=", self.env.company.id)],
                ["name", "branch", "state", "active"],
            )
        )

    def _get_scope_domain(self, devices, branch):
        domain = Domain("company_id", "=", self.env.company.id)
        return domain & Domain("device_id", "in", devices.ids) if branch else domain

    def _get_visit_domain(self, domain, window):
        """Check-ins that happened in the period.

        Nothing arrives before it happens, so the condition on the arrival changes
        nothing but lets the index work.
        """
        return (
            domain
            & Domain("occurred_at", ">=", window["start"])
            & Domain("occurred_at", "<", window["end"])
            & Domain("arrived_at", ">=", window["start"])
        )

    # === FIGURES === #

    def _get_visits(self, domain, window, period):
        """The tiles of the visits and their charts, by hour and by day."""
        self.env["club.checkin"].flush_model(["result", "counted"])
        domain = self._get_visit_domain(domain, window)
        by_hour, by_day = {}, {}
        counts = {"new": 0, "repeat": 0}
        not_counted = 0
        for day, hour, result, counted, count in self._count_visits(domain):
            if not counted:
                not_counted += count
                continue
            # A visit is a first or a further one; what is not «new» is a further one.
            kind = "new" if result == "new" else "repeat"
            counts[kind] += count
            for sums, key in ((by_hour, hour), (by_day, day)):
                sums[key, kind] = sums.get((key, kind), 0) + count
        counted_domain = domain & Domain("counted", "=", True)
        first_domain = counted_domain & Domain("result", "=", "new")
        repeat_domain = counted_domain & Domain("result", "!=", "new")
        total = counts["new"] + counts["repeat"]
        tiles = [
            self._checkin_tile(
                "visits", self.env._("Visits"), total, counted_domain, "fa-sign-in"
            ),
            self._checkin_tile(
                "first",
                self.env._("First visits"),
                counts["new"],
                first_domain,
                "fa-star-o",
            ),
            self._checkin_tile(
                "repeat",
                self.env._("Repeat visits"),
                counts["repeat"],
                repeat_domain,
                "fa-repeat",
            ),
            self._checkin_tile(
                "not_counted",
                self.env._("Not counted"),
                not_counted,
                domain & Domain("counted", "=", False),
                "fa-ban",
                hint=self.env._("Too soon after the last visit, or not a customer"),
            ),
        ]
        charts = [self._get_hour_chart(by_hour, counted_domain)]
        if window["first"] != window["last"]:
            charts.insert(0, self._get_day_chart(by_day, counted_domain, window))
        group = {"key": "visits", "label": self.env._("Visits"), "tiles": tiles}
        return group, charts if total else []

    def _count_visits(self, domain):
        """Check-ins by day and hour of the club, result, and whether they count.

        In SQL because the ORM groups by the reader's time zone only; the record rules
        come with ``_search``.
        """
        query = self.env["club.checkin"]._search(domain)
        checkin = query.table
        local = SQL(
            "(%s AT TIME ZONE 'UTC' AT TIME ZONE %s)",
            self.env["club.checkin"]._field_to_sql(checkin, "occurred_at", query),
            self.env.company.club_tz or "UTC",
        )
        rows = query.subselect(
            SQL("%s::date AS day", local),
            SQL("extract(hour FROM %s)::int AS hour", local),
            SQL.identifier(checkin, "result"),
            SQL.identifier(checkin, "counted"),
        )
        return self.env.execute_query(
            SQL(
                """
                SELECT day, hour, result, counted, count(*)
                  FROM %s visits
                 GROUP BY day, hour, result, counted
                """,
                rows,
            )
        )

    def _get_hour_chart(self, sums, domain):
        hours = [hour for hour, _kind in sums]
        first = min([FIRST_HOUR, *hours])
        last = max([LAST_HOUR, *hours])
        bars = range(first, last + 1)
        write = to_persian_digits if is_persian(self.env.lang) else str
        return self._prepare_chart(
            "hour",
            self.env._("By hour"),
            sums,
            bars,
            [write(f"{hour}:00") for hour in bars],
            [domain & Domain("occurred_hour", "=", hour) for hour in bars],
        )

    def _get_day_chart(self, sums, domain, window):
        write = self.env["sms.placeholder"]._date
        zone = pytz.timezone(self.env.company.club_tz or "UTC")
        days = [
            window["first"] + timedelta(days=number)
            for number in range((window["last"] - window["first"]).days + 1)
        ]
        return self._prepare_chart(
            "day",
            self.env._("By day"),
            sums,
            days,
            [write(day, self.env.lang, year=False) for day in days],
            [
                domain
                & Domain("occurred_at", ">=", _midnight(day, zone))
                & Domain("occurred_at", "<", _midnight(day + timedelta(days=1), zone))
                for day in days
            ],
        )

    def _prepare_chart(self, key, label, sums, bars, labels, domains):
        return {
            "key": key,
            "label": label,
            "labels": labels,
            "series": [
                {
                    "key": kind,
                    "label": text,
                    "values": [sums.get((bar, kind), 0) for bar in bars],
                }
                for kind, text in (
                    ("new", self.env._("First visits")),
                    ("repeat", self.env._("Repeat visits")),
                )
            ],
            # One action, one domain per bar: thirty whole actions would weigh more
            # than all the rest.
            "action": self._prepare_checkin_action(self.env._("Visits"), Domain.TRUE),
            "domains": [list(domain) for domain in domains],
        }

    def _get_members(self, devices, branch, window):
        # The last visit is not before the first: the condition lets the index work.
        domain = (
            Domain("company_id", "=", self.env.company.id)
            & Domain("first_visit", ">=", window["start"])
            & Domain("first_visit", "<", window["end"])
            & Domain("last_visit", ">=", window["start"])
        )
        if branch:
            domain &= Domain("joined_device_id", "in", devices.ids)
        tile = {
            "key": "new_members",
            "label": self.env._("New members"),
            "value": self.env["club.member"].search_count(domain),
            "icon": "fa-user-plus",
            "tone": "",
            "hint": self.env._("Members whose first visit was in this period"),
            "action": self._prepare_action(
                self.env._("New members"), "club.member", domain
            ),
        }
        return {"key": "members", "label": self.env._("Members"), "tiles": [tile]}

    def _get_messages(self, domain, window):
        """The tiles of the messages of check-ins.

        Counted in the journal: ``sms.sms`` rows are tidied away once they are sent.
        """
        domain = self._get_arrival_domain(domain, window) & Domain(
            "message_state", "!=", False
        )
        counts = dict(
            self.env["club.checkin"]._read_group(domain, ["message_state"], ["__count"])
        )
        tiles = [
            self._message_tile(key, label, states, icon, tone, counts, domain)
            for key, label, states, icon, tone in (
                ("sent", self.env._("Sent"), SENT_STATES, "fa-check", ""),
                (
                    "waiting",
                    self.env._("Waiting"),
                    WAITING_STATES,
                    "fa-clock-o",
                    "warning",
                ),
                (
                    "failed",
                    self.env._("Failed"),
                    ("error",),
                    "fa-exclamation",
                    "danger",
                ),
            )
        ]
        credit = self._get_sms_credit()
        if credit is not None:
            tiles.append(
                {
                    "key": "credit",
                    "label": self.env._("SMS credit"),
                    "value": credit,
                    "icon": "fa-credit-card",
                    "tone": "",
                    "hint": "",
                    "action": False,
                }
            )
        return {"key": "messages", "label": self.env._("Messages"), "tiles": tiles}

    def _get_sms_credit(self):
        """What is left at the SMS gateway; a hook for gateways that tell.

        :return: a number, or None when it is not known
        """

    def _message_tile(self, key, label, states, icon, tone, counts, domain):
        value = sum(counts.get(state, 0) for state in states)
        return self._checkin_tile(
            key,
            label,
            value,
            domain & Domain("message_state", "in", list(states)),
            icon,
            tone=tone if value else "",
        )

    def _checkin_tile(self, key, label, value, domain, icon, tone="", hint=""):
        return {
            "key": key,
            "label": label,
            "value": value,
            "icon": icon,
            "tone": tone,
            "hint": hint,
            "action": self._prepare_checkin_action(label, domain),
        }

    # === DEVICES === #

    def _get_device_rows(self, devices, domain, window):
        visits_domain = self._get_visit_domain(domain, window) & Domain(
            "counted", "=", True
        )
        counts = dict(
            self.env["club.checkin"]._read_group(
                visits_domain, ["device_id"], ["__count"]
            )
        )
        states = dict(devices._fields["state"]._description_selection(self.env))
        unseen = self._get_unseen_devices(devices)
        return [
            {
                "id": device.id,
                "name": device.name,
                "branch": device.branch or "",
                "state": device.state,
                "state_label": states[device.state],
                "last_seen": fields.Datetime.to_string(device.last_seen) or False,
                "is_unseen": device in unseen,
                "waiting": device.queue_length,
                "visits": counts.get(device, 0),
                "visits_action": self._prepare_checkin_action(
                    device.name, visits_domain & Domain("device_id", "=", device.id)
                ),
                "action": self._prepare_form_action("club.device", device.id),
            }
            for device in devices
        ]


def _midnight(day, zone):
    """Start of a local day as domains take it: a UTC string."""
    return fields.Datetime.to_string(midnight(day, zone))

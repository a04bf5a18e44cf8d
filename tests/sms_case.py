"""Lines over a server that behaves like a provider, in one transaction."""

import contextlib

from sms_provider import KEY, PASSWORD, SENDER, USERNAME, SmsProvider

from odoo.tests import HttpCase
from odoo.tools import SQL

from .gateway_case import ProviderReachable


class SmsBuilders(ProviderReachable):
    """Mixed into a club's test case."""

    gateway = "kavenegar"

    def setUp(self):
        super().setUp()
        self.provider = SmsProvider().start()
        self.addCleanup(self.provider.stop)
        self.line = self.build_line()

    def build_line(self, company=None, gateway=None, **values):
        """A line of the provider; its company's first service line unless named."""
        company = company or self.company
        gateway = gateway or self.gateway
        values = {
            "gateway": gateway,
            "sender": SENDER,
            "api_key": KEY,
            "username": USERNAME,
            "password": PASSWORD,
            "base_url": self.provider.url(gateway),
            "allow_private": True,
            "user_id": self.env.user.id,
            **values,
        }
        line = company._get_sms_line("service")
        if "name" in values:
            return self.env["sms.line"].create({"company_id": company.id, **values})
        line.write(values)
        return line

    def queue(self, count=1, line=None, start=0, **values):
        """Queue messages to numbers nobody has.

        :return: ``sms.sms``
        """
        messages = [
            {"number": f"+9891299{turn:05d}", "body": f"Hello {turn}", **values}
            for turn in range(start, start + count)
        ]
        results = (line or self.line)._queue_messages(messages)
        self.assertFalse([reason for _sms, reason in results if reason])
        return self.env["sms.sms"].browse(sms_id for sms_id, _reason in results)

    def run_queue(self, times=1, step="_send_slice"):
        """Let the queue work, a slice at a time."""
        self.env.flush_all()
        # An HttpCase is in test mode all the time.
        mode = (
            contextlib.nullcontext()
            if isinstance(self, HttpCase)
            else self.enter_registry_test_mode()
        )
        with mode:
            for _turn in range(times):
                with self.registry.cursor() as cr:
                    queue = self.env(cr=cr)["sms.queue"]
                    result = getattr(queue, step)()
        self.env.invalidate_all()
        return result

    def past(self, messages, **minutes):
        """Move moments of messages back in time, ``claimed_at=11``."""
        self.env.flush_all()
        # Odoo's moments are whole seconds: a rest of one would still lie ahead.
        for name, back in minutes.items():
            self.env.execute_query(
                SQL(
                    "UPDATE sms_sms SET %s = "
                    "date_trunc('second', now() AT TIME ZONE 'UTC') "
                    "- make_interval(mins => %s) WHERE id = ANY(%s) RETURNING 1",
                    SQL.identifier(name),
                    back,
                    messages.ids,
                )
            )
        self.env.invalidate_all()

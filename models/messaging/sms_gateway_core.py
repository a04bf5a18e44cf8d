"""The providers that Odoo itself has, IAP and Twilio, as a gateway of ours."""

import logging

from ...tools.gateways import Caps, Gateway, Result

_logger = logging.getLogger(__name__)

KINDS = {
    "insufficient_credit": "credit",
    "unregistered": "key",
    "registration_needed": "line",
    "wrong_number_format": "number",
    "sms_number_missing": "number",
    "country_not_supported": "number",
    "server_error": "server",
}
LATER = ("credit", "key", "line")


class CoreGateway(Gateway):
    """Sends with whatever provider the line's company uses.

    Unlike the others it needs the database; ``uuids`` maps references to the
    messages' own ids, which core's provider reports delivery by.
    """

    caps = Caps(max_batch=500)

    def __init__(self, line):
        super().__init__({})
        self.line = line
        self.uuids = {}
        self.answers = []

    def _send(self, items):
        company = self.line.company_id
        with self.line.env["sms.queue"]._transaction() as queue:
            company = company.with_env(queue.env(context={}))
            company = company.with_company(company)
            api = company._get_sms_api_class()(company.env)
            api._set_company(company)
            messages = {}
            for item in items:
                number = {"uuid": self.uuids[item.ref], "number": item.number}
                messages.setdefault(item.text, []).append(number)
            try:
                answers = api._send_sms_batch(
                    [
                        {"content": text, "numbers": numbers}
                        for text, numbers in messages.items()
                    ],
                    delivery_reports_url=f"{company.get_base_url()}/sms/status",
                )
            except Exception as error:  # noqa: BLE001 - whatever it is, nobody knows
                _logger.warning("Line %s: %s", self.line.id, type(error).__name__)
                answers = []
        self.answers += answers
        by_uuid = {answer["uuid"]: answer for answer in answers}
        success = self.line.env["sms.sms"].IAP_TO_SMS_STATE_SUCCESS
        return [
            self._result(by_uuid.get(self.uuids[item.ref]), success) for item in items
        ]

    def _result(self, answer, success):
        if not answer:
            return Result("unknown", kind="server")
        state = answer["state"]
        if state in success:
            return Result("accepted")
        kind = KINDS.get(state, "unknown")
        outcome = "retry" if kind in LATER else "rejected"
        reason = answer.get("failure_reason") or ""
        return Result(outcome, kind=kind, code=state, message=str(reason))

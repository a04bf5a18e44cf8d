"""Problems a club device can meet, as RFC 9457 problem details.

``code`` fits a two-line display, ``retry`` tells the firmware what to do without
knowing HTTP: ``never`` drop the item, ``later`` keep it and try again, ``pair`` keep
the queue and ask for a new pairing code.
Source: docs/device-api.md, which device makers certify against.
"""

from dataclasses import dataclass

from odoo.tools.translate import LazyTranslate

_lt = LazyTranslate(__name__)

URN = "urn:problem-type:club-device:"


@dataclass(frozen=True)
class ProblemType:
    """One row of the table of refusals that devices know."""

    status: int
    code: str
    retry: str
    title: object


PROBLEM_TYPES = {
    "malformed": ProblemType(400, "E10", "never", _lt("The message cannot be read.")),
    "wrong-type": ProblemType(400, "E11", "never", _lt("A field has the wrong type.")),
    "missing-field": ProblemType(400, "E12", "never", _lt("A field is missing.")),
    "no-token": ProblemType(401, "E20", "pair", _lt("Connect this device first.")),
    "bad-token": ProblemType(401, "E21", "pair", _lt("Connect this device again.")),
    "invalid-phone": ProblemType(422, "E22", "never", _lt("Check the number.")),
    "not-mobile": ProblemType(422, "E23", "never", _lt("Enter a mobile number.")),
    "foreign-not-allowed": ProblemType(
        422, "E24", "never", _lt("Numbers from abroad are not accepted here.")
    ),
    "unknown-tag": ProblemType(
        422, "E25", "never", _lt("Choose a number from 1 to 8.")
    ),
    "event-id-reused": ProblemType(
        422, "E26", "never", _lt("This event number was used for another check-in.")
    ),
    "too-old": ProblemType(422, "E27", "never", _lt("This check-in is too old.")),
    "tag-required": ProblemType(422, "E28", "never", _lt("Choose a tag first.")),
    "device-inactive": ProblemType(
        403, "E30", "later", _lt("This device is suspended. Ask the manager.")
    ),
    "club-closed": ProblemType(403, "E31", "later", _lt("The club is closed for now.")),
    "method-not-allowed": ProblemType(405, "E40", "never", _lt("Method not allowed.")),
    "length-required": ProblemType(
        411, "E41", "never", _lt("Content-Length is needed.")
    ),
    "too-large": ProblemType(413, "E42", "never", _lt("The message is too large.")),
    "unsupported-media-type": ProblemType(
        415, "E43", "never", _lt("Send JSON or a form.")
    ),
    "in-progress": ProblemType(409, "E50", "later", _lt("Still working on it.")),
    "quota-exceeded": ProblemType(429, "E60", "later", _lt("Too many at once. Wait.")),
    "busy": ProblemType(503, "E61", "later", _lt("The server is busy. Wait.")),
    "bad-code": ProblemType(422, "E70", "never", _lt("Wrong or expired code.")),
    "pairing-locked": ProblemType(
        429, "E71", "later", _lt("Too many wrong codes. Wait 15 minutes.")
    ),
}


class Problem(Exception):
    """A refusal to be told to the device.

    :param str name: a key of :data:`PROBLEM_TYPES`
    :param str detail: what exactly is wrong, without any personal data
    :param int retry_after: seconds to wait, sent as ``Retry-After``
    :param dict headers: further response headers
    """

    def __init__(self, name, detail="", retry_after=None, headers=None):
        super().__init__(name)
        self.name = name
        self.type = PROBLEM_TYPES[name]
        self.detail = detail
        self.retry_after = retry_after
        self.headers = dict(headers or {})
        if retry_after is not None:
            self.headers["Retry-After"] = str(int(retry_after))

    def body(self, env):
        """The problem as a JSON-able dict, its title in ``env``'s language.

        :rtype: dict
        """
        body = {
            "type": URN + self.name,
            "title": env._(self.type.title),
            "status": self.type.status,
            "code": self.type.code,
            "retry": self.type.retry,
        }
        if self.detail:
            body["detail"] = self.detail
        if self.retry_after is not None:
            body["retry_after"] = int(self.retry_after)
        return body

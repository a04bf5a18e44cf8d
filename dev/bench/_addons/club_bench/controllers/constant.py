from odoo.http import Controller, request, route

# As long as the answer to a check-in.
ANSWER = {
    "event_id": "00000000-0000-0000",
    "tag": 1,
    "line1": "Welcome back",
    "line2": "Visit 3",
    "ascii1": "Welcome back",
    "ascii2": "Visit 3",
    "replayed": False,
    "result": "repeat",
    "visit_no": 3,
    "sms": "queued",
}


class ConstantRoute(Controller):
    """The floor that a check-in is compared with: no SQL, no work, one answer."""

    @route(
        "/club/bench/constant",
        type="http",
        auth="none",
        csrf=False,
        save_session=False,
    )
    def constant(self, **_params):
        return request.make_json_response(ANSWER)

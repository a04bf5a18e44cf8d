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

    @route(
        "/club/bench/s<int:n>", type="http", auth="none", csrf=False, save_session=False
    )
    def selects(self, n, **_params):
        for _ in range(n):
            request.env.cr.execute("SELECT 1")
        return request.make_json_response(ANSWER)

    @route("/club/bench/sql", type="http", auth="none", csrf=False, save_session=False)
    def sql(self, **_params):
        import json

        body = json.loads(request.httprequest.get_data())
        cr = request.env.cr
        cr.execute("SELECT id FROM club_device WHERE public_id = %s", ["x"])
        cr.execute(
            "INSERT INTO bench_visit (event_id, phone) VALUES (%s, %s) ON CONFLICT DO NOTHING",
            [body["event_id"], body["phone"]],
        )
        cr.execute(
            "INSERT INTO bench_counter AS c (phone, n) VALUES (%s, 1) ON CONFLICT (phone) DO UPDATE SET n = c.n + 1",
            [body["phone"]],
        )
        return request.make_json_response(ANSWER)

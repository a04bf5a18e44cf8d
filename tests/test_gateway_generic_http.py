from sms_provider import KEY

from odoo.tests import tagged

from ..tools.gateways import BadSettings, Status
from ..tools.gateways.generic_http import dig, fill
from .gateway_case import Faults, GatewayCase


@tagged("-at_install", "post_install")
class TestGatewayGenericHttp(Faults, GatewayCase):
    name = "generic_http"

    def settings(self, **values):
        return super().settings(
            **{
                "base_url": self.provider.url("generic"),
                "headers": "Authorization: Token {api_key}",
                "body": '{"to": "{local_number}", "text": "{text}", "ref": "{ref}"}',
                "success_key": "ok",
                "success_value": "true",
                "id_key": "data.ids.0",
                "error_key": "error.code",
                "error_map": "auth=key\ncredit=credit\nbad_number=number",
                "state_map": "DELIVRD=delivered",
                **values,
            }
        )

    def test_form_and_query(self):
        for method in ("POST", "GET"):
            body = "to={local_number}\ntext={text}\nfrom={sender}"
            gateway = self.connect(method=method, body_type="form", body=body)
            self.assertOutcomes(gateway.send(self.items()), accepted=1)

    def test_a_value_cannot_change_the_request(self):
        text = 'x", "to": "{number} {api_key}&to=0'
        item = self.items()[0]._replace(text=text)
        for body_type, body in (
            ("json", '{"to": "{local_number}", "text": "{text}"}'),
            ("form", "to={local_number}\ntext={text}"),
        ):
            self.connect(body_type=body_type, body=body).send([item])
            taken = self.provider.accepted[-1]
            self.assertEqual((taken.text, taken.number), (text, "09120000000"))

    def test_own_network_and_plain_http_are_refused(self):
        for url in (
            "http://127.0.0.1/x",
            "http://example.com/x",
            "ftp://x",
            "https://",
        ):
            with self.assertRaises(BadSettings):
                self.connect(base_url=url, allow_private=False)
        # Connected to, yet not a byte written: the name may lead anywhere.
        secure = self.provider.url("generic").replace("http://", "https://")
        gateway = self.connect(base_url=secure, allow_private=False)
        gateway.base = self.provider.url("generic")
        [result] = gateway.send(self.items())
        self.assertEqual((result.outcome, result.kind), ("retry", "setup"))
        self.assertFalse(self.provider.calls)

    def test_answer_in_another_form_is_unknown(self):
        gateway = self.connect(success_value="yes")
        self.assertOutcomes(gateway.send(self.items()), unknown=1)

    def test_broken_settings_are_refused(self):
        for broken in (
            {"body": "{"},
            {"error_map": "1=nonsense"},
            {"success_status": "ok"},
            {"base_url": ""},
        ):
            with self.assertRaises(BadSettings):
                self.connect(**broken)

    def test_pushed_report(self):
        self.assertEqual(
            self.gateway.parse_callback({"id": "5", "status": "DELIVRD"}),
            [Status("5", "delivered", "DELIVRD")],
        )

    def test_fill_and_dig(self):
        self.assertEqual(
            fill({"a": ["{x}{y}", 3]}, {"{x}": "{y}", "{y}": "1"}), {"a": ["{y}1", 3]}
        )
        answer = {"a": [{"b": True}], "n": None}
        for path, value in (("a.0.b", "true"), ("a.1.b", ""), ("n", ""), ("a", "")):
            self.assertEqual(dig(answer, path), value)
        self.assertNotIn(KEY, self.gateway.http.mask(f"key {KEY}"))

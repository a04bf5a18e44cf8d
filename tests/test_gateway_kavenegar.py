from unittest.mock import patch

from sms_provider import KEY

from odoo.tests import tagged

from ..tools.gateways import BadSettings, Inbound, Status
from .gateway_case import Faults, GatewayCase


@tagged("-at_install", "post_install")
class TestGatewayKavenegar(Faults, GatewayCase):
    name = "kavenegar"

    def test_a_batch_is_one_call_with_references(self):
        items = self.items(200)
        self.assertOutcomes(self.gateway.send(items), accepted=200)
        self.assertEqual(self.provider.calls, 1)
        self.assertEqual(
            [taken.ref for taken in self.provider.accepted],
            [str(item.ref) for item in items],
        )

    def test_more_than_a_batch_comes_in_parts(self):
        parts = list(self.gateway.send_parts(self.items(450)))
        self.assertEqual([len(part) for part in parts], [200, 200, 50])

    def test_half_taken_is_unknown_and_found_by_reference(self):
        items = self.items(10)
        self.provider.fail("half")
        self.assertOutcomes(self.gateway.send(items), unknown=10)
        self.assertOutcomes(self.gateway.reconcile(items), accepted=10)
        self.assertOnce(10)

    def test_trouble_at_the_second_call_leaves_the_rest_untried(self):
        self.provider.fail("slow")
        results = self.connect(timeout=self.impatient).send(self.items(300))
        self.assertOutcomes(results[:200], unknown=200)
        self.assertOutcomes(results[200:], retry=100)
        self.assertOnce(200)

    def test_operator_block_is_told_apart(self):
        items = self.items(2)
        self.provider.blocked_numbers = {self.spelled(items[0].number)}
        blocked, fine = self.gateway.send(items)
        self.assertEqual((blocked.outcome, blocked.kind), ("rejected", "blocked"))
        self.assertEqual(fine.outcome, "accepted")

    def test_too_long_a_text_sinks_nobody(self):
        items = self.items(3)
        items[1] = items[1]._replace(text="x" * 901)
        results = self.gateway.send(items)
        self.assertEqual([r.outcome for r in results][1], "rejected")
        self.assertOnce(2)

    def test_wrong_sender_pauses(self):
        [result] = self.connect(sender="1").send(self.items())
        self.assertEqual((result.kind, result.pauses), ("line", True))

    def test_pattern_values_are_cut_as_the_panel_wants(self):
        params = (("token", "خانم علی_نیا"), ("token10", "a b c d e f g"))
        [item] = self.items()
        [result] = self.gateway.send([item._replace(pattern="welcome", params=params)])
        self.assertEqual(result.outcome, "accepted")
        [taken] = self.provider.accepted
        self.assertEqual(
            dict(taken.params), {"token": "خانم-علی-نیا", "token10": "a b c d e f-g"}
        )

    def test_patterns_are_never_sent_again(self):
        item = self.items()[0]._replace(pattern="welcome")
        self.provider.fail("error_after")
        self.assertOutcomes(self.gateway.send([item]), unknown=1)
        self.assertOutcomes(self.gateway.reconcile([item]), unknown=1)
        self.assertEqual(len(self.provider.accepted), 1)

    def test_status_and_balance(self):
        ids = [result.provider_id for result in self.gateway.send(self.items(3))]
        self.provider.states = {ids[0]: 10, ids[1]: 11}
        self.assertEqual(
            [status.state for status in self.gateway.status(ids)],
            ["delivered", "undelivered", "sent"],
        )
        self.assertEqual(self.gateway.balance(), 1_000_000)

    def test_pushes(self):
        read = self.gateway.parse_callback
        self.assertEqual(
            read({"messageid": "7", "status": "10"}), [Status("7", "delivered", "10")]
        )
        self.assertEqual(
            read({"messageid": "9", "from": "09120000000", "message": "11"}),
            [Inbound("09120000000", "11", "9")],
        )
        for nothing in ({}, {"status": "10"}, {"messageid": "7"}, {"from": "x"}):
            self.assertEqual(read(nothing), [])

    def test_answer_nobody_foresaw_is_unknown(self):
        """A fault of ours after the call is not the message's; no key leaves."""
        with patch.object(
            type(self.gateway), "_entry_result", side_effect=KeyError(KEY)
        ):
            [result] = self.gateway.send(self.items())
        self.assertEqual(result.outcome, "unknown")
        self.assertNotIn(KEY, str(result))
        with patch.object(type(self.gateway), "_ask", side_effect=KeyError(KEY)):
            [result] = self.gateway.send(self.items())
        self.assertEqual(result.outcome, "retry")
        self.assertEqual(len(self.provider.accepted), 1)

    def test_settings_are_asked_for(self):
        for missing in ("api_key", "sender"):
            with self.assertRaises(BadSettings):
                self.connect(**{missing: " "})

import datetime

from odoo.tests import tagged

from ..tools.gateways import BadSettings
from .gateway_case import Faults, GatewayCase, now


@tagged("-at_install", "post_install")
class TestGatewaySmsIr(Faults, GatewayCase):
    name = "sms_ir"

    def test_a_batch_is_one_call(self):
        self.assertOutcomes(self.gateway.send(self.items(100)), accepted=100)
        self.assertEqual(self.provider.calls, 1)

    def test_ids_come_by_position(self):
        """0 is blocked, null a bad number; the others keep their places."""
        items = self.items(5)
        self.provider.blocked_numbers = {self.spelled(items[0].number)}
        self.provider.bad_numbers = {self.spelled(items[3].number)}
        results = self.gateway.send(items)
        self.assertEqual(
            [result.kind for result in results], ["blocked", "", "", "number", ""]
        )
        taken = iter(self.provider.accepted)
        for item, result in zip(items, results, strict=True):
            if result.outcome == "accepted":
                one = next(taken)
                self.assertEqual((one.id, one.text), (result.provider_id, item.text))

    def test_half_taken_is_found_in_the_sent_list(self):
        """The other half is surely not there; whether to send it is not ours."""
        items = self.items(10)
        self.provider.fail("half")
        self.assertOutcomes(self.gateway.send(items), unknown=10)
        found = self.gateway.reconcile(items)
        self.assertEqual([r.outcome for r in found], ["accepted"] * 5 + ["absent"] * 5)
        self.assertOnce(5)

    def test_list_of_today_says_nothing_about_yesterday(self):
        [item] = self.items()
        item = item._replace(claimed_at=now() - datetime.timedelta(hours=20))
        self.assertOutcomes(self.gateway.reconcile([item]), unknown=1)

    def test_older_message_of_the_same_words_is_another_one(self):
        """Neither an id known to be another's nor one sent long before counts."""
        [item] = self.items()
        [first] = self.gateway.send([item])
        later = item._replace(claimed_at=now())
        self.assertOutcomes(
            self.gateway.reconcile([later], known_ids=[first.provider_id]), absent=1
        )
        later = item._replace(claimed_at=now() + datetime.timedelta(hours=1))
        self.assertOutcomes(self.gateway.reconcile([later]), absent=1)

    def test_list_that_cannot_be_read_decides_nothing(self):
        self.provider.key = "another"
        self.assertOutcomes(self.gateway.reconcile(self.items()), retry=1)

    def test_pattern_values_are_cut(self):
        item = self.items()[0]._replace(pattern="123", params=(("NAME", "n" * 40),))
        self.assertOutcomes(self.gateway.send([item]), accepted=1)
        self.assertEqual(self.provider.accepted[0].params, (("NAME", "n" * 25),))

    def test_sender_is_a_number(self):
        with self.assertRaises(BadSettings):
            self.connect(sender="my shop")

    def test_status_and_balance(self):
        ids = [result.provider_id for result in self.gateway.send(self.items(2))]
        self.provider.states = {ids[0]: 1, ids[1]: 7}
        self.assertEqual(
            [status.state for status in self.gateway.status(ids)],
            ["delivered", "blocked"],
        )
        self.assertEqual(self.gateway.balance(), 1_000_000)

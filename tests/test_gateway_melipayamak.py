from odoo.tests import tagged

from ..tools.gateways import BadSettings, Unclear
from .gateway_case import Faults, GatewayCase


@tagged("-at_install", "post_install")
class TestGatewayMelipayamak(Faults, GatewayCase):
    name = "melipayamak"

    def test_one_receiver_per_call_told_one_by_one(self):
        parts = list(self.gateway.send_parts(self.items(3)))
        self.assertEqual([len(part) for part in parts], [1, 1, 1])

    def test_trouble_leaves_the_rest_untried(self):
        self.provider.fail("slow")
        results = self.connect(timeout=self.impatient).send(self.items(4))
        self.assertEqual([r.outcome for r in results], ["unknown"] + ["retry"] * 3)
        self.assertOnce(1)

    def test_unknown_is_found_in_the_sent_list(self):
        items = self.items(2)
        self.provider.fail("error_after")
        self.gateway.send(items[:1])
        found = self.gateway.reconcile(items)
        self.assertEqual([r.outcome for r in found], ["accepted", "absent"])

    def test_semicolon_in_a_name_shifts_no_value(self):
        params = (("0", "Parvin; DROP"), ("1", "two\nlines"))
        item = self.items()[0]._replace(pattern="77", params=params)
        self.assertOutcomes(self.gateway.send([item]), accepted=1)
        self.assertEqual(
            self.provider.accepted[0].params, ((0, "Parvin، DROP"), (1, "two lines"))
        )

    def test_blocked_number(self):
        items = self.items(2)
        self.provider.blocked_numbers = {self.spelled(items[0].number)}
        self.assertEqual(self.gateway.send(items)[0].kind, "blocked")

    def test_status_and_balance(self):
        ids = [result.provider_id for result in self.gateway.send(self.items(3))]
        self.provider.states = {ids[0]: 1, ids[1]: 35}
        self.assertEqual(
            [status.state for status in self.gateway.status(ids)],
            ["delivered", "blocked", "sent"],
        )
        self.assertEqual(self.gateway.balance(), 1_000_000)

    def test_panel_tells_which_patterns_are_approved(self):
        """By the list that it documents; what nobody knows is left to a person."""
        self.assertIsNone(self.gateway.pattern_state("77"), "a reseller's is not known")
        url = f"{self.provider.url(self.name)}/GetSharedServiceBody"
        gateway = self.connect(pattern_url=url)
        self.provider.patterns = {"77": ("1", ""), "78": ("5", "no &amp; way")}
        self.assertEqual(gateway.pattern_state("77"), ("approved", ""))
        self.assertEqual(gateway.pattern_state("78"), ("waiting", "no & way"))
        self.assertIsNone(gateway.pattern_state("79"))
        other = self.connect(pattern_url=url, pattern_approved="5")
        self.assertEqual(other.pattern_state("78")[0], "approved")
        with self.assertRaises(BadSettings):
            self.connect(pattern_url=url, allow_private=False, base_url="")
        with self.assertRaises(Unclear):
            no_list = self.connect(
                pattern_url=url.replace("SharedServiceBody", "Credit")
            )
            no_list.pattern_state("77")

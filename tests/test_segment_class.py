from datetime import timedelta
from itertools import product

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import new_test_user, tagged
from odoo.tools import SQL

from .common import CLUB
from .test_segment_refresh import SegmentCommon

TEMPLATE = "customer.segment.set.template"
READY = "customer_segmentation.customer_segment_set_template"
TODAY = fields.Date.today


def ago(days):
    return TODAY() - timedelta(days=days)


class ClassCommon(SegmentCommon):
    """Contacts with figures made by hand, and the shipped sets."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.club_tz = "UTC"
        # What others made before does not count here.
        cls.env["customer.segment"].search([]).active = False

    def template(self, name, user=None):
        return self.env.ref(f"{READY}_{name}").with_user(user or self.marketer)

    def use(self, name, user=None):
        """The classes of a set by the names of their templates."""
        used = self.template(name, user).use()
        segments = self.env["customer.segment"].browse(used["class_ids"])
        return {
            segment.template_id.get_external_id()[segment.template_id.id].rsplit(
                f"class_{name}_", 1
            )[1]: segment
            for segment in segments
        }

    def customer(self, name="Customer", company=None, **figures):
        """A contact of the company with these figures."""
        values = {"partner": {}, "profile": {}}
        for key, value in figures.items():
            kind = (
                "profile"
                if key in self.env["customer.profile"]._fields and key != "company_id"
                else "partner"
            )
            values[kind][key] = value
        partner = self.env["res.partner"].create(
            {"name": name, "company_id": self.company.id, **values["partner"]}
        )
        if values["profile"]:
            self.env["customer.profile"].create(
                {
                    "partner_id": partner.id,
                    "company_id": (company or self.company).id,
                    **values["profile"],
                }
            )
        return partner

    def buyer(self, **figures):
        """A customer of this year, in the middle of everything."""
        return self.customer(
            **{
                "purchase_count": 3,
                "recent_purchase_count": 3,
                "purchase_gap_days": 30,
                "first_purchase_date": ago(80),
                "last_purchase_date": ago(20),
                "rfm_recency": 3,
                "rfm_frequency": 3,
                "rfm_monetary": 3,
                **figures,
            }
        )

    def assert_classes(self, classes, expected):
        """Each of these is in just this class of the set, or in none (None)."""
        for partner, name in expected.items():
            with self.subTest(name=name, partner=partner.name):
                found = [
                    key
                    for key, segment in classes.items()
                    if partner in segment.partner_ids
                ]
                self.assertEqual(found, [name] if name else [])


@tagged("post_install", "-at_install")
class TestSegmentClass(ClassCommon):
    """The shipped class sets: whom each class holds."""

    def test_value(self):
        """Buyers of the last 12 months by amount and frequency."""
        expected = {
            self.buyer(name="a", rfm_monetary=5, rfm_frequency=4): "high",
            self.buyer(name="b", rfm_monetary=5, rfm_frequency=3): "medium",
            self.buyer(name="c", rfm_monetary=4, rfm_frequency=5): "medium",
            self.buyer(name="d", rfm_monetary=2, rfm_frequency=5): "low",
            # A café without sales in Odoo: amounts are empty.
            self.buyer(name="e", rfm_monetary=False, rfm_frequency=4): "high",
            self.buyer(name="f", rfm_monetary=False, rfm_frequency=3): "medium",
            self.buyer(name="g", rfm_monetary=False, rfm_frequency=2): "low",
            self.buyer(
                name="h", rfm_monetary=5, rfm_frequency=5, recent_purchase_count=0
            ): None,
            self.customer("i"): None,
        }
        self.assert_classes(self.use("value"), expected)

    def test_purchase_behaviour(self):
        """Rhythm, 90 days, ever, or only interested."""
        early = {"last_purchase_date": ago(44)}
        lead = {"last_lead_date": ago(100)}
        expected = {
            self.buyer(name="rhythm", **early): "loyal",
            self.buyer(name="late", last_purchase_date=ago(46)): "active",
            self.buyer(name="two", recent_purchase_count=2): "active",
            self.buyer(name="90 days", last_purchase_date=ago(90)): "active",
            self.buyer(name="91 days", last_purchase_date=ago(92)): "inactive",
            # Yearly, and in time.
            self.buyer(
                name="slow", last_purchase_date=ago(150), purchase_gap_days=110
            ): "loyal",
            self.customer("lead", **lead): "potential",
            self.customer("quoted", last_quotation_date=ago(10)): "potential",
            self.customer("visited", last_visit_date=ago(180)): "potential",
            self.customer("clicked", last_answer_date=ago(3)): "potential",
            self.customer("old lead", last_lead_date=ago(182)): None,
            self.customer("nothing"): None,
        }
        self.assert_classes(self.use("behaviour"), expected)

    def test_familiarity(self):
        """From loyal to never heard of; suppliers and ourselves are no strangers."""
        expected = {
            self.buyer(name="loyal"): "loyal",
            self.buyer(name="once", recent_purchase_count=1): "bought",
            self.buyer(name="long ago", recent_purchase_count=0): "bought",
            self.customer("called", first_contact_date=ago(400)): "knows",
            self.customer("quoted", last_quotation_date=ago(400)): "knows",
            self.customer("imported"): "unknown",
            self.customer("supplier", supplier_rank=1): None,
        }
        self.assert_classes(self.use("familiarity"), expected)

    def test_journey(self):
        """The newest thing that happened decides."""
        recent = {"last_purchase_date": ago(5)}
        expected = {
            self.buyer(name="a", quotation_is_newer=True, **recent): "deciding",
            self.buyer(name="b", open_lead_count=1, **recent): "evaluating",
            self.buyer(name="c", **recent): "after",
            self.buyer(name="d", last_purchase_date=ago(62)): None,
            self.customer("e", first_contact_date=ago(80)): "new",
            self.customer("f", first_contact_date=ago(92)): None,
            self.buyer(
                name="g", first_contact_date=ago(80), last_purchase_date=ago(70)
            ): None,
        }
        self.assert_classes(self.use("journey"), expected)

    def test_sales_position(self):
        """Contacts, and leads that are no contact yet."""
        offer = {"sent_quotation_count": 1, "open_quotation_count": 1}
        known = {"last_contact_date": ago(3)}
        expected = {
            self.buyer(name="customer", **offer): "customer",
            self.customer("sure", lead_probability=80, **offer): "assured",
            self.customer("marked", assured_quotation_count=1, **offer): "assured",
            self.customer(
                "not sure", lead_probability=79, **offer, **known
            ): "prospect",
            self.customer("no offer", lead_probability=100, **known): "prospect",
            self.customer("lead", open_lead_count=1): "lead",
            self.customer("supplier", supplier_rank=1): None,
        }
        cold, warm, own = self.env["crm.lead"].create(
            [
                {"name": "Cold", "company_id": self.company.id},
                {"name": "Warm", "company_id": self.company.id},
                {
                    "name": "Contact",
                    "company_id": self.company.id,
                    "partner_id": next(iter(expected)).id,
                },
            ]
        )
        warm.message_post(
            body="Hello", message_type="comment", subtype_xmlid="mail.mt_comment"
        )
        classes = self.use("position")
        self.assert_classes(classes, expected)
        self.assertTrue(warm.is_contacted)
        self.assertFalse(cold.is_contacted)
        self.assertEqual(classes["lead_lead"].lead_ids, cold)
        self.assertEqual(classes["lead_prospect"].lead_ids, warm)
        self.assertFalse(own.segment_ids)

    def test_profit(self):
        """Both medians; who has no known profit is in no class."""

        def made(name, cost, profit):
            return self.buyer(name=name, cost_tenth=cost, profit_tenth=profit)

        expected = {
            made("a", 5, 6): "low_high",
            made("b", 6, 6): "high_high",
            made("c", 1, 5): "low_low",
            made("d", 10, 1): "high_low",
            made("e", 3, False): None,
        }
        self.assert_classes(self.use("profit"), expected)

    def test_rfm_table(self):
        """All cells of R and F, with each amount."""
        classes = self.use("rfm")
        partners = {
            cell: self.buyer(
                name=str(cell),
                rfm_recency=cell[0],
                rfm_frequency=cell[1],
                rfm_monetary=cell[2],
            )
            for cell in product(range(1, 6), range(1, 6), (False, 1, 2, 3, 4, 5))
        }
        for segment in classes.values():
            segment.refresh()
        table = {
            5: ("new", "promising", "loyal", "champions", "champions"),
            4: ("promising", "promising", "loyal", "champions", "champions"),
            3: ("attention", "attention", "attention", "loyal", "loyal"),
            2: ("hibernating", "hibernating", "at_risk", "at_risk", "cannot_lose"),
            1: ("lost", "lost", "at_risk", "at_risk", "cannot_lose"),
        }
        expected = {}
        for (recency, frequency, monetary), partner in partners.items():
            name = table[recency][frequency - 1]
            if recency <= 2 and monetary == 5:
                name = "cannot_lose"
            elif name == "attention" and frequency == 3 and monetary in (4, 5):
                name = "loyal"
            elif name == "champions" and frequency == 4:
                name = "loyal" if monetary in (1, 2, 3) else name
            expected[partner] = name
        self.assert_classes(classes, expected)

    def test_needs(self):
        """Somebody may be in several."""
        tag = self.env.ref("customer_segmentation.res_partner_category_special_needs")
        child = self.env["res.partner.category"].create(
            {"name": "Wheelchair", "parent_id": tag.id}
        )
        both = self.buyer(
            name="both",
            main_category_share=0.51,
            discount_tenth=9,
            category_id=[Command.set(child.ids)],
        )
        none = self.buyer(name="none", main_category_share=0.5, discount_tenth=8)
        classes = self.use("needs")
        for segment in classes.values():
            self.assertIn(both, segment.partner_ids)
            self.assertNotIn(none, segment.partner_ids)

    def test_online_waits_for_data(self):
        """Off until there is an event, an answer; then on with the next click."""
        classes = self.use("online")
        self.assertFalse(any(segment.active for segment in classes.values()))
        visitor = self.customer("visitor")
        self.env["customer.event"].create(
            {
                "kind": "web_visit",
                "partner_id": visitor.id,
                "company_id": self.company.id,
                "source": "site",
                "external_id": "1",
            }
        )
        answering = self.customer("answering", sms_response_rate=0.5)
        used = self.template("online").use()
        self.assertEqual(len(used["waiting_ids"]), 2)
        self.assertEqual(classes["site"].partner_ids, visitor)
        self.assertEqual(classes["sms"].partner_ids, answering)
        self.assertFalse(classes["social"].active)

    # === USING A SET === #

    def test_second_use_changes_nothing(self):
        """Neither sets nor classes double; changed thresholds stay."""
        classes = self.use("value")
        classes["high"].with_user(self.marketer).domain = "[('color', '=', 1)]"
        again = self.use("value")
        self.assertEqual(again, classes)
        self.assertEqual(again["high"].domain, "[('color', '=', 1)]")
        sets = self.env["customer.segment.set"].search(
            [("template_id", "=", self.template("value").id)]
        )
        self.assertEqual(sets.company_id, self.company)
        self.assertEqual(len(sets), 1)

    def test_a_deleted_class_comes_back(self):
        """And the others stay."""
        classes = self.use("value")
        classes.pop("low").unlink()
        again = self.use("value")
        self.assertEqual({key: again[key] for key in classes}, classes)
        self.assertIn("low", again)

    def test_the_other_company_has_its_own(self):
        """Each company its copy; figures of one do not count in the other."""
        other = self.build_company("Furniture")
        partner = self.buyer(name="ours")
        shared = self.buyer(name="theirs", company=other, company_id=False)
        self.marketer.company_ids += other
        ours = self.use("behaviour")
        template = self.template("behaviour").with_context(
            allowed_company_ids=other.ids
        )
        self.assertFalse(template.set_id)
        used = template.use()
        theirs = self.env["customer.segment"].browse(used["class_ids"])
        self.assertEqual(theirs.company_id, other)
        self.assertEqual(theirs.user_id, self.marketer)
        self.assertFalse(theirs & self.env["customer.segment"].concat(*ours.values()))
        self.assertEqual(ours["loyal"].partner_ids, partner)
        loyal = theirs.filtered(lambda s: s.template_id == ours["loyal"].template_id)
        self.assertEqual(loyal.partner_ids, shared)

    def test_classes_speak_every_language(self):
        """Names, guidance and messages come in all installed languages, and in those
        that are installed later.
        """
        early = self.use("needs")
        early["discount"].name = "My own name"
        self.env.flush_all()
        for table in ("customer_segment", "customer_segment_set"):
            query = SQL("UPDATE %s SET name = name - 'fa_IR'", SQL.identifier(table))
            self.env.cr.execute(query)
        self.env["res.lang"]._activate_lang("fa_IR")
        self.env["ir.module.module"].search(
            [("name", "=", "customer_segmentation")]
        )._update_translations("fa_IR")
        classes = self.use("value")
        self.env.invalidate_all()
        product = early["product"].with_context(lang="fa_IR")
        self.assertEqual(product.name, "وابسته به یک محصول")
        self.assertEqual(product.set_id.name, "نیاز و علاقه")
        renamed = early["discount"].with_context(lang="fa_IR")
        self.assertEqual(renamed.name, "My own name")
        high = classes["high"].with_context(lang="fa_IR")
        self.assertEqual(high.name, "ارزش بالا")
        self.assertEqual(classes["high"].with_context(lang="en_US").name, "High value")
        self.assertEqual(high.set_id.name, "ارزش مشتری")
        for template in self.env[TEMPLATE].with_context(lang="fa_IR").search([]):
            for name in ("name", "description", "guidance", "suggested_message"):
                for class_ in template.class_ids:
                    self.assertNotRegex(
                        (class_[name] or "").replace("object.name", ""), "[A-Za-z]{4}"
                    )

    def test_every_class_says_what_to_do(self):
        """A description, guidance and, for contacts, a message."""
        for template in self.env[TEMPLATE].search([]):
            self.assertTrue(template.description)
            for class_ in template.class_ids:
                self.assertTrue(class_.description and class_.guidance, class_.name)
                if class_.model == "res.partner":
                    self.assertTrue(class_.suggested_message, class_.name)

    def test_the_message_begins_an_sms(self):
        """For whoever writes to the class."""
        high = self.use("value")["high"]
        self.buyer(name="a", rfm_monetary=5, rfm_frequency=5, phone="0912 000 0001")
        high.refresh()
        action = high.with_user(self.build_user("club_user")).action_send_sms()
        self.assertEqual(action["context"]["default_body"], high.suggested_message)
        action = high.with_user(self.build_user("marketer")).action_send_sms()
        draft = self.env["mailing.mailing"].browse(action["res_id"])
        self.assertEqual(draft.body_plaintext, high.suggested_message)

    def test_no_profiling_is_in_no_class(self):
        """Whatever the figures say."""
        quiet = self.buyer(name="quiet", no_profiling=True)
        classes = self.use("position")
        self.assert_classes(classes, {quiet: None})
        loud = self.buyer(name="loud")
        classes["customer"].refresh()
        self.assertIn(loud, classes["customer"].partner_ids)
        loud.no_profiling = True
        classes["customer"].refresh(partner_ids=loud.ids)
        self.assertNotIn(loud, classes["customer"].partner_ids)

    def test_persons_of_a_company_are_in_none(self):
        """Purchases are the company's; its class is on the card of its persons."""
        company = self.buyer(name="Works", is_company=True)
        person = self.customer("Person", parent_id=company.id, open_lead_count=1)
        classes = self.use("journey") | self.use("behaviour")
        self.assertFalse(person.segment_ids)
        cards = self.env["customer.guidance"].with_user(self.marketer)
        titles = [card["title"] for card in cards._prepare_cards(person)]
        self.assertIn("Purchase behaviour: Loyal", titles)
        self.assertIn(company, classes["loyal"].partner_ids)

    def test_who_may_use_a_set(self):
        """Marketers; not cashiers, not the system."""
        with self.assertRaises(AccessError):
            self.template("value", self.build_user("cashier")).use()
        with self.assertRaises(UserError):
            self.env.ref(f"{READY}_value").with_user(1).use()
        cashier = self.build_user("cashier")
        self.assertEqual(self.env[TEMPLATE].with_user(cashier).offered(), [])

    def test_a_name_is_shown_once(self):
        """Leads without a contact have classes called like those of contacts."""
        template = self.template("position")
        names = template.shown_class_ids.mapped("name")
        self.assertEqual(names, ["Customer", "Assured", "Prospect", "Lead"])
        self.assertGreater(len(template.class_ids), len(names))
        offered = {offer["id"]: offer["classes"] for offer in template.offered()}
        self.assertEqual(offered[template.id], names)

    # === MOVEMENT === #

    def test_movement_between_classes(self):
        """First class, a change, and leaving all of them."""
        partner = self.buyer(name="moving")
        classes = self.use("behaviour")
        profile = partner.customer_profile_id
        profile.sudo().write({"last_purchase_date": ago(200)})
        classes["loyal"].refresh()
        self.assertIn(partner, classes["inactive"].partner_ids)
        partner.no_profiling = True
        classes["loyal"].refresh()
        moves = (
            self.env["customer.segment.class.movement"]
            .with_user(self.marketer)
            .search([("partner_id", "=", partner.id)], order="id")
        )
        self.assertEqual(
            [(move.from_id, move.to_id) for move in moves],
            [
                (self.env["customer.segment"], classes["loyal"]),
                (classes["loyal"], classes["inactive"]),
                (classes["inactive"], self.env["customer.segment"]),
            ],
        )
        self.assertEqual(
            moves.mapped("change"),
            ["no class → Loyal", "Loyal → Inactive", "Inactive → no class"],
        )
        self.assertEqual(
            classes["loyal"].with_context(with_set=True).display_name,
            "Purchase behaviour: Loyal",
        )
        groups = self.env["customer.segment.class.movement"]._read_group(
            [("partner_id", "=", partner.id)],
            ["date:month", "set_id"],
            ["movement_count:sum"],
        )
        self.assertEqual(groups[0][2], 3)

    def test_movement_of_confidential_classes_is_hidden(self):
        """From anybody but the responsible and managers."""
        self.buyer(name="somebody")
        classes = self.use("behaviour")
        classes["loyal"].confidential = True
        other = new_test_user(
            self.env,
            login="other-marketer",
            groups=f"{CLUB}_marketer",
            company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)],
        )
        movement = self.env["customer.segment.class.movement"]
        domain = [("to_id", "=", classes["loyal"].id)]
        self.assertEqual(movement.with_user(self.marketer).search_count(domain), 1)
        self.assertEqual(movement.with_user(other).search_count(domain), 0)

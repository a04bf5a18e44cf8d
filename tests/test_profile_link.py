import re
from datetime import timedelta

from odoo import fields
from odoo.tests import HttpCase, tagged

from ..models.messaging import customer_profile_link
from .common import ClubBuilders


class ProfileLinkCommon(ClubBuilders, HttpCase):
    """A contact of whom only the number is known, and its link."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["res.lang"]._activate_lang("fa_IR")
        cls.partner = cls.env["res.partner"].create(
            {
                "name": "09120007777",
                "phone": "+989120007777",
                "company_id": cls.company.id,
                "country_id": cls.env.ref("base.ir").id,
                "lang": "en_US",
            }
        )
        cls.salutation = cls.env["customer.salutation"].search([], limit=1)

    def setUp(self):
        super().setUp()
        self.url = self.make_link()

    def make_link(self, partner=None):
        """The path of a fresh link."""
        partner = partner or self.partner
        links = self.env["customer.profile.link"]._create_links(partner, self.company)
        return (
            links[partner.id].partition("/cp/")[1]
            + links[partner.id].rpartition("/")[2]
        )

    def link(self):
        """The newest link."""
        self.env.invalidate_all()
        return self.env["customer.profile.link"].search([], limit=1)

    def keys_of(self, html):
        """What a page asks."""
        return set(re.findall(r'name="([a-z]+)"', html)) - {"viewport", "robots"}

    def send(self, url=None, **answers):
        """Post answers; the page must have been opened."""
        return self.url_open(url or self.url, data=answers)


@tagged("post_install", "-at_install")
class TestProfileLink(ProfileLinkCommon):
    """A short one-time page that asks only what is missing."""

    def test_asks_at_most_five_of_what_is_missing(self):
        """Consent keeps its place; what is known is neither asked nor shown."""
        page = self.url_open(self.url)
        self.assertEqual(page.status_code, 200)
        self.assertEqual(
            self.keys_of(page.text),
            {"name", "salutation", "birthday", "gender", "consent"},
        )
        self.partner.write({"name": "Sara Secret", "city": "Shiraz"})
        self.company.profile_ask_gender = False
        page = self.url_open(self.url)
        self.assertEqual(self.keys_of(page.text), {"salutation", "birthday", "consent"})
        for known in ("Sara", "Shiraz", "09120007777", "989120007777"):
            self.assertNotIn(known, page.text)

    def test_answers_land_on_the_contact_with_their_source(self):
        """Once: the link is used up then."""
        self.url_open(self.url)
        page = self.send(
            name="  Sara   Ahmadi ",
            salutation=str(self.salutation.id),
            birthday="۱۳۷۰/۵/۱۲",
            gender="female",
            consent="yes",
        )
        self.assertIn('id="thanks"', page.text)
        partner = self.partner
        self.env.invalidate_all()
        self.assertEqual(
            (
                partner.name,
                partner.salutation_id,
                str(partner.birthdate_date),
                partner.gender,
            ),
            ("Sara Ahmadi", self.salutation, "1991-08-03", "female"),
        )
        consent = self.env["customer.consent"].search(
            [("number", "=", "+989120007777")]
        )
        self.assertEqual(
            (consent.kind, consent.channel, consent.partner_id),
            ("consent", "page", partner),
        )
        self.assertIn(self.company.name, consent.wording)
        self.assertIn("profile link", partner.message_ids[0].body)
        event = self.env["customer.event"].search([("partner_id", "=", partner.id)])
        self.assertEqual((event.kind, event.source), ("form", "profile_link"))
        again = self.send(name="Somebody Else")
        self.assertEqual(again.status_code, 410)
        self.assertEqual(self.url_open(self.url).status_code, 410)
        self.assertEqual(partner.name, "Sara Ahmadi")

    def test_refusal_is_recorded_and_silence_is_not(self):
        """«No» opts out; no answer says nothing."""
        self.url_open(self.url)
        self.send(city="", name="Sara")
        self.assertFalse(self.env["customer.consent"].search([]))
        url = self.make_link()
        self.url_open(url)
        self.send(url, consent="no")
        self.env.invalidate_all()
        self.assertEqual(self.env["customer.consent"].search([]).kind, "optout")

    def test_either_calendar_and_nonsense(self):
        """A wrong answer is said beside its question; the others stay typed."""
        self.url_open(self.url)
        for birthday in ("1991-13-40", "soon", "1402", "2090-01-01", "1200/1/1", "0"):
            page = self.send(name="Sara", birthday=birthday)
            self.assertEqual(page.status_code, 200, birthday)
            self.assertIn('role="alert"', page.text, birthday)
            self.assertIn('value="Sara"', page.text)
        self.assertIn('role="alert"', self.send(name="Sara", gender="robot").text)
        self.assertIn('role="alert"', self.send(name="12345").text)
        self.assertIn('role="alert"', self.send(name="S" * 81).text)
        self.assertIn('role="alert"', self.send(salutation="999999").text)
        self.env.invalidate_all()
        self.assertEqual(self.partner.name, "09120007777")
        for typed in ("1991-08-03", "13700512", "۱۳۷۰ ۵ ۱۲", "1370.5.12"):
            self.partner.birthdate_date = False
            url = self.make_link()
            self.url_open(url)
            self.assertIn('id="thanks"', self.send(url, birthday=typed).text, typed)
            self.env.invalidate_all()
            self.assertEqual(str(self.partner.birthdate_date), "1991-08-03", typed)

    def test_nothing_is_overwritten_without_confirmation(self):
        """What staff wrote meanwhile is kept, and not shown."""
        self.url_open(self.url)
        self.partner.name = "Staff Wrote This"
        page = self.send(name="Sara", gender="female")
        self.assertNotIn("Staff", page.text)
        self.assertIn("replace_name", page.text)
        self.assertEqual(self.partner.name, "Staff Wrote This")
        page = self.send(name="Sara", gender="female", replace_name="no")
        self.assertIn('id="thanks"', page.text)
        self.env.invalidate_all()
        self.assertEqual(
            (self.partner.name, self.partner.gender), ("Staff Wrote This", "female")
        )
        self.partner.gender = False
        url = self.make_link()
        self.partner.name = "0912"
        self.url_open(url)
        self.partner.name = "Staff Again"
        self.send(url, name="Sara", replace_name="yes")
        self.env.invalidate_all()
        self.assertEqual(self.partner.name, "Sara")

    def test_only_what_was_asked_is_taken(self):
        """Other fields, and questions that were not on the page."""
        self.partner.write({"name": "Sara", "city": "Yazd"})
        self.url_open(self.url)
        self.send(
            name="Hacked",
            city="Hacked",
            email="x@example.com",
            company_id="1",
            phone="1",
            no_sms="1",
            replace_name="yes",
            replace_city="yes",
        )
        self.env.invalidate_all()
        self.assertEqual(
            (self.partner.name, self.partner.city, self.partner.email),
            ("Sara", "Yazd", False),
        )

    def test_unopened_link_takes_nothing(self):
        """A post without the page before it was never asked anything."""
        self.send(name="Blind")
        self.env.invalidate_all()
        self.assertEqual(self.partner.name, "09120007777")

    def test_looking_uses_nothing_up(self):
        """Messengers open links before people do."""
        for _time in range(5):
            self.assertEqual(self.url_open(self.url).status_code, 200)
        self.url_open(self.url, method="HEAD")
        self.assertIn('id="thanks"', self.send(name="Sara").text)

    def test_link_ends(self):
        """After the days the company says, and with the contact."""
        link = self.link()
        link.expires_at = fields.Datetime.now() - timedelta(seconds=1)
        self.assertEqual(self.url_open(self.url).status_code, 410)
        self.assertEqual(self.send(name="Late").status_code, 410)
        self.assertEqual(self.partner.name, "09120007777")
        url = self.make_link()
        self.partner.active = False
        self.assertEqual(self.url_open(url).status_code, 404)

    def test_tokens_are_hashed_long_and_never_shown(self):
        """A stolen table opens nothing."""
        token = self.url.rpartition("/")[2]
        self.assertGreaterEqual(len(token), 12)
        link = self.link()
        self.assertNotIn(token, str(link.read()))
        self.assertEqual(len(link.token_hash), 64)
        self.assertEqual(self.url_open(f"/cp/{link.token_hash}").status_code, 404)

    def test_guessing_is_slowed(self):
        """Wrong links lock their address for a while, right ones do not."""
        self.patch(customer_profile_link, "FAILURES_AT_MOST", 3)
        for _time in range(6):
            self.assertEqual(self.url_open(self.url).status_code, 200)
        for index in range(3):
            self.assertEqual(self.url_open(f"/cp/wrong{index}").status_code, 404)
        self.assertEqual(self.url_open("/cp/wrong9").status_code, 429)
        self.assertEqual(self.url_open(self.url).status_code, 429)

    def test_posting_without_end_is_stopped(self):
        """A link takes so many tries."""
        self.patch(customer_profile_link, "ANSWERS_AT_MOST", 3)
        self.url_open(self.url)
        for _time in range(3):
            self.send(birthday="nonsense")
        self.assertEqual(self.send(name="Sara").status_code, 429)

    def test_page_is_closed_to_others(self):
        """No frame, no cache, no script, no cookie, no referrer."""
        page = self.url_open(self.url)
        self.assertIn("frame-ancestors 'none'", page.headers["Content-Security-Policy"])
        self.assertIn("default-src 'none'", page.headers["Content-Security-Policy"])
        self.assertEqual(page.headers["Cache-Control"], "no-store")
        self.assertEqual(page.headers["Referrer-Policy"], "no-referrer")
        self.assertNotIn("<script", page.text)
        self.assertIn("noindex", page.text)

    def test_persian_page(self):
        """In the contact's language; the other one is a tap away."""
        self.partner.lang = "fa_IR"
        page = self.url_open(self.url)
        self.assertIn('dir="rtl"', page.text)
        self.assertIn("?lang=en", page.text)
        page = self.url_open(f"{self.url}?lang=en")
        self.assertIn('dir="ltr"', page.text)
        self.assertIn("What is your name?", page.text)

    def test_html_in_answers_is_text(self):
        """On the page that comes back, and on the contact."""
        self.url_open(self.url)
        page = self.send(name="<script>alert(1)</script>", birthday="x")
        self.assertNotIn("<script>alert", page.text)
        self.assertIn("&lt;script&gt;", page.text)

    def test_interests_are_traits_of_that_kind(self):
        """Offered once there are some; what was not offered is refused."""
        traits = self.env["customer.trait"].create(
            [
                {"name": name, "neutral_label": name, "family": family}
                for name, family in (("Chess", "interests"), ("Grumpy", "temperament"))
            ]
        )
        self.partner.write({"name": "Sara", "gender": "female"})
        page = self.url_open(self.url)
        self.assertIn("Chess", page.text)
        self.assertNotIn("Grumpy", page.text)
        page = self.send(interests=[str(traits[1].id)])
        self.assertIn('role="alert"', page.text)
        self.send(interests=[str(traits[0].id)])
        self.env.invalidate_all()
        self.assertEqual(self.partner.trait_ids, traits[0])

    def test_nothing_to_ask(self):
        """A friendly word instead of an empty form."""
        for key in (
            "name",
            "salutation",
            "birthday",
            "gender",
            "city",
            "interests",
            "consent",
        ):
            self.company[f"profile_ask_{key}"] = False
        self.assertIn('id="thanks"', self.url_open(self.url).text)

    def test_text_gets_a_link_per_recipient(self):
        """A preview makes none."""
        placeholders = self.env["sms.placeholder"].with_company(self.company)
        count = self.env["customer.profile.link"].search_count([])
        sample = placeholders._render("{{ profile_link }}", self.partner, sample=True)
        self.assertIn("/cp/xxx", sample[self.partner.id])
        links = self.env["customer.profile.link"]
        self.assertEqual(links.search_count([]), count)
        body = placeholders._render("See {{ profile_link }}", self.partner)
        self.assertEqual(links.search_count([]), count + 1)
        path = "/cp/" + body[self.partner.id].rpartition("/")[2]
        self.assertEqual(self.url_open(path).status_code, 200)
        self.assertEqual(len(body[self.partner.id]), 4 + len(sample[self.partner.id]))

    def test_another_companys_question_says_its_own_name(self):
        """The link belongs to the company that sent it."""
        other = self.build_company("Second shop")
        partner = self.env["res.partner"].create(
            {"name": "0912", "phone": "+989120007778"}
        )
        links = self.env["customer.profile.link"]._create_links(partner, other)
        path = "/cp/" + links[partner.id].rpartition("/")[2]
        self.assertIn("Second shop", self.url_open(path).text)
        self.send(path, consent="yes")
        self.env.invalidate_all()
        consent = self.env["customer.consent"].search([("partner_id", "=", partner.id)])
        self.assertEqual(consent.company_id, other)

from unittest.mock import patch

from odoo.tests import Form

from odoo.addons.customer_segmentation.models.club import club_device_kiosk

from .common import ClubCommon


class TestKioskDevice(ClubCommon):
    def test_privacy_when_tablet_then_public(self):
        tablet = self.build_device(self.company, kind="tablet")
        self.assertEqual(tablet.privacy, "public")
        self.assertEqual(tablet._config_body()["privacy"], "public")

    def test_privacy_when_terminal_then_staff(self):
        self.assertEqual(self.device.kind, "terminal")
        self.assertEqual(self.device.privacy, "staff")

    def test_privacy_when_chosen_then_kept(self):
        tablet = self.build_device(self.company, kind="tablet", privacy="staff")
        self.assertEqual(tablet.privacy, "staff")
        tablet.kind = "terminal"
        tablet.privacy = "public"
        self.assertEqual(tablet.privacy, "public")

    def test_form_when_tablet_chosen_then_public_and_address_shown(self):
        manager = self.build_user("club_manager")
        with Form(self.device.with_user(manager)) as form:
            form.kind = "tablet"
            self.assertEqual(form.privacy, "public")
            self.assertTrue(form.kiosk_url.endswith("/club/kiosk"))

    def test_url_when_several_databases_then_names_this_one(self):
        with patch.object(club_device_kiosk, "db_list", return_value=["one", "two"]):
            url = self.env["club.device"]._get_kiosk_url()
        path = "/customer_segmentation/static/kiosk/kiosk.html"
        self.assertTrue(url.endswith(f"{path}?db={self.env.cr.dbname}"), url)

    def test_connecting_again_then_same_identity_and_new_token(self):
        """The tablet may send what it kept: its identity tells whose it is."""
        first = self.device.sudo().public_id
        token = self.connect(self.device)
        self.assertEqual(self.device.sudo().public_id, first)
        self.assertNotEqual(token, self.token)
        other = self.build_device(self.company)
        self.connect(other)
        self.assertNotEqual(other.sudo().public_id, first)

from lxml import etree

from odoo.tests import TransactionCase


class TestSettingsView(TransactionCase):
    def test_units_stand_in_an_element_of_their_own(self):
        """The web client drops text that stands in a setting beside its field."""
        view = self.env.ref("customer_segmentation.res_config_settings_view_form")
        loose = [
            (setting.get("string"), text.strip())
            for setting in etree.fromstring(view.arch).iter("setting")
            for text in (setting.text, *(child.tail for child in setting))
            if text and text.strip()
        ]
        self.assertFalse(loose)

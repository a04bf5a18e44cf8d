from odoo.tests import HttpCase, tagged


@tagged("-at_install", "post_install", "customer_segmentation")
class TestClientUnits(HttpCase):
    """The addon's own unit tests of the web client (static/tests), in a browser."""

    def test_units(self):
        self.browser_js(
            "/web/tests?headless&loglevel=2&preset=desktop&timeout=15000"
            "&filter=customer_segmentation",
            "",
            "",
            login="admin",
            timeout=300,
            success_signal="[HOOT] Test suite succeeded",
        )

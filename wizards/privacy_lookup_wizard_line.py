from odoo import models


class PrivacyLookupWizardLine(models.TransientModel):
    _inherit = "privacy.lookup.wizard.line"

    def action_erase_personal_data(self):
        """Erase the contact of this line instead of deleting it: counts stay."""
        self.ensure_one()
        self.env["res.partner"].browse(self.res_id).action_erase_personal_data()
        self.execution_details = self.env._("Erased contact #%s", self.res_id)
        self.is_active = False

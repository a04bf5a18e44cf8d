from odoo import api, models


class IrModuleModule(models.Model):
    _inherit = "ir.module.module"

    @api.model
    def _load_module_terms(self, modules, langs, overwrite=False):
        """Classes and rules that were made of templates learn a new language, too."""
        result = super()._load_module_terms(modules, langs, overwrite)
        if "customer_segmentation" in modules:
            self.env["customer.segment.set.template"]._translate_copies(langs)
        return result

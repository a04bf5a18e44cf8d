from odoo import models
from odoo.exceptions import AccessError


class ClubReadOnlyMixin(models.AbstractModel):
    """What is read-only on the screen is so over RPC, too.

    Whoever may correct a row does so through the methods made for it: a bare write
    could point it at anybody's number.
    """

    _name = "club.read.only.mixin"
    _description = "Read-Only Fields"

    def write(self, vals):
        if not self.env.su and any(
            self._fields[name].readonly for name in vals if name in self._fields
        ):
            raise AccessError(
                self.env._("This is corrected with the buttons made for it.")
            )
        return super().write(vals)

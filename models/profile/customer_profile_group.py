from odoo import models


class CustomerProfileGroup(models.AbstractModel):
    """One group of figures, worked out by one query.

    A group names its columns in ``_figure_names``; those that are no field of the
    profile are for what follows from several groups.
    """

    _name = "customer.profile.group"
    _description = "Group of Figures"
    _figure_names = ()

    def _group(self, scope):
        """The query of this group.

        :param ProfileScope scope: whose figures
        :return: a SELECT of ``partner_id`` and the columns, a row per contact
        :rtype: SQL
        """
        raise NotImplementedError

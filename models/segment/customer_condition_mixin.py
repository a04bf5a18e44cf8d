from odoo import models
from odoo.exceptions import AccessError, ValidationError

MANAGER = "customer_segmentation.customer_segmentation_group_club_manager"


class CustomerConditionMixin(models.AbstractModel):
    """A saved condition and the person who answers for it: segments, score rules.

    Whoever inherits it has ``model``, ``domain``, ``user_id``, ``company_id``, ``tz``,
    ``lang``, ``state`` and ``error``; ``customer.segment.condition`` reads these.
    """

    _name = "customer.condition.mixin"
    _description = "Condition and its Responsible"

    # === RESPONSIBLE === #

    def _check_may_edit(self):
        """Whoever edits a colleague's condition would read through its eyes."""
        if self.env.su or self.env.user.has_group(MANAGER):
            return
        if any(record.user_id != self.env.user for record in self):
            raise AccessError(
                self.env._("Only the responsible or a manager may change a condition.")
            )

    def _take_responsibility(self, vals):
        """Whoever saves a condition answers for it; managers may name someone else."""
        if self.env.su:
            return
        if not self.env.user.has_group(MANAGER) or (
            "domain" in vals and "user_id" not in vals
        ):
            vals["user_id"] = self.env.uid

    def _answer_for_change(self, vals):
        """Before a write: who may change the condition, and who answers for it then."""
        if "domain" in vals:
            self._check_may_edit()
            if any(record.domain != vals["domain"] for record in self):
                self._take_responsibility(vals)
        elif "user_id" in vals:
            self._take_responsibility(vals)

    def _refuse_superuser(self):
        if any(record.user_id._is_superuser() for record in self):
            raise ValidationError(
                self.env._("Choose a person as responsible, not the system.")
            )

    def _check_ids(self, *lists):
        """Refuse what is no list of ids, before it reaches the database.

        :raise ValidationError: for anything but None or a list of numbers
        """
        for ids in lists:
            if ids is None:
                continue
            if not isinstance(ids, list | tuple) or not all(
                isinstance(id_, int) and not isinstance(id_, bool) for id_ in ids
            ):
                raise ValidationError(
                    self.env._("Give contacts and leads as lists of their ids.")
                )

    # === WORDS === #

    def _sentence(self):
        """The condition in words, in the reader's language."""
        words = self.env["customer.segment.words"]
        condition = self.env["customer.segment.condition"]
        try:
            domain = condition._parse(self.domain)
        except ValidationError as error:
            return str(error)
        return words._sentence(self._reader(), domain, words._clock(self))

    def _reader(self):
        """The audience's model, with the rights that names are read with.

        Those of the responsible for the condition that was saved; one's own for a
        condition that one is typing, or it would read through a colleague's eyes.
        """
        saved = self._origin
        model = self.env[self.model or "res.partner"]
        is_saved = saved and saved.domain == self.domain and saved.model == self.model
        if is_saved and saved.user_id.active and not saved.user_id._is_superuser():
            return model.with_user(saved.user_id)
        return model

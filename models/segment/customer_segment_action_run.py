from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.exceptions import UserError


class CustomerSegmentActionRun(models.AbstractModel):
    """Carries out an action on some contacts or leads, as the segment's responsible.

    Core runs most server actions as superuser once it has looked at the records; here
    everything but code is done in batches with the rights of the responsible. Code and
    webhooks go through core, which hands that person's rights to the code.
    """

    _name = "customer.segment.action.run"
    _description = "Run of an Action on Entry or Exit"

    @api.model
    def _run(self, action, records):
        """Act on these records, all or none of them.

        :param action: one ``customer.segment.action``
        :param records: contacts or leads of its segment, any size
        :return: how many were left out for a good reason: no number, refused
        :rtype: int
        :raise Exception: whatever stands in the way
        """
        offer = action.sudo().offer_id
        if not offer.active:
            raise UserError(
                self.env._("“%s” is no longer offered to segments.", offer.name)
            )
        records = self._seen_by_responsible(action, records)
        left_out = set()
        for leaf in offer.server_action_id._segment_leaves():
            if leaf.warning:
                raise UserError(leaf.warning)
            run = self._run_through_core
            if leaf._is_plain():
                run = getattr(self, f"_run_{leaf.state}")
            left_out.update((run(leaf, records) or records.browse()).ids)
        return len(left_out)

    @api.model
    def _is_able(self, action):
        """Whether the action works at all, whoever it is to act on.

        :rtype: bool
        """
        try:
            with self.env.cr.savepoint():
                self._run(action, self.env[action.model])
        except Exception:  # noqa: BLE001 - customisations raise anything
            return False
        return True

    def _seen_by_responsible(self, action, records):
        """These records in the responsible's own environment."""
        segment = action.sudo().segment_id
        model = self.env["customer.segment.condition"]._model_of(segment)
        seen = model.with_context(active_test=False).browse(records.ids)
        seen.check_access("read")
        return seen

    # === ONE KIND OF ACTION EACH === #

    def _run_object_write(self, leaf, records):
        path = leaf.update_path.split(".")
        targets = records.mapped(".".join(path[:-1])) if path[1:] else records
        if targets:
            targets.write({path[-1]: leaf._eval_value()[leaf.id]})

    def _run_next_activity(self, leaf, records):
        values = {
            "activity_type_id": leaf.activity_type_id.id,
            "summary": leaf.activity_summary or "",
            "note": leaf.activity_note or "",
        }
        if leaf.activity_date_deadline_range > 0:
            unit = leaf.activity_date_deadline_range_type or "days"
            values["date_deadline"] = fields.Date.context_today(
                records
            ) + relativedelta(**{unit: leaf.activity_date_deadline_range})
        for user, batch in records.grouped(
            lambda record: self._activity_user(leaf, record)
        ).items():
            batch.activity_schedule(**values, user_id=user.id)

    def _activity_user(self, leaf, record):
        """Whom the activity is for: as the action says, else the responsible."""
        user = leaf.activity_user_id
        if leaf.activity_user_type == "generic":
            user = record.sudo().mapped(leaf.activity_user_field_name)[:1]
        return user or record.env.user

    def _run_mail_post(self, leaf, records):
        template = leaf.template_id
        if not template:
            raise UserError(self.env._("The e-mail template is gone."))
        if leaf.mail_post_method == "note":
            wanted = records
        else:
            wanted = records.filtered(lambda record: not record.is_blacklisted)
        if leaf.mail_post_method == "email":
            # send_mail_batch() itself goes by the user's rights on the records.
            template.with_env(records.env).send_mail_batch(wanted.ids)
        elif wanted:
            note = leaf.mail_post_method == "note"
            wanted.with_context(mail_post_autofollow_author_skip=True).with_context(
                mail_post_autofollow=leaf.mail_post_autofollow,
                mail_notify_force_send=False,
            ).message_post_with_source(
                template.with_env(records.env),
                message_type="auto_comment",
                subtype_xmlid="mail.mt_note" if note else "mail.mt_comment",
            )
        return records - wanted

    def _run_sms(self, leaf, records):
        """Queue the text on the line of its class: the one door of our messages."""
        template = leaf.sms_template_id
        if not template:
            raise UserError(self.env._("The SMS text is gone."))
        company = records.env.company
        line = company._get_sms_line(template.message_class)
        if not line:
            raise UserError(
                self.env._("%s has no SMS line for such a text.", company.name)
            )
        if company.sudo().club_silent:
            return records
        numbers = self._numbers(records, company)
        reachable = records.filtered(lambda record: record.id in numbers)
        bodies = template.with_env(records.env)._render_field(
            "body", reachable.ids, compute_lang=True
        )
        partner_of = {record.id: self._partner(record).id for record in reachable}
        results = line._queue_messages(
            [
                {
                    "number": numbers[record.id],
                    "body": bodies.get(record.id) or "",
                    "partner_id": partner_of[record.id],
                }
                for record in reachable
            ]
        )
        refused = [
            record.id
            for record, (sms_id, _reason) in zip(reachable, results, strict=True)
            if not sms_id
        ]
        return (records - reachable) | records.browse(refused)

    def _numbers(self, records, company):
        """E.164 by id of those who may be reached at all by SMS."""
        if records._name == "res.partner":
            return records._get_sms_numbers(company)
        infos = records._sms_get_recipients_info()
        return {
            record.id: infos[record.id]["sanitized"]
            for record in records
            if infos[record.id]["sanitized"] and not record.partner_id.sudo().no_sms
        }

    def _partner(self, record):
        return record if record._name == "res.partner" else record.partner_id

    def _run_followers(self, leaf, records):
        records.message_subscribe(partner_ids=self._followers(leaf, records).ids)

    def _run_remove_followers(self, leaf, records):
        records.message_unsubscribe(partner_ids=self._followers(leaf, records).ids)

    def _followers(self, leaf, records):
        if leaf.followers_type == "specific":
            return leaf.partner_ids
        return records.mapped(leaf.followers_partner_field_name)

    def _run_through_core(self, leaf, records):
        if records:
            leaf.with_env(records.env).with_context(
                active_model=records._name,
                active_ids=records.ids,
                active_id=records[:1].id,
            ).run()

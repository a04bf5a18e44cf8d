"""Group messages by e-mail when something changes in the middle."""

from unittest.mock import patch

from odoo.exceptions import UserError
from odoo.tests import tagged

from .test_campaign_mail import MailCommon


@tagged("post_install", "-at_install")
class TestCampaignMailFire(MailCommon):
    def begun(self, first, count, **values):
        """One of them has it, the others wait."""
        partners, mailing = self.mailed(count, first=first, rate_per_hour=1, **values)
        mailing.action_put_in_queue()
        self.let_core_work(mailing)
        self.assertEqual(len(mailing.mailing_trace_ids), 1)
        mailing.rate_per_hour = 0
        return partners, mailing

    def outcome(self, mailing):
        """What became of each: by contact id."""
        return {
            trace.res_id: (trace.trace_status, trace.failure_type)
            for trace in mailing.mailing_trace_ids
        }

    def test_refused_in_the_middle(self):
        """By the link in an e-mail or by staff; whatever core's switch says."""
        partners, mailing = self.begun(1400, 3, use_exclusion_list=False)
        self.env["mail.blacklist"].sudo()._add(partners[1].email_normalized)
        self.let_core_work(mailing)
        outcome = self.outcome(mailing)
        self.assertEqual(outcome.pop(partners[1].id), ("cancel", "mail_bl"))
        self.assertEqual({status for status, _why in outcome.values()}, {"sent"})
        self.assertEqual(mailing.state, "done")

    def test_refused_while_it_waits_for_the_mail_server(self):
        """Which may be an hour away; the others still get it."""
        partners, mailing = self.mailed(2, first=1405)
        self.env["ir.config_parameter"].sudo().set_param(
            "mail.mail.force.send.limit", "1"
        )
        mailing.action_put_in_queue()
        self.let_core_work(mailing)
        blacklist = self.env["mail.blacklist"].sudo()
        blacklist.create({"email": partners[0].email_normalized, "active": False})
        mails = self.env["mail.mail"].sudo().search([("mailing_id", "=", mailing.id)])
        self.assertEqual(mails.mapped("state"), ["outgoing"] * 2)
        blacklist._add(partners[0].email)
        self.assertEqual(
            {mail.res_id: mail.state for mail in mails},
            {partners[0].id: "cancel", partners[1].id: "outgoing"},
        )
        self.assertEqual(self.outcome(mailing)[partners[0].id], ("cancel", "mail_bl"))
        blacklist._add(partners[1].email)
        self.assertEqual(mails.mapped("state"), ["cancel"] * 2)

    def test_bounced_before(self):
        """A contact whose address bounced is not left out: core decides about that."""
        partners, mailing = self.begun(1410, 2)
        trace = mailing.mailing_trace_ids
        trace.set_bounced()
        self.let_core_work(mailing)
        self.assertEqual(
            sorted(mailing.mailing_trace_ids.mapped("trace_status")),
            ["bounce", "sent"],
        )
        mailing.refresh_results()
        failed = mailing.recipient_ids.filtered("is_failed")
        self.assertEqual(failed.partner_id.id, trace.res_id)
        self.assertEqual(len(partners), 2)

    def test_stopped_while_they_wait_for_the_mail_server(self):
        """What has not left does not leave."""
        partners, mailing = self.mailed(3, first=1420)
        self.env["ir.config_parameter"].sudo().set_param(
            "mail.mail.force.send.limit", "1"
        )
        mailing.action_put_in_queue()
        self.let_core_work(mailing)
        mails = self.env["mail.mail"].sudo().search([("mailing_id", "=", mailing.id)])
        self.assertEqual(mails.mapped("state"), ["outgoing"] * 3)
        mails[0].write({"state": "sent"})
        mails[0].mailing_trace_ids.set_sent()
        mailing.action_stop()
        self.assertEqual(sorted(mails.mapped("state")), ["cancel", "cancel", "sent"])
        self.assertEqual(
            sorted(mailing.mailing_trace_ids.mapped("trace_status")),
            ["cancel", "cancel", "sent"],
        )
        self.assertEqual(len(partners), 3)

    def test_stopped_in_the_middle_of_a_batch(self):
        """Core commits in there: who was written to is told so, the rest gets none."""
        partners, mailing = self.mailed(3, first=1423)
        mailing.action_put_in_queue()
        mailing.sudo()._prepare()
        composer = type(self.env["mail.compose.message"])
        send = composer._action_send_mail_mass_mail

        def stop_after_the_first(wizard, res_ids, auto_commit=False):
            send(wizard, partners[:1].ids, auto_commit=auto_commit)
            mailing.action_stop()
            return send(wizard, partners[1:].ids, auto_commit=auto_commit)

        with patch.object(
            composer, "_action_send_mail_mass_mail", stop_after_the_first
        ):
            self.let_core_work(mailing)
        self.assertEqual(
            [self.outcome(mailing)[partner.id][0] for partner in partners],
            ["sent", "cancel", "cancel"],
        )
        self.assertEqual(
            [self.reasons(mailing)[partner] for partner in partners],
            [None, "halted", "halted"],
        )
        self.assertEqual(mailing.state, "done")

    def test_address_corrected_to_somebody_elses(self):
        """Who has it under that address gets no second one."""
        partners, mailing = self.begun(1450, 2)
        has_it = self.env["res.partner"].browse(mailing.mailing_trace_ids.res_id)
        (partners - has_it).sudo().email = has_it.sudo().email
        self.let_core_work(mailing)
        sent = mailing.mailing_trace_ids.filtered(
            lambda trace: trace.trace_status == "sent"
        )
        self.assertEqual(sent.mapped("res_id"), has_it.ids)

    def test_contact_of_a_lead_deleted(self):
        """An e-mail goes to the contact: without one nobody is said to have got it."""
        (guest,) = self.members(1460, 1)
        guest.sudo().email = "lead-guest@example.com"
        lead = (
            self.env["crm.lead"]
            .sudo()
            .create(
                {
                    "name": "Lead",
                    "partner_id": guest.id,
                    "company_id": self.company.id,
                }
            )
        )
        mailing = self.campaign(
            mailing_type="mail",
            body_html="<p>Hello</p>",
            reply_to_mode="update",
            audience_mode="chosen",
            audience_lead_ids=lead.ids,
        )
        mailing.action_put_in_queue()
        mailing.sudo()._prepare()
        guest.sudo().club_member_ids.unlink()
        guest.sudo().unlink()
        self.let_core_work(mailing)
        self.assertEqual(mailing.recipient_ids.mapped("reason"), ["gone"])
        self.assertEqual(mailing.queued_count, 0)

    def test_contacts_merged(self):
        """Who was written to is not written to again, nor twice at once."""
        partners, mailing = self.begun(1430, 4)
        has_it = self.env["res.partner"].browse(mailing.mailing_trace_ids.res_id)
        rest = partners - has_it
        merge = self.env["base.partner.merge.automatic.wizard"].sudo()
        merge._merge((has_it | rest[0]).ids, has_it.sudo())
        merge._merge(rest[1:].ids, rest[1].sudo())
        self.let_core_work(mailing)
        sent = mailing.mailing_trace_ids.filtered(
            lambda trace: trace.trace_status == "sent"
        )
        self.assertCountEqual(sent.mapped("res_id"), (has_it | rest[1]).ids)
        self.assertEqual(mailing.state, "done")

    def test_composer_writes_in_no_campaigns_name(self):
        """Whoever has a trace was written to, and would not get the message itself."""
        partners, mailing = self.mailed(1, first=1438)
        composer = self.env["mail.compose.message"].create(
            {
                "composition_mode": "mass_mail",
                "mass_mailing_id": mailing.id,
                "model": "res.partner",
                "res_ids": repr(partners.ids),
                "subject": "Else",
                "body": "Else",
            }
        )
        with self.assertRaisesRegex(UserError, "those chosen in it"):
            composer.action_send_mail()
        self.assertFalse(mailing.mailing_trace_ids)

    def test_contact_deleted(self):
        """It is held, not counted as written to."""
        partners, mailing = self.begun(1440, 2)
        waiting = mailing.recipient_ids.filtered(lambda one: one.state == "waiting")
        waiting.partner_id.sudo().unlink()
        self.let_core_work(mailing)
        self.assertEqual((waiting.state, waiting.reason), ("held", "gone"))
        self.assertEqual(mailing.queued_count, 1)
        self.assertEqual(len(partners), 2)

    def test_attachments_stay(self):
        """They belong to what was checked."""
        _partners, mailing = self.begun(1450, 2)
        attachment = {"name": "menu.txt", "raw": b"Soup", "res_model": mailing._name}
        for vals in (
            {"attachment_ids": [(0, 0, attachment)]},
            {"reply_to": "else@example.com"},
        ):
            with self.assertRaisesRegex(UserError, "stays as it was checked"):
                mailing.write(vals)

from datetime import timedelta

from odoo import api, fields, models

from ...tools.message_choice import (
    ClubTexts,
    TagTexts,
    Visit,
    choose_message,
)

# Messages younger than this keep their row, as if core had not purged them yet.
KEPT_MESSAGE_DAYS = 3


class ClubDemo(models.AbstractModel):
    """Fills demo databases: only the files in ``demo/`` call it."""

    _name = "club.demo"
    _description = "Club Demo Data"

    @api.model
    def _translate(self, lang, texts):
        """Translate demo records: exports of terms see no demo data.

        :param str lang: code of the language; nothing happens while it is missing
        :param dict texts: ``{xml id: {field: text}}``
        """
        if lang not in dict(self.env["res.lang"].get_installed()):
            return
        for xml_id, values in texts.items():
            self._ref(xml_id).with_context(lang=lang).write(values)

    @api.model
    def _set_language(self, lang, xml_ids):
        """Let contacts or devices speak a language, where it is installed.

        :param str lang: code of the language
        :param list xml_ids: contacts or devices
        """
        if lang in dict(self.env["res.lang"].get_installed()):
            for xml_id in xml_ids:
                self._ref(xml_id).lang = lang

    @api.model
    def _note_devices(self, seen):
        """Let devices have been seen lately.

        :param dict seen: ``{xml id: (minutes ago, firmware, queue length)}``
        """
        now = fields.Datetime.now()
        for xml_id, (minutes, firmware, queue) in seen.items():
            self._ref(xml_id).sudo().activity_row_ids.write(
                {
                    "last_seen": now - timedelta(minutes=minutes),
                    "firmware": firmware,
                    "queue_length": queue,
                }
            )

    @api.model
    def _create_visits(self, plans):
        """Create members with the check-ins of the past weeks.

        :param list plans: dicts of ``partner`` and ``device`` (xml ids), ``visits``,
            ``every`` (days between visits), ``last`` (hours since the last one) and
            ``digits`` (pressed in turn, 0 for none)
        """
        vals_list = []
        for number, plan in enumerate(plans):
            vals_list += self._prepare_member_checkins(number, plan)
        vals_list.sort(key=lambda vals: vals["arrived_at"])
        checkins = self.env["club.checkin"].create(vals_list)
        checkins.member_id._recount()
        for device, batch in checkins.grouped("device_id").items():
            device.group_id._add_partners(batch.member_id.partner_id)
        self.env["club.checkin.followup"]._apply_tags(checkins)
        self._create_messages(checkins)
        self._spoil_some(checkins)

    def _ref(self, name):
        return self.env.ref(name if "." in name else f"customer_segmentation.{name}")

    def _prepare_member_checkins(self, number, plan):
        partner, device = self._ref(plan["partner"]), self._ref(plan["device"])
        member = self.env["club.member"].create(
            {
                "company_id": device.company_id.id,
                "phone_e164": partner.phone_sanitized,
                "partner_id": partner.id,
                "joined_device_id": device.id,
                "consent_version": "1",
                "no_sms": partner.no_sms,
            }
        )
        last = fields.Datetime.now() - timedelta(hours=plan["last"])
        tags = {tag.digit: tag for tag in device.tag_ids}
        pressed, vals_list = set(), []
        for visit_no in range(1, plan["visits"] + 1):
            ago = plan["visits"] - visit_no
            # A few hours earlier or later, or every visit would be at the same hour.
            jitter = ((number * 37 + ago * 61) % 9 - 4) * 40 if ago else 0
            occurred_at = last - timedelta(days=ago * plan["every"], minutes=jitter)
            digit = plan["digits"][visit_no % len(plan["digits"])]
            tag = tags.get(digit, self.env["club.device.tag"])
            vals = self._prepare_checkin(member, device, tag, visit_no, occurred_at)
            vals.update(self._choose(member, tag, visit_no, tag.id in pressed))
            vals["event_id"] = f"demo-{member.id:06d}-{visit_no:04d}"
            pressed.add(tag.id)
            vals_list.append(vals)
            if (number + visit_no) % 9 == 0:
                vals_list.append(self._prepare_too_soon(vals))
        return vals_list

    def _prepare_checkin(self, member, device, tag, visit_no, occurred_at):
        return {
            "company_id": device.company_id.id,
            "device_id": device.id,
            "member_id": member.id,
            "phone_raw": member.partner_id.phone,
            "digit": tag.digit,
            "tag_id": tag.id,
            "category_id": tag.category_id.id,
            "config_rev": device.config_rev,
            "occurred_at": occurred_at,
            "arrived_at": occurred_at + timedelta(seconds=2),
            "counted": True,
            "visit_no": visit_no,
            "result": "new" if visit_no == 1 else "repeat",
            "state": "done",
        }

    def _prepare_too_soon(self, vals):
        later = timedelta(minutes=3)
        return {
            **vals,
            "event_id": f"{vals['event_id']}-again",
            "occurred_at": vals["occurred_at"] + later,
            "arrived_at": vals["arrived_at"] + later,
            "counted": False,
            "not_counted_reason": "too_soon",
            "result": "too_soon",
            "message_kind": False,
            "message_template_id": False,
            "message_reason": "too_soon",
        }

    def _choose(self, member, tag, visit_no, pressed_before):
        company = member.company_id
        choice = choose_message(
            Visit(
                visit_no=visit_no,
                is_first=visit_no == 1,
                tag_pressed_before=pressed_before,
                no_sms=member.no_sms,
            ),
            ClubTexts(
                welcome_template_id=company.club_welcome_template_id.id,
                repeat_template_id=company.club_repeat_template_id.id,
                milestone_every=company.club_milestone_every,
                milestone_template_id=company.club_milestone_template_id.id,
            ),
            tag
            and TagTexts(
                first_mode=tag.first_mode,
                first_template_id=tag.first_template_id.id,
                repeat_mode=tag.repeat_mode,
                repeat_template_id=tag.repeat_template_id.id,
                first_scope=tag.first_scope,
            ),
        )
        return {
            "message_kind": choice.kind,
            "message_template_id": choice.template_id,
            "message_reason": choice.reason,
        }

    def _create_messages(self, checkins):
        """What became of the texts; the rows of the latest ones are still there."""
        texted = checkins.filtered("message_kind")
        kept_since = fields.Datetime.now() - timedelta(days=KEPT_MESSAGE_DAYS)
        for at, checkin in enumerate(texted):
            checkin.message_state = (
                "error" if at % 23 == 17 else "pending" if at % 6 == 5 else "sent"
            )
        kept = texted.filtered(lambda checkin: checkin.arrived_at > kept_since)
        for company, batch in kept.grouped("company_id").items():
            line = company._get_sms_line("service")
            followup = self.env["club.checkin.followup"].with_company(company)
            bodies = followup._render_bodies(batch.with_company(company))
            for checkin in batch:
                checkin.sms_id = self.env["sms.sms"].create(
                    {
                        "create_date": checkin.arrived_at,
                        "number": checkin.phone_e164,
                        "body": bodies[checkin.id],
                        "partner_id": checkin.partner_id.id,
                        "company_id": company.id,
                        "line_id": line.id,
                        "message_class": line.message_class,
                        "state": checkin.message_state,
                        "failure_type": checkin.message_state == "error"
                        and "sms_server",
                    }
                )

    def _spoil_some(self, checkins):
        """One case of each kind that a person may have to look at."""
        visits = checkins.filtered(lambda checkin: checkin.counted)
        again = checkins - visits
        late = visits.filtered(lambda visit: visit.member_id not in again.member_id)
        late = late[-6:-5]
        late.write(
            {
                "is_late": True,
                "occurred_at": late.occurred_at - timedelta(hours=9),
                "message_kind": False,
                "message_state": False,
                "message_reason": "late",
            }
        )
        late.member_id._recount()
        visits[-6:-5].write({"digit": 8, "tag_id": False, "unknown_digit": True})
        alone = visits.filtered(lambda checkin: checkin.member_id.visit_count == 1)
        alone[-1:].mark_not_customer("job_seeker")

import json
import re

from odoo import api, fields, models
from odoo.tools import LazyTranslate

from ...tools.birthdate import read_day
from ...tools.sms_text import strip_controls, to_latin_digits

_lt = LazyTranslate(__name__)

QUESTIONS_AT_MOST = 5
QUESTIONS = {
    "name": _lt("What is your name?"),
    "salutation": _lt("How may we address you?"),
    "birthday": _lt("When were you born?"),
    "gender": _lt("Are you …"),
    "city": _lt("Which city do you live in?"),
    "interests": _lt("What are you interested in?"),
    "consent": _lt("May we send you our offers by SMS?"),
}
"""In the order they are asked; consent keeps its place among the five."""

LONGEST = {"name": 80, "city": 60, "birthday": 20}
FIELDS = {
    "name": "name",
    "salutation": "salutation_id",
    "birthday": "birthdate_date",
    "gender": "gender",
    "city": "city",
}
EARLIEST_BIRTH_YEAR = 1900


class AnswerRefused(ValueError):
    """An answer that cannot be taken; the text says why."""


class CustomerProfileLink(models.Model):
    """What the page asks, and where the answers go."""

    _inherit = "customer.profile.link"

    # === ASKING === #

    def _get_missing(self):
        """Questions that the company wants asked and has no answer to.

        :return: keys of :data:`QUESTIONS`, at most five
        :rtype: list[str]
        """
        self.ensure_one()
        wanted = [key for key in QUESTIONS if self.company_id[f"profile_ask_{key}"]]
        missing = [key for key in wanted if self._is_missing(key)]
        if "consent" in missing:
            return [*missing[:-1][: QUESTIONS_AT_MOST - 1], "consent"]
        return missing[:QUESTIONS_AT_MOST]

    def _is_missing(self, key):
        partner = self.partner_id
        if key == "name":
            return not any(map(str.isalpha, partner.name or ""))
        if key == "interests":
            return bool(
                not partner.no_profiling
                and self._get_options("interests")
                and not partner.trait_ids.filtered(
                    lambda trait: trait.family == "interests"
                )
            )
        if key == "consent":
            number = self._get_number()
            return bool(number) and not self.env["customer.consent"].sudo().search(
                [
                    ("company_id", "=", self.company_id.id),
                    ("kind", "in", ["consent", "optout", "no_sms"]),
                    "|",
                    ("number", "=", number),
                    ("partner_id", "=", partner.id),
                ],
                limit=1,
            )
        return not partner[FIELDS[key]]

    def _get_number(self):
        numbers = self.partner_id._get_sms_numbers(self.company_id)
        return numbers.get(self.partner_id.id)

    def _get_options(self, key):
        """What may be chosen: pairs of value and words.

        :rtype: list[tuple[str, str]]
        """
        if key == "salutation":
            found = self.env["customer.salutation"].sudo().search([], limit=100)
            return [(str(record.id), record.name) for record in found]
        if key == "interests":
            found = (
                self.env["customer.trait"]
                .sudo()
                .search([("family", "=", "interests")], limit=12)
            )
            return [(str(record.id), record.name) for record in found]
        if key == "gender":
            field = self.env["res.partner"]._fields["gender"]
            return list(field._description_selection(self.env))
        if key == "consent":
            return [("yes", self.env._("Yes, gladly")), ("no", self.env._("No"))]
        return []

    def _get_consent_wording(self):
        return self.env._(
            "%s may send me offers by SMS. I can end that at any time by answering 11.",
            self.company_id.name,
        )

    def _get_questions(self, keys):
        """What the page shows for these keys.

        :rtype: list[dict]
        """
        kinds = {"interests": "many", "gender": "one", "consent": "one"}
        return [
            {
                "key": key,
                "label": self.env._(QUESTIONS[key]),
                "kind": kinds.get(key, "list" if key == "salutation" else "text"),
                "options": self._get_options(key),
                "length": LONGEST.get(key, 60),
                "hint": self._get_consent_wording() if key == "consent" else "",
            }
            for key in keys
        ]

    # === ANSWERING === #

    def _read_answers(self, form):
        """Read what was sent; only what was asked counts.

        :param form: mapping with ``getlist`` (werkzeug's MultiDict)
        :return: values by key, and what is wrong by key
        :rtype: tuple[dict, dict]
        """
        answers, problems = {}, {}
        for key in self._get_asked():
            typed = [
                strip_controls(value).strip() for value in form.getlist(key) if value
            ]
            typed = [value for value in typed if value]
            if not typed:
                continue
            try:
                answers[key] = self._read_answer(key, typed)
            except AnswerRefused as error:
                problems[key] = str(error)
        return answers, problems

    def _read_answer(self, key, typed):
        options = dict(self._get_options(key))
        if options:
            if any(value not in options for value in typed):
                raise AnswerRefused(self.env._("Choose one of the answers."))
            return typed if key == "interests" else typed[0]
        value = " ".join(typed[0].split())
        if len(value) > LONGEST[key]:
            raise AnswerRefused(self.env._("That is too long."))
        if key == "birthday":
            return self._read_birthday(value)
        if not any(map(str.isalpha, value)):
            raise AnswerRefused(self.env._("Please write it in letters."))
        return value

    def _read_birthday(self, value):
        # Some keypads have digits only.
        parts = re.findall(r"[0-9]+", to_latin_digits(value))
        if len(parts) == 1 and len(parts[0]) == 8:
            parts = [parts[0][:4], parts[0][4:6], parts[0][6:]]
        try:
            day = read_day("-".join(parts))
        except (ValueError, OverflowError) as error:
            raise AnswerRefused(
                self.env._("Write year, month and day, such as %s.", self._example())
            ) from error
        if day.year < EARLIEST_BIRTH_YEAR or day > fields.Date.today():
            raise AnswerRefused(self.env._("Please check the year."))
        return fields.Date.to_string(day)

    def _example(self):
        persian = (self.env.lang or "").startswith("fa")
        return "۱۳۷۰/۵/۱۲" if persian else "1991-08-03"

    def _get_conflicts(self, answers):
        """Keys whose value somebody else has filled in since the page opened."""
        conflicts = []
        for key, value in answers.items():
            if self._is_missing(key) or key in ("interests", "consent"):
                continue
            known = self.partner_id[FIELDS[key]]
            if key == "salutation":
                known = str(known.id)
            elif key == "birthday":
                known = fields.Date.to_string(known)
            if known != value:
                conflicts.append(key)
        return conflicts

    def _save(self, answers):
        """Write the answers on the contact, with their source; the link is used up.

        :param dict answers: of :meth:`_read_answers`, confirmed where they replace
        :return: False when another request was first
        :rtype: bool
        """
        self.ensure_one()
        self.lock_for_update(allow_referencing=True)
        self.invalidate_recordset(["answered_at"])
        if self.answered_at:
            return False
        partner = self.partner_id.with_company(self.company_id)
        values = {FIELDS[key]: answers[key] for key in answers if key in FIELDS}
        if "salutation" in answers:
            values["salutation_id"] = int(answers["salutation"])
        if "interests" in answers:
            values["trait_ids"] = [
                fields.Command.link(int(trait)) for trait in answers["interests"]
            ]
        if values:
            partner.with_context(tracking_disable=True).write(values)
        if "consent" in answers:
            self._save_consent(answers["consent"] == "yes")
        self.write(
            {
                "answered_at": fields.Datetime.now(),
                "answered": json.dumps(list(answers)),
            }
        )
        if answers:
            self._note(answers)
        return True

    def _save_consent(self, agreed):
        self.env["customer.consent"].sudo().create(
            {
                "company_id": self.company_id.id,
                "number": self._get_number(),
                "partner_id": self.partner_id.id,
                "kind": "consent" if agreed else "optout",
                "channel": "page",
                "source": self.env._("Profile link"),
                "wording": self._get_consent_wording(),
                "user_id": False,
            }
        )

    def _note(self, answers):
        """Say on the contact what came from whom; and it is an event."""
        company_lang = self.company_id.partner_id.lang or self.env.lang
        staff = self.with_context(lang=company_lang)
        labels = [staff.env._(QUESTIONS[key]) for key in answers]
        self.partner_id._message_log(
            body=staff.env._(
                "The customer answered by profile link: %s", " · ".join(labels)
            ),
            author_id=self.partner_id.id,
        )
        self.env["customer.event"].sudo().with_company(self.company_id).record_batch(
            [
                {
                    "kind": "form",
                    "name": staff.env._("Profile link"),
                    "partner_id": self.partner_id.id,
                    "source": "profile_link",
                    "external_id": str(self.id),
                }
            ]
        )

    # === TEXTS === #


class SmsPlaceholder(models.AbstractModel):
    """``{{ profile_link }}``: each recipient gets a link of their own."""

    _inherit = "sms.placeholder"

    @api.model
    def _prepare_batch(self, found, records, partners, sample):
        made = super()._prepare_batch(found, records, partners, sample)
        made["links"] = {}
        if any(placeholder.expression == "profile_link" for placeholder in found):
            everyone = self.env["res.partner"].union(*partners.values())
            links = self.env["customer.profile.link"].sudo()
            company = self.env.company.sudo()
            if sample:
                made["links"] = dict.fromkeys(everyone.ids, links._sample(company))
            else:
                made["links"] = links._create_links(everyone, company)
        return made

    def _value_of_profile_link(self, record, partner, lang, made):
        return made["links"].get(partner.id, "")

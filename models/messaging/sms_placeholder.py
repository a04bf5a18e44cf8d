import re

from odoo import api, models
from odoo.exceptions import AccessError, ValidationError
from odoo.tools import LazyTranslate

from ...tools.placeholder import NAME, PATH, find_broken, placeholders

_lt = LazyTranslate(__name__)

TEXT_MODELS = ("res.partner", "crm.lead", "sale.order", "account.move")
"""The documents our texts are written for; a check-in's text is the contact's."""

# name: (label, words that stand there while it is unknown, group in the menu)
NAMES = {
    "greeting": (_lt("Salutation and name"), _lt("Dear guest"), "person"),
    "salutation": (_lt("Salutation"), "", "person"),
    "name": (_lt("Name"), _lt("friend"), "person"),
    "profile_link": (_lt("Profile link"), "", "person"),
    "visits": (_lt("Number of visits"), "", "customer"),
    "last_visit": (_lt("Last visit"), "", "customer"),
    "last_purchase": (_lt("Last purchase"), "", "customer"),
    "purchase_count": (_lt("Number of purchases"), "", "customer"),
    "purchase_total": (_lt("Sum of purchases"), "", "customer"),
    "score": (_lt("Score"), "", "customer"),
    "offer": (_lt("Offer of the segment"), "", "customer"),
    "company": (_lt("Our name"), "", "company"),
    "company_phone": (_lt("Our phone"), "", "company"),
    "company_address": (_lt("Our address"), "", "company"),
    "company_website": (_lt("Our website"), "", "company"),
    "slogan": (_lt("Our slogan"), "", "company"),
    "links": (_lt("Our messengers"), "", "company"),
}
GROUPS = {
    "person": _lt("The person"),
    "customer": _lt("As a customer"),
    "document": _lt("This document"),
    "company": _lt("Our business"),
}
# Fields of the contact behind some names: whoever may not read them may not send them.
NAME_FIELDS = {
    "salutation": "salutation_id",
    "greeting": "salutation_id",
    "visits": "club_visit_count",
    "last_visit": "club_last_visit",
    "last_purchase": "last_purchase_date",
    "purchase_count": "purchase_count",
    "purchase_total": "purchase_total",
    "score": "customer_score",
}
DOCUMENT_PATHS = {
    "crm.lead": {
        "name": _lt("Subject"),
        "user_id": _lt("Salesperson"),
        "expected_revenue": _lt("Expected revenue"),
    },
    "sale.order": {
        "name": _lt("Number"),
        "amount_total": _lt("Total"),
        "date_order": _lt("Date"),
        "validity_date": _lt("Valid until"),
        "user_id": _lt("Salesperson"),
    },
    "account.move": {
        "name": _lt("Number"),
        "amount_total": _lt("Total"),
        "amount_residual": _lt("Left to pay"),
        "invoice_date": _lt("Date"),
        "invoice_date_due": _lt("Due on"),
    },
}

# Where a path may lead; the fields it may end with, None for all that are allowed.
HOPS = {
    **dict.fromkeys(TEXT_MODELS),
    "res.company": {
        "name",
        "phone",
        "email",
        "website",
        "street",
        "street2",
        "city",
        "zip",
        "club_slogan",
        "club_links",
        "club_instagram",
        "club_telegram",
        "club_whatsapp",
        "club_eitaa",
        "club_bale",
        "club_rubika",
    },
    "res.users": {"name", "phone", "email"},
    "res.country": {"name", "code"},
    "res.country.state": {"name", "code"},
    "customer.salutation": {"name"},
    "crm.team": {"name"},
    "crm.stage": {"name"},
    "res.currency": {"name", "symbol"},
    "utm.source": {"name"},
    "utm.medium": {"name"},
    "utm.campaign": {"name"},
}
PRINTABLE = {
    "boolean",
    "char",
    "date",
    "datetime",
    "float",
    "integer",
    "many2many",
    "many2one",
    "monetary",
    "selection",
    "text",
}
# Secrets, the web client's own fields, and what a customer must never read of us.
FORBIDDEN_NAME = re.compile(
    r"token|passw|secret|api_key|signup|access_|^message_|^website_message|^activity_|"
    r"^my_activity|avatar|image|cost|profit|margin|trait|segment|guidance|discount_ceil"
    r"|^no_profiling$|^comment$|_tenth$|^rfm_|blacklist|bank|credit|trust"
)
# Allowed, but nothing that anybody writes to a customer: the menu spares them.
USELESS_NAME = re.compile(
    r"^(?:property_|same_|is_|has_|show_|can_|active|type_|display_|duplicate|lang_)|"
    r"_count$|_label$|_description$|_info$|_warn$|_warn_msg$|_state$|_probability$"
)
FORBIDDEN_GROUPS = {
    "base.group_system",
    "base.group_erp_manager",
    "base.group_no_one",
    "customer_segmentation.customer_segmentation_group_sensitive",
}


class SmsPlaceholder(models.AbstractModel):
    """What may stand between ``{{`` and ``}}`` in a text: names and fields, no code."""

    _name = "sms.placeholder"
    _description = "SMS Placeholder"

    # === CHECKING === #

    @api.model
    def _check(self, text, model):
        """Refuse a text with a broken or forbidden placeholder, naming it.

        :param str text: the template
        :param str model: technical name of the documents it is rendered for
        :raise ValidationError: says which placeholder, and why
        """
        broken = find_broken(text)
        if broken:
            raise ValidationError(
                self.env._(
                    "“%s” is broken: a placeholder begins with {{ and ends with }} on "
                    "one line. Choose it from the menu.",
                    broken,
                )
            )
        for placeholder in placeholders(text):
            problem = self._find_problem(placeholder.expression, model)
            if problem:
                message = f"{placeholder.source}\n{problem}"
                raise ValidationError(message)

    @api.model
    def _is_plain(self, text, model):
        """Whether every placeholder is one of ours.

        :rtype: bool
        """
        return not find_broken(text) and not any(
            self._find_problem(placeholder.expression, model)
            for placeholder in placeholders(text)
        )

    def _find_problem(self, expression, model):
        """Why an expression may not stand in a text, or ""."""
        if expression in NAMES:
            return self._find_name_problem(expression)
        path = PATH.fullmatch(expression)
        if path:
            if model not in self.env:
                return self.env._("Choose first what the text is about.")
            return self._find_path_problem(model, path[1].strip(".").split("."))
        if NAME.fullmatch(expression):
            return self.env._("There is no such placeholder. Choose it from the menu.")
        return self.env._(
            "A text takes names and fields, nothing else. Choose it from the menu."
        )

    def _find_name_problem(self, name):
        field_name = NAME_FIELDS.get(name)
        partners = self.env["res.partner"]
        if field_name and not self._may_read(partners, partners._fields[field_name]):
            return self.env._("You may not see this yourself.")
        return ""

    def _find_path_problem(self, model_name, steps):
        """Follow a path through the models it may lead through."""
        model = self.env[model_name]
        for index, name in enumerate(steps):
            field = model._fields.get(name)
            label = self.env["ir.model"]._get(model._name).display_name
            if field is None:
                return self.env._(
                    "There is no field “%(field)s” on %(model)s.",
                    field=name,
                    model=label,
                )
            if field.type == "properties":
                return self._find_property_problem(model, name, steps[index + 1 :])
            if not self._is_allowed(model, field):
                return self.env._("“%s” may not stand in a text.", name)
            if not self._may_read(model, field):
                return self.env._("You may not see this yourself.")
            if index == len(steps) - 1:
                return ""
            if field.type != "many2one" or field.comodel_name not in HOPS:
                return self.env._("Nothing may be read through “%s”.", name)
            model = self.env[field.comodel_name]
        return ""

    def _find_property_problem(self, model, name, rest):
        if len(rest) == 1:
            try:
                found = model.sudo().get_property_definition(f"{name}.{rest[0]}")
            except ValueError:
                found = {}
            if found and found["type"] not in ("separator", "html"):
                return ""
        return self.env._("There is no such property.")

    def _is_allowed(self, model, field):
        """Whether a field of a model may stand in a text at all."""
        if field.type not in PRINTABLE or FORBIDDEN_NAME.search(field.name):
            return False
        ends = HOPS.get(model._name)
        if ends is not None and field.name not in ends:
            return False
        groups = {group.strip() for group in (field.groups or "").split(",")} - {""}
        return not groups or bool(groups - FORBIDDEN_GROUPS)

    def _may_read(self, model, field):
        return self.env.su or model._has_field_access(field, "read")

    # === MENU === #

    @api.model
    def get_menu(self, model):
        """What the menu of a text offers, in the reader's language.

        :param str model: technical name of the documents the text is for
        :return: ``{"groups": [{"label", "items": [{"expression", "label",
            "fallback"}]}], "fields": [name], "blocks": [{"name", "body", "kind"}]}``
        :rtype: dict
        :raise AccessError: for portal users
        """
        self._check_employee()
        items = {group: [] for group in GROUPS}
        for name, (label, fallback, group) in NAMES.items():
            if not self._find_problem(name, model):
                items[group].append(
                    {
                        "expression": name,
                        "label": self.env._(label),
                        "fallback": self.env._(fallback) if fallback else "",
                    }
                )
        for path, label in DOCUMENT_PATHS.get(model, {}).items():
            if not self._find_problem(f"object.{path}", model):
                items["document"].append(
                    {
                        "expression": f"object.{path}",
                        "label": self.env._(label),
                        "fallback": "",
                    }
                )
        blocks = self.env["sms.text.block"].search(
            ["|", ("model", "=", False), ("model", "=", model)]
        )
        return {
            "groups": [
                {"key": key, "label": self.env._(GROUPS[key]), "items": rows}
                for key, rows in items.items()
                if rows
            ],
            "fields": self._get_allowed_fields(model),
            "blocks": [
                {
                    "id": block.id,
                    "name": block.name,
                    "body": block.full_body,
                    "kind": block.kind,
                }
                for block in blocks
            ],
        }

    def _get_allowed_fields(self, model_name):
        """Fields to begin a path with: those that people know from the form."""
        if model_name not in self.env:
            return []
        model = self.env[model_name]
        shown = set(model.get_view(view_type="form")["models"][model_name])
        return [
            name
            for name, field in model._fields.items()
            if field.type == "properties"
            or (
                name in shown
                and not USELESS_NAME.search(name)
                and self._is_allowed(model, field)
                and self._may_read(model, field)
            )
        ]

    @api.model
    def get_problem(self, expression, model):
        """Why a placeholder may not stand in a text, or "" when it may.

        :param str expression: such as ``object.city``
        :rtype: str
        :raise AccessError: for portal users
        """
        self._check_employee()
        return self._find_problem(expression, model)

    def _check_employee(self):
        if not (self.env.su or self.env.user._is_internal()):
            raise AccessError(self.env._("Only employees write texts."))

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

# Texts of a class by the field of the segment that is made of it, and so on.
SET_TERMS = {"name": "name", "description": "description"}
CLASS_TERMS = {
    "name": "name",
    "note": "description",
    "guidance": "guidance",
    "suggested_message": "suggested_message",
}
COPIES = (
    ("customer.segment.set", "customer.segment.set.template", SET_TERMS),
    ("customer.segment", "customer.segment.condition.template", CLASS_TERMS),
    ("customer.score.rule", "customer.score.template", {"name": "name"}),
)


def copy_terms(template, copy, names):
    """Texts of a template in every installed language.

    :param copy: the record made of the template
    :param dict names: field of the template by that of the copy
    """
    for code, _label in template.env["res.lang"].get_installed():
        said = template.with_context(lang=code)
        copy.with_context(lang=code).write(
            {ours: said[theirs] for ours, theirs in names.items()}
        )


class CustomerSegmentSetTemplate(models.Model):
    """A system of classes as shipped; using it copies it into the current company."""

    _name = "customer.segment.set.template"
    _description = "Ready Class Set"
    _order = "sequence, id"

    name = fields.Char(required=True, translate=True)
    description = fields.Text(translate=True)
    icon = fields.Char(default="fa-object-group")
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    exclusive = fields.Boolean(string="One class per contact", default=True)
    entities_only = fields.Boolean(string="Companies and single persons only")
    class_ids = fields.One2many(
        "customer.segment.condition.template",
        "set_template_id",
        string="Classes",
        domain=[("usage", "=", "class")],
    )
    # Leads without a contact have classes of their own, called like those of contacts.
    shown_class_ids = fields.Many2many(
        "customer.segment.condition.template",
        string="Names of the classes",
        compute="_compute_shown_class_ids",
    )
    set_id = fields.Many2one(
        "customer.segment.set",
        string="In this company",
        compute="_compute_set_id",
    )

    # === LANGUAGES === #

    @api.model
    def _translate_copies(self, langs):
        """Give sets, classes and scoring rules that were made of a template its texts
        in languages that came later; what somebody renamed stays.

        :param list langs: codes
        """
        self.env.flush_all()
        for model, template, names in COPIES:
            for name, source in names.items():
                for lang in langs:
                    self.env.cr.execute(
                        SQL(
                            """
                            UPDATE %(table)s c
                               SET %(name)s = c.%(name)s
                                   || jsonb_build_object(%(lang)s, t.%(source)s
                                                                   ->> %(lang)s)
                              FROM %(template)s t
                             WHERE t.id = c.template_id
                               AND coalesce(c.%(name)s ->> %(lang)s,
                                            c.%(name)s ->> 'en_US')
                                   = c.%(name)s ->> 'en_US'
                               AND t.%(source)s ? %(lang)s
                               AND c.%(name)s ->> 'en_US' = t.%(source)s ->> 'en_US'
                            """,
                            table=SQL.identifier(self.env[model]._table),
                            template=SQL.identifier(self.env[template]._table),
                            name=SQL.identifier(name),
                            source=SQL.identifier(source),
                            lang=lang,
                        )
                    )
            self.env[model].invalidate_model(list(names))

    # === COMPUTE METHODS === #

    @api.depends("class_ids.name")
    @api.depends_context("lang")
    def _compute_shown_class_ids(self):
        for template in self:
            alike = template.class_ids.sorted().grouped("name").values()
            template.shown_class_ids = template.class_ids.browse().union(
                *(classes[0] for classes in alike)
            )

    @api.depends_context("company")
    def _compute_set_id(self):
        sets = self.env["customer.segment.set"].search(
            [
                ("template_id", "in", self.ids),
                ("company_id", "=", self.env.company.id),
                ("active", "in", [True, False]),
            ]
        )
        used = {found.template_id: found for found in sets}
        for template in self:
            template.set_id = used.get(template._origin)

    # === ACTIONS === #

    def action_use(self):
        """Use this set in the current company, and open its classes."""
        self.ensure_one()
        used = self.use()
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success",
                "message": used["message"],
                "next": self.action_open_set(),
            },
        }

    def action_open_set(self):
        """Open the classes of the current company.

        :rtype: dict
        """
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "customer_segmentation.customer_segment_action_classes"
        )
        action["context"] = {
            "search_default_set_id": self.set_id.id,
            "active_test": False,
            "default_kind": "dynamic",
            "default_set_id": self.set_id.id,
        }
        return action

    # === BUSINESS METHODS === #

    def use(self):
        """Copy the set with its classes into the current company and fill it.

        The caller answers for the classes. Those that are there already are left
        alone; those that wait for data are switched on once it has come.

        :return: ``{"set_id", "class_ids", "waiting_ids", "message"}``
        :rtype: dict
        :raise AccessError: for whoever may not make segments
        """
        self.ensure_one()
        segments = self.env["customer.segment"].with_context(active_test=False)
        segments.check_access("create")
        self.invalidate_recordset(["set_id"])
        if self.env.user._is_superuser():
            raise UserError(
                self.env._("Choose a person as responsible, not the system.")
            )
        mine = self.set_id or self._copy_set()
        found = segments.search([("set_id", "=", mine.id)])
        known = found.template_id
        for template in self.class_ids.sorted() - known:
            if template._is_usable():
                found += template._copy_class(mine)
        waiting = found.filtered(
            lambda segment: not segment.active and segment.template_id.waits_for_data
        )
        ready = waiting.filtered(lambda segment: segment._has_matches())
        ready.active = True
        (found - waiting + ready).filtered(
            lambda segment: segment.active and segment.state != "fresh"
        ).refresh()
        waiting -= ready
        return {
            "set_id": mine.id,
            "class_ids": found.ids,
            "waiting_ids": waiting.ids,
            "message": self._words(found - waiting, waiting),
        }

    def _copy_set(self):
        """The set itself; marketers make it through this door only."""
        mine = self.env["customer.segment.set"].sudo()
        mine = mine.create(
            {
                "name": self.name,
                "description": self.description,
                "sequence": self.sequence,
                "exclusive": self.exclusive,
                "entities_only": self.entities_only,
                "company_id": self.env.company.id,
                "template_id": self.id,
            }
        )
        self.invalidate_recordset(["set_id"])
        copy_terms(self, mine, SET_TERMS)
        return mine.sudo(False)

    def _words(self, used, waiting):
        people = sum(used.filtered("active").mapped("member_count"))
        if waiting:
            return self.env._(
                "%(name)s: %(people)s people in classes; %(count)s classes wait for "
                "data.",
                name=self.name,
                people=people,
                count=len(waiting),
            )
        return self.env._(
            "%(name)s: %(people)s people in classes.", name=self.name, people=people
        )

    @api.model
    def offered(self):
        """Ready sets, with what the current company makes of them.

        :return: ``[{"id", "name", "description", "icon", "classes": [names],
            "set_id"}]``; nothing for whoever may not make segments
        :rtype: list[dict]
        """
        if not self.env["customer.segment"].has_access("create"):
            return []
        return [
            {
                "id": template.id,
                "name": template.name,
                "description": template.description or "",
                "icon": template.icon or "",
                "classes": template.shown_class_ids.mapped("name"),
                "set_id": template.set_id.id,
            }
            for template in self.search([])
        ]

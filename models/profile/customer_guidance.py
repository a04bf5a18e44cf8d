from odoo import api, models


class CustomerGuidance(models.AbstractModel):
    """What whoever talks to a customer should heed, from its traits and segments."""

    _name = "customer.guidance"
    _description = "Guidance"

    @api.model
    def _prepare_cards(self, partner, traits=None, company=None, segments=None):
        """Cards for one customer, the most urgent first.

        A user of a shared screen gets neutral labels and no more; a contact that wants
        no profiling has no card.

        :param partner: a contact, or an empty recordset
        :param traits: ``customer.trait`` besides the contact's own (a lead's)
        :param company: whose segments count, default the current one
        :param segments: ``customer.segment`` besides the contact's own (a lead's)
        :return: ``[{"key", "title", "icon", "color", "urgency", "lines": [{"label",
            "text"}]}]``; texts are plain
        :rtype: list[dict]
        """
        if partner.no_profiling:
            return []
        traits = (traits or self.env["customer.trait"]) | partner.trait_ids
        guided = self.env["customer.trait"]._sees_guidance()
        cards = [
            (
                trait.urgency,
                0,
                trait.sequence,
                trait.id,
                self._card_of_trait(trait, guided),
            )
            for trait in traits.filtered("active")
        ]
        if guided:
            cards += [
                (
                    segment.guidance_urgency,
                    1,
                    segment.sequence,
                    segment.id,
                    self._card_of_segment(segment),
                )
                for segment in self._guiding(
                    partner.segment_ids
                    | partner.commercial_partner_id.segment_ids
                    | (segments or self.env["customer.segment"]),
                    company or self.env.company,
                )
            ]
        return [card for *_rank, card in sorted(cards, key=lambda item: item[:4])]

    def _guiding(self, segments, company):
        """Segments with guidance that the user may see."""
        return segments._filtered_access("read").filtered(
            lambda segment: (
                segment.guidance and segment.active and segment.company_id == company
            )
        )

    def _card_of_trait(self, trait, guided):
        lines = []
        if guided:
            lines = [
                (self.env._("Do"), trait.guidance_do),
                (self.env._("Avoid"), trait.guidance_avoid),
                (self.env._("Say"), trait.guidance_opening),
                (self.env._("Offer"), trait.guidance_offer),
                (self.env._("Price"), self._price_text(trait)),
            ]
        return {
            "key": f"trait-{trait.id}",
            "title": trait.display_name,
            "icon": trait.icon or "fa-user-o",
            "color": trait.color,
            "urgency": trait.urgency if guided else "3",
            "lines": [{"label": label, "text": text} for label, text in lines if text],
        }

    def _price_text(self, trait):
        texts = []
        if trait.limits_discount:
            texts.append(
                self.env._(
                    "at most %s %% discount", self._number(trait.discount_ceiling_pct)
                )
            )
        if trait.price_headroom_pct:
            texts.append(
                self.env._(
                    "accepts up to %s %% above the list price",
                    self._number(trait.price_headroom_pct),
                )
            )
        return " · ".join(texts)

    def _number(self, value):
        """A number without needless decimals, as the language writes it."""
        language = self.env["res.lang"]._get_data(code=self.env.lang or "en_US")
        decimals = 0 if value == int(value) else 2
        if not language:
            return f"{value:.{decimals}f}"
        return (
            self.env["res.lang"]
            .browse(language.id)
            .format(f"%.{decimals}f", value, grouping=True)
        )

    def _card_of_segment(self, segment):
        return {
            "key": f"segment-{segment.id}",
            "title": segment.with_context(with_set=True).display_name,
            "icon": "fa-object-group",
            "color": segment.color,
            "urgency": segment.guidance_urgency,
            "lines": [{"label": "", "text": segment.guidance}],
        }

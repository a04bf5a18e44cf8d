import {useChildSubEnv} from "@odoo/owl";
import {Domain} from "@web/core/domain";
import {_t} from "@web/core/l10n/translation";
import {registry} from "@web/core/registry";
import {connector as makeConnector} from "@web/core/tree_editor/condition_tree";
import {DomainField, domainField} from "@web/views/fields/domain/domain_field";
import {SegmentConditionDialog} from "./segment_condition_dialog";
import {SegmentDomainSelector} from "./segment_domain_selector";

const CONNECTORS = {"&": "AND", "|": "OR"};

/**
 * Odoo's domain field with ready conditions before raw fields.
 *
 * They go in at the rule whose button was pressed, or beside the whole condition.
 */
export class SegmentConditionField extends DomainField {
    static template = "customer_segmentation.SegmentConditionField";
    static components = {
        ...DomainField.components,
        DomainSelector: SegmentDomainSelector,
    };

    setup() {
        super.setup();
        useChildSubEnv({
            addSegmentCondition: (editor, parent, node) =>
                this.addReadyCondition({editor, parent, node}),
        });
    }

    get isEmpty() {
        return ["", "[]"].includes(this.getDomain().replace(/\s/g, ""));
    }

    /** An empty condition of a segment is everybody; elsewhere it asks nothing. */
    get emptyWords() {
        return this.props.record.resModel === "customer.segment"
            ? _t("Everybody for now. Say whom you mean:")
            : _t("No condition yet.");
    }

    /** Validity only: the audience beside the field counts as the responsible. */
    async checkProps(props = this.props) {
        const isValid = await this.quickValidityCheck(props);
        this.updateState({isValid, recordCount: 0, hasLimitedCount: false});
    }

    /** The tree is for editing; who only reads has the sentence below it. */
    get showsTree() {
        return Boolean(this.env.debug) || !(this.isEmpty || this.props.readonly);
    }

    /** Offer the ready conditions, for a rule of the editor or for the whole. */
    addReadyCondition(rule) {
        const resModel = this.getResModel();
        this.addDialog(SegmentConditionDialog, {
            resModel,
            connects: Boolean(rule) || !this.isEmpty,
            more: () => this.addRawCondition(rule),
            submit: async (template, values, connector) => {
                const domain = await this.orm.call(
                    "customer.segment.condition.template",
                    "fill",
                    [[template.id], values]
                );
                if (rule) {
                    await this.insertAt(rule, domain, connector);
                } else {
                    this.insert(domain, connector);
                }
            },
        });
    }

    async addRawCondition(rule) {
        if (rule) {
            rule.editor.addNewCondition(rule.parent, rule.node);
        } else {
            this.insert(await this.getDefaultLeafDomain(this.getResModel()), "&");
        }
    }

    insert(domain, connector) {
        const parts = this.isEmpty ? [domain] : [this.getDomain(), domain];
        this.update(Domain.combine(parts, CONNECTORS[connector]).toString());
    }

    /** Put a condition beside one rule, in its bracket or in a new one around both. */
    async insertAt({editor, parent, node}, domain, connector) {
        const added = await this.treeProcessor.treeFromDomain(
            this.getResModel(),
            domain,
            !this.env.debug
        );
        await editor.updateNode(parent, () => {
            const index = parent.children.indexOf(node);
            const isBracket = node.type === "connector" && !node.negate;
            if (isBracket && node.value === connector) {
                node.children.push(added);
            } else if (parent.value === connector && !parent.negate) {
                parent.children.splice(index + 1, 0, added);
            } else {
                parent.children[index] = makeConnector(connector, [node, added]);
            }
        });
    }
}

registry.category("fields").add("segment_condition", {
    ...domainField,
    component: SegmentConditionField,
});

import {Component, onWillStart} from "@odoo/owl";
import {Dropdown} from "@web/core/dropdown/dropdown";
import {useDropdownState} from "@web/core/dropdown/dropdown_hooks";
import {registry} from "@web/core/registry";
import {user} from "@web/core/user";
import {useService} from "@web/core/utils/hooks";
import {ClubCaller} from "./club_caller";

const CLUB_USER = "customer_segmentation.customer_segmentation_group_club_user";

/** "Who is calling?" on every screen: the phone rings wherever one is. */
export class ClubCallerSystray extends Component {
    static template = "customer_segmentation.ClubCallerSystray";
    static components = {ClubCaller, Dropdown};
    static props = {};

    setup() {
        this.action = useService("action");
        this.dropdown = useDropdownState();
        onWillStart(async () => {
            this.isDisplayed = await user.hasGroup(CLUB_USER);
        });
    }

    open(action) {
        this.dropdown.close();
        this.action.doAction(action);
    }
}

registry
    .category("systray")
    .add(
        "customer_segmentation.club_caller",
        {Component: ClubCallerSystray},
        {sequence: 30}
    );

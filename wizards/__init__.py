from . import (
    base_partner_merge,
    club_checkin_correct_number,
    club_checkin_manual,
    club_checkin_not_customer,
    club_preset_apply,
    privacy_lookup_wizard_line,
)

from . import (
    base_partner_merge,
    club_checkin_correct_number,
    club_checkin_manual,
    club_checkin_not_customer,
    club_preset_apply,
    customer_score_what_if,
    customer_segment_assign,
    customer_segment_confirm,
    customer_segment_why,
    customer_trait_assign,
    privacy_lookup_wizard_line,
    sms_composer,
)

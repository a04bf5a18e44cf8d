from . import (
    customer_salutation,
    partner_behavioural_mixin,
    partner_birthday_mixin,
    partner_club_mixin,
    partner_company_mixin,
    partner_consent_mixin,
    partner_demographics_mixin,
    partner_firmographic_mixin,
    partner_geographic_mixin,
    partner_messaging_mixin,
    partner_privacy_mixin,
    partner_profile_mixin,
    partner_score_mixin,
    partner_segment_mixin,
    partner_trait_mixin,
    partner_visits_mixin,
    res_country_state,
)

# isort: split
from . import res_partner

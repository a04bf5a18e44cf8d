from . import customer_profile, customer_profile_group

# isort: split
from . import (
    customer_attribute,
    customer_event,
    customer_event_batch,
    customer_guidance,
    customer_place,
    customer_profile_answer,
    customer_profile_contact,
    customer_profile_expected,
    customer_profile_lead,
    customer_profile_line,
    customer_profile_purchase,
    customer_profile_quotation,
    customer_profile_rank,
    customer_profile_refresh,
    customer_profile_run,
    customer_profile_statement,
    customer_profile_touch,
    customer_profile_unpaid,
    customer_profile_visit,
    customer_trait,
    lead_facts_mixin,
    lead_trait_mixin,
    sale_guidance_mixin,
    sale_line_guidance_mixin,
)

from . import (
    customer_salutation,
    partner_club_mixin,
    partner_messaging_mixin,
    partner_privacy_mixin,
)

# isort: split
from . import res_partner

from . import club_device_pairing
from . import club_device_kiosk

# isort: split
from . import (
    club_checkin,
    club_checkin_followup,
    club_checkin_intake,
    club_device,
    club_device_activity,
    club_device_revision,
    club_device_tag,
    club_erasure,
    club_member,
    club_point_of_sale,
    club_pairing_failure,
    club_preset,
    club_retention,
)

from . import (
    club_dashboard_base,
    club_device_config,
    club_device_kiosk,
    club_device_pairing,
    club_device_seen,
    club_import_file,
    club_import_worker,
    club_read_only_mixin,
)

# isort: split
from . import club_dashboard_attention, club_dashboard_caller, club_dashboard_onboarding

# isort: split
from . import (
    club_checkin,
    club_checkin_followup,
    club_checkin_hour,
    club_checkin_intake,
    club_dashboard,
    club_demo,
    club_device,
    club_device_activity,
    club_device_revision,
    club_device_tag,
    club_import,
    club_import_column,
    club_import_row,
    club_import_store,
    club_erasure,
    club_member,
    club_member_week,
    club_point_of_sale,
    club_pairing_failure,
    club_preset,
    club_retention,
    res_company_day,
)

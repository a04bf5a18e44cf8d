from . import club_checkin_manual, club_checkin_not_customer, club_preset_apply

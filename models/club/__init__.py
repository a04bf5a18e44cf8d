from . import club_device_pairing, club_import_file, club_import_worker

# isort: split
from . import (
    club_checkin,
    club_checkin_followup,
    club_checkin_intake,
    club_device,
    club_device_activity,
    club_device_revision,
    club_device_tag,
<<<<<<< HEAD
    club_import,
    club_import_column,
    club_import_row,
    club_import_store,
=======
    club_erasure,
>>>>>>> d70333c4803a61cbb7018c10e47c64202a9282ae
    club_member,
    club_point_of_sale,
    club_pairing_failure,
    club_preset,
    club_retention,
)

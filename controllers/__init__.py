from . import device_api
from . import kiosk
from . import segment_export

from . import device_api
from . import kiosk
from . import segment_export
from . import sms_webhook

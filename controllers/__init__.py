from . import device_api
from . import kiosk
from . import profile_link
from . import segment_export
from . import sms_webhook

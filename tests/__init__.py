from . import test_tools_phone, test_tools_sms_text
from . import test_kiosk_device, test_kiosk_page

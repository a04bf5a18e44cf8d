from . import test_tools_phone, test_tools_sms_text

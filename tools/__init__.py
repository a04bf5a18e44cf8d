from . import persian, phone, sms_text

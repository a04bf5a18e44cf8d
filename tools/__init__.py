from . import phone, sms_text

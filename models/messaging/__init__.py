from . import sms_line, sms_sms, sms_template, sms_tracker

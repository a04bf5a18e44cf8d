from . import sms_line, sms_sms, sms_template, sms_tracker

# isort: split
from . import (
    customer_consent,
    customer_consent_rule,
    mail_thread,
    res_company_consent,
    sms_advertising,
    sms_line_inbound,
    sms_line_refusal,
    sms_service_log,
    sms_sms_refusal,
    sms_template_service,
)

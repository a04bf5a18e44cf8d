from . import sms_line, sms_sms, sms_template, sms_tracker

# isort: split
from . import (
    customer_consent,
    customer_consent_bulk,
    customer_consent_rule,
    customer_profile_link,
    mail_thread,
    res_company_consent,
    res_company_profile_link,
    res_company_text,
    sms_advertising,
    sms_line_inbound,
    sms_line_links,
    sms_line_refusal,
    sms_placeholder,
    sms_placeholder_preview,
    sms_placeholder_render,
    sms_service_log,
    sms_sms_refusal,
    sms_template_service,
    sms_template_text,
    sms_text_block,
)

# isort: split
from . import customer_profile_question

# isort: split
from . import (
    sms_early_report,
    sms_line_gateway,
    sms_line_insert,
    sms_line_limits,
    sms_line_test,
    sms_line_trouble,
    sms_line_webhook,
    sms_sms_queue,
    sms_template_approval,
)

# isort: split
from . import sms_queue, sms_sms_resend

# isort: split
from . import (
    sms_queue_cron,
    sms_queue_delivery,
    sms_queue_reconcile,
    sms_queue_store,
)

# isort: split
from . import club_dashboard_line, sms_approval_use, sms_queue_refusal

# isort: split
from . import sms_queue_caps

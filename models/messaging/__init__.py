from . import sms_line, sms_sms, sms_template, sms_tracker
from . import sms_line_gateway, sms_line_trouble, sms_line_webhook, sms_line_window
from . import sms_early_report, sms_inbound, sms_template_approval
from . import sms_sms_queue
from . import sms_queue
from . import sms_queue_store
from . import sms_queue_delivery, sms_queue_reconcile, sms_queue_cron
from . import sms_approval_use
from . import mail_notification
from . import club_dashboard_line

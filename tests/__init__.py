from . import test_tools_phone, test_tools_sms_text
from . import test_club_dashboard, test_club_today_browser

from . import club, messaging, partner, segment

# isort: split
from . import ir_http, res_company, res_config_settings

from . import segment

# isort: split
from . import profile

# isort: split
from . import club, messaging, partner

# isort: split
from . import campaign

# isort: split
from . import (
    crm_lead,
    ir_actions_server,
    ir_http,
    ir_model_fields,
    ir_module_module,
    res_company,
    res_config_settings,
    sale_order,
    sale_order_line,
)

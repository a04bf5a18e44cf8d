# What needs Odoo processes of its own (tests/served.py) runs with `make test` only.
from . import (
    test_device_api_batch,
    test_device_api_checkin,
    test_device_api_config,
    test_device_api_contract,
    test_device_api_limits,
    test_device_api_pair,
)

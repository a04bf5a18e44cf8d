"""Gateways: how each provider of SMS is spoken to. Plain Python, no ORM.

A dict of settings goes in, plain results come out; what becomes of them is decided in
``models/messaging``. To add a provider write one file with one class, name it in
``GATEWAYS`` and test it as ``tests/test_gateway_kavenegar.py`` does; docs/messaging.md
says what the class promises.
"""

from .base import (
    BATCH_WIDE,
    BadSettings,
    Caps,
    Gateway,
    Inbound,
    Item,
    Refused,
    Result,
    Status,
)
from .generic_http import GenericHttp
from .http import NotTaken, Unclear
from .kavenegar import Kavenegar
from .melipayamak import Melipayamak
from .sms_ir import SmsIr
from .test import Test

GATEWAYS = {
    "kavenegar": Kavenegar,
    "sms_ir": SmsIr,
    "melipayamak": Melipayamak,
    "generic_http": GenericHttp,
    "test": Test,
}


def connect(name: str, settings: dict) -> Gateway:
    """Return the gateway of this name with a line's settings.

    :param str name: a key of ``GATEWAYS``
    :param dict settings: see :class:`.base.Gateway`
    :raise BadSettings: when they cannot work, in words for a person
    """
    return GATEWAYS[name](settings)

from . import (
    mailing_audience,
    mailing_launch,
    mailing_mailing,
    mailing_preflight,
    mailing_queue,
    mailing_recipient,
    mailing_result,
    mailing_series,
    mailing_start,
    mailing_text,
    mailing_variant,
    sms_tracker,
)

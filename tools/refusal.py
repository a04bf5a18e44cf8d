"""Why somebody gets no message: the words of all models that keep it."""

REASONS = [
    ("no_sms", "Wants no SMS"),
    ("stopped", "Stopped our messages by SMS"),
    ("opted_out", "Opted out of advertising"),
    ("blacklisted", "On the blacklist"),
    ("blocked", "Advertising blocked by the operator"),
    ("no_consent", "No consent to advertising"),
    ("cap_week", "Enough advertising this week"),
    ("cap_day", "Enough advertising that day"),
    ("wrong_class", "Advertising on a service line"),
]
"""Why somebody gets no message, the weightiest first."""

PROBLEMS = [
    ("empty", "The text was empty"),
    ("foreign", "A number abroad"),
    ("link", "The line forbids links"),
    ("no_template", "The line needs an approved text"),
    ("halted", "The campaign was stopped"),
]
"""What is wrong with a message itself, whoever gets it."""

FAILURE_TYPES = {
    "no_sms": "sms_no_sms",
    "stopped": "sms_stopped",
    "opted_out": "sms_optout",
    "blacklisted": "sms_blacklist",
    "blocked": "sms_blocked",
    "no_consent": "sms_no_consent",
    "cap_week": "sms_cap_week",
    "cap_day": "sms_cap_day",
    "wrong_class": "sms_wrong_class",
    "empty": "sms_empty",
    "foreign": "sms_foreign",
    "link": "sms_link",
    "no_template": "sms_no_template",
    "halted": "sms_halted",
}
"""The same on messages, notifications and traces; two of them are core's own."""

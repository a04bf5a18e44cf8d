"""States of a mailing, by what may be done with it."""

UNDER_WAY = ("in_queue", "sending")

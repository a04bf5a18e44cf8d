"""How messages that core creates shall leave: its code takes no such argument."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class SmsRoute:
    """How messages that core creates leave; an object, so that no caller outside the
    server can put one in a context.

    ``judged`` tells that refusals were looked at already; ``template_id`` is the saved
    text that the messages were rendered from, as lines of approved texts ask for.
    """

    line_id: int = 0
    company_id: int = 0
    message_class: str = ""
    due_at: datetime | None = None
    judged: bool = False
    template_id: int = 0

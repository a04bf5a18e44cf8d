"""What a customer means who answers an SMS with «11», «لغو۱۱», STOP or «12»."""

import re
from typing import Literal

from .sms_text import fold

# Source: the regulator's rule, «11» stops and «12» rejoins; STOP and its like are what
# phones and panels outside Iran know (CTIA messaging principles §5.1.3).
_STOP = re.compile(r"(?:لغو|stop(?:all)?|unsubscribe)?(?:11)?")
_REJOIN = re.compile(r"(?:عضویت|لغو|start|unstop)?(?:12)?|عضویت|start|unstop")
_NO_WORD = re.compile(r"[^\w]+|_+")


def parse(text: str) -> Literal["stop", "rejoin"] | None:
    """Return what the whole message asks for; a sentence asks for neither.

    Digits of any script, Arabic letters, spaces, punctuation and case do not matter;
    the word may stand before or after the number.

    >>> parse("لغو ۱۱"), parse("STOP!"), parse("12."), parse("call me at 11")
    ('stop', 'stop', 'rejoin', None)

    :param str text: as it arrived
    """
    word = _NO_WORD.sub("", fold(text))
    if not word:
        return None
    # «11 لغو» is «لغو11».
    for key in (word, word[2:] + word[:2]):
        if key == "لغو":
            return "stop"
        if _STOP.fullmatch(key):
            return "stop"
        if _REJOIN.fullmatch(key):
            return "rejoin"
    return None

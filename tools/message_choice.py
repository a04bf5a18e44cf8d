"""Which text a check-in sends: the club's rule, as one pure function.

Source: the table in docs/messaging.md ("Which message goes out"); each of its rows is
a test in tests/test_tools_message_choice.py.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class TagTexts:
    """Texts of the digit that was pressed; modes are ``own``, ``club`` or ``none``."""

    first_mode: str = "club"
    first_template_id: int | None = None
    repeat_mode: str = "club"
    repeat_template_id: int | None = None
    first_scope: str = "club"


@dataclass(frozen=True)
class ClubTexts:
    """Texts and limits of the company; ``daily_cap`` 0 means no limit."""

    welcome_template_id: int | None = None
    repeat_template_id: int | None = None
    milestone_every: int = 0
    milestone_template_id: int | None = None
    daily_cap: int = 3


@dataclass(frozen=True)
class Visit:
    """What is known of the check-in when its message is chosen.

    ``visit_no`` is the member's visit number, this one included when it is counted.
    """

    counted: bool = True
    visit_no: int = 1
    is_first: bool = True
    same_digit_in_gap: bool = False
    tag_pressed_before: bool = False
    is_late: bool = False
    no_sms: bool = False
    silent: bool = False
    sent_today: int = 0


@dataclass(frozen=True)
class Choice:
    """``kind`` and ``template_id`` of the text to send, or the ``reason`` for none."""

    kind: str | None = None
    template_id: int | None = None
    reason: str | None = None


def choose_message(visit: Visit, club: ClubTexts, tag: TagTexts | None) -> Choice:
    """Choose the text of one check-in.

    :param Visit visit: the check-in and its member
    :param ClubTexts club: the company's texts
    :param TagTexts tag: the digit's texts, ``None`` without a (known) digit
    :return: a choice with a template, or with the reason why nothing is sent
    """
    choice = _choose_text(visit, club, tag)
    if choice.reason:
        return choice
    reason = _refusal(visit, club)
    return Choice(reason=reason) if reason else choice


def _choose_text(visit, club, tag):
    if not visit.counted and (tag is None or visit.same_digit_in_gap):
        return Choice(reason="too_soon")
    mode, template_id, kind = "club", None, None
    if tag:
        mode, template_id, kind = _tag_text(visit, tag)
    if mode == "none":
        return Choice(reason="tag_none")
    if not visit.counted and mode == "club":
        # A second digit within the gap brings its own text only: the club's went out
        # with the first one.
        return Choice(reason="too_soon")
    if visit.counted and _is_milestone(visit, club):
        return Choice("milestone", club.milestone_template_id)
    if mode == "club":
        kind = "welcome" if visit.is_first else "repeat"
        template_id = (
            club.welcome_template_id if visit.is_first else club.repeat_template_id
        )
    return Choice(kind, template_id) if template_id else Choice(reason="no_text")


def _tag_text(visit, tag):
    first = visit.is_first
    if tag.first_scope == "tag":
        first = not visit.tag_pressed_before
    if first:
        return tag.first_mode, tag.first_template_id, "tag_first"
    return tag.repeat_mode, tag.repeat_template_id, "tag_repeat"


def _is_milestone(visit, club):
    return bool(
        club.milestone_template_id
        and club.milestone_every > 0
        and visit.visit_no % club.milestone_every == 0
    )


def _refusal(visit, club):
    if visit.is_late:
        return "late"
    if visit.no_sms:
        return "no_sms"
    if visit.silent:
        return "silent"
    if club.daily_cap and visit.sent_today >= club.daily_cap:
        return "daily_cap"
    return None

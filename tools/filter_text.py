"""A list's filter, as the web client writes it, as a condition that stays true.

The client's text is Python with a few names: ``uid``, ``context_today()`` and friends.
A segment stores literals only; a date that moves is written as Odoo's own moving date
(``"today -30d"``). What can be written neither way is refused by name.
"""

import ast

OFFSETS = {
    "years": "y",
    "months": "m",
    "weeks": "w",
    "days": "d",
    "hours": "H",
    "minutes": "M",
}
ABSOLUTES = {"month": "m", "day": "d"}
# What a format of a day makes of it.
FORMATS = {
    "%Y-%m-%d": "",
    "%Y-%m-%d 00:00:00": "",
    "%Y-%m-01": " =1d",
    "%Y-%m-01 00:00:00": " =1d",
    "%Y-01-01": " =1m =1d",
    "%Y-01-01 00:00:00": " =1m =1d",
}
NOW_FORMAT = "%Y-%m-%d %H:%M:%S"


class MovingValueError(ValueError):
    """Part of a filter that a segment could not keep up to date."""


class _Moment(str):
    """A moving date, as Odoo's own text for it."""


def literal_domain(text: str, names: dict) -> list:
    """Return a filter's domain as plain literals.

    :param text: the domain as the client writes it
    :param names: values of names that do not move, such as ``uid``
    :raise MovingValueError: with the part that cannot be kept, for anything else

    >>> literal_domain("[('user_id', '=', uid)]", {"uid": 7})
    [('user_id', '=', 7)]
    >>> literal_domain(
    ...     "[('d', '>=', (context_today() - relativedelta(days=30))"
    ...     ".strftime('%Y-%m-%d'))]", {})
    [('d', '>=', 'today -30d')]
    """
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError) as error:
        raise MovingValueError(text) from error
    value = _value(tree, names)
    if not isinstance(value, list):
        raise MovingValueError(text)
    return value


def _value(node, names):
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, (ast.List, ast.Tuple)):
        items = [_value(item, names) for item in node.elts]
        return items if isinstance(node, ast.List) else tuple(items)
    if isinstance(node, ast.Name) and node.id in names:
        return names[node.id]
    negative = isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub)
    if negative and isinstance(node.operand, ast.Constant):
        return -node.operand.value
    return str(_moment(node))


def _moment(node) -> _Moment:
    """Return a moving date as Odoo's text for it."""
    if isinstance(node, ast.Name) and node.id == "current_date":
        return _Moment("today")
    if isinstance(node, ast.BinOp):
        return _Moment(_moment(node.left) + _offset(node))
    if isinstance(node, ast.Call):
        return _called(node)
    raise MovingValueError(ast.unparse(node))


def _called(node) -> _Moment:
    name = _name(node.func)
    if name in ("context_today", "datetime.date.today") and not node.args:
        return _Moment("today")
    if name in ("datetime.datetime.now", "datetime.now") and not node.args:
        return _Moment("now")
    if name == "datetime.datetime.combine" and len(node.args) == 2:
        return _at_midnight(node)
    if isinstance(node.func, ast.Attribute):
        method, inner = node.func.attr, node.func.value
        if method == "to_utc" and not node.args:
            return _moment(inner)
        if method == "strftime" and len(node.args) == 1:
            return _formatted(node, inner, _value(node.args[0], {}))
    raise MovingValueError(ast.unparse(node))


def _at_midnight(node) -> _Moment:
    day, time = node.args
    at_zero = isinstance(time, ast.Call) and _name(time.func) == "datetime.time"
    if at_zero and all(_value(part, {}) == 0 for part in time.args):
        return _moment(day)
    raise MovingValueError(ast.unparse(node))


def _formatted(node, inner, pattern) -> _Moment:
    moment = _Moment("today") if _name(inner) == "time" else _moment(inner)
    if moment.startswith("now") and pattern == NOW_FORMAT:
        return moment
    if pattern in FORMATS:
        return _Moment(moment.replace("now", "today", 1) + FORMATS[pattern])
    raise MovingValueError(ast.unparse(node))


def _offset(node) -> str:
    """Return what is added to or taken from a moment."""
    call, sign = node.right, {ast.Add: 1, ast.Sub: -1}.get(type(node.op))
    names = ("relativedelta", "datetime.timedelta", "timedelta")
    if not sign or not isinstance(call, ast.Call) or _name(call.func) not in names:
        raise MovingValueError(ast.unparse(node))
    values = {word.arg: _value(word.value, {}) for word in call.keywords}
    if call.args and _name(call.func) != "relativedelta":
        values["days"] = _value(call.args[0], {})
    text = ""
    for key, value in values.items():
        if not isinstance(value, int):
            raise MovingValueError(ast.unparse(node))
        if key in OFFSETS:
            text += f" {sign * value:+d}{OFFSETS[key]}"
        elif key in ABSOLUTES:
            text += f" ={value}{ABSOLUTES[key]}"
        else:
            raise MovingValueError(ast.unparse(node))
    return text


def _name(node) -> str:
    """Return a dotted name, or nothing for anything else."""
    parts = []
    while isinstance(node, ast.Attribute):
        parts.insert(0, node.attr)
        node = node.value
    return ".".join([node.id, *parts]) if isinstance(node, ast.Name) else ""

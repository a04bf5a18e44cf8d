"""Persian text: one letter, two code points."""

import itertools

# Persian first: Arabic keyboards and old data write the other.
LETTERS = (("\u06cc", "\u064a"), ("\u06a9", "\u0643"))


def spellings(text: str) -> list[str]:
    """Each way to write the letters ی and ک of a text.

    :param text: what a person typed
    :return: as typed, then the other spellings; the text alone without such letters

    >>> spellings("Tehran")
    ['Tehran']
    >>> len(spellings("\u06a9\u06cc"))
    4
    """
    if not isinstance(text, str) or not any(
        letter in text for letters in LETTERS for letter in letters
    ):
        return [text]
    found = [text]
    for forms in itertools.product(*LETTERS):
        variant = text
        for letters, form in zip(LETTERS, forms, strict=True):
            for letter in letters:
                variant = variant.replace(letter, form)
        if variant not in found:
            found.append(variant)
    return found

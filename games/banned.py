"""The hardened word rule."""

VERSION = 1


def remove_banned_words(text: str, unwanted: str) -> str:
    raise NotImplementedError

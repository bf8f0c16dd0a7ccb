"""The frame in which games of hints show a judge the player's words."""


def framed(hint: str) -> str:
    """What the judge of a game of hints reads before the passage."""
    return f"Topic: {hint}\n---\n"


def hint_in(prefix: str) -> str:
    """The hint in a frame; empty where nothing is in it, or nothing is read before the text."""
    return prefix.removeprefix("Topic: ").removesuffix("\n---\n")

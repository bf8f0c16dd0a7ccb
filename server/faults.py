"""What ends a command with exit status 1 and one line on standard error."""


class Fault(Exception):
    """What the person gave cannot be used: the message says what is wrong and how to mend it."""


class Told(Fault):
    """A fault that was already told."""


class Stopped(Exception):
    """The command was told to stop before it had begun."""

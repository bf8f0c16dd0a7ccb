"""What ends a command early, without a traceback."""


class Fault(Exception):
    """What the person gave cannot be used (exit status 1): the message says what is wrong and how to mend it."""


class Stopped(Exception):
    """The command was told to stop before it had begun (exit status 0)."""


NO_TORCH = (
    "this needs torch, which a base installation leaves out: pip install 'xentarena[judge]'"
    " (without a GPU: pip install 'xentarena[judge]' --extra-index-url https://download.pytorch.org/whl/cpu)"
)

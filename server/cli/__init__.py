"""The command `xentarena`."""

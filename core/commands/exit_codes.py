"""What the commands return to the shell."""

DONE, FAILED, BAD_ARGUMENTS, STOPPED = 0, 1, 2, 130
"""STOPPED: by a signal; the same command goes on."""

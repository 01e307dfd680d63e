"""What the commands return to the shell."""

DONE, FAILED, BAD_ARGUMENTS, STOPPED = 0, 1, 2, 130
"""STOPPED: a signal stopped the command; the same command resumes."""

"""The version of the program, which files that it makes name."""

VERSION = "0.1.0"

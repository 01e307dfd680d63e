"""The version of the program; the files that it makes name it."""

VERSION = "0.3.0"

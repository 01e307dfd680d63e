"""What a worker or a trainer wrote, without what strangers need not know: paths, host names, processes, SQL, traces."""

from __future__ import annotations

import re

PATH = re.compile(r"(?<![\w/.:~<])(?:~|[A-Za-z]:)?[/\\](?:[\w.@+~%-]+[/\\])+[\w.@+~%-]*")
OURS = re.compile(r"[/\\](?=(?:runs|datasets)[/\\])")
"""Where the part of a path begins that is the same for everybody: that within the data folder."""
WORKER = re.compile(r"\b([Ww])orker [\w.-]+-\d+-[0-9a-f]{4,}\b")
PROCESS = re.compile(r"\b(pid|process) \d+\b", re.IGNORECASE)
SQL = re.compile(r"\s*[\[(](?:SQL|parameters|Background on this error)[:\s].*", re.DOTALL)
PIECES = " | "
TRACE = re.compile(r'\s*(?:File ".*", line \d+|Traceback \(most recent call last\)|[\^~\s]+$)')


def cleaned(text: str) -> str:
    """`text` for everybody. Of a path, what lies within the data folder stays, else its last part."""
    text = SQL.sub("", text)
    head, told, wrote = text.partition(" It wrote last: ")
    if told:
        pieces = [piece for piece in wrote.split(PIECES) if not TRACE.match(piece)]
        text = f"{head}{told}{PIECES.join(pieces)}" if pieces else head
    text = PROCESS.sub(r"\1", WORKER.sub(r"\1orker", text))
    return PATH.sub(_shortened, text)


def _shortened(match: re.Match[str]) -> str:
    path = match[0].replace("\\", "/")
    inside = OURS.search(path)
    if inside:
        return path[inside.end() :]
    return path.rstrip("/.").rpartition("/")[2] + ("." if path.endswith(".") else "")

"""Turn a folder of Markdown posts into a personalised email newsletter."""

__version__ = "0.1.0"

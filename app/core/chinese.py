"""How Chinese characters are read, from the table of single characters alone."""

from __future__ import annotations

import os

# Its dictionary of phrases takes 47 MB and is of no use for names: every reading of a character is an entry anyway.
os.environ.setdefault("PYPINYIN_NO_PHRASES", "true")
os.environ.setdefault("PYPINYIN_NO_DICT_COPY", "true")

from pypinyin import Style, pinyin

__all__ = ["Style", "pinyin"]

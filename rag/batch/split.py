"""A cell of a list -> the questions in it: numbering taken off, several questions told apart."""

from __future__ import annotations

import re

MAX_PARTS = 5  # a cell with more is a text, not a question: it is asked as it stands

# 1、 1. （1） ① 一、 Q1: 问： 问题3： - * • and 1、2025年…, but not 2025年…, 1.5万亩…
_NUMBER = re.compile(
    r"\s*(?:[（(〔\[]\s*(?:\d{1,4}|[一二三四五六七八九十]{1,3})\s*[）)〕\]]|\d{1,4}\s*(?:[)）]|[、．.:：](?=(?:19|20)\d\d(?!\d)|\D))|"
    r"第?[一二三四五六七八九十]{1,3}\s*、|[①-⑳]|[QqＱ]\s*\d{0,4}\s*[:：.、]|(?:问题?|提问)\s*\d{0,4}\s*[:：]|[-*•·●○■◆]\s+)\s*"
)
_END = re.compile(r"[?？]+[”’」』）)]*|\n+")
_INNER_NUMBER = re.compile(r"(?<=[。；;?？\s])(?=(?:[（(]\d{1,2}[）)]|[①-⑳]|\d{1,2}[、．.](?!\d)))")
_HAN = re.compile(r"[\u3400-\u9fff]")
_ASKS = re.compile(
    r"[?？]|多少|多大|几|哪|什么|啥|谁|怎|咋|如何|吗|是否|是不是|有没有|能不能|会不会|何时|何处|为何|呢|请说明|请介绍"
)
_NAMED = re.compile(r"(?:目标|率|比重|占比|面积|产量|产值|增加值|人数|里程|规模|寿命|年限|总量|收入)$")
# 一、农业类 and （二）其他问题 stand above questions of a list and ask nothing.
_ABOVE = re.compile(
    r"[（(]?[一二三四五六七八九十]{1,3}[）)、.．]\s*[\u3400-\u9fff、和与及]{1,12}?(?:类|方面|领域|部分|篇|其[他它]|问题)[:：]?"
)
_LEAST_HAN = 3  # 那2020年呢？ is a question of its own, 是吗？ is not


def unnumbered(text: str) -> str:
    """A text without what numbers it in a list; the text itself where nothing else would be left."""
    rest = text.strip()
    while (number := _NUMBER.match(rest)) is not None and number.end() < len(rest):
        rest = rest[number.end() :]
    return rest.strip()


def questions_in(cell: str) -> tuple[str, ...]:
    """The questions of a cell, () for a blank one and for a heading above questions. Text that leads up to a question
    stays with it."""
    whole = unnumbered(cell)
    if not whole or (_ABOVE.fullmatch(cell.strip()) and not _ASKS.search(cell)):
        return ()
    pieces: list[str] = []
    for stretch in _INNER_NUMBER.split(whole):
        position = 0
        for end in _END.finditer(stretch):
            pieces.append(stretch[position : end.end()])
            position = end.end()
        pieces.append(stretch[position:])
    parts: list[str] = []
    lead = ""
    for piece in pieces:
        own = unnumbered(piece)
        numbered = own != piece.strip()
        # 2. 城镇化率 asks by its number alone; without, it may be half a line.
        asks = _ASKS.search(own) is not None or (numbered and _NAMED.search(own) is not None)
        text = f"{lead}{own if numbered or not lead else piece.rstrip()}"
        if asks and len(_HAN.findall(text)) >= _LEAST_HAN:
            parts.append(text)
            lead = ""
        else:
            lead = text
    if lead and parts:  # what follows the last question belongs to it: 请说明依据。
        parts[-1] = f"{parts[-1]}{lead}"
    return tuple(parts) if 2 <= len(parts) <= MAX_PARTS else (whole,)

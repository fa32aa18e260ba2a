"""Phrases that ask nothing of the documents: a greeting, thanks, a good-bye, what the tool is or can do.

Only where the whole of a message is such phrases: 你好，2025年的目标是多少？ is a question.
"""

from __future__ import annotations

import re

# kind (the name of its opening in prompts/courtesy_openings.txt) -> the phrases
_PHRASES = {
    kind: re.compile(phrase)
    for kind, phrase in (
        (
            "hello",
            r"(?:你|您|你们|大家|各位)?好[啊呀吗哇]?|(?:早上|上午|中午|下午|晚上)好[啊呀]?|早[啊安]?|嗨|哈[喽啰罗]|喂|"
            r"(?:你|您)?在[吗嘛么]|有人[吗嘛么]",
        ),
        (
            "thanks",
            r"好的|收到|明白了?|知道了|(?:好的?|非常|十分|太|真)?(?:谢谢|感谢|多谢)(?:你们?|您|大家|啊|啦|了)*|谢[了啦]|"
            r"(?:你|您)?(?:辛苦|费心|麻烦)(?:你|您)?[了啦]",
        ),
        ("bye", r"再见|拜拜|回头见|晚安"),
        (
            "about",
            r"(?:请问)?(?:你|您|你们)(?:到底|究竟)?(?:是|叫)(?:个|做)?(?:谁|什么(?:名字|东西|人|模型|工具|系统)?|啥|"
            r"[干做](?:什么|啥|嘛)的|机器人|人工智能|真人)[啊呀吗嘛呢]?|"
            r"(?:请问)?(?:你|您|你们|(?:这个?|本)?(?:工具|系统|助手|机器人)|这里)(?:都|到底)?(?:能|会|可以)(?:帮我们?|帮)?"
            r"(?:做|干|回答|答|查|问|帮)些?(?:什么|啥|嘛|哪些)(?:问题|事情?|内容|忙)?[啊呀呢]?|"
            r"(?:你|您|(?:这个?|本)?(?:工具|系统|助手))(?:都)?(?:有|是)?(?:什么|啥|哪些)(?:用处?|功能|本事|作用)[啊呀呢]?|"
            r"(?:请)?(?:自我介绍|介绍)(?:一下|下)?(?:你|您)?(?:自己)?|"
            r"我?(?:能|可以)(?:向|跟)?(?:你|您)?(?:问|查)(?:你|您)?些?(?:什么|啥|哪些)(?:问题|内容)?[啊呀呢]?|"
            r"(?:你|您|(?:这个?|本)(?:工具|系统|助手))(?:要|该)?(?:怎么|如何|咋)(?:使?用|问)[啊呀呢]?",
        ),
    )
}
_PAUSE = re.compile(r"[\s,，。.!！?？~～、…;；:：]+")


def courtesy(text: str) -> str:
    """The kind of the last phrase of a cleaned message that is nothing but such phrases, else ""."""
    phrases = [phrase for phrase in _PAUSE.split(text) if phrase]
    kinds = [next((kind for kind, said in _PHRASES.items() if said.fullmatch(phrase)), "") for phrase in phrases]
    return kinds[-1] if kinds and all(kinds) else ""

"""The one clause of a sentence of several figures that tells the figure asked for.

    2025年农林牧渔机械化作业水平要达到多少？
    到2025年，主要农作物种植机械化水平达到98%以上，农林牧渔机械化作业水平达到84%左右。
    -> 到2025年，……农林牧渔机械化作业水平达到84%左右

A figure of its neighbours may be taken for the answer; but a clause that leans on others must not be told without
them. So only one that names its subject and says what becomes of it is told alone, and only where no other clause is
nearly as much of what is asked.
"""

from __future__ import annotations

import re

from index.figures import amounts
from index.keyword import bigrams
from index.sentences import clauses
from rag.cite import GAP
from rag.disagree import asked_words, named_in
from rag.types import Query

PLAIN = 3  # bigrams that the question shares with the name in the clause at least
LEAD = 2  # … and more than with that in any other clause

_ENDS = " \t，,；;。"
_SEVERAL = re.compile(r"[和与跟、，,；;及]|比(?![例重率])|相差|差距|[?？](?=.*\w)|分别|各|一共|合计|总共|之和")
_ASKS = re.compile(r"多少|几(?!种)|多[大高长快]")
_OTHERWISE = re.compile(r"怎|咋|如何|为什么|为何|为啥|谁|哪[^年]")
_CHANGE = re.compile(r"年均|增长|增速|增幅|增加|下降|占比|比重")
_TIME_ALONE = re.compile(
    r"(?:力争)?(?:到|在|至)?(?:20\d\d年|[“\"]?十[一二三四五六七八九]五[”\"]?)(?:期?末|期间|时期|底)?"
)
_TOLD = re.compile(
    r"达到?|实现|稳定|保持|控制|提高|提升|降低|降至|建成|完成|不低于|不少于|不超过|超过|突破|力争|占|为|新增"
)
_LEANS = re.compile(r"^(?:其中|比|较|同比|占|且|并|增长|年均|其|均|分别|以上|同时|也|还)|分别|上述|以上[各两三]")


def told_alone(query: Query, text: str) -> str:
    """The clause that tells the figure a question asks for, behind the time that its sentence begins with; "" where it
    is not plain which clause that is, where it leans on others, and where the sentence has one figure only."""
    asks_one = len(_ASKS.findall(query.text)) <= 1 and not _SEVERAL.search(query.core)
    if query.want != "figure" or not asks_one or _OTHERWISE.search(query.text):
        return ""
    spans = clauses(text)
    told = [text[start:end].strip(_ENDS) for start, end in spans]
    figured = [at for at, clause in enumerate(told) if amounts(clause)]
    if len(figured) < 2:
        return ""
    asked = asked_words(query)
    shared = {at: asked & set(bigrams(named_in(told[at]))) for at in figured}
    best, second = sorted(figured, key=lambda at: (-len(shared[at]), at))[:2]
    clause = told[best]
    if len(shared[best]) < PLAIN or len(shared[best]) - len(shared[second]) < LEAD:
        return ""
    if any(shared[at] - shared[best] for at in figured):
        return ""  # a word of the question stands in another clause alone
    if any(word not in clause for word in _CHANGE.findall(query.text)):
        return ""
    if len(amounts(clause)) > 1 or not _TOLD.search(clause) or _LEANS.search(clause):
        return ""
    if best == 0:
        return clause
    if not _TIME_ALONE.fullmatch(told[0]):
        return ""  # the time of the clause is told elsewhere, or nowhere
    if best == 1:
        return text[: spans[1][1]].strip(_ENDS)
    return f"{text[: spans[0][1]]}{GAP}{clause}"


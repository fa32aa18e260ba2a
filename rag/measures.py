"""What is to be done: the sentences of a plan that state measures, for questions that ask how.

    怎样保护草原？
    · 采用围栏、补播改良等技术手段,对退化草原进行全面治理。[1]
    · 科学划定草原功能区,实施差异化保护。[2]

A plan's paragraph begins with its goal, goes on with measures and ends with the figures to be reached; other paragraphs
tell what was reached before, or what is amiss. Only measures tell how.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Literal

from index.chunk import label_of
from index.figures import amounts
from index.keyword import bigrams, fold
from index.sentences import clauses
from rag.generate.extractive import joins_items
from rag.judge import Verdict
from rag.types import Evidence, Query
from rag.understand import asks_how

MOST = 6  # points of an answer
LONGEST = 300  # characters of all of them
LONE = 170  # characters of a point that is the only one
ONE = 120  # characters of a point, over which it is narrowed to whole clauses
LEAST = 12  # characters of a point that says something
KIN = 3.0  # log-odds below the best within which another sentence of its paragraph is about the same
NEAR = 2.0  # … a measure of its paragraph may answer in place of the best
NEXT = 0.5  # … the same for one of another paragraph
CLOSE = 1.0  # … one of another paragraph
BEHIND = 3.0  # … a measure may stand below a sentence that tells what is to be reached
NAMED = 0.5  # share of a question's bigrams in the title of a paragraph that is about nothing else
FEW = 3  # measures of a sentence that are told one by one
PARTED = 60  # characters of a sentence that is told measure by measure where it stands alone

Kind = Literal["measure", "target", "adverse", "other"]

_MANNER = (
    r"(?:要|将|应|须|并|再|以及|重点|着力|大力|积极|主动|深入|深化|全面|持续|继续|进一步|不断|加快|稳步|扎实|切实|有序|有计划|统筹|严格|逐步|优先|"
    r"充分|科学|广泛|有效|合理|高标准|高质量|高水平|系统|稳妥|坚决|突出|强力|努力|认真|因地制宜|分期|分步|分类|多渠道|定期|依法|依规|规范|"
    r"适度|适时|及时|同步|集中|协同|精准|坚定不移|常态化|更好|牢牢|率先|从严|超前|加速|推动|推进|探索|鼓励|支持|引导|促进|完善|"
    r"[一二三四五六七八九十]是|[(（]?[一二三四五六七八九十\d]{1,2}[)）.．、]|[①-⑳]|——)"
)
_DOES = (
    r"(?:实施|推进|推动|加快|完善|建立|健全|建成|建好|建设|支持|鼓励|引导|指导|培育|培养|培训|打造|构建|加强|强化|深化|优化|简化|细化|提升|提高|"
    r"促进|开展|落实|推广|推行|普及|扩大|发展|做[优强大精实好细]|抓[好实紧住]|狠抓|紧抓|拓展|拓宽|创新|改革|改善|改进|保障|保护|保护好|传承|"
    r"整治|治理|综合治理|控制|管控|严控|严守|严禁|严格|禁止|执行|规范|制定|修订|出台|编制|组织|整合|盘活|引进|引入|选派|选聘|选树|设立|成立|搭建|"
    r"发挥|利用|用好|用足|探索|试点|倡导|提倡|弘扬|减少|降低|减轻|削减|压减|淘汰|取缔|配备|配套|改造|升级|修复|恢复|补齐|破除|打通|畅通|"
    r"增加|增设|增强|新增|扶持|资助|补贴|奖励|兑现|给予|安排|投入|加大|实行|施行|巩固|稳定|守住|遏制|防范|防控|防治|预防|化解|监测|检查|评估|"
    r"监督|监管|处罚|打击|查处|排查|清理|调整|统筹|集聚|承接|延伸|融入|对接|争取|争创|创建|申报|举办|承办|续建|新建|改建|扩建|增建|启动|开工|"
    r"开发|加密|划定|确定|明确|理顺|放宽|放开|取消|压实|夯实|做到|健全|激发|挖掘|释放|突破|攻克|攻关|采用|采取|运用|应用|种植|控减|关停|清零|"
    r"收集|处理|回收|储备|供应|供给|宣传|教育|走访|帮扶|扶贫|结对|签订|提供|满足|吸引|留住|聚集|凝聚|树立|选育|繁育|绿化|造林|种草|禁牧|轮牧|"
    r"轮作|休耕|节约|节水|节能|替代|分流|转移|安置|救助|救治|兜底|覆盖|纳入|扩建|增殖|扩面|提标|扩容|更新|装备|装配|布设|布局|设置|铺设|"
    r"架设|连通|互通|共享|联合|联动|协调|合作|加入|参与|建|设|解决|破解|缓解|缩小|弥补|消除|办好|办|把|对|将|让|为)"
)
_MEASURE = re.compile(rf"^{_MANNER}*{_DOES}")
# What a measure rests on or is done by stands before it: 以草原围栏为重点,实施….
_GROUND = re.compile(
    r"^(?:以|按照|按|根据|依据|依托|围绕|聚焦|针对|立足|通过|结合|坚持|遵循|紧扣|瞄准|借助|在|从|随着|面向|面对|顺应|把握|抓住|适应|本着|为了)"
)
_WITHIN = re.compile(rf"^(?:以|按照?|依托|围绕|通过|针对|在|从|对|结合|利用|将|把).{{2,30}}?{_MANNER}*(?:{_DOES})")
_BY_THEN = re.compile(
    r"^(?:(?:到|至|力争|争取|预计|确保)[^,，;；。]{0,6})?(?:(?:19|20)\d\d年|[“\"]?十[一二三四五六七八九]五[”\"]?)[^,，;；。]{0,8}[,，]"
)
_AMISS = re.compile(
    r"不足|不够|滞后|匮乏|短板|不[高强大优快畅够足平均]|偏[重小低弱少]|较[慢低弱大少]|差距|亟待|有待|亟需|尚未|仍需|仍显|依然|任重道远|艰巨|"
    r"薄弱|不匹配|严峻|缺乏|缺少|紧缺|矛盾|困难|迫在眉睫|居高不下|扩大|面临|挑战|压力|制约"
)
_WAITS = re.compile(r"亟待|有待|亟需|尚未|仍需|仍显|依然|迫在眉睫|居高不下|任重道远|艰巨")
_LACKS = re.compile(r"滞后|匮乏|不足|不够|的问题(?:较|更|十分|比较)?(?:突出|严重)?[,，。]?$")
_MENDS = re.compile(r"解决|破解|补齐|补上|弥补|消除|化解|缓解|缩小|克服|改变|扭转|破除|突破|改善|防止|避免|减少")
_REACHED = re.compile(
    r"(?:五年来|近年来|几年来|过去)|(?:明显|显著|大幅|持续|不断|稳步|有效)(?:增强|提升|改善|优化|下降|提高|完善|巩固|扩大|加强|向好)[,，;；。]|"
    r"成效(?:显著|明显)|取得[^,，。]{0,8}(?:成效|进展|成就|突破|成果|胜利)|(?:已经?|均|全部|圆满|累计)(?:完成|实现|建成|达到|投入|投用|新增)|分别达到|再[增上创]新"
)
_GENERAL = re.compile(
    r"采取|措施|办法|举措|手段|工作|做好?|加强|推进|推动|促进|提高|提升|完善|健全|建立|建设|建成|实现|达到|发展|加快|解决|保障|落实|"
    r"为了|为|才能|让|使|把|要|来|去|的|[搞抓弄治建办靠]"
)
_FORMALITY = re.compile(r"手续|证件|执照|流程|窗口|报名|申请|申领|报销|缴费")
_TRIM = " \t、;；,，"


def measured(
    query: Query, evidence: tuple[Evidence, ...], judge: Callable[[Query, Sequence[Evidence]], Verdict]
) -> tuple[tuple[Evidence, ...], Verdict]:
    """The evidence for a question and the verdict on it. For a question of how, evidence that only tells what is amiss
    or was reached is left out where there are measures; the first of them that answers comes in front: the best, or one
    nearly as good beside it. A figure to be reached that answers stands for the measures of its paragraph."""
    kinds = [kind_of(one) for one in evidence] if how(query) else []
    if "measure" not in kinds:
        return evidence, judge(query, evidence)
    kept = tuple(one for one, kind in zip(evidence, kinds, strict=True) if kind != "adverse")
    first = kept[0]
    measures = [one for one, kind in zip(evidence, kinds, strict=True) if kind == "measure"]
    near = [one for one in measures if first.score - one.score <= BEHIND]
    own = [one for one in measures if _together(one, first)]
    best = (own or near or [first])[0]
    behind = [one for one in measures if one is not best]
    tried = [one for one in behind if best.score - one.score <= (NEAR if _together(one, best) else NEXT)]
    orders = [(one, *(other for other in kept if other is not one)) for one in (best, *tried)]
    judged = ((order, judge(query, order)) for order in (*orders, kept))
    foremost = next(judged)
    if foremost[1].answered:
        return foremost
    order, verdict = next((other for other in judged if other[1].answered), foremost)
    return (foremost[0] if own and order is kept else order), verdict


def _together(one: Evidence, other: Evidence) -> bool:
    return one.passage.chunk.id == other.passage.chunk.id


def points_of(query: Query, evidence: Sequence[Evidence]) -> tuple[Evidence, ...]:
    """The measures that answer a question of how, in the order of the text, each a stretch of its sentence: those of
    the best paragraph, and one of another that is as likely to be meant; () for other questions, and where the best
    evidence is none."""
    if not how(query) or not evidence or kind_of(evidence[0]) != "measure":
        return ()
    best = evidence[0]
    measures = [one for one in evidence if kind_of(one) == "measure"]
    home = best.passage.chunk.id
    reach = best.score - KIN
    if _named(query, best):
        reach = float("-inf")
    same = [one for one in measures if one.passage.chunk.id == home and (one is best or one.score >= reach)]
    beside = [one for one in measures if one.passage.chunk.id != home and best.score - one.score < CLOSE]
    chosen = [*same, *(one for one in beside[:1] if not _retold(one, same))]
    if len(chosen) == 1:
        return tuple(_fitting(_parted(query, best)))
    points = list(_fitting(_narrowed(query, one, LONE if one is best else ONE) for one in chosen))
    return tuple(sorted(points, key=lambda one: (one.passage.chunk.id != home, one.start)))


def how(query: Query) -> bool:
    """Whether a question asks by what measures something is done: not how to apply for it, nor for a figure."""
    formal = "procedure" in query.kinds or _FORMALITY.search(query.text)
    return asks_how(query.text) and query.want != "figure" and not formal


def kind_of(evidence: Evidence) -> Kind:
    """What a piece of evidence tells: a measure, what is to be reached by when, what is amiss or was reached before."""
    if evidence.passage.chunk.cells:
        return "other"
    text, title = evidence.text, f"{label_of(evidence.passage.chunk)}。"
    if _REACHED.search(title) or _wants(title):
        return "adverse"
    if _BY_THEN.match(text):
        return "target"
    if not any(_does(clause) for clause in _clauses(text)):
        return "adverse" if _AMISS.search(text) or _REACHED.search(text) else "other"
    return "adverse" if _REACHED.search(text) and not _MEASURE.match(text) else "measure"


def _does(clause: str) -> bool:
    """Whether a clause says what is done: 吸引人才的问题亟待破解 does not."""
    stated = bool(_MEASURE.match(clause) or _WITHIN.match(clause))
    return stated and not _wants(clause)


def _wants(clause: str) -> bool:
    """Whether a clause only tells what is lacking: 补齐短板 and 解决…不足的问题 tell what is done about it."""
    return bool(_WAITS.search(clause) or (_LACKS.search(clause) and not _MENDS.search(clause)))


def _clauses(text: str) -> list[str]:
    return [text[start:end] for start, end in clauses(text)]


def _named(query: Query, evidence: Evidence) -> bool:
    """Whether the title of a paragraph names what a question asks about: then all of its measures answer."""
    asked = set(bigrams(_GENERAL.sub(" ", query.core))) or set(bigrams(query.core))
    title = set(bigrams(_GENERAL.sub(" ", fold(label_of(evidence.passage.chunk)))))
    return len(asked & title) >= NAMED * max(1, min(len(asked), len(title)))


def _retold(one: Evidence, others: Sequence[Evidence]) -> bool:
    """Whether most of a sentence stands in others as well."""
    held = {pair for other in others for pair in bigrams(other.text)}
    own = set(bigrams(one.text))
    return 2 * len(own & held) > len(own)


def _fitting(points: Iterator[Evidence]) -> Iterator[Evidence]:
    """As many of the points, best first, as there is room for."""
    left, most = LONGEST, MOST
    for one in points:
        size = one.end - one.start
        if most and size <= left:
            left, most = left - size, most - 1
            yield one


def _narrowed(query: Query, one: Evidence, longest: int) -> Evidence:
    """A sentence narrowed to the whole clauses, about `longest` characters at most, that are most like the question,
    beginning with a measure or the ground for it; of those that are alike the longest."""
    text = one.text
    if len(text) <= longest:
        return one
    spans = clauses(text)
    wanted = set(bigrams(query.core)) | {pair for term in query.terms for pair in bigrams(term)}
    runs: list[tuple[int, int, int, int]] = []
    for first, (start, _) in enumerate(spans):
        if first and not (_MEASURE.match(text[start:]) or _GROUND.match(text[start:])):
            continue
        for a, end in spans[first:]:
            if end - start > longest:
                break
            if joins_items(text, start, end):
                continue
            if _does(text[a:end]):  # it does not end with the ground for what is left out
                runs.append((len(wanted & set(bigrams(text[start:end]))), end - start, start, end))
    if not runs:
        return one
    _, _, start, end = max(runs, key=lambda run: (run[0], run[1], -run[2]))
    return _stretch(one, start, end)


def _parted(query: Query, one: Evidence) -> Iterator[Evidence]:
    """The measures of one sentence, one by one: its items, else a clause that states one with those behind it that
    state none or are short; the sentence where these are few, or about something else than the question."""
    text = one.text
    parts: list[list[int]] = []
    of_items = bool(re.search("[;；](?=.)", text))
    for start, end in clauses(text):
        before = text[parts[-1][0] : start] if parts else ""
        begins = before.rstrip()[-1:] in ("；", ";") if of_items else bool(_MEASURE.match(text[start:end]))
        short = len(before) < LEAST or (not of_items and end - start < LEAST)
        rests = short or not any(map(_MEASURE.match, _clauses(before)))
        if parts and (not begins or rests):
            parts[-1][1] = end
        else:
            parts.append([start, end])
    asked = set(bigrams(query.core))
    about = sum(bool(asked & set(bigrams(text[start:end]))) for start, end in parts)
    if len(text) < PARTED or len(parts) < FEW or (2 * about < len(parts) and not _named(query, one)):
        yield _narrowed(query, one, LONE)
        return
    for start, end in parts:
        yield _narrowed(query, _stretch(one, start, end), ONE)


def _stretch(one: Evidence, start: int, end: int) -> Evidence:
    kept = one.text[start:end].rstrip(_TRIM)
    return replace(one, start=one.start + start, end=one.start + start + len(kept))


def enumerates(evidence: Evidence) -> bool:
    """Whether a sentence names several things: an enumeration of figures does not."""
    return any("、" in clause and not amounts(clause) for clause in _clauses(evidence.text))

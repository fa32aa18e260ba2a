"""What a sentence of a plan says of its indicators: which figure is whose, reached by which verb, for which year.

The grammar is that of official Chinese prose, no indicator is listed: the noun phrase before a verb of attainment is
the indicator ("油菜面积稳定在30万亩"), a verb of making is followed by figure and thing ("建成2家博物馆"), a bare
measure word takes its thing from the clause before ("产量稳定在5万吨"), 其中 lends its measure to the parts.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal

from index.figures import Comparator, Figure, figures
from index.period import Period, numeral, plan_years
from index.sentences import clauses

Basis = Literal["level", "cumulative", "annual_average", "increase", "growth"]
Tense = Literal["past", "present", "forward"]


@dataclass(frozen=True)
class Setting:
    """What the sentence's place in the document tells: the plan's period, whether the paragraph looks back, describes
    or looks ahead, the year its figures are for when the sentence names none, and whether it stands in a 专栏.

    `region`: names of the region the plan is about; `places`: names of parts of it."""

    period: Period | None
    tense: Tense = "forward"
    year: int | None = None
    box: bool = False
    region: tuple[str, ...] = ()
    places: tuple[str, ...] = ()


@dataclass(frozen=True)
class Statement:
    """One figure (or goal in words) said of one indicator. `value`, `value_max` and `unit` are as written, without
    thousands commas (145, 万吨); value is None for words. `start`, `end`: where `text` stands in the sentence.

    `tense` is "past" for what was reached, "forward" for what is aimed at; a forward one has no year only where the
    document has no period. `part_of` is the place of the whole among the sentence's statements (其中), else None."""

    subject: str
    indicator: str
    value: str | None
    value_max: str | None
    unit: str
    comparator: Comparator
    approx: bool
    year: int | None
    baseline_value: str | None
    baseline_year: int | None
    basis: Basis
    tense: Tense
    text: str
    start: int
    end: int
    part_of: int | None = None


_YEAR = r"(?:(?:19|20)\d\d|二[〇零○O][一二三四五六七八九〇零○O]{2})\s*年"
_PLAN = r"[“\"]?(?P<plan>十[一二三四五六七八九])五[”\"]?"
# An expression of time. 比 较 由 从 以 before it make it the year compared with.
_TIME = re.compile(
    rf"(?P<ref>比|较|由|从|自|以|在)?(?P<year>{_YEAR})(?P<ago>的?基础上|为基期|为基数)?"
    rf"|{_PLAN}(?:规划)?(?:(?:期|时期)?(?:末|结束)|期末|末期|期间|时期|收官|以来|规划期)"
    r"|(?P<own>规划期末|规划期内|规划期间|(?:未来|今后)[五5]年|[五5]年内|到?期末)"
    r"|(?P<ago2>[五5]年来|过去[五5]年)"
)
_LEADING_TIME = re.compile(
    rf"^(?:力争|争取|确保|预计)?(?:到|至|在|截至|截止)?(?:{_YEAR}\s*(?:\([^)]{{1,4}}\))?(?:底|末|年底|年末|初)?(?:之?前|以前)?"
    r"(?:(?:和|、|,|及|与)?(?=到?(?:19|20)\d\d))?"
    r"|[“\"]?十[一二三四五六七八九]五[”\"]?(?:规划)?(?:(?:期|时期)?(?:末|结束时?)|期末|末期|期间|时期|收官之年|以来)"
    r"|规划期末|规划期内|规划期间|(?:未来|今后|过去)[五5]年(?:内|里|间)?|[五5]年(?:内|来)|期末)[时内间,，、:：]?"
)

_MEASURE = (
    "率|数|量|额|值|面积|里程|比重|比例|占比|规模|收入|支出|产能|能力|水平|系数|指数|强度|浓度|长度|宽度|高度|深度|容量|库容|"
    "装机|覆盖面|寿命|年限|时长|时间|时限|人口|人次|密度|余额|贷款|存款|投资|经费|消费|销售|出口|进口|进出口|增速|增幅|利润|"
    "税收|GDP|总值|出栏|存栏|就业|床位|床位|存量|产出|可靠性|成本|效率|指标|质量|缺口|库存|保有|增长|降低|下降|绿地|供给|能耗|"
    "天数|次数|单产|亩产|结构|负荷|利用小时|财力|盈余"
)
_ENDS_IN_MEASURE = re.compile(rf"(?:{_MEASURE})$")
_BARE = re.compile(
    r"^(?:年|总|年均|平均|均|其|年总|累计|总的)*(?:产量|产值|面积|规模|数量|总数|总额|增加值|占比|比重|比例|(?:营业|销售|经营|主营业务)?收入|"
    r"总量|人数|人次|里程|长度|产能|容量|装机|装机容量|(?:接入|生产|供给|供应|处理|接待|吞吐|服务|加工|设计)能力|投资额?|交易额|销售额|成交额|"
    r"存栏量?|出栏量?|单产|亩产|增速|增长率|水平|效率|效益|利润|税收|库容|余额|"
    r"(?:覆盖|普及|参保|利用|达标|合格|入学|入园|巩固|处理|回收|转化|贡献|自给|渗透|使用|满意|完成|开工|入住|就业|综合利用|资源化利用)率"
    r"|(?:种植|养殖|播种|建设|建筑|建成|经营|参保|用地|灌溉|绿化)(?:面积|规模|人数))$"
)
_STEM = re.compile(
    rf"^(?P<stem>.+?)(?P<measure>(?:种植|养殖|播种|栽培|建设|建筑|建成|经营|参保|灌溉|绿化|年|总|年均|综合)*(?:产量|产值|增加值|人数|"
    rf"(?:覆盖|普及|利用|达标|参保)率|{_MEASURE}))$"
)

_ADVERB = (
    "稳定|稳步|基本|力争|争取|努力|总体|逐步|均|都|全部|分别|双双|将|要|需|应|确保|保证|有望|预计|可|再|已经|已|共计|合计|同比|全面|"
    "普遍|进一步|持续|快速|平稳|大幅|明显|显著|共|约|大约|力促|累计|总计|达"
)
_TO = (
    "(?:稳定|稳步|逐步|持续|平稳|大幅)?(?:提高|提升|增加|增长|扩大|上升|下降|降低|减少|压减|压降|缩短|缩小|发展|调整|增|升|降|"
    "压缩|恢复|延长|回升|改善|扩充|扩容|拓展|优化|跃升|攀升|集聚|壮大)(?:到|至|为)"
)
_REACH = (
    rf"{_TO}|达到|达|实现|突破|超过|超|稳定在|保持在|控制在|维持在|稳定于|保持|稳定|不得?低于|不得?少于|不小于|不得?超过|不得?高于|"
    r"不大于|高于|低于|大于|小于|多于|少于|接近|至少|至多|最多|优于|完成|为|是|约为|约|近|逾|占到|占|≥|≤|>|<|＞|＜|达成|建成|有|在|累计|总计|[迈跨站跃]上"
)
_TRAILING = re.compile(rf"(?:(?:{_ADVERB})*(?:{_REACH})(?:{_ADVERB})*)+$")
_GROWTH = re.compile(
    rf"(?P<how>(?:年均|每年|年平均|累计|平均|五年|(?:比|较){_YEAR}(?:\([^)]*\))?|比上年|同比|(?:比|较)(?:规划|基)期|{_ADVERB})*)"
    r"(?P<verb>递增|增长|增速|提高|提升|上升|增加|扩大|下降|降低|减少|压减|压降|缩减|缩短|增|降)"
    rf"(?:了|{_ADVERB}|不低于|不少于|不超过|超过|高于|达到|达|保持在|稳定在|控制在|为|在|至少|约|近)*$"
)
# Verbs whose object is counted; the first group's figure is what comes on top during the period.
_FLOW = (
    "新增|新建成|新建|新改建|新改扩建|改扩建|新\\(改、?扩\\)建|改建|扩建|改造|完成|治理|修复|转移|培训|投入|实施|招引|引进落地|治沙|造林|"
    "绿化|整治|改善|开展|选派|处置|建设改造|更新改造|盘活|淘汰|退出|开工|筹集|组织|支持|发放|减免"
)
_MAKE = (
    "建成投用|建成投运|建成|建设形成|建设|打造|培育壮大|培育|创建|引进|形成|发展|争创|认定|获批|组建|布局|推广|开通|招引|吸引|推出|设立|"
    "建立|创成|评选|集聚|做强|做大|孵化|开发|制定|举办|拥有|配备|配置|培养|吸纳|落地|签约|储备|达到|实现|突破|超过"
)
_ACTION = re.compile(
    rf"(?P<how>(?:累计|每年|年均|再|共|力争|全面)*)(?P<verb>(?:{_FLOW}|{_MAKE})(?:和(?:{_FLOW}|{_MAKE}))?)了?"
)
_ACTION_END = re.compile(rf"{_ACTION.pattern}(?:{_REACH}|{_ADVERB}|的)*$")
# Verbs that also begin nouns (建设用地, 绿化覆盖率, 投入强度).
_AMBIGUOUS = re.compile(r"(?:建设|发展|形成|开发|储备|布局|配置|配备|培养|投入|退出|绿化|推广|孵化|开工|处置|发放)$")
_OFTEN_VERB = re.compile(r"(?:转移|治理|改造|整治|培训|组织|支持|更新改造|改善|开展)$")
# What grows in a clause without a figure is what the next clause gives figures of.
_TOPIC = re.compile(
    rf"(?P<topic>[^,;:。]{{1,24}}?(?:{_MEASURE}))(?:年均)?(?:增速|增长|增幅)?"
    r"(?:稳步|持续|不断|较快|快速|显著|明显|大幅|进一步|总体)*"
    r"(?:增长|提高|提升|增加|下降|降低|改善|扩大|优化|快于|高于|不低于|保持|稳定|与|较快|稳步)"
)

_LEADING = re.compile(
    r"^(?:[\s,，、；;:：.．]|——|力争|争取|努力|确保|保证|预计|其中|同时|并且|并|且|使得?|实现|全面|着力|加快|逐步|进一步|基本(?=实现|建成|形成|完成|达到)|总体上?|要|将|"
    r"届时|多渠道|大力|积极|有序|高(?:标准|质量)(?=建|打造|推进|完成)|深入|统筹|稳妥|扎实|有效|分批|以及|和|及|与|(?:推动|促进|带动|保持|提高|提升|扩大|稳定|优化|增加|推进)(?!到|至|在|于|了|约|近|不|超|$)|我[州市县区省旗盟]|本[州市县区省旗盟]|"
    r"全[州市县区省旗盟域](?!域)的?|辖区内?|区域内?|\d{1,2}[.．、]|[①-⑳])"
)
_LINK = re.compile(r"[、和与及]|以及|,")
_BOUND = re.compile(
    r"[〕\])】]?\s*(?:\(含\))?(?:及?以上|及?以下|以内|之内|左右|上下|之上|之间|的?范围内|内(?=[,;。]|$))?"
)
_SHARE_OF = re.compile(
    r"(?P<part>.*?)(?P<verb>占到?|达到|达|不低于|不少于|超过)(?P<whole>[^,占]{2,25})的(?:比重|比例)?(?:约|近|达到|达|提高到|超过|以上)*"
)
_CHANGED_TO = re.compile(rf"\s*,?(?P<verb>(?:{_TO}|到|至))(?:{_YEAR}的?)?(?:{_ADVERB}|约|近|超过)*")
_RATE = re.compile(r"率|比|度|性|水平|系数|指数|增长|增速|下降|降低|提高|增幅|程度|覆盖|降幅|份额|增加值$")
_SHARES = frozenset({"%", "倍", "百分点"})
_LONGEST = 45
_WRITTEN = re.compile(r"(?P<value>-?[\d.]+)(?:(?:%|‰|[\u4e00-\u9fff]*?)[-—–~～至到]+(?P<upper>[\d.]+))?(?P<unit>\D.*|)")
_PLACE = (
    r"“[^”]{1,12}”(?:区域|地区|片区)?[一二两三四五六七八九十\d]+个?(?:县市|县\(市\)|县|市|区)|“[^”]{1,12}”(?:区域|地区|片区)"
    r"|[东西南北中][部]?[一二两三四五六七八九十\d]+个?(?:县市|县\(市\)|县|市|区)"
    r"|[\u4e00-\u9fff]{2,3}(?:县|市|旗|(?<![城地社景山灌牧林矿库片校园功])区|(?<![城乡小建集强重名])镇(?![级区村])|(?<![城下返故])乡(?![镇村]))"
    r"|[\u4e00-\u9fff]{2,8}(?:开发区|高新区|经开区|示范区|新区|园区)(?=的|[\u4e00-\u9fff])"
)
_NO_PLACE = re.compile(
    r"^自治[区州县]$|各|全|主要|重点|中心城|示范|城市|地级|县级|以上|区域内|老旧|试点|所有|国家级|自治区级|省级|市级|建成|沿线|部分|累计|每|新增|农|年|人"
)
_FLOWS = re.compile(rf"(?:累计)?(?:{_FLOW})")
_INNER_ACTION = re.compile(
    r"[\u4e00-\u9fff]{2,6}(?P<verb>新增|新建|新改建|建成|打造|引进|培育|创建)(?=[\u4e00-\u9fff\d])"
)
_PER_HEAD = re.compile(r"每[百千万十亿]|人均|户均|亩均|单位|[百千万亿]元")
_MEASURED = _ENDS_IN_MEASURE
_COUNTERS = frozenset(
    "个家人名户件套台辆座处所条项支只头种场位块片张艘架栋幢间例村镇县乡"  # one sign each
) | frozenset(("次", "人次", "台套", "园区", "社区", "家次", "张床位", "床位", "车位", "泊位", "公里"))
_HALF = str.maketrans("，；：（）％０１２３４５６７８９．", ",;:()%0123456789.")
_TAIL_ENDS = re.compile(
    r"^(?:$|[\s,，、；;。!！?？)）”\"|]|并|且|和|及|与|以及|其中|[的地](?:水平|目标|规模|速度|比例|标准|要求|增速|任务)"
    r"|大关|关口|新?台阶)"
)
_PROJECT = re.compile(r"(?:项目|工程|电站|电厂|机组|生产线|水库|基地|装置|线路|通道|枢纽)等?$")
_PREDICATE = re.compile(
    r"(?:全面|基本|全部|均|都|已)*(?:达到|实现|建成|完成|创建|通过|开展|建立|纳入|配备|使用|享有|得到|具备|达标|取得|普及|设立|接入|通(?!过)|"
    r"成为|入选|获评|投入|上云|用上|拥有|安装|迁|脱|进入|退出|覆盖|参加|符合|执行|采用|落实)"
)
_PER_MANY = re.compile(r"(?P<value>\d+(?:\.\d+)?)(?P<unit>/(?:10|十|百|100)万)(?![元亩吨])")
_CHINESE_DIGITS = str.maketrans("〇零○O一二三四五六七八九", "0000123456789")
_DURATION = frozenset({"年", "个月", "月", "日", "天", "小时", "分钟", "周", "岁", "时", "秒", "周年", "期"})
_COUNTED = re.compile(
    r"^(?:个|家|人|名|户|次|人次|件|套|台|辆|座|处|所|条|项|支|只|头|种|场|位|块|片|张|艘|架|栋|幢|间|台套|例|起|羽|口|株|棵|部|本|门|对|组|"
    r"宗|笔|根|班次|班|床|篇|首|枚|标箱|架次|村|镇|县|乡|园区|社区|亩|公顷|平方公里|公里|米|平方米|元|孔|眼|盏|泊位|床位|车位|千瓦|立方米|吨)$"
)
_STOCK = re.compile(r"已|现|目前")
_PAST_WORDS = re.compile(r"已(?:建成|达|有|经|完成|形成|实现|累计|投|开)|目前|现有|现已|截至|以来|当前|原有|既有")
_WORDS = re.compile(r"(?P<reach>实现)?[“\"]?(?P<words>零增长|负增长|翻(?:了)?[一两二三]?番)[”\"]?")
_BRACKETED = re.compile(r"[(][^()]*[)]")
_ASIDE = re.compile(r"[(][^()]*[)]|[“\"][^”\"]{1,12}[”\"]")


@dataclass(frozen=True)
class _Item:
    """A figure, or several that follow one verb (90%和95%), with the words around; offsets count in the sentence."""

    group: tuple[Figure, ...]
    clause: int
    lead: int
    ending: int
    tail: int


@dataclass(frozen=True)
class _Phrase:
    """What the words around an item say: whose figures they are, and from where to where they say it.

    `bases` are the indicators without what growth adds to their names. `firm`: the words alone make it a statement,
    without a year."""

    names: tuple[str, ...]
    bases: tuple[str, ...]
    basis: Basis
    start: int
    end: int
    firm: bool
    action: str = ""


@dataclass
class _Carried:
    """What the clauses before lend to the next ones: names, the verb of a list, the place that does it
    (甲县新建…,改造…), the whole of the parts (its place among the statements, its name, unit and measure), and the
    start of a range (由2%提高到…)."""

    names: tuple[str, ...] = ()
    history: tuple[str, ...] = ()
    action: str = ""
    action_clause: int = -1
    actor: str = ""
    whole: tuple[int, str, str, Basis] | None = None
    parts: bool = False
    origin: tuple[str, Figure, int | None] | None = None


def statements(sentence: str, setting: Setting) -> tuple[Statement, ...]:
    """Everything the sentence says with a figure about an indicator, in order. What is no such statement (ordinals,
    durations, capacities that only describe a thing, counts of things enumerated) is left out.

    >>> plan = Setting(Period(2021, 2025))
    >>> [(s.indicator, s.value, s.unit) for s in statements("油菜面积稳定在30万亩左右,产量稳定在5万吨。", plan)]
    [('油菜面积', '30', '万亩'), ('油菜产量', '5', '万吨')]
    """
    text = sentence.translate(_HALF)
    found: list[Statement] = []
    carried = _Carried()
    words = _in_words(text, sentence, setting)
    for item in _items(text):
        while words and words[0].start < item.group[0].start:
            found.append(words.pop(0))
            carried.names = (found[-1].subject + found[-1].indicator,)
        if not carried.names:
            carried.names = _topic(text[: item.clause])
        found += _read(text, sentence, item, setting, carried, len(found))
    return tuple(found + words)


def _topic(text: str) -> tuple[str, ...]:
    """What the nearest clause without a figure says to grow or to stay: () where none does."""
    for start, end in reversed(clauses(text)):
        if match := _TOPIC.match(_unled(text[start:end])[0]):
            return (match["topic"],)
    return ()


def _items(text: str) -> list[_Item]:
    hidden = _hidden(text)
    rates = [_rate(text, match) for match in _PER_MANY.finditer(text)]
    usable = [f for f in figures(text) if f.kind in ("quantity", "ratio") and f.start not in hidden]
    usable = [f for f in usable if not any(rate.start <= f.start < rate.end for rate in rates)] + rates
    usable.sort(key=lambda figure: figure.start)
    items: list[_Item] = []
    for first, last in clauses(text):
        groups: list[list[Figure]] = []
        for figure in (f for f in usable if first <= f.start < last):
            if groups and _conjoined(text, groups[-1][-1], figure):
                groups[-1].append(figure)
                continue
            if groups and _describes(text, groups[-1][-1], figure):
                groups.pop()
            groups.append([figure])
        lead = first
        for at, group in enumerate(groups):
            ending = _with_bound(text, group[-1].end)
            tail = last
            if at + 1 < len(groups):
                link = _LINK.search(text, ending, groups[at + 1][0].start)
                tail = link.start() if link else ending
            items.append(_Item(tuple(group), first, lead, ending, tail))
            lead = tail
    return items


def _rate(text: str, match: re.Match[str]) -> Figure:
    """Deaths are counted by the hundred thousand: 控制在12/10万以下. What the words around say is read as for ‰."""
    before = text[max(0, match.start() - 12) : match.start()]
    alike = figures(f"{before}{match['value']}‰{text[match.end() : match.end() + 6]}")
    model = next(figure for figure in alike if figure.start == len(before))
    return replace(model, text=match.group(), start=match.start(), end=match.end(), unit=match["unit"])


def _hidden(text: str) -> set[int]:
    """Positions inside round brackets and short quotations: figures there say nothing of their own."""
    hidden: set[int] = set()
    for match in _ASIDE.finditer(text):
        hidden.update(range(*match.span()))
    return hidden


def _conjoined(text: str, one: Figure, other: Figure) -> bool:
    return re.fullmatch(rf"(?:{_LINK.pattern})\s*", text[_with_bound(text, one.end) : other.start]) is not None


def _describes(text: str, one: Figure, other: Figure) -> bool:
    """Whether a figure belongs to the name that the next one counts: 500千伏变电站2座, 60岁以上人口占比达到21%."""
    between = text[_with_bound(text, one.end) : other.start]
    if not between.strip() or _LINK.search(between) or _CHANGED_TO.match(between):
        return False
    growth = _GROWTH.match(between)
    return growth is None or growth.end() < len(between)


def _with_bound(text: str, end: int) -> int:
    """`end` moved behind 以上, 左右 and the like."""
    match = _BOUND.match(text, end)
    return match.end() if match else end


def _read(text: str, sentence: str, item: _Item, setting: Setting, carried: _Carried, before: int) -> list[Statement]:
    """The statements of one item; `before` statements of the sentence are already found."""
    year, tense, explicit = _when(text, item, setting)
    if _is_origin(text, item, carried):
        return _origin(text, sentence, item, setting, carried)
    lead = text[item.lead : item.group[0].start]
    if re.match(rf"(?:{_LINK.pattern})?其中", lead):
        carried.parts = True
    phrase = _phrase(text, item, setting, carried, tense)
    if phrase is None or not (phrase.firm or explicit or tense == "past"):
        return []
    if setting.box and not explicit and not phrase.action and not phrase.firm:
        return []
    numeral_only = not re.match(r"[\d.]", item.group[0].text)
    if numeral_only and item.group[0].unit not in _SHARES and not (phrase.action and explicit):
        return []
    years = _years_of(text, item, year, len(item.group)) if len(phrase.names) == 1 else (year,) * 9
    pairs = list(zip(phrase.names * len(item.group) if len(phrase.names) == 1 else phrase.names, years, strict=False))
    values = item.group if len(item.group) > 1 else item.group * len(pairs)
    basis = phrase.basis
    if tense == "past" and phrase.action and basis == "level":
        basis = "level" if _STOCK.search(text, item.lead, item.group[0].start) else "cumulative"
    baseline_value, baseline_year = _baseline(text, item, carried)
    made: list[Statement] = []
    for (name, of_year), value in zip(pairs, values, strict=False):
        subject, indicator = split_subject(name, setting)
        if previous := next((n for n in carried.names if subject and n.endswith(indicator)), ""):
            indicator = split_subject(previous, setting)[1]
        if len(indicator) < 2:
            return []
        if phrase.action and phrase.action not in indicator[1:]:  # 县城新建… has an actor of its own
            subject = carried.actor = subject or carried.actor
        written, upper, unit = written_value(value, sentence[value.start : value.end])
        part_of = None
        if carried.parts and carried.whole and carried.whole[2] == unit:
            part_of = carried.whole[0]
            basis = carried.whole[3] if basis == "level" else basis
        made.append(
            Statement(
                subject, indicator, written, upper, unit, value.comparator, value.approx, of_year, baseline_value,
                baseline_year, basis, tense, sentence[phrase.start : phrase.end], phrase.start, phrase.end, part_of,
            )
        )  # fmt: skip
    if made:
        carried.names = phrase.bases
        carried.history += phrase.bases
        if phrase.action:
            carried.action, carried.action_clause = phrase.action, item.clause
        if not carried.parts:
            carried.whole = (before + len(made) - 1, phrase.bases[-1], made[-1].unit, made[-1].basis)
    return made


# --- time


def _times(text: str, period: Period | None) -> list[tuple[int, int, int, bool]]:
    """Start, end, year of each expression of time, and whether it is only what something is compared with."""
    found = []
    for match in _TIME.finditer(text):
        reference = False
        if match["year"]:
            year = int(match["year"].rstrip("年 ").translate(_CHINESE_DIGITS))
            reference = match["ref"] in ("比", "较", "由", "从", "自", "以") or bool(match["ago"])
        elif match["plan"]:
            year = plan_years(numeral(match["plan"]))[1]
        elif period is None:
            continue
        else:
            year = period.last if match["own"] else period.base
        found.append((match.start(), match.end(), year, reference))
    return found


def _when(text: str, item: _Item, setting: Setting) -> tuple[int | None, Tense, bool]:
    """The year of an item, whether it was reached or is aimed at, and whether the sentence itself says so."""
    at, period = item.group[0].start, setting.period
    times = [time for time in _times(text, period) if time[0] < at]
    named = [time for time in times if not time[3] and (time[0] >= item.clause or _governs(text, time[0]))]
    if named:
        start, _, year, _ = named[-1]
        if period is not None:
            return year, "past" if year <= period.base else "forward", True
        aimed = re.search(r"(?:到|至|力争)[“\"]?$", text[:start]) or text[start] in "到至"
        return year, "forward" if aimed else "past", True
    if _PAST_WORDS.search(text, item.clause, item.tail):
        return setting.year if setting.tense == "past" else None, "past", True
    if setting.tense == "past":
        return setting.year, "past", False
    if setting.tense == "present":
        return None, "past", False
    return setting.year, "forward", bool(re.search(r"力争|争取|确保", text[:at]))


def _governs(text: str, at: int) -> bool:
    """Whether an expression of time at `at` holds for the clauses behind it as well: it opens its own, or has 到."""
    opened = max((start for start, _ in clauses(text) if start <= at), default=0)
    return text[at] in "到至在" or re.search(r"(?:到|至|在)[“\"]?$", text[:at]) is not None or at - opened <= 4


def leading_year(text: str, period: Period | None) -> int | None:
    """The year that a text first speaks of, other than to compare with it; None where it names none."""
    return next((year for _, _, year, reference in _times(text.translate(_HALF), period) if not reference), None)


def _years_of(text: str, item: _Item, year: int | None, count: int) -> tuple[int | None, ...]:
    """The years of several values of one indicator: 2027年、2030年分别达到60%、70%."""
    listed = re.search(rf"({_YEAR}(?:(?:{_LINK.pattern}|到){_YEAR})+)[^\d]*$", text[: item.group[0].start])
    years = [int(y) for y in re.findall(r"(?:19|20)\d\d", listed.group(1))] if listed else []
    return tuple(years) if len(years) == count else (year,) * count


def _is_origin(text: str, item: _Item, carried: _Carried) -> bool:
    """Whether the item is where a change starts from (由2020年的53%提高到…)."""
    lead = text[item.lead : item.group[0].start]
    if not re.search(rf"(?:由|从)(?:{_YEAR}的?|上[年期]的?|目前的?|现在的?|基期的?)?(?:约|近)?$", lead):
        return False
    return bool(_CHANGED_TO.match(text, item.ending))


def _origin(text: str, sentence: str, item: _Item, setting: Setting, carried: _Carried) -> list[Statement]:
    """Remembers where the change starts; a statement of its own where that lies in a year of the past."""
    figure = item.group[0]
    lead = text[item.lead : figure.start]
    cut = max(lead.rfind("由"), lead.rfind("从"))
    name = _tidy(_unled(lead[:cut])[0])
    names = _named(name, 1, carried, figure.unit, False)
    years = re.findall(r"(?:19|20)\d\d", lead[cut:])
    year = int(years[-1]) if years else None
    carried.origin = (names[0], figure, year) if names else None
    if not names or year is None:
        return []
    subject, indicator = split_subject(names[0], setting)
    carried.names = names
    if len(indicator) < 2 or (setting.period is not None and year > setting.period.base):
        return []
    value, upper, unit = written_value(figure, sentence[figure.start : figure.end])
    said = sentence[figure.start : item.ending]
    return [
        Statement(
            subject, indicator, value, upper, unit, figure.comparator, figure.approx, year, None, None, "level", "past",
            said, figure.start, item.ending,
        )
    ]  # fmt: skip


def _baseline(text: str, item: _Item, carried: _Carried) -> tuple[str | None, int | None]:
    """Value and year that the item is compared with, and forgets where the change started from."""
    lead = text[item.lead : item.group[0].start]
    if carried.origin is not None and _CHANGED_TO.match(lead):
        _, figure, year = carried.origin
        carried.origin = None
        return written_value(figure, figure.text)[0], year
    compared = re.search(r"(?:比|较)((?:19|20)\d\d)年", lead)
    return None, int(compared.group(1)) if compared else None


# --- words around a figure


def _phrase(text: str, item: _Item, setting: Setting, carried: _Carried, tense: Tense) -> _Phrase | None:
    """Whose the item's figures are, None where they make no statement."""
    group = item.group
    unit = group[-1].unit
    lead, cut = _unled(text[item.lead : group[0].start])
    lead = re.sub(r"(?<=[到至达])每[百千万十]*(?:人|人口|户|名)(?:每[年月日])?$", "", lead)
    at = item.lead + cut
    tail = re.sub(r"[\s,;。!?|)]+$", "", text[item.ending : item.tail])
    ends = _TAIL_ENDS.match(tail) is not None
    together = len(group) > 1 or bool(re.search("均|都|双双", lead[-8:]))
    count = len(group)
    if ends and unit == "%" and (share := _SHARE_OF.fullmatch(lead)):
        part = _tidy(share["part"]) or (carried.names[-1] if carried.names else "")
        if part:
            name = (f"{part}占{share['whole']}的比重",)
            return _Phrase(name, name, "level", at + share.start("verb"), item.ending, True)
    growth = _GROWTH.search(lead)
    if ends and growth and not (growth["verb"] in ("增", "降") and lead[: growth.start("verb")].endswith(("新", "净"))):
        return _growth(lead, at, growth, item, carried, unit)
    if not ends:
        if unit == "%":
            return _share_doing(lead, tail, item, carried)
        return _counted(lead, at, tail, item, carried, tense)
    if carried.origin is not None and (changed := _CHANGED_TO.match(text[item.lead : group[0].start])):
        origin = (carried.origin[0],)
        return _Phrase(origin, origin, "level", item.lead + changed.start("verb"), item.ending, True)
    reach = _TRAILING.search(lead)
    said = _tidy(lead[: reach.start()] if reach else lead)
    start = at + reach.start() if reach else group[0].start
    basis: Basis = "annual_average" if re.search(r"^(?:年均|每年)", said) else "level"
    action = ""
    place, rest = split_subject(said, setting)
    if place and (done := _ACTION.match(rest)) and not done["verb"].startswith("建设"):
        said = rest
    else:
        place = ""
    done = _ACTION.match(said)
    if done and (unit == "%" or _names_a_thing(done["verb"], said[done.end() :], bool(reach))):
        done = None
    if done:
        rest = said[done.end() :]
        kept = _FLOWS.match(done["verb"]) is not None
        said = (("累计" if "累计" in done["how"] else "") + done["verb"] + rest) if kept and rest else rest
        if kept or not reach:
            action = done.group()
            basis = _flow_basis(action)
            start = at + lead.find(done["verb"])
    elif (inner := _INNER_ACTION.match(said)) and not reach and not _MEASURED.search(said):
        action = inner["verb"]
        basis = _flow_basis(action)
    elif carried.action and carried.action_clause == item.clause and not reach and _FLOWS.search(carried.action):
        action = carried.action
        basis = _flow_basis(action)
        said = f"{action}{said}" if said else ""
    elif said.startswith("累计") or (reach and "累计" in reach.group()):
        basis = "cumulative"
    elif re.search("新增|净增", said):
        basis = "increase"
    if unit in _DURATION and not re.search(r"(?:年限|寿命|时间|时长|时限|年龄|期|天数|时|日数)$", said):
        return None
    apart = together and (count > 1 or "、" not in split_subject(said, setting)[0])
    names = tuple(place + name for name in _named(said, count, carried, unit, apart))
    if not names or any(len(name) > _LONGEST for name in names):
        return None
    firm = bool(reach or action or carried.parts) or all(_MEASURED.search(n) or _PER_HEAD.match(n) for n in names)
    return _Phrase(names, names, basis, start, item.ending, firm, action)


def _names_a_thing(verb: str, rest: str, reached: bool) -> bool:
    """Whether a word that may be a verb begins a noun here: 建设用地面积, 绿化覆盖率."""
    if _AMBIGUOUS.search(verb):
        return reached or _MEASURED.search(rest) is not None
    return _OFTEN_VERB.search(verb) is not None and (reached or (len(rest) < 3 and _MEASURED.search(rest) is not None))


def _growth(lead: str, at: int, growth: re.Match[str], item: _Item, carried: _Carried, unit: str) -> _Phrase | None:
    said = _tidy(lead[: growth.start()])
    if done := re.match(r"(?:年均|每年)", said):
        said = said[done.end() :]
    bases = _named(said, len(item.group), carried, "", len(item.group) > 1)
    if not bases:
        return None
    how = growth["how"]
    yearly = re.search("年均|每年|年平均", how) is not None or done is not None
    compared = re.search(rf"比{_YEAR}", how.replace("较", "比"))
    verb = {"递增": "增长", "增速": "增长", "增": "增长", "降": "下降"}.get(growth["verb"], growth["verb"])
    summed = re.search("累计|五年", how) is not None
    basis: Basis = "growth"
    if yearly:
        basis = "annual_average"
    elif summed:
        basis = "cumulative"
    elif unit != "%":
        basis = "increase"
    span = "年均" if yearly else "累计" if summed else ""
    words = span + (compared.group() if compared and not yearly else "") + verb
    names = tuple(base if base.endswith(words) else base + words for base in bases)
    return _Phrase(names, bases, basis, at + growth.start("how"), item.ending, True)


def _counted(lead: str, at: int, tail: str, item: _Item, carried: _Carried, tense: Tense) -> _Phrase | None:
    """A thing counted behind its figure: 建成2家博物馆."""
    unit = item.group[-1].unit
    whole_thing = re.split(r"[,;。；]", tail)[0]
    end = item.ending + len(whole_thing)
    thing = whole_thing.removeprefix("的")
    if quoted := re.match(r"“[^”]+”", thing):
        thing = quoted.group()
    done = _ACTION_END.search(lead)
    listed = not _tidy(lead) and carried.action and carried.action_clause == item.clause
    if unit in _DURATION or "/" in unit or not re.match("[\u4e00-\u9fff“A-Za-z\\d(]", thing):
        return None
    if done is None and not listed:
        predicate = _PREDICATE.search(thing)
        if tense != "past" or predicate is None or predicate.start() < 2 or _COUNTED.match(unit) is None:
            return None
        who = re.sub(rf"{_YEAR}$", "", thing[: predicate.start()])
        did = re.sub(r"^(?:全面|基本|全部|均|都|已)+", "", thing[predicate.start() :])
        return _Phrase((f"{did}的{who}",), (who,), "cumulative", item.group[0].start, end, True)
    if _COUNTED.match(unit) is None or (unit not in _COUNTERS and _PROJECT.search(thing)):
        return None
    action = done["how"] + done["verb"] if done else carried.action
    kept = re.search(rf"(?:累计)?(?:{_FLOW})", action)
    name = ((kept.group() if kept else "") + thing,)
    start = at + done.start("verb") if done else item.group[0].start
    return _Phrase(name, name, _flow_basis(action), start, end, True, action)


def _share_doing(lead: str, tail: str, item: _Item, carried: _Carried) -> _Phrase | None:
    """A share that does something: 60%社区建成食堂, 重点企业100%达到排放标准."""
    words = re.split(r"[,;。；]", tail)[0]
    doing = _PREDICATE.search(words)
    said = _tidy(re.sub(rf"(?:{_REACH}|{_ADVERB})+$", "", lead))
    if doing is None or len(words) - doing.start() < 3:
        return None
    who = said if doing.start() == 0 else words[: doing.start()].removeprefix("的")
    if len(who) < 2:
        return None
    what = words[doing.start() :].rstrip("的")
    name = (f"{who}{what}的比例" if doing.start() == 0 else f"{what}的{who}比例",)
    return _Phrase(name, name, "level", item.group[0].start, item.ending + len(words), True)


def _flow_basis(action: str) -> Basis:
    if "年均" in action or "每年" in action:
        return "annual_average"
    if "累计" in action:
        return "cumulative"
    if re.search("新增", action):
        return "increase"
    return "cumulative" if _FLOWS.search(action) else "level"


def _in_words(text: str, sentence: str, setting: Setting) -> list[Statement]:
    """Goals of growth without a figure: 零增长, 翻一番."""
    if setting.tense != "forward":
        return []
    found: list[Statement] = []
    for match in _WORDS.finditer(text):
        start = max((a for a, b in clauses(text) if a <= match.start()), default=0)
        growth = re.sub(rf"(?:(?:比|较){_YEAR}|在{_YEAR}(?:的)?基础上|{_ADVERB})+$", "", text[start : match.start()])
        subject, indicator = split_subject(_tidy(_unled(growth)[0]), setting)
        year = setting.year
        for time in _times(text[: match.start()], setting.period):
            year = year if time[3] else time[2]
        if len(indicator) >= 2 and not (setting.period and year and year <= setting.period.base):
            found.append(
                Statement(
                    subject, indicator, None, None, "", "=", False, year, None, None, "growth", "forward",
                    sentence[match.start() : match.end()], match.start(), match.end(),
                )
            )  # fmt: skip
    return found


# --- names


def _unled(lead: str) -> tuple[str, int]:
    """The lead without label, time and adverbs at its beginning, and how much was cut off."""
    cut = max(lead.rfind(":"), lead.rfind("：")) + 1
    while match := _LEADING_TIME.match(lead[cut:]) or _LEADING.match(lead[cut:]):
        if not match.end():
            break
        cut += match.end()
    return lead[cut:], cut


def _tidy(name: str) -> str:
    """A noun phrase without what does not belong to it at its ends."""
    name = re.sub(r"[(](?:下同|以下简称|简称|不含)[^)]*[)]", "", name)
    name = re.sub(rf"(?:(?:到|至)?{_YEAR}(?:底|末)?)$", "", name)
    name = re.sub(r"^[^占]*、[^、]*?(?<![高中初同平均劣])等(?![级次教学于])(?=[\u4e00-\u9fff]{4})", "", name)
    return name.strip(" ,、;:的|").removesuffix("的")


def _named(said: str, count: int, carried: _Carried, unit: str, together: bool) -> tuple[str, ...]:
    """The indicators that a noun phrase names, in full: () where it names none."""
    if not said:
        names = (carried.names if len(carried.names) >= count else carried.history)[-count:]
        names = names if len(names) == count else names[-1:]
    elif _BARE.fullmatch(said) and (carried.names or carried.whole):
        owners = carried.names if len(carried.names) == count else carried.names[-1:]
        if carried.parts and carried.whole:
            owners, carried.parts = (carried.whole[1],), False
        names = tuple(_stem(owner) + said for owner in owners)
    else:
        names = (_coordinates(said, count) if together else None) or (said,)
        if carried.parts and carried.whole and not _MEASURED.search(said):
            measure = _STEM.match(carried.whole[1])
            names = tuple(name + (measure["measure"] if measure else "") for name in names)
        elif not carried.parts or _MEASURED.search(said):
            carried.parts = carried.parts and _MEASURED.search(said) is None
    if unit == "%":
        names = tuple(name if _RATE.search(name) else f"{name}占比" for name in names)
    return names


def _stem(name: str) -> str:
    match = _STEM.match(name)
    return match["stem"] if match else name


def _coordinates(said: str, count: int) -> tuple[str, ...] | None:
    """城镇和农村居民收入 -> (城镇居民收入, 农村居民收入): what the members share is written once. None where the phrase
    does not have `count` members (any number from two where `count` is 1)."""
    shielded = _BRACKETED.sub(lambda m: "\0" * len(m.group()), said)
    cuts = [0]
    for link in re.finditer(r"、|和|与|及|以及", shielded):
        cuts += [link.start(), link.end()]
    cuts.append(len(said))
    members = [said[a:b] for a, b in zip(cuts[::2], cuts[1::2], strict=True)]
    if len(members) < 2 or not all(members) or (count > 1 and len(members) != count):
        return None
    last = members[-1]
    full = []
    for member in members[:-1]:
        at = last.rfind(member[-2:]) if len(member) >= 2 else -1
        if _MEASURED.search(member) and len(member) > 3:
            full.append(member)
        elif at >= 0:
            full.append(member + last[at + 2 :])
        else:
            full.append(member + last[len(member) :] if len(last) > len(member) else member)
    if not _MEASURED.search(last) and len(last) < len(members[-2]):
        last = members[-2][:-2] + last
    return (*full, last)


def split_subject(name: str, setting: Setting) -> tuple[str, str]:
    """Splits the part of the region that a name begins with from the indicator; the region itself is left out."""
    for own in setting.region:
        if name.startswith(own) and len(name) > len(own) + 1:
            name = name[len(own) :].removeprefix("的")
    known = "|".join(map(re.escape, sorted(setting.places, key=len, reverse=True)))
    one = rf"(?:{known}|{_PLACE})" if known else rf"(?:{_PLACE})"
    match = re.match(rf"({one}(?:(?:[、和与及])(?:{one}))*)(?:的)?(?=[\u4e00-\u9fffA-Za-z\d“]{{2}})(?!级)", name)
    if match is None or _NO_PLACE.search(match.group(1)):
        return "", name
    return match.group(1), name[match.end() :]


def written_value(figure: Figure, surface: str) -> tuple[str, str | None, str]:
    """Value, upper value and unit as they are written: 145万吨 -> 145, 万吨; 百分之八十 -> 80, %."""
    text = surface.replace(" ", "").translate(_HALF).replace(",", "")
    if figure.kind == "ratio" and (terms := text.replace("∶", ":")).count(":"):
        return terms, None, ""
    match = _WRITTEN.fullmatch(text)
    if match is None:
        upper = None if figure.value_max is None else f"{figure.value_max.normalize():f}"
        return f"{figure.value.normalize():f}", upper, figure.unit
    unit = match["unit"].removeprefix("多").removeprefix("余")
    return match["value"], match["upper"], unit

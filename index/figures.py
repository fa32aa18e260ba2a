"""Reading figures in Chinese official text: numbers with their units, years, ordinals, names that contain digits.

Everything that must recognise a figure (the register of targets, the number lock, the check of answers) reads it here,
so that 145万吨, １４５万吨, 1450000吨 and 一百四十五万吨 are one and the same value everywhere.

What is a figure: every Arabic number; a Chinese numeral only with a measure word or unit after it (两家, 十四万人), as
a share (百分之十, 八成, 三分之一, 一半), as a year (二〇三五年), or when it is spelled with 百 千 万 亿 after a digit
(三千五百二十一). A lone 一 or 二 before a measure word is an article or an ordinal (一项, 一批, 二次利用) and no
figure, except with 倍 and 百分点. Numbers of more than 28 digits are rounded.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import lru_cache
from typing import Literal

FigureKind = Literal["quantity", "year", "ordinal", "identifier", "ratio"]
Comparator = Literal[">=", "<=", ">", "<", "=", "~"]


@dataclass(frozen=True)
class Figure:
    """A figure of a text: `text` is the value with its unit, verbatim, and stands at [start, end) in characters.

    `value` (and `value_max` of a range, else None) has the multipliers of the unit worked in: 145万吨 is 1450000 吨.
    `unit` is the normalised unit word, "" where none is written; a share is given in "%" (八成 is 80 %).
    kind: "quantity"; "year" 1900-2100, unit "年"; "ordinal" 第三次, 十九届, 十四五, 专栏2, list numbers; "identifier"
    G30, 5A, PM2.5, 2号, “三个代表”; "ratio" 17.5:41.9:40.6 (`value` is the first term), 三分之一, 一半 (in %).
    `comparator` comes from the words around the figure, `approx` is True for 左右, 约, 近, 多, 余.
    """

    text: str
    start: int
    end: int
    value: Decimal
    value_max: Decimal | None
    unit: str
    kind: FigureKind
    comparator: Comparator
    approx: bool


_FOLD = str.maketrans(
    "０１２３４５６７８９．％﹪＋－−–‐‑～〜∼：∶／（）＞＜≧≦⩾⩽○Ｏ　\u00a0\t",
    "0123456789.%%+-----~~~::/()><≥≤≥≤〇O   ",
)
_FOLD.update({0xFF21 + i: 0x41 + i for i in range(26)} | {0xFF41 + i: 0x61 + i for i in range(26)})
_WIDE_COMMA = re.compile(r"(?<=[０-９])，(?=[０-９]{3}(?![０-９]))")

_DIGITS = {c: i for i, c in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_PLACES = {"十": 10, "百": 100, "千": 1000}
_MULTIPLIERS = {
    "万亿": 10**12, "千亿": 10**11, "百亿": 10**10, "十亿": 10**9, "亿": 10**8,
    "千万": 10**7, "百万": 10**6, "十万": 10**5, "万": 10**4, "千": 10**3, "百": 10**2,
}  # fmt: skip

# Written words of one unit, the first of each group being the one that `Figure.unit` carries.
_UNITS = (
    "% ％", "‰", "百分点 个百分点", "元 元人民币 人民币", "美元", "欧元", "港元", "日元", "英镑",
    "吨标煤 吨标准煤 tce", "吨二氧化碳", "吨 t", "吨级", "蒸吨", "千克 公斤 kg", "克 g", "毫克 mg", "微克 μg", "斤",
    "亩", "亩次", "公顷 ha", "平方公里 平方千米 km² km2", "平方米 平米 ㎡ m² m2", "立方米 立方 m³ m3 ㎥ 方",
    "公里 千米 km", "米 m", "厘米 cm", "毫米 mm", "海里", "升 L", "毫升 mL ml", "大卡 千卡", "℃ 摄氏度", "分贝 dB",
    "千瓦 kW KW kw", "千瓦级", "瓦 W", "千瓦时 度电 kWh 千瓦·时", "度", "千伏 kV KV kv", "伏 V", "千伏安 kVA",
    "赫兹 Hz", "兆 M Mbps 兆比特/秒", "千兆", "小时 h", "时", "分钟 min", "秒", "天", "日", "周", "个月", "月", "年",
    "周年", "岁", "学时", "课时", "个工作日 工作日", "倍", "分", "级", "期",
)  # fmt: skip
_SCALED = {
    "兆瓦": ("千瓦", 10**3), "MW": ("千瓦", 10**3), "吉瓦": ("千瓦", 10**6), "GW": ("千瓦", 10**6),
    "兆瓦时": ("千瓦时", 10**3), "MWh": ("千瓦时", 10**3), "吉瓦时": ("千瓦时", 10**6), "GWh": ("千瓦时", 10**6),
    "兆伏安": ("千伏安", 10**3), "MVA": ("千伏安", 10**3), "Gbps": ("兆", 10**3),
}  # fmt: skip


def _words(listed: str) -> tuple[str, ...]:
    return tuple(listed.split())


# Measure words of things that may follow a Chinese numeral; the others would mostly make names (三门, 四方, 六口).
_COUNTERS = _words(
    "个 家 人 名 户 次 人次 件 套 台 辆 座 处 所 条 项 支 只 头 种 类 场 位 块 片 张 大 轮 份 艘 架 栋 幢 间 台套 例 起"
)
_COUNTERS_ARABIC = _words(
    "羽 匹 口 株 棵 部 本 册 层 门 对 组 宗 笔 根 锭 席 盏 标箱 TEU 架次 车次 班次 班 床 张床位 床位 篇 首 枚 户次 "
    "家次 件次 套次 台次 辆次 县 乡 镇 村 园区 社区 盘 箱 袋 瓶 桶 粒 车道 车位 泊位 孔 眼 幅 尾 捆"
)
_NOT_CHINESE = frozenset((*_COUNTERS_ARABIC, *_words("方 时 分 级 期 周 度 斤 日 月 吨级 千瓦级")))
# written word -> (canonical word, factor into it)
_MEASURES: dict[str, tuple[str, Decimal]] = {
    **{word: (group.split()[0], Decimal(1)) for group in _UNITS for word in group.split()},
    **{word: (canonical, Decimal(factor)) for word, (canonical, factor) in _SCALED.items()},
    **{word: (word, Decimal(1)) for word in (*_COUNTERS, *_COUNTERS_ARABIC)},
}
# What must not follow a measure word, because the two then make another word (年均, 部门, 五位一体, 三次产业, 项目).
_NOT_AFTER = {
    "年": "均|代", "周": "年|边|期|岁", "部": "门|分|署|委|队", "位": "一体|数|于|置", "次": "产业|元|方", "项": "目",
    "分": "之|别|为|类|成|布|解|散|支|期", "家": "[渠庄村沟湾堡寨窑铺河坪桥湖营屯]", "台": "[山县阶]", "大": "于|幅|型",
    "方": "面|案|式|向|法|便", "本": "级|地|市|区|州|省|科|年", "组": "织|团|建", "对": "口|外|接|标|应", "班": "子",
    "门": "诊|槛|类", "口": "岸|径", "处": "理|置|于|级", "所": "有|在|以|得|需|属", "支": "持|撑|付|出|柱|部",
    "起": "来|步|点", "条": "件|例", "种": "植|子|业|苗", "类": "型|别|似", "场": "所|地|馆|景", "片": "区", "份": "额",
    "级": "别", "期": "间|末", "层": "次|级|面", "日": "均|常|益|照", "月": "均", "人": "均|才|工智能|大代表",
    "户": "均", "件": "均", "度": "假", "村": "级|庄|民|集体", "县": "级|域|城", "镇": "级|区", "乡": "级|村|镇",
    "座": "谈", "张": "家", "间": "接", "升": "级|至|到", "轮": "作|换|车|机", "名": "录|单|称", "只": "有|要|能",
    "时": "代|期|间|段|速|长|尚|任|常",
}  # fmt: skip
_PER = _words(
    "年 月 日 天 小时 h 分钟 秒 s 人·年 人 户 亩 公顷 平方米 平方公里 立方米 m³ m² m3 m2 吨 千瓦时 度 万元 亿元 元 "
    "万人 千人 百人 十万人 套 台 个 头 只 株 升 L 床 村 次 公里 百户 千米 米 车 件 班 周 d a"
)
_PER_CANON = {"天": "日", "d": "日", "h": "小时", "s": "秒", "a": "年", "L": "升", "m³": "立方米", "m²": "平方米"}
_PER_CANON |= {"m3": "立方米", "m2": "平方米"}
_PER_CANON |= {"千米": "公里", "度": "千瓦时"}

# canonical unit -> (base unit, exact factor), used by `equal` only; 1公顷 is 15亩 by definition (国发〔1984〕28号)
_BASE: dict[str, tuple[str, Decimal]] = {
    "‰": ("%", Decimal("0.1")),
    "公里": ("米", Decimal(1000)),
    "厘米": ("米", Decimal("0.01")),
    "毫米": ("米", Decimal("0.001")),
    "公顷": ("亩", Decimal(15)),
    "平方公里": ("亩", Decimal(1500)),
    "平方米": ("亩", Decimal("0.0015")),
    "千克": ("吨", Decimal("0.001")),
    "斤": ("吨", Decimal("0.0005")),
    "克": ("吨", Decimal("0.000001")),
    "毫克": ("吨", Decimal("1E-9")),
    "微克": ("吨", Decimal("1E-12")),
    "瓦": ("千瓦", Decimal("0.001")),
    "伏": ("千伏", Decimal("0.001")),
    "升": ("立方米", Decimal("0.001")),
    "毫升": ("立方米", Decimal("0.000001")),
    "千兆": ("兆", Decimal(1000)),
    "天": ("日", Decimal(1)),
}


def _alternatives(words: Iterable[str]) -> str:
    """A regex of the words, longest first; Latin ones must not run on into more letters."""
    parts = []
    for word in sorted(set(words), key=lambda w: (-len(w), w)):
        ending = r"(?![A-Za-z])" if word[-1].isascii() and word[-1].isalpha() else ""
        follow = _NOT_AFTER.get(word)
        parts.append(re.escape(word) + ending + (f"(?!{follow})" if follow else ""))
    return "|".join(parts)


_SP = r" ?"
_ARABIC = r"\d{1,3}(?:,\d{3})+(?!\d)(?:\.\d+)?|\d+(?:\.\d+)?"
_CN = "一二两三四五六七八九零〇"
_CHINESE = rf"(?<![第几数好{_CN}十百千万亿点])[{_CN}十][{_CN}十百千万亿]{{0,24}}(?:点[{_CN}]{{1,9}})?"
_MULT = r"万亿|千亿|百亿|十亿|千万|百万|十万|亿|万|千(?![瓦伏克米卡帕赫])|百(?!分)"
_COUNTER = "|".join(sorted(_COUNTERS, key=lambda word: (-len(word), word)))
_UNIT = (
    rf"(?:\((?:{_COUNTER})\))?(?:{_alternatives(_MEASURES)})(?:\((?:{_COUNTER})\))?"
    rf"(?:/(?:{_alternatives(_PER)}))?"
)
_UNIT_PARTS = re.compile(
    rf"(?:\((?:{_COUNTER})\))?(?P<word>{_alternatives(_MEASURES)})(?:\((?:{_COUNTER})\))?"
    rf"(?:/(?P<per>{_alternatives(_PER)}))?",
    re.ASCII,
)
_AMOUNT = re.compile(
    rf"(?:(?P<arabic>{_ARABIC})|(?P<chinese>{_CHINESE}))"
    rf"(?P<more>{_SP}[多余来](?={_SP}(?:{_MULT}|{_UNIT})))?"
    rf"(?:{_SP}(?P<mult>{_MULT}))?"
    rf"(?P<more2>[多余](?={_UNIT}))?"
    rf"(?:{_SP}(?P<unit>{_UNIT}))?",
    re.ASCII,
)
_AMOUNT_WITH_UNIT = re.compile(rf"(?:{_ARABIC}){_SP}(?:{_MULT}|{_UNIT})", re.ASCII)
_SHARE = re.compile(
    rf"(?P<base>[百千万])分之(?:(?P<arabic>{_ARABIC})|(?P<chinese>百|[{_CN}十][{_CN}十百]{{0,9}}(?:点[{_CN}]{{1,9}})?))"
    rf"(?:(?:至|到|-|~|—{{1,2}})(?:[百千万]分之)?(?P<upper>{_ARABIC}|[{_CN}十][{_CN}十百]{{0,9}}(?:点[{_CN}]{{1,9}})?))?",
    re.ASCII,
)
_FRACTION = re.compile(
    rf"(?P<den>[{_CN}十]{{1,6}})分之(?P<num>[{_CN}十]{{1,6}})|(?P<up>\d{{1,3}})/(?P<down>\d{{1,3}})(?![\d/])|(?P<half>一半)",
    re.ASCII,
)
_TENTHS = re.compile(
    rf"(?<![第几数{_CN}十百千万亿点])(?P<first>[一二两三四五六七八九]|(?<![\d.])[1-9](?=成))(?:[至到、]?(?P<second>[二三四五六七八九]))?"
    r"成(?P<half>[一二三四五六七八九半])?(?![不员立本就果功为长套都熟效品份型片年县])"
)
_RATIO = re.compile(r"\d+(?:\.\d+)?(?::\d+(?:\.\d+)?)+", re.ASCII)
_ORDINAL = re.compile(
    rf"第{_SP}(?:\d+|[{_CN}十百]{{1,9}})(?:{_SP}(?:次|届|个|条|章|节|篇|位|批|轮|期|名|项|款|季度|代|部分|产业))?"
    rf"|(?:\d+|[{_CN}十]{{1,9}})(?:届|次(?=全会|全体会议))"
    rf"|十[{_CN}]五(?!(?:{_COUNTER}))"
    rf"|(?:十[六七八九]|二十[一二三四五]?)大(?=以来|报告|精神|会议|代表|和|、|召开|[,，。；;)”\"]|$|胜利|决策|部署|关于|提出|对|战略)"
    rf"|(?:专栏|附表|附件|附图|附录){_SP}(?:\d+|[{_CN}十]+)"
    r"|\d+(?:\.\d+){2,}",
    re.ASCII,
)
_LIST_NUMBER = re.compile(r"(?:(?<=^)|(?<=[\n|。；;: (]))[1-3]?\d(?=[.、)](?![\d ]*\d))", re.ASCII)
_IDENTIFIER = re.compile(
    r"\d+(?:\+(?:\d+|[A-Z]))+"
    rf"|[A-Za-z]+-?\d+(?:\.\d+)?(?:[A-Za-z]\w*)?(?!\d*{_SP}(?:{_MULT}|%|‰|吨|元|亩|千瓦|公里|米|立方|个百分点))"
    rf"|\d+(?:\.\d+)?(?!{_SP}(?:{_UNIT}))[A-Za-z]+"
    r"|\d+(?=(?:政务|便民|市民|服务)*(?:热线|专线))"
    r"|\d+(?:号|国道|省道|县道|强(?!度|化)|年代|世纪)"
    r"|(?<=[\u4e00-\u9fff])-\d+(?:\.\d+)?",
    re.ASCII,
)
_ROAD = re.compile(r"(?:国道|省道|县道|乡道|高速)$")
_FIXED = re.compile(
    r"三个代表|八项规定|四个全面|四个意识|四个自信|两个维护|两个确立|两个一百年|九年义务|九年一贯|[一二三四五六七八九十]年(?:规划|计划)"
)
_SLOGAN = re.compile(r"[“「『‘\"](?P<body>[^“”「」『』‘’\"]{2,12})[”」』’\"]")
_SEPARATOR = re.compile(rf"{_SP}(?P<sep>至|到|—{{1,2}}|-{{1,2}}|~){_SP}")
_SIGN = re.compile(r"(?:(?<![\w)%〕\]])|(?<=[为是达至到长降约在]))-")
_RUN = re.compile(rf"[A-Za-z]+|[{_CN}十百千万亿]+(?!分之)")
_START = re.compile(rf"[\dA-Za-z{_CN}十百千万第专附-]", re.ASCII)

_AFTER: tuple[tuple[re.Pattern[str], Comparator], ...] = (
    (re.compile(r"(?:\(含\))?[〕\])】]?\s?(?:及|或)?以上|之上"), ">="),
    (re.compile(r"(?:\(含\))?[〕\])】]?\s?(?:以内|之内|及?以下|之下|(?:的)?范围内|内(?=[,，。；;]|$))"), "<="),
    (re.compile(r"[〕\])】]?\s?(?:左右|上下|上下浮动)"), "~"),
)
_LINK = r"(?:了|到|达到|达|为|在|于|其|\(含\))?[\s±〔\[(“]*$"
_NOT_ABOUT = "节契公签履预集制条合违盟"
_BEFORE: tuple[tuple[re.Pattern[str], Comparator], ...] = (
    (re.compile(r"(?:不低于|不少于|不小于|不得低于|不得少于|不亚于|至少|≥|>=|＞=)" + _LINK), ">="),
    (re.compile(r"(?:不超过|不高于|不大于|不多于|不得超过|不得高于|至多|最多|控制在|压减到|≤|<=)" + _LINK), "<="),
    (re.compile(r"(?:超过|突破|高于|大于|多于|逾|超|>)" + _LINK), ">"),
    (re.compile(r"(?:低于|少于|小于|不足|不到|<)" + _LINK), "<"),
    (re.compile(rf"(?:(?<![{_NOT_ABOUT}])约|接近|(?<![最附靠临邻新])近|大致|大概|≈|(?<![\d%])~)" + _LINK), "~"),
)
_RECENT = re.compile(r"(?<!接)(?<!将)近[\s]*$")
_TIME_UNITS = frozenset({"年", "月", "个月", "日", "天", "周"})
# What may stand beside a cell's value without changing what it is.
_CELL_WORDS = re.compile(
    r"[\s|〔〕\[\]()±+≥≤><=~≈]|不低于|不少于|不小于|不超过|不高于|不大于|至少|至多|超过|突破|高于|大于|低于|小于|达到|达|"
    r"保持在|稳定在|控制在|提高到|提升至|下降到|增长|提高|累计|年均|左右|上下|及?以上|及?以下|以内|之内|大约|约|接近|近|含"
)
_SIGNS = str.maketrans("−–—‐‑∼〜∶≧≦⩾⩽○", "-----~~:≥≤≥≤〇")


def normalise(text: str) -> str:
    """The text for comparison: NFKC (full-width signs, superscripts), one sign for each kind of dash, wave and colon.

    Not length-preserving: ㎡ becomes m2. Offsets of the result mean nothing in the original.
    """
    return unicodedata.normalize("NFKC", text).translate(_SIGNS)


def unit_of(text: str) -> tuple[Decimal, str]:
    """The factor and the normalised word of a written unit: 万吨 -> (10000, 吨), 亿吨标煤 -> (100000000, 吨标煤).

    A dash or nothing is (1, ""); a unit word that is not known stays as it is written, its 万 or 亿 worked out.
    """
    folded = _fold(text).replace(" ", "").strip("|()")
    if not folded.strip("-—/"):
        return Decimal(1), ""
    match = re.match(rf"(?:{_MULT})", folded)
    multiplier = match.group() if match and len(match.group()) < len(folded) else ""
    rest = folded[len(multiplier) :]
    factor, word = _unit(rest) if _UNIT_PARTS.fullmatch(rest) else (Decimal(1), rest)
    return factor * _MULTIPLIERS.get(multiplier, 1), word


@lru_cache(maxsize=4096)  # the paragraphs and rows of a document are read again for every question
def figures(text: str) -> tuple[Figure, ...]:
    """All figures of a text in order of position. Empty where there is none; figures never overlap."""
    folded = _fold(text)
    slogans = [match.span("body") for match in _SLOGAN.finditer(folded)]
    fixed = {match.start(): match.end() for match in _FIXED.finditer(folded)}
    found: list[Figure] = []
    position = 0
    while start := _START.search(folded, position):
        at = start.start()
        if at in fixed:
            position = fixed[at]
            continue
        figure = _figure_at(text, folded, at, slogans, found[-1] if found else None)
        if figure is None:
            # The rest of a run of letters or numerals is part of the same word.
            run = _RUN.match(folded, at)
            position = run.end() if run else at + 1
        else:
            found.append(figure)
            position = figure.end
    return tuple(found)


def amounts(text: str) -> list[Figure]:
    """The figures of a text that say how much: quantities and ratios, not years."""
    return [figure for figure in figures(text) if figure.kind in ("quantity", "ratio")]


def equal(a: Figure, b: Figure) -> bool:
    """Whether two figures say the same: the same value (both bounds of a range) in the same unit, exactly.

    Values are compared as decimals in base units, so 0.67 equals 0.670, 5公里 equals 5000米 and 30‰ equals 3%. Units
    must name the same thing: % is not 百分点, 元 is not 人, 吨 is neither 吨/年 nor 吨标煤, and a figure without a unit
    equals only one without; the unit that a table keeps in another cell is supplied through `cell_figure`. A year
    equals only a year. Comparators are not compared.
    """
    if (a.kind == "year") != (b.kind == "year"):
        return False
    if {a.kind, b.kind} & {"ordinal", "identifier"}:
        return a.kind == b.kind and normalise(a.text) == normalise(b.text)
    terms_a, terms_b = _terms(a), _terms(b)
    return terms_a == terms_b and _based(a) == _based(b)


def cell_figure(text: str, unit: str) -> Figure | None:
    """The value of a table cell whose unit stands elsewhere in the table ("≥1.15", unit 亿吨标煤).

    None for a dash, an empty cell, a cell in words, and a cell with more than one figure or with words beside it whose
    bearing on the value is unknown. A unit that the cell itself writes goes before `unit`. Offsets are those of `text`.
    """
    found = [figure for figure in figures(text) if figure.kind in ("quantity", "ratio", "year")]
    if len(found) != 1:
        return None
    figure = found[0]
    around = _fold(text[: figure.start] + " " + text[figure.end :])
    if _CELL_WORDS.sub("", around):
        return None
    # A bare 2000 was read as a year, whose unit is not written.
    unit_written = figure.unit != "" and (figure.kind != "year" or "年" in figure.text)
    if unit_written or figure.kind == "ratio":
        return figure
    factor, word = unit_of(unit)
    kind: FigureKind = "year" if figure.kind == "year" and word == "年" else "quantity"
    upper = None if figure.value_max is None else _plain(figure.value_max * factor)
    return replace(figure, value=_plain(figure.value * factor), value_max=upper, unit=word, kind=kind)


def _fold(text: str) -> str:
    """The text with full-width signs made half-width, one character for one, so that offsets stay."""
    return _WIDE_COMMA.sub(",", text).translate(_FOLD)


def _figure_at(text: str, folded: str, at: int, slogans: list[tuple[int, int]], before: Figure | None) -> Figure | None:
    """The figure that begins at `at`, None where none does. `before` is the figure found last."""
    within_word = at > 0 and folded[at].isalnum() and folded[at - 1].isascii() and folded[at - 1].isalnum()
    if not within_word:
        ordinal = _ORDINAL.match(folded, at) or _LIST_NUMBER.match(folded, at)
        if ordinal:
            return _named(text, at, ordinal.end(), "ordinal")
        name = _IDENTIFIER.match(folded, at)
        if name and not (folded[at] == "-" and _AMOUNT_WITH_UNIT.match(folded, at + 1)):
            return _named(text, at, name.end(), "identifier")
    return _share_at(text, folded, at) or _amount_at(text, folded, at, slogans, before)


def _named(text: str, start: int, end: int, kind: FigureKind) -> Figure:
    """An ordinal or identifier: its value is the number in it, 0 where that cannot be read as one."""
    digits = re.search(rf"(?:{_ARABIC})|[{_CN}十百]+", _fold(text[start:end]), re.ASCII)
    value = _value(digits.group())[0] if digits else Decimal(0)
    return Figure(text[start:end], start, end, value, None, "", kind, "=", False)


def _share_at(text: str, folded: str, at: int) -> Figure | None:
    """百分之十, 三分之一, 1/3, 一半, 八成五, 17.5:41.9:40.6 at `at`."""
    upper: Decimal | None = None
    unit = "%"
    kind: FigureKind = "quantity"
    if match := _SHARE.match(folded, at):
        unit = {"百": "%", "千": "‰", "万": "‱"}[match["base"]]
        value = Decimal(100) if match["chinese"] == "百" else _value(match["arabic"] or match["chinese"])[0]
        upper = _value(match["upper"])[0] if match["upper"] else None
    elif match := _RATIO.match(folded, at):
        value, unit, kind = Decimal(match.group().split(":")[0]), "", "ratio"
    elif match := _TENTHS.match(folded, at):
        half = match["half"]
        value = _value(match["first"])[0] * 10
        upper = Decimal(_DIGITS[match["second"]] * 10) if match["second"] else None
        value += (5 if half == "半" else _DIGITS[half]) if half else 0
    elif match := _FRACTION.match(folded, at):
        kind = "ratio"
        numerator, denominator = Decimal(1), Decimal(2)
        if not match["half"]:
            numerator = _value(match["num"] or match["up"])[0]
            denominator = _value(match["den"] or match["down"])[0]
        if denominator == 0:
            return None
        value = numerator * 100 / denominator
    else:
        return None
    end = match.end()
    comparator, approx = _comparator(folded, at, end, unit)
    return Figure(text[at:end], at, end, value, upper, unit, kind, comparator, approx)


@dataclass(frozen=True)
class _Amount:
    """A number as written: before a range is put together. `mult` is the multiplier word's value, 1 for none."""

    end: int
    value: Decimal
    value_max: Decimal | None
    mult: int
    factor: Decimal
    unit: str
    more: bool
    chinese: str
    word: str


def _read_amount(folded: str, at: int) -> _Amount | None:
    """The number with multiplier and unit at `at`, whether or not it counts as a figure there."""
    match = _AMOUNT.match(folded, at)
    if match is None:
        return None
    value, upper = _value(match["arabic"] or match["chinese"])
    factor, unit = _unit(match["unit"]) if match["unit"] else (Decimal(1), "")
    return _Amount(
        match.end(),
        value,
        upper,
        _MULTIPLIERS.get(match["mult"] or "", 1),
        factor,
        unit,
        bool(match["more"] or match["more2"]),
        match["chinese"] or "",
        match["unit"] or "",
    )


def _amount_at(text: str, folded: str, at: int, slogans: list[tuple[int, int]], before: Figure | None) -> Figure | None:
    """A number with its multiplier and unit, or a range of two, at `at`."""
    first = _read_amount(folded, at)
    if first is None:
        return None
    first = _joined(folded, first)
    value, upper = first.value * first.mult, first.value_max
    upper = None if upper is None else upper * first.mult
    last = first
    if upper is None and (second := _range_end(folded, at, first)) is not None:
        last = second
        if not first.unit:
            scale = first.mult if first.mult != 1 else second.mult
            value = first.value * scale * second.factor
        else:
            value = value * first.factor
        upper = second.value * second.mult * second.factor
    else:
        value = value * first.factor
        upper = None if upper is None else upper * first.factor
    if first.chinese and not _chinese_counts(first, last, folded):
        return None
    start = at
    if not first.chinese and at and _SIGN.match(folded, at - 1):
        start, value = at - 1, -value
    kind: FigureKind = "quantity"
    if _is_year(folded, start, first, last, value, upper):
        kind = "year"
    elif _is_name(folded, start, first, last, slogans, before):
        kind = "identifier"
    unit = "年" if kind == "year" else last.unit
    comparator, approx = _comparator(folded, start, last.end, unit)
    if (first.more or last.more) and comparator == "=":
        comparator = ">"
    approx = approx or first.more or last.more
    return Figure(
        text[start : last.end],
        start,
        last.end,
        _plain(value),
        None if upper is None else _plain(upper),
        unit,
        kind,
        comparator,
        approx,
    )


def _plain(value: Decimal) -> Decimal:
    """Without the zeros that a multiplier leaves behind the point (1.15亿 is 115000000, not 115000000.00)."""
    whole = value.to_integral_value()
    return whole if value == whole else value


def _joined(folded: str, first: _Amount) -> _Amount:
    """1亿2000万元 and 3万5千亩 are one number."""
    while first.mult > 1 and not first.unit and not first.chinese and folded[first.end : first.end + 1].isdigit():
        rest = _read_amount(folded, first.end)
        if rest is None or rest.value * rest.mult >= first.mult or (rest.mult == 1 and rest.unit in ("", "年")):
            return first
        value = first.value * first.mult + rest.value * rest.mult
        if rest.mult == 1 or rest.unit:
            return replace(rest, value=value, mult=1)
        first = replace(rest, value=value / rest.mult)
    return first


def _range_end(folded: str, at: int, first: _Amount) -> _Amount | None:
    """The upper bound where "1-2个", "5%~8%", "三至五年" goes on after its lower bound, else None."""
    separator = _SEPARATOR.match(folded, first.end)
    if separator is None:
        return None
    second = _read_amount(folded, separator.end())
    if second is None or second.value_max is not None or bool(second.chinese) != bool(first.chinese):
        return None
    if separator["sep"] in ("至", "到") and re.search(r"[由从自]$", folded[max(0, at - 1) : at]):
        return None
    if separator["sep"] == "到" and first.unit and first.unit != "年":
        return None
    if first.unit and first.unit != second.unit:
        return None
    if second.unit == "年" and second.value >= 1900 > first.value:
        return None
    lower = first.value * (first.mult if first.mult != 1 or first.unit else second.mult)
    return second if lower < second.value * second.mult else None


def _chinese_counts(first: _Amount, last: _Amount, folded: str) -> bool:
    """Whether a Chinese numeral is a figure here and not part of a word (一批, 二次, 统一, 三严三实)."""
    numeral = first.chinese
    if re.fullmatch(rf"[{_CN}]{{4}}", numeral) and 1900 <= first.value <= 2100:
        return last.unit in ("", "年")
    if numeral in ("一", "二") and first.mult == 1 and last is first:
        return last.unit in ("倍", "百分点")
    if last.unit:
        return last.word not in _NOT_CHINESE
    return last is first and (
        re.search(r"[一二两三四五六七八九][十零]?[百千万亿]|十[万亿]", numeral) is not None
        and folded[first.end : first.end + 1] != "强"
    )


def _is_year(folded: str, start: int, first: _Amount, last: _Amount, value: Decimal, upper: Decimal | None) -> bool:
    """Four digits from 1900 to 2100 with 年 or with no unit at all, or a range of two such years."""
    if first.mult != 1 or last.mult != 1 or first.more or last.unit not in ("", "年"):
        return False
    digits = re.match(rf"\d+|[{_CN}]+", folded[start : start + 8], re.ASCII)
    written = digits is not None and len(digits.group()) == 4
    return written and 1900 <= value <= 2100 and (upper is None or 1900 <= upper <= 2100)


def _is_name(
    folded: str, start: int, first: _Amount, last: _Amount, slogans: list[tuple[int, int]], before: Figure | None
) -> bool:
    """A number that names a thing: 国道216、312, “1249”现代农牧业, “三个代表”."""
    if first.chinese:
        small = last.unit in _COUNTERS and first.value <= 20
        return small and any(
            begin <= start and last.end < end and folded[begin] in f"{_CN}十" for begin, end in slogans
        )
    if last.unit or last.mult != 1:
        return False
    if _ROAD.search(folded, max(0, start - 3), start):
        return True
    if before and before.kind == "identifier" and folded[before.end : start] in ("、", "和"):
        return True
    behind, ahead = folded[max(0, start - 1) : start], folded[last.end : last.end + 5]
    quoted = behind in ("“", '"', "「") and ahead[:1] in ("”", '"', "」")
    goes_on = re.match(r"[\u4e00-\u9fff]", ahead[1:]) and not re.match(rf"{_MULT}|{_UNIT}", ahead[1:])
    return bool(behind) and quoted and bool(goes_on)


def _comparator(folded: str, start: int, end: int, unit: str) -> tuple[Comparator, bool]:
    """What the words right after or right before the figure say of it, and whether it is approximate."""
    ahead = folded[end : end + 12]
    for after, comparator in _AFTER:
        if after.match(ahead):
            return comparator, comparator == "~"
    behind = re.split(r"[,，。；;、\n]", folded[max(0, start - 12) : start])[-1]
    for before, comparator in _BEFORE:
        if before.search(behind):
            if comparator == "~" and unit in _TIME_UNITS and _RECENT.search(behind):
                continue
            return comparator, comparator == "~"
    return "=", False


def _unit(surface: str) -> tuple[Decimal, str]:
    """Factor and canonical word of a unit as matched by `_UNIT`."""
    match = _UNIT_PARTS.fullmatch(surface)
    if match is None:
        return Decimal(1), surface
    word, factor = _MEASURES[match["word"]]
    per = match["per"]
    return factor, f"{word}/{_PER_CANON.get(per, per)}" if per else word


def _value(numeral: str) -> tuple[Decimal, Decimal | None]:
    """A numeral as decimal, with the upper bound of spoken ranges (十五六 is 15 to 16, 三四十 is 30 to 40)."""
    if numeral[0].isdigit() and numeral[0].isascii():
        return Decimal(numeral.replace(",", "")), None
    whole, _, fraction = numeral.partition("点")
    if fraction:
        return Decimal(f"{_integer(whole)}." + "".join(str(_DIGITS[c]) for c in fraction)), None
    spoken = re.search(r"(?P<a>[一二三四五六七八])(?P<b>[二三四五六七八九])(?=[十百千万亿]*$)", whole)
    if spoken and not re.fullmatch(rf"[{_CN}]{{3,}}", whole):
        low, high = _DIGITS[spoken["a"]], _DIGITS[spoken["b"]]
        if high == low + 1 or (low, high) == (3, 5):
            head, tail = whole[: spoken.start()], whole[spoken.end() :]
            return Decimal(_integer(head + spoken["a"] + tail)), Decimal(_integer(head + spoken["b"] + tail))
    return Decimal(_integer(whole)), None


def _integer(numeral: str) -> int:
    """三千五百二十一 -> 3521, 二〇三五 -> 2035, 两万五 is not read (20005)."""
    if all(c in _DIGITS for c in numeral):
        return int("".join(str(_DIGITS[c]) for c in numeral) or "0")
    total = section = digit = 0
    for c in numeral:
        if c in _DIGITS:
            digit = _DIGITS[c]
        elif c in _PLACES:
            section += (digit or 1) * _PLACES[c]
            digit = 0
        else:
            block = section + digit
            if c == "亿":
                total = (total + block) * 10**8
            else:
                total += block * 10**4
            section = digit = 0
    return total + section + digit


def _terms(figure: Figure) -> tuple[Decimal, ...]:
    """All terms of a ratio written with colons, one term otherwise empty."""
    text = _fold(figure.text)
    if figure.kind == "ratio" and ":" in text:
        return tuple(Decimal(term) for term in text.split(":"))
    return ()


def _based(figure: Figure) -> tuple[Decimal, Decimal | None, str]:
    """Values and unit in base units; the unit before a slash is converted, the one after it is not."""
    word, slash, per = figure.unit.partition("/")
    base, factor = _BASE.get(word, (word, Decimal(1)))
    upper = None if figure.value_max is None else figure.value_max * factor
    return figure.value * factor, upper, base + slash + per

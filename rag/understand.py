"""Question -> Query: cleaned, slips mended, completed from the history, with the years, places and units it asks about.

General for any plan: which years “十四五”末 or 基期 stand for comes from the documents' period, which names are places
comes from the documents' terms; the word lists here are of the Chinese language alone.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING

from index.groups import Group, spoken
from index.keyword import fold
from index.period import COUNTED, Period, named_plans
from rag.courtesy import courtesy
from rag.errors import EmptyQuestion, QuestionTooLong
from rag.kinds import kinds_asked
from rag.lexicon import load_lexicon
from rag.types import Named, Query, Turn, Want
from rag.typos import Vocabulary, is_word, mended

if TYPE_CHECKING:
    from opencc import OpenCC

MAX_CHARACTERS = 500
GAZETTEER = Path(__file__).resolve().parent.parent / "index" / "sources" / "places.txt"
SAME = GAZETTEER.with_name("same.tsv")
MAX_SIDES = 3
TELEGRAM = 24  # characters
MOST_PARTS = 15  # places of a region that 各县市 stands for
EACH_PLACE = re.compile(
    r"(?:各|每个?)(?:个)?(?:县[(（]市[)）]|县市区?|市县|区县|县区|旗县|县|旗)(?![级乡镇域])|(?:县市|区县|市县)分别"
)
RUN = 3  # words of a run that a follow-up may replace
NAMED = 4  # characters of a name that a part of a question stands by itself with
LIKE = 0.2  # cosine from which a run counts as the counterpart of a follow-up

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
# Signs without width stand inside words copied from web pages: they are taken out, not made a blank.
_UNSEEN = re.compile(r"[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufe0e\ufe0f\ufeff]")
_TAG = re.compile(r"<[^<>\n]{1,200}>")
_HAN = re.compile(r"[\u3400-\u9fff]")
# Before and after a question, these ask nothing: 您好，请问2025年…，谢谢！
_HELLO = re.compile(r"^(?:(?:你|您|大家)好[啊呀]?(?:[\s,，。.!~]+|(?=请问|麻烦|我想))(?=.*\w))+")
_THANKS = re.compile(
    r"(?<=\w{4})(?:(?P<end>[?。!]+)[\s,，.~]*|[\s,，.~]+)(?:多谢|谢谢|感谢)(?:你们?|您|啦|了)*[\s。.!~]*$"
)
_LOOKED_UP = re.compile(r"[\u3400-\u9fffA-Za-z0-9]")

_YEAR = re.compile(rf"(?<!\d)((?:19|20)\d\d)(?!\d|{COUNTED})")
_SHORT_YEAR = re.compile(r"(?<![\d.])([12345]\d)年(?![期内间来前后以限多级])")
# 2020年多少，25年定多少
_SHORT_TOO = re.compile(r"(?:^|[,，、;；和到])\s*([23]\d)年(?=定|要到|要达|目标|又|达|得|是多|多少|打算|末|底)")
_CHINESE_YEAR = re.compile(r"([二两][〇零○])([〇零○一二三四五六七八九])([〇零○一二三四五六七八九])年?")
_DIGITS = {"〇": "0", "零": "0", "○": "0", "一": "1", "二": "2", "三": "3", "四": "4", "五": "5"} | {
    "六": "6", "七": "7", "八": "8", "九": "9", "两": "2",
}  # fmt: skip
_END = re.compile(r"规划期末|规划末|期末|五年后|五年以后|五年之后|到时候|到期|末年|收官")
_BASE = re.compile(r"基期|基数|起步时|规划前|编规划那年|规划编制时")
_BACK_THEN = re.compile(r"[前上][一几]?个?五年|前几年|过去|以前|之前|原来|从前|现在|目前|已经")
_FROM_NOW = re.compile(r"[后下这][一几]?个?五年|20\d\d|五末|今后|往后|以后|将来|未来|打算|目标|要求|要到|又要|想")
_LONG_RANGE = re.compile(r"远景|远期|长远目标")
_PLAN_END = re.compile(r"[“\"]?十[一二三四五六七八九]五[”\"]?(?:时期|期间|规划)?(?:末|结束|收官|到头|完了)")

_FIGURE = re.compile(
    r"多少|多大|多高|多长|多宽|多重|多快|多远|多久|多深|百分之几|百分之多少|几成|[几多少]个?百分点|占比|比例|比重|"
    r"(?<!哪)几(?!个方面|方面|种|类|样|项|点|条措施|个县|个市|家|处|座)[\u4e00-\u9fff]|增速|总量|数量|总数|率是|率要|率达|率为|几$|"
    r"[在到][^，,。?？]{0,2}(?:什么|啥|何种)水平"
)
_AMOUNT = re.compile(r"多少|百分之几|[几多少]个?百分点|多[大高长宽重快远久深](?![^,，。?？]*(?:怎|咋|如何))")
_NAMES_FIGURE = re.compile(
    r"(?:率|比重|占比|面积|产量|产值|增加值|人数|人次|里程|规模|增速|金额|数量|寿命|年限|总量|总值|总额|系数|能力|收入|就业)"
    r"(?:的?(?:目标|指标|要求|水平|是|为|呢))*[?？]?$"
)
# The name of an indicator that needs no other word beside it: 人均预期寿命, but not 产量, which is of something.
_INDICATOR = re.compile(
    r"[\u4e00-\u9fff]{2,}(?:率|比重|占比|面积|产量|产值|增加值|人数|人次|里程|规模|寿命|年限|总量|系数|能力|收入|就业)"
)
_LIST = re.compile(
    r"哪些|哪几|哪[二三四五六七八九十两]|哪类|哪些个|都有(?:什么|谁|啥)|有(?:什么|啥)|包括|分别(?:是|为|在|有|叫|[^,，。?？]{1,6}(?:什么|啥))|列(?:出|举|了)|"
    r"几(?:种|类|样|项|处|座|家|方面|个方面)|名单|清单"
)
_CHOICE = re.compile(r"[吗嘛]|是不是|有没有|能不能|会不会|是否|可不可以|要不要|可以不|对不对")
_EACH = re.compile(
    r"各(?!类|项|县|市|地|族|级|方)|分别|合计|总共|一共|加起来|加在一起|之和|哪个(?:更?[多大高低少]|目标)|谁[更的]?[多大高]"
)
_WHERE = re.compile("(?:是|在|设在|位于)*(?:哪|什么地方|啥地方)")
_WHICH_MEMBERS = re.compile(
    r"(?:都|具体|分别)?(?:是|指的?是?|包括|包含|含|有)(?:了|的)?(?:哪|什么)[些几一二三四五六七八九十]?个?"
    r"(?:县市|市县|区县|县|市|区|旗|州|地方)?(?:[?？。]|$)"
)
_WHICH_PLACE = re.compile(r"哪(?:一)?[个些]?(?:几个)?(?:县市|市县|区县|县|市|区|旗|地方)|谁")
# What a question for a difference compares by; neither side of the text says it.
_DIFFERS = re.compile(r"比(?![例重率])|相差|差多少|差距|(?:增加|提高|增长|多|涨|降低|减少|下降|少)了?多少")
# 森林覆盖率比2020年提高多少 asks for the way from then to the end of the plan.
_SINCE = re.compile(
    r"[比较](?:19|20)\d\d年[^，,。?？]{0,6}(?:增加|提高|提升|增长|上涨|涨|多|减少|降低|下降|少)了?(?:多少|几个?百分点)"
)
_COMPARED = re.compile(
    r"(?:19|20)\d\d年?|[比较]|增加|提高|提升|增长|上涨|涨|减少|降低|下降|相差|差距|变化|[多少差]了?(?=\s|$|[?？])"
)
_PAIR = re.compile(r"([\u3400-\u9fff]{2,8})[和与跟、]([\u3400-\u9fff]{2,8})")
_ASKS = re.compile(r"多少|几|哪|什么|啥|谁|怎|咋|如何|吗|是否|有没有|何时|何处")
# Where one part of a question ends and the next begins.
_BETWEEN = re.compile(r"[,，;；?？。]|[、和](?=(?:几|多少)[个所家座条处项种类张])")
_COUNTS_ON = re.compile(r"(?:几|多少)[个所家座条处项种类张][\u4e00-\u9fff]{2}")
# A part that begins so has its subject in the part before it.
_LEANS = re.compile(
    r"(?:又|还|都|并|其中|分别|各自?|主要|重点|具体|计划|打算|准备|要|将|由|靠|有|哪|几|多少|什么|啥|谁|何时|怎么|咋|如何|怎样|采取|通过|"
    r"建在|放在|位于|总?投资|资金|到什么|到哪)"
)
_NOT_OWN = re.compile(
    r"措施|办法|举措|手段|目标|指标|任务|标准|要求|工作|采取|为此|实现|达到|完成|提高|提升|降低|减少|增加|推进|推动|促进|保障|发展|落实|建设|"
    r"建成|巩固|健全|解决|重点|主要|打算|计划|准备|具体|才能|[要将去来把靠建做搞抓减增提修治到定用能会为有是的和]"
)
_ACTS = re.compile(
    r"[要会能把被让给使]|重点|结构|体系|振兴|空间|远景|战略|思路|原则|产业|发展|格局|问题|短板|亮点|成就|方向|措施|办法|政策|项目|工程|任务|名单|举措|方案|布局|定位|地点|原因|内容|情况|规划$"
)
_COMPARES = re.compile(r"分别|各(?:自|是|有|要|建|为)|比(?![例重率])|哪个|哪边|差多少")
_UNIT = re.compile(r"(?<!哪)(?:多少|几|百分之几的?|多大)([\u4e00-\u9fff]{1,4})")
_UNIT_WORDS = (
    "万千瓦时", "平方公里", "平方米", "立方米", "万千瓦", "人次", "公里", "公顷", "万亩", "亩", "万吨", "吨",
    "千瓦", "元", "亿", "万", "户", "人", "个", "家", "处", "座", "栋", "套", "件", "张", "床", "所", "条",
    "辆", "岁", "年", "天", "头", "只", "羽", "名", "项", "倍", "成", "度", "米", "平",
)  # fmt: skip

# 那些工程 and 这个规划 point at what the documents are or hold, not at the question before.
_ELLIPTIC_START = re.compile(
    r"^(?![那这][些份部]|[那这]个?(?:规划|纲要|计划|文件|办法|方案|条例))(?:那么|那|还有|另外|其中|它|他|她|这个|那个|这|同样)"
)
_ELLIPTIC_END = re.compile(r"(?:那边|这边|方面|这块)?(?:的)?(?:时候)?(?:呢|咋样呢|又?是多少|怎么样|咋样)?[?？。!！]*$")
_ONLY_MODIFIER = re.compile(r"^[^?？]{0,14}(?:呢|的呢)[?？]?$|^[^,，?？]{1,10}呢[,，]")
# A question without a subject of its own, but for the kind of thing that it asks for.
_LEANING = re.compile(r"^(?:那么?|还有|另外|它们?|这些|那些|这几个|一共|总共|都|具体|大概|[,，])+")
_KIND_ASKED = (
    r"(?:县市|县|市|区|乡镇|地方|部门|单位|企业|项目|工程|指标|产业|措施|办法|人|亩|吨|公里|[个座项家种类条处所])"
)
_BARE = re.compile(
    rf"(?:{_LEANING.pattern[1:]})?(?:分别|各)?(?:要|有|是|打算|计划)?(?:"
    rf"(?:多少|几)[万亿]?{_KIND_ASKED}{{0,2}}|"
    rf"(?:放|建|落|位于)?在?哪(?:里|儿|[个些]|几?[个座项家种类条处所])?{_KIND_ASKED}?|"
    r"为(?:什么|啥|何)|凭(?:什么|啥)|"
    r"(?:怎么|咋|如何|怎样)(?:才能)?(?:实现|完成|办|做|推进|落实|干|建|达到|算的?)?|靠(?:什么|啥)(?:实现|完成)?|"
    r"(?:什么时候|啥时候|何时|哪(?:一)?年|几时)(?:能|要)?(?:建成|完成|实现|完工|开工|开始|结束|达到)?|"
    r"(?:总?投资|资金|规模|面积|金额|产量|产值|工期|期限)(?:额)?(?:是|有|要)?(?:多少|多大|多长)(?:钱|元|亩)?|"
    r"比[^，,。?？]{2,8}(?:提高|增加|增长|上升|减少|降低|下降|多|高|低|少)了?多少(?:个百分点)?|"
    r"有什么(?:措施|办法|依据|要求)?|由谁负责|谁(?:来)?(?:负责|牵头|做|管)"
    r")(?:呢|啊|呀)?[?？。]?"
)
_OF_SEVERAL = re.compile(
    rf"(?:{_LEANING.pattern[1:]})?(?:这|那)?(?:[两三]个|[两三]者|[两三]项|俩|仨)?(?:数|指标|县|市|地方|年)?(?:"
    r"(?:合计|加起来|加一起|加在一起|相加|之和|一共|总共|总和)(?:是|有|要)?(?:多少)?[万亿]?[亩吨元个人]?|"
    r"(?:之间)?(?:相差|差距|差)(?:是|有|了)?(?:多少|多大)?|"
    r"(?:提高|提升|增加|增长|上升|涨|多|减少|降低|下降|少)了?(?:多少|几)(?:个百分点)?|"
    r"(?:谁|哪(?:一)?(?:个|边|年|样)(?:县|市)?)(?:的)?(?:更|比较|最)?[多高大快长少低小慢短](?:些|一些|一点)?"
    r")(?:呢|啊|呀)?[?？。]?"
)
_ASKING = re.compile(
    r"是多少|有多少|多少(?:个百分点|[万亿]?[吨亩元家座项条人户](?![\u4e00-\u9fff])|个|座|家|项|条)?|几(?:个|座|家|项|条|种)?(?!年)|"
    r"有?哪(?:些|几[个座项家种类条]?|[个里儿年])|有?什么(?:时候)?|有?啥|是?怎么样?|咋|如何|怎样|百分之几|多[大高长久快]|"
    r"为(?:什么|啥|何)|分别|各自|是不是|有没有|是否|吗|呢|[?？。]|(?:到|达到|是|有|要)(?=多少|几|百分之)|要(?=哪)|是(?=什么|哪|谁)"
)
_MEANS = re.compile(r"怎么|怎样|如何|咋|为什么|为啥|为何|措施|办法|举措")
# 怎么样, 怎样的, 怎么布局的 and 怎么还不 ask for a state, for what is laid down, or why: not for what is to be done.
_HOW = re.compile(
    r"(?:怎么|咋|如何|怎样)(?!样|的|[呢啊]?[?？。]?$|[会还又有没不就都只]|这么|那么|回事|规定|定|布局|概括|划分|分|算|承认|说|写|讲|提到|"
    r"评价|描述|表述|称呼|叫|界定|去|走|[^,，。?？]{0,8}(?:(?<![人英贤成引育天])才(?!能)|反而|反倒))|靠(?:什么|啥|哪些)|"
    r"(?:什么|啥|哪些|哪几[项条种个])[^,，。?？]{0,4}(?:措施|办法|举措|招|手段)|(?:措施|办法|举措|手段)(?:都|主要|包括)?[有是]?(?:哪|什么|啥)|"
    r"(?:做|开展|抓|干)好?了?(?:哪些|什么|啥|哪几[项方])[^,，。?？]{0,3}(?:工作|事)"
)
TURNS = 4  # of the conversation that a follow-up may lean on
_ATTRIBUTE = re.compile(
    r"(?:增[速幅]|增长率|总?投资额?|资金|规模|(?:种植)?面积|总?产量|产值|增加值|占比|比重|总量|数量|工期|期限|地点|位置|"
    r"措施|目标|(?:负责|牵头)?单位|负责人|电话|(?:办公)?地址)"
)
_SAID_OF = re.compile(
    r"(?P<what>[\u4e00-\u9fff]{2,8}?)(?P<of>(?:种植)?面积|总?产量|产值|增加值|人均\S{0,6}收入|收入|里程|人数|数量|覆盖率|普及率|利用率|占比|比重)"
)
_TIME = re.compile(
    rf"(?:19|20)\d\d年?|{_PLAN_END.pattern}|{_END.pattern}|{_BASE.pattern}|[“\"]?十[一二三四五六七八九]五[”\"]?"
)
_SUBJECT_FIRST = re.compile(rf"[\u3400-\u9fff]{{2,10}}?(?=(?:到|在|至)?(?:{_TIME.pattern}))")
# 2020年是多少? asks of nothing but a year.
_ONLY_TIME = re.compile(
    rf"(?:到|在|至)?(?P<time>{_TIME.pattern})(?:末|底)?(?:的|呢|又|是|为|要|能|达到|目标|指标)*多少[?？。]*"
)
# Regions that a plan's own is a part of: what is said of it is not said of them.
WHOLE = "全国|全省|全疆|全区"
WIDER = {
    "country": re.compile("全国|国家(?!级|高新|农)"),
    "province": re.compile("全疆|全省|全区|自治区(?!级)|省里|省级"),
}
# A figure of the country or the province, which a plan of a smaller region does not set: 全省新增就业目标是多少?
_ABOVE = re.compile(
    r"(?P<level>全[国省疆](?!性|[^，,]{0,4}(?:名录|目录|名单|示范|试点|比重|份额))|"
    r"(?:国家|自治区|省里?)(?=层面|一级|定的|[“\"]?十[一二三四五六七八九]五))"
)
_WHOLE_REGION = re.compile("全[省市州县区疆盟旗]")
_CONTRASTS = (
    ("城镇", "农村"), ("城市", "农村"), ("城里人", "农村人"), ("城里", "农村"), ("城里", "乡下"), ("市民", "农民"),
    ("男", "女"), ("小学", "初中"), ("初中", "高中"), ("进口", "出口"), ("一产", "二产"), ("二产", "三产"),
    ("第一产业", "第二产业"), ("第二产业", "第三产业"), ("面积", "产量"),
)  # fmt: skip


@dataclass(frozen=True)
class Frame:
    """What of the documents is needed to read a question: the plan's period, the names of places (name -> the full
    names it may stand for), the region that the documents are about, which restricts nothing when named, and the names
    for several places (`groups`). `cut` cuts a text into words, `likeness` gives the cosine of a text with each of
    others (None: no follow-up by likeness), and slips are mended by the `vocabulary` (None: they stay)."""

    period: Period | None = None
    places: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    region: frozenset[str] = frozenset()
    cut: Callable[[str], list[str]] = list
    likeness: Callable[[str, Sequence[str]], Sequence[float]] | None = None
    vocabulary: Vocabulary | None = None
    groups: tuple[Group, ...] = ()

    @property
    def parts(self) -> tuple[str, ...]:
        """Full names of the places that the region consists of: its counties and their like."""
        full = dict.fromkeys(name for names in self.places.values() for name in names if name not in self.region)
        return tuple(name for name in full if re.search("(?:[县市旗]|(?<![园新发])区)$", name))

    @cached_property
    def spoken(self) -> tuple[tuple[re.Pattern[str], Group, str], ...]:
        """For each group how people say it and how the documents write it: by its name, else by that of a group of the
        same places; "" where they write none of them. One of a region may be named with it: 某州首府."""
        held = self.vocabulary.text if self.vocabulary is not None else ""
        stems = {re.sub("(?:自治)?[省州市县区盟]$", "", name) for name in self.region}
        region = "|".join(map(re.escape, sorted({*self.region, *stems}, key=lambda name: (-len(name), name))))
        found: list[tuple[re.Pattern[str], Group, str]] = []
        for group in self.groups:
            alike = [other for other in self.groups if set(other.members) == set(group.members)]
            written = (spoken(other.name).search(held) for other in (group, *alike) if len(other.members) > 1)
            name = next((match.group() for match in written if match), group.name if group.stated else "")
            said = spoken(group.name).pattern
            said = f"(?:(?:{region})的?)?{said}" if region and len(group.members) == 1 else said
            found.append((re.compile(said), group, name if len(group.members) > 1 else ""))
        return tuple(found)

    def mended(self, text: str) -> str:
        return text if self.vocabulary is None else mended(text, self.vocabulary)


def understand(question: str, history: Sequence[Turn] = (), frame: Frame = Frame()) -> Query:
    """The question as a Query. Raises EmptyQuestion for one without anything to look up or without Chinese,
    QuestionTooLong beyond MAX_CHARACTERS characters."""
    asked = clean(question)
    kind = courtesy(asked)
    text = officially(complete(frame.mended(asked), [] if kind else _readable(history, frame), frame), frame)
    text, groups = with_groups(text, frame)
    core = core_of(text, frame)
    return Query(
        question=question,
        text=text,
        core=core,
        completed=text != asked,
        want=want_of(text),
        years=years_of(text, frame.period),
        places=(places := places_of(text, frame)),
        place_names=place_names(places, frame, text),
        elsewhere=() if groups else elsewhere_in(text, frame),
        groups=groups,
        wider=wider_in(text, frame),
        units=units_of(text),
        kinds=kinds_asked(text),
        terms=load_lexicon().expand(text, core),
        courtesy=kind,
    )


@cache
def same_things() -> tuple[tuple[str, str], ...]:
    """Other names of indicators with the official one, longest first (index/sources/same.tsv)."""
    lines = SAME.read_text(encoding="utf-8").splitlines()
    pairs = [line.split("\t") for line in lines if line and not line.startswith("#")]
    return tuple(sorted(((other, official) for other, official in pairs), key=lambda pair: -len(pair[0])))


def officially(text: str, frame: Frame) -> str:
    """A question that wants a figure with the official name of its indicator, where the documents use that rather than
    the one that it has: 2025年财政收入 -> 2025年一般公共预算收入."""
    held = frame.vocabulary.text if frame.vocabulary is not None else ""
    for other, official in same_things():
        if other not in text or official in text:
            continue
        if not other.isascii() and (want_of(text) != "figure" or _MEANS.search(text)):
            continue
        if 0 < held.count(fold(official)) >= held.count(fold(other)):
            text = text.replace(other, official, 1)
    return text


def _readable(history: Sequence[Turn], frame: Frame) -> list[Turn]:
    """The turns with their questions cleaned and mended. One that could not be asked by itself was answered with an
    error: no question leans on it, and it must not stop the present one."""
    turns: list[Turn] = []
    for turn in history:
        try:
            turns.append(replace(turn, question=frame.mended(clean(turn.question))))
        except (EmptyQuestion, QuestionTooLong):
            continue
    return turns


def clean(question: str) -> str:
    """The question without tags, control characters and doubled blanks, in simplified characters."""
    text = _TAG.sub(" ", _CONTROL.sub(" ", _UNSEEN.sub("", unicodedata.normalize("NFKC", question))))
    text = _THANKS.sub(r"\g<end>", _HELLO.sub("", " ".join(text.split())))
    if not _LOOKED_UP.search(text):
        raise EmptyQuestion("问题里没有可以查找的文字：请用中文写一句话，例如“到2025年的主要目标是什么？”。")
    if len(text) > MAX_CHARACTERS:
        raise QuestionTooLong(
            f"问题应不超过 {MAX_CHARACTERS} 个字，收到 {len(text)} 个字：请只保留要问的那一句，多个问题分开问。"
        )
    named = any(other.isascii() and other in text.upper() for other, _ in same_things())  # GDP 2020
    if not _HAN.search(text) and not named and not re.fullmatch(r"\D?(?:19|20)\d\d\D?", text):
        raise EmptyQuestion("问题里没有中文：本工具查的是中文文件，请用中文提问。")
    return simplified(text)


def simplified(text: str) -> str:
    """Traditional characters made simplified (OpenCC's t2s)."""
    return str(_converter().convert(text))


@cache
def _converter() -> OpenCC:
    from opencc import OpenCC

    return OpenCC("t2s")


def asks_how(text: str) -> bool:
    """Whether a question asks by what something is done or brought about."""
    return bool(_HOW.search(text))


def want_of(text: str) -> Want:
    """The kind of answer a question wants: a figure, a list, a yes or no, or text. One that asks how something is done
    (怎么提高森林覆盖率) names a figure and wants none."""
    if _AMOUNT.search(text) if asks_how(text) else _FIGURE.search(text) or _NAMES_FIGURE.search(text):
        return "figure"
    if _LIST.search(text):
        return "list"
    if _CHOICE.search(text):
        return "choice"
    return "figure" if _is_telegram(text) else "text"


def _is_telegram(text: str) -> bool:
    """每万人全科医生 2025: a name and a year, and no word that asks or tells."""
    bare = len(text) <= TELEGRAM and _YEAR.search(text) and not re.search(r"[,，。?？!！、]", text)
    return bool(bare and not _ASKS.search(text) and not _ACTS.search(text))


def units_of(text: str) -> tuple[str, ...]:
    """Units that the question asks in: 多少户 -> 户."""
    found: list[str] = []
    for match in _UNIT.finditer(text):
        unit = next((word for word in _UNIT_WORDS if match.group(1).startswith(word)), None)
        if unit and unit not in found:
            found.append(unit)
    return tuple(found)


def years_of(text: str, period: Period | None) -> tuple[int, ...]:
    """The years a question asks about, in the order named; words like 规划期末 need the documents' period."""
    found = [int(year) for year in _YEAR.findall(text)]
    found += [2000 + int(year) for year in (_SHORT_TOO if found else _SHORT_YEAR).findall(text)]
    found += [2000 + int(_DIGITS[tens] + _DIGITS[ones]) for _, tens, ones in _CHINESE_YEAR.findall(text)]
    for match in _PLAN_END.finditer(text):
        found += [last for _, last in named_plans(match.group())]
    if period is not None and not found:
        # Another plan than the documents' own and the one before it, whose time they speak of: 十二五, 十五五.
        others = [last for _, last in named_plans(text) if last not in (period.base, period.last)]
        found += others if not any(last in (period.base, period.last) for _, last in named_plans(text)) else []
    if period is not None and any(year >= period.first for year in found):
        plans = [last for _, last in named_plans(text)]  # 十三五实际与2025目标
        found = [last for last in plans if last < period.first and last not in found] + found
    if period is not None and found in ([], [period.last]) and _BACK_THEN.search(text) and _FROM_NOW.search(text):
        found = [period.base, period.last]
    if period is not None and found == [period.base] and _SINCE.search(text):
        found = [period.last, period.base]
    if period is not None and not found:
        if _END.search(text):
            found.append(period.last)
        if _BASE.search(text):
            found.append(period.base)
        if period.horizon is not None and _LONG_RANGE.search(text):
            found.append(period.horizon)
    return tuple(dict.fromkeys(found))


@cache
def gazetteer() -> tuple[str, ...]:
    """Places of China beside those that the documents name (index/sources/places.txt)."""
    lines = GAZETTEER.read_text(encoding="utf-8").splitlines()
    return tuple(name for line in lines if not line.startswith("#") for name in line.split())


def with_groups(text: str, frame: Frame) -> tuple[str, tuple[Named, ...]]:
    """A question with its names for several places as the documents write them, else with the places themselves in
    their stead (西边几个县 -> 西三县(市), 州府 -> 某市); and those names."""
    named: list[Named] = []
    done = 0
    told = ""
    for start, end, group, written in _groups_in(text, frame):
        only = group.members[0] if len(group.members) == 1 else ""
        if only and (text.startswith(only, end) or _WHERE.match(text, end)):  # 州府某市 names it itself, 州府在哪 asks
            continue
        named.append(Named(text[start:end], written, group.members, group.stated))
        told += text[done:start] + (written or "、".join(group.members))
        done = end
    return told + text[done:], tuple(named)


def _groups_in(text: str, frame: Frame) -> list[tuple[int, int, Group, str]]:
    """Where the question names a group, which, and how the documents write it; in the order named, the longest name
    where one lies within another, what the documents define before what is said beside them."""
    found = [
        (match.start(), match.end(), group, written)
        for pattern, group, written in frame.spoken
        for match in pattern.finditer(text)
    ]
    kept: list[tuple[int, int, Group, str]] = []
    for one in sorted(found, key=lambda one: (one[0] - one[1], not one[2].stated, one[0])):
        if all(one[1] <= start or end <= one[0] for start, end, *_ in kept):
            kept.append(one)
    return sorted(kept, key=lambda one: one[0])


def places_of(text: str, frame: Frame) -> tuple[str, ...]:
    """Full names of the documents' places that the question names, in the order named; those of groups come last."""
    named = [full for name in _names_in(text, frame) for full in frame.places[name]]
    return tuple(dict.fromkeys([*named, *(full for *_, group, _ in _groups_in(text, frame) for full in group.members)]))


def named_places(text: str, frame: Frame) -> tuple[str, ...]:
    """Full names of the places that a text names for certain, in the order named."""
    names = [frame.places[name] for name in _names_in(text, frame)]
    return tuple(dict.fromkeys(full[0] for full in names if len(full) == 1))


def elsewhere_in(text: str, frame: Frame) -> tuple[str, ...]:
    """Places of China that the question names and that are none of the documents' own, nor their region; none where it
    names one of these as well: 石湾县跟乌鲁木齐挨着，它的定位是啥？ asks about 石湾县. The country and the province are
    elsewhere too, where a figure of theirs is asked for."""
    own = [*frame.places, *frame.region]
    if any(name in text for name in own):
        return ()
    above = _ABOVE.search(text) if frame.region and want_of(text) == "figure" else None
    if above is not None and any(WIDER[level].search(above["level"]) for level in wider_in(text, frame)):
        return (above["level"],)
    return tuple(name for name in gazetteer() if name in text and not any(name in held for held in own))


def wider_in(text: str, frame: Frame) -> tuple[str, ...]:
    """The regions above the documents' own that a text names, by WIDER: none of a province where that is their own, nor
    of 全区 where theirs is a district."""
    own = any(name.endswith(("省", "区")) for name in frame.region)
    return tuple(level for level, names in WIDER.items() if names.search(text) and not (own and level == "province"))


def place_names(places: Sequence[str], frame: Frame, text: str = "") -> tuple[str, ...]:
    """Names by which a text may mean one of these places: the full one, and the short one where no other place and not
    the region goes by it (of 某州 and 某市, 某 alone means neither for certain); and the groups that `text` names."""
    names = [name for name, full in frame.places.items() if len(full) == 1 and full[0] in places]
    return (*names, *(written for *_, written in _groups_in(text, frame) if written))


def _names_in(text: str, frame: Frame) -> list[str]:
    """Names of places as they stand in the question, in that order, but for the region's; the longest name counts
    where one lies within another."""
    found: list[tuple[int, str]] = []
    rest = text
    for name in sorted(frame.places, key=len, reverse=True):
        if name in rest:
            found.append((rest.index(name), name))
            rest = rest.replace(name, "\n" * len(name))
    return [name for _, name in sorted(found) if not any(full in frame.region for full in frame.places[name])]


def sides_of(query: Query, frame: Frame) -> tuple[Query, ...]:
    """The questions within a question, each to be answered for itself: one for each year or place that it compares, or
    one for each of its parts that asks something of its own; the query alone where it is one question."""
    if len(query.years) > 1:
        core = _COMPARED.sub(" ", query.core) if _DIFFERS.search(query.text) else query.core
        core = core if _LOOKED_UP.search(core) else query.core
        return tuple(replace(query, core=core, years=(year,)) for year in query.years[:MAX_SIDES])
    names = _sides_named(query.text, frame)
    first_two = "[和与跟]".join(map(re.escape, names[:2]))
    joined = len(names) > 1 and re.search(f"{first_two}(?:两[县市地州])?的", query.text)
    if len(names) > 1 and (query.want == "figure" or joined or _COMPARES.search(query.text)):
        return tuple(_at(query, name, names, frame) for name in names[:MAX_SIDES])
    each = EACH_PLACE.search(query.text) and (query.want == "figure" or re.search("分别|各自", query.text))
    if not names and each and 1 < len(frame.parts) <= MOST_PARTS:
        core = EACH_PLACE.sub(" ", query.core)
        core = core if _LOOKED_UP.search(core) else query.core
        return tuple(
            _at(replace(query, core=f"{fold(place)} {core}"), place, (place,), frame) for place in frame.parts
        )
    if _EACH.search(query.text) and (pair := _PAIR.search(query.core)):
        return tuple(replace(query, core=query.core.replace(other, " ", 1)) for other in reversed(pair.groups()))
    parts = [part.strip() for part in _BETWEEN.split(query.text) if part.strip()]
    apart = any(map(asks_how, parts))  # how something is done, and when, or what is to be reached: two answers
    asking = [part for part in parts if _asks_apart(part, frame) or (apart and _ASKS.search(part))]
    if not 2 <= len(asking) <= MAX_SIDES or len(asking) < len(parts) or len(_own(parts[0])) < 2:
        return (query,)
    return tuple(replace(_part(query, whole, frame), question=part) for part, whole in _completed_parts(asking))


def _completed_parts(parts: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The parts of a question, each as asked and as a question of its own: one without a subject gets that of the first
    (高标准农田建成多少亩，怎么建), one that only counts on gets what is to be done from it (新建几所学校、几家医院)."""
    first = parts[0]
    yield first, first
    for part in parts[1:]:
        if _COUNTS_ON.match(part):
            doing = re.split("几|多少", first, maxsplit=1)[0]
            yield part, f"{doing}{part}"
        elif len(_own(part)) >= (NAMED if _LEANS.match(part) and not asks_how(part) else 2):
            yield part, part
        else:
            yield part, f"{_subject(first)}{part}"


def _asks_apart(part: str, frame: Frame) -> bool:
    """Whether a part of a question asks for something that the others do not: by what measures, for a figure of a thing
    that it names, or at some length. 分别是哪几条 and 得花多少钱 only go on with what they follow."""
    if asks_how(part) or _COUNTS_ON.match(part):
        return True
    long = len(core_of(part, frame).replace(" ", "")) >= 5
    return bool(_ASKS.search(part)) and (long or (want_of(part) == "figure" and len(_own(part)) >= NAMED))


def _own(part: str) -> str:
    """What a part of a question names itself: its words without those that ask, and those that fit anything."""
    rest = _NOT_OWN.sub("", _TIME.sub("", _QUESTION_WORDS.sub("", _ASKING.sub("", part))))
    return "".join(re.findall(r"[\u3400-\u9fffA-Za-z]", rest))


def ungrouped(query: Query) -> Query:
    """The question about a group of places without the name of the group, which no place is described by."""
    said = _said_of_group(query)
    core = query.core.replace(fold(said), " ") if said else query.core
    return replace(query, core=core) if _LOOKED_UP.search(core) else query


def members_of(query: Query, frame: Frame) -> tuple[Query, ...]:
    """The question about a group of places, asked of each of them; the query alone where it asks which of its places,
    and where it names several years."""
    whole, said = ungrouped(query), _said_of_group(query)
    if query.group is None or _WHICH_PLACE.search(query.text) or len(query.years) > 1:
        return (whole,)
    return tuple(
        replace(
            query,
            text=query.text.replace(said, member),
            core=f"{fold(member)} {whole.core}",
            places=(member,),
            place_names=place_names((member,), frame),
        )
        for member in query.group.members
    )


def asks_members(query: Query) -> bool:
    """Whether a question asks which places a group has: 东三县是哪三个县？"""
    said = _said_of_group(query)
    at = query.text.find(said) if said else -1
    return at >= 0 and bool(_WHICH_MEMBERS.match(query.text, at + len(said)))


def asks_of_each(query: Query) -> bool:
    return bool(re.search("分别|各(?!县|市|区|类|项|地|族|级|方|种)", query.text))


def _said_of_group(query: Query) -> str:
    """How the text of a query names its group."""
    return "" if query.group is None else query.group.name or "、".join(query.group.members)


def _sides_named(text: str, frame: Frame) -> list[str]:
    """Names of places and groups as they stand in the question, in that order."""
    names = [*_names_in(text, frame), *(written for *_, written in _groups_in(text, frame) if written)]
    return sorted(dict.fromkeys(names), key=text.index)


def _at(query: Query, name: str, names: Sequence[str], frame: Frame) -> Query:
    """A question about several places, asked of one of them."""
    core = query.core
    for other in names:
        if other != name:
            core = core.replace(fold(other), " ")
    places = frame.places.get(name) or places_of(name, frame)
    return replace(
        query,
        core=core,
        places=places,
        place_names=place_names(places, frame, name),
        groups=tuple(group for group in query.groups if group.name == name),
    )


def _part(query: Query, part: str, frame: Frame) -> Query:
    """A part of a question, with the years and places of the whole where it names none itself."""
    core = core_of(part, frame)
    return replace(
        query,
        text=part,
        core=core,
        want=want_of(part),
        years=years_of(part, frame.period) or (() if asks_how(part) else query.years),
        places=(places := places_of(part, frame) or query.places),
        place_names=place_names(places, frame, part),
        wider=wider_in(part, frame),
        units=units_of(part),
        kinds=kinds_asked(part),
        terms=load_lexicon().expand(part, core),
    )


def complete(asked: str, history: Sequence[Turn], frame: Frame) -> str:
    """A follow-up made a question of its own: what it names takes the place of its counterpart in the last question; a
    question without a subject (为什么？ 多少个？) gets that of the last one, one of both (两个加起来呢) those of two.

    A question that stands alone is returned as it is.
    """
    if not history or not is_elliptic(asked):
        return asked
    earlier = _completed(history[-TURNS:], frame)
    if _OF_SEVERAL.fullmatch(asked):
        subjects = list(dict.fromkeys(subject for text in earlier if (subject := _subject(text))))
        several = subjects[-3 if re.search("[三仨]", asked) else -2 :]
        if len(several) > 1:
            time = _time_words(several[0])[:1]
            several[1:] = [other.replace(time[0], "", 1) if time else other for other in several[1:]]
            return f"{'和'.join(several)}{_together(asked)}"
    if not earlier:
        return asked
    last = earlier[-1]
    if _OF_SEVERAL.fullmatch(asked) or _BARE.fullmatch(asked):
        subject = _subject(last)
        return f"{subject}{_LEANING.sub('', asked)}" if subject else f"{asked}，{last}"
    fragment = only["time"] if (only := _ONLY_TIME.fullmatch(asked)) else _ELLIPTIC_START.sub("", asked)
    fragment = fragment[: at.start()] if (at := re.search("呢[,，]", fragment)) else fragment
    fragment = _ELLIPTIC_END.sub("", fragment).strip("的,，、 ")
    return _put(fragment, last, frame) if fragment else last


def _completed(history: Sequence[Turn], frame: Frame) -> list[str]:
    """The questions so far, each complete in itself, but for those that name nothing new (为什么？ 两个加起来呢？)."""
    done: list[Turn] = []
    for turn in history:
        if done and (_OF_SEVERAL.fullmatch(turn.question) or _BARE.fullmatch(turn.question)):
            continue
        done.append(replace(turn, question=complete(turn.question, done, frame)))
    return [turn.question for turn in done]


def _subject(question: str) -> str:
    """What a question is about: its words without those that ask."""
    return re.sub(r"[\s,，、]+", "", _ASKING.sub("", question))


def _together(asked: str) -> str:
    """What is asked of several things, as a question says it of things named (两个加起来呢 -> 合计多少)."""
    if re.search("差|距|(?:提高|提升|增加|增长|上升|涨|多|减少|降低|下降|少)了?[多几]", asked):
        return "相差多少"
    if by := re.search("[多高大快长少低小慢短]$", asked.rstrip("呢些一点?？。")):
        return f"哪个更{by.group()}" if re.search("谁|哪", asked) else "合计多少"
    return "合计多少"


def is_elliptic(question: str) -> bool:
    """Whether a question leans on the one before: 那2025年呢? 2020年是多少? 农村的呢? 为什么？ 两个加起来呢？"""
    if any(alone.fullmatch(question) for alone in (_OF_SEVERAL, _BARE, _ONLY_TIME)):
        return True
    return bool(_ONLY_MODIFIER.match(question)) or (bool(_ELLIPTIC_START.match(question)) and len(question) <= 16)


def _put(fragment: str, earlier: str, frame: Frame) -> str:
    """`fragment` in the place of its counterpart in `earlier`: a year for a year, a place for a place, one of a
    contrasting pair for the other, a name for the name most like it, an indicator named in full for the whole subject;
    in front where it has none."""
    years = _time_words(fragment)
    if years and (old := _time_words(earlier)):
        earlier = earlier.replace(old[0], years[0], 1)
        fragment = fragment.replace(years[0], "", 1).strip("的,，、 年到至在")
        return _put(fragment, earlier, frame) if fragment else earlier
    if years and fragment.strip("的到至在年") == years[0].strip("年"):
        return f"{years[0]}{earlier}"
    if any(name in fragment for name in frame.places) or _groups_in(fragment, frame):
        names = [earlier[start:end] for start, end, *_ in _groups_in(earlier, frame)]
        names += [name for name in sorted(frame.places, key=len, reverse=True) if name in earlier]
        if whole := _WHOLE_REGION.search(earlier):
            names.append(whole.group())
        if names:
            return earlier.replace(names[0], fragment, 1)
    for left, right in _CONTRASTS:
        for mine, other in ((left, right), (right, left)):
            if mine in fragment and other in earlier and mine not in earlier:
                return earlier.replace(other, fragment if len(fragment) <= 6 else mine, 1)
    if _ATTRIBUTE.fullmatch(fragment):
        subject = _subject(earlier)
        held = list(_ATTRIBUTE.finditer(subject))
        if held and held[-1].end() == len(subject):
            subject = subject[: held[-1].start()]
        return f"{subject}{fragment}是多少"
    if counterpart := _varied(fragment, earlier) or _most_like(fragment, earlier, frame):
        return earlier.replace(counterpart, fragment, 1)
    rest = _TIME.sub(" ", earlier)
    if len(fragment) <= 6 and (said := _SAID_OF.search(rest)) and not _SAID_OF.search(fragment):
        return earlier.replace(said["what"] + said["of"], fragment + said["of"], 1)
    if _INDICATOR.fullmatch(fragment):
        places = [name for name in _names_in(earlier, frame) if name not in fragment]
        return "".join([*_time_words(earlier)[:1], *places[:1], fragment, "是多少"])
    if leading := _SUBJECT_FIRST.match(earlier):  # 食品加工业2025年产值目标是多少
        return f"{fragment}{earlier[leading.end() :]}"
    first = next(iter(frame.cut(earlier)), "")
    if len(first) > 1 and _HAN.match(first) and not _ASKS.search(first):  # 棉花种多少亩? 小麦呢?
        return f"{fragment}{earlier[len(first) :]}"
    return f"{fragment}，{earlier}"


def _most_like(fragment: str, earlier: str, frame: Frame) -> str | None:
    """The word or run of words of `earlier` whose vector is most like that of `fragment`, of those that are no
    question words, years or places; None where none is like it."""
    if frame.likeness is None:
        return None
    fixed = "|".join([_QUESTION_WORDS.pattern, _TIME.pattern, _WHOLE_REGION.pattern, *map(re.escape, frame.places)])
    runs: list[str] = []
    for stretch in re.split(rf"{fixed}|[\s,，、;；?？。的要]", earlier):
        words = frame.cut(stretch) if stretch else []
        for first, last in combinations(range(len(words) + 1), 2):
            if last - first <= RUN and not (_torn(words, first) or _torn(words, last)):
                runs.append("".join(words[first:last]))
    runs = [run for run in dict.fromkeys(runs) if _HAN.search(run) and len(run) > 1]
    if not runs:
        return None
    likeness = frame.likeness(fragment, runs)
    best = max(range(len(runs)), key=lambda position: likeness[position])
    return runs[best] if likeness[best] >= LIKE else None


def _torn(words: Sequence[str], at: int) -> bool:
    """Whether a border between words lies inside a word that the documents do not know (地|铁)."""
    around = words[max(0, at - 1) : at + 1]
    return 0 < at < len(words) and all(len(word) == 1 for word in around) and is_word("".join(around))


def _time_words(text: str) -> list[str]:
    return [match.group() for match in _TIME.finditer(text)]


def _varied(fragment: str, earlier: str) -> str | None:
    """The stretch of `earlier` that `fragment` varies: of like length, sharing its first or its last two characters
    (优质小麦 / 优质棉花)."""
    size = len(fragment)
    if size < 3:
        return None
    for width in (size, size - 1, size + 1):
        for start in range(len(earlier) - width + 1):
            stretch = earlier[start : start + width]
            if stretch == fragment:
                return None
            if _HAN.match(stretch) and (stretch[:2] == fragment[:2] or stretch[-2:] == fragment[-2:]):
                return stretch
    return None


def core_of(text: str, frame: Frame) -> str:
    """A question as it is matched, folded: without question words and the region's names; the whole question where
    nothing else is left."""
    core = fold(text)
    for name in sorted(frame.places, key=len, reverse=True):
        if any(full in frame.region for full in frame.places[name]):
            core = re.sub(rf"{name}(?![市县区])", " ", core)
    core = _EARN_MORE.sub(r"增加\g<who>收入", _QUESTION_WORDS.sub(" ", core))
    return core if _LOOKED_UP.search(core) else fold(text)


# 农民增收 is short for what plans write in full: 增加农民收入.
_EARN_MORE = re.compile(
    r"(?:让|使|帮助?|促进|带动|推动|实现)?\s*(?P<who>[农牧渔居市村]民|群众|百姓|职工|家庭)\s*(?:持续|稳定|稳步)?(?:增收|多挣钱|多赚钱|多收入)(?:致富)?"
)
_QUESTION_WORDS = re.compile(
    r"(?:采取|采用|有|做|开展)?了?(?:什么|啥|哪些|哪几[项条种个])(?:具体|主要|重点|好)?的?(?:措施|办法|举措|手段|招数?|工作)|"
    r"(?:措施|办法|举措|手段)(?:都|主要)?[有是]?(?:哪些|什么|啥)|"
    r"(?:怎么|咋|如何|怎样)(?:才能)?(?:解决|破解|缓解)|(?:不足|不够|短缺|薄弱|落后)?的?(?:问题|难题)(?=$|[?？])|请问|麻烦问下|我想(?:问|知道)(?:一下|下)?|想问问?|问一下|到底|究竟|打算|大概|大约|具体|咋样|怎么样|怎么|咋|怎样|如何|"
    r"多少|几个|哪些|哪几个?|哪个|哪里|哪儿|什么|啥|是不是|有没有|能不能|会不会|是否|吗|呢|嘛|吧|啊|呀|了没|谁|为何|为什么|"
    r"百分之几|几成|[“\"]?十[一二三四五六七八九]五[”\"]?(?:时期|期间|末)?|规划期?末|[这前后]几年|[这那前后]五年|往后|以后|将来|今后|未来|过去|上一个|告诉我|帮我|查一下|查查|说说|讲讲|介绍一下|一下|咱们?[州市县]|[我本][州市县](?!级)|咱们?|我们|你们|俺|这块|这个|那个|那些|这些|的话"
)

"""Kinds of detail that a question asks for (a sum of money, a date, a telephone number), how each is asked and how it
looks in a text: a passage on the right subject that holds no such detail does not answer.

Patterns of the Chinese language alone, general for any plan.
"""

from __future__ import annotations

import re

_NUMBER = r"(?:\d|[二三四五六七八九十百千万亿两几数])\s*(?:[万亿千百十多余]+)?\s*"

# kind -> (how it is asked, how it looks in a text)
KINDS: dict[str, tuple[re.Pattern[str], re.Pattern[str]]] = {
    kind: (re.compile(asked), re.compile(found))
    for kind, asked, found in (
        (
            "money",
            r"多少钱|投资(?:额|规模|总额)?(?:是|为|要|得|有)?多少|总投[资姿]|花多少|花了?多少|多少(?:个)?[亿万]?元|多少个?亿|资金(?:是|有)?多少|"
            r"预算|补[贴助](?:标准|多少)|收费|票价|造价|工资|挣多少|产值|(?:总值|收入|增加值)(?:是|为|要|达到)?多少",
            _NUMBER + r"元",
        ),
        ("moment", r"今天|明天|昨天|后天|今晚|几点", r"今天|明天|昨天|后天|今晚|\d点"),
        ("phone", r"电话|热线|联系方式|手机号|号码|网址|邮箱", r"\d{5,}|\d{3,4}-\d{7,}|www|http|@"),
        (
            "date",
            r"哪年|哪一年|哪[一两几]?年|哪[一]?天|几月|几号(?![矿井楼线机炉坑门])|什么时候|啥时候?|何时|日期|时间表|多会儿|截止|年份",
            r"(?:19|20)\d\d|十[一二三四五六七八九]五|\d+月|期末|年底|年内|每年",
        ),
        ("address", r"哪条[街路]|地址|门牌|什么路|哪栋|几楼|具体位置", r"[路街巷道]\d*号?"),
        (
            "person",
            r"谁负责|谁牵头|谁管|负责人|联系人|领导是谁|[局州县市院校厂]长(?:是|叫)|叫什么名字|谁(?:来)?承[建办]|哪[家个](?:公司|企业|单位)(?!的)",
            r"负责|牵头|承担|主管|承[建办]|公司|集团|局|委员会|院",
        ),
        (
            "procedure",
            r"(?:怎么|咋|如何|怎样|去哪[里儿]?|到哪[里儿]?|在哪[里儿]?|找谁)(?:才能)?(?:去)?(?:申请|申领|报名|办理|办手续|领[取补钱]?|报销|登记|注册)|"
            r"(?:什么|啥|哪些|哪种)(?:材料|手续|证件|流程)",
            r"材料|手续|窗口|受理|报名|流程|申[请领报办]|办理",
        ),
        (
            "share",
            r"百分之[几多]|占比|比例|比重|几成|率(?:是|要|达|为|到|目标|定|能|控制|有|指标)?[^，。]{0,6}多少|几个?百分点|多少个?百分点|几个点",
            r"%|％|百分|[一二三四五六七八九]成|系数|‰|:",
        ),
        (
            "area",
            r"多少(?:万)?亩|多大(?:面积|块|片)|面积(?!占|比)(?:是|要|有|达到|稳定)?[^，。]{0,4}多少|多少平",
            r"亩|平方|公顷|㎡",
        ),
        ("weight", r"多少(?:万)?吨|产量|打多少粮|多少斤|产多少", r"吨|公斤|斤|能力"),
        ("distance", r"多少公里|多长(?!时间)|多远|里程", r"公里|千米|米"),
        ("beds", r"床位|能住多少|能住下多少", r"床|张"),
        ("volume", r"库容|装多少水|多少(?:亿|万)?(?:立方|方)", r"立方|方"),
        (
            "people",
            r"多少(?:万|个|名|位)?(?:人|病人|学生|老人|工人|职工|护士|医生|老师)|几个人|人数(?:[^，。]{0,8}[多几]|[?？。]?$)|多少(?:名|位)",
            _NUMBER + r"(?:人|名|位)",
        ),
        ("duration", r"多长时间|多久|几个?小时|几分钟|多少天|几天", r"小时|分钟|[天日月年周]"),
        (
            "count",
            r"(?<![哪边部面这那好开办跑添])(?:多少|几)\s*(?:个(?!小时|亿|万|百分点|点)|[家座所处条栋户辆张台套件项列艘间片支场届次份部])",
            _NUMBER + r"[多余]?[个家座所处条栋户辆张台套件项列间片支场届次份部大类种级只头万人名位]",
        ),
    )
}

# 一百个人里有几个住在城里 asks for a share.
_OF_A_HUNDRED = re.compile(r"(?:一百|100)个?[^，,。]{0,6}(?:里头?|当中|之?中)[^。]{0,14}(?:几|多少)个?")


def kinds_asked(question: str) -> tuple[str, ...]:
    """The kinds of detail that a question asks for; empty where it asks for none of them. A question that asks which
    (几个机场，放在哪些地方) is answered by the names; the count follows from them."""
    if _OF_A_HUNDRED.search(question):
        return ("share",)
    kinds = tuple(kind for kind, (asked, _) in KINDS.items() if asked.search(question))
    return tuple(kind for kind in kinds if kind != "count") if "哪" in question else kinds


def kinds_missing(kinds: tuple[str, ...], text: str) -> tuple[str, ...]:
    """Of these kinds, those that a text does not hold."""
    return tuple(kind for kind in kinds if not KINDS[kind][1].search(text))

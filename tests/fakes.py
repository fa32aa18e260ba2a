"""Stand-ins that can be computed by hand, and small documents with known answers.

The documents are made up: no such prefecture exists, and none of their figures stands in the shipped plan. What is
true of them is listed beside each in the tests that ask about them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from eval.dataset import Question
from index.build import Source, assemble
from index.chunk import chunks
from index.outline import outline
from index.reader import read
from index.store import Index
from index.types import Cell, Chunk
from rag.select import FEATURES
from rag.types import Answer, Aside, Evidence, Passage, Query, Selection


@dataclass(frozen=True)
class KeywordEmbedder:
    """A text's vector has a 1 for each known word in it, scaled to length 1: the cosine of two texts is the number of
    words they share over the root of the product of the numbers they hold."""

    words: tuple[str, ...]
    name: str = "keywords"
    revision: str = "0" * 16
    question_prefix: str = ""
    document_prefix: str = ""

    @property
    def dimension(self) -> int:
        return len(self.words)

    def embed_documents(self, texts: Sequence[str]) -> NDArray[np.float32]:
        rows = np.array([[word in text for word in self.words] for text in texts], dtype=np.float32)
        rows = rows.reshape(len(texts), len(self.words))
        scaled: NDArray[np.float32] = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), np.float32(1))
        return scaled

    def embed_questions(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return self.embed_documents(texts)


@dataclass
class ScriptedGenerator:
    """An answerer that says its queued replies in turn, a tuple of pieces each. `calls` records what it was given,
    `started` how many pieces it was asked for, `closed` how many of its replies have ended or were stopped."""

    replies: list[tuple[str | Aside, ...]]
    name: str = "照本宣科"
    calls: list[tuple[Query, Selection]] = field(default_factory=list)
    speaking: list[Iterator[str | Aside]] = field(default_factory=list)
    started: int = 0
    closed: int = 0
    at_once: int = 1

    def __call__(self, query: Query, selection: Selection) -> Iterator[str | Aside]:
        self.calls.append((query, selection))
        pieces = self._speak(self.replies.pop(0))
        self.speaking.append(pieces)  # held on to, as a model's thread is: only closing it ends it
        return pieces

    def _speak(self, pieces: tuple[str | Aside, ...]) -> Iterator[str | Aside]:
        try:
            for piece in pieces:
                self.started += 1
                yield piece
        finally:
            self.closed += 1


@dataclass(frozen=True)
class Asked:
    """A development question, everything that `stream` yielded for it, and what `ask` said of it at another time."""

    question: Question
    streamed: tuple[Answer, ...]
    asked: Answer


def paragraph(text: str, line: int = 1, start: int = 0, section: tuple[str, ...] = (), doc: str = "plan") -> Chunk:
    """A chunk of one line."""
    return Chunk(f"{doc}-{line}-{start}", doc, "paragraph", (line,), start, start + len(text), text, section)


def row(cells: Sequence[tuple[str, str]], line: int = 1, doc: str = "plan") -> Chunk:
    """A table row of (header, text) cells, one cell a line from `line` on."""
    made = tuple(Cell(column, text, line + i, 0) for i, (column, text) in enumerate(cells))
    text = "\n".join(cell.text for cell in made)
    lines = tuple(cell.line for cell in made)
    return Chunk(f"{doc}-{line}-row", doc, "row", lines, 0, len(text), text, (), None, made)


def evidence(
    chunk: Chunk, rank: int = 1, score: float = 1.0, years: tuple[int, ...] = (), **features: float
) -> Evidence:
    """A whole chunk as evidence; features that are not given are 0."""
    values = dict.fromkeys(FEATURES, 0.0) | features
    return Evidence(passage(chunk, rank), 0, len(chunk.text), score, frozenset(years), values)


def index_of(path: Path, embedder: KeywordEmbedder) -> Index:
    """An index in memory of one file."""
    document = read(path)
    sections = outline(document, None)
    return assemble([Source(document, False, "", sections, chunks(document, sections))], embedder, None)[0]


def passage(chunk: Chunk, rank: int = 1, score: float = 1.0) -> Passage:
    return Passage(chunk, score, rank)


# A plan of another prefecture and other years, a paragraph or a table cell a line.
YUNZE = """\
云泽州国民经济和社会发展第十五个五年规划纲要
本规划依据《中共云泽州委员会关于制定第十五个五年规划的建议》编制，规划期限为2026-2030年，并提出2040年远景目标。
第一章 发展基础
“十四五”时期，全州经济持续向好，2025年地区生产总值达到862.4亿元，一般公共预算收入达到57.3亿元。
民生保障更加有力，2025年末基本医疗保险参保率达到96.4%，城镇累计新增就业4.6万人。
第二章 主要目标
推动石湾县、柳川县、云泽市和金浦开发区协同发展，推进石湾县、柳川县、云泽市和金浦开发区产业分工。
生态质量稳步提升。到2030年，森林覆盖率达到27.5%，城市空气质量优良天数比例保持在93%以上。
城镇化水平稳步提高。到2030年，常住人口城镇化率达到58%，农村常住居民人均可支配收入年均增长7%左右。
专栏1 “十五五”时期主要指标 |
序号 |
指标名称 |
单位 |
2025年 |
2030年 |
指标属性 |
1 |
粮食综合生产能力 |
万吨 |
91.5 |
96 |
约束性 |
2 |
人均预期寿命 |
岁 |
78.2 |
79.6 |
预期性 |
3 |
基本医疗保险参保率 |
% |
96.7 |
98 |
预期性 |
4 |
劳动年龄人口平均受教育年限 |
年 |
10.4 |
11.3 |
约束性 |
注：本表数据为全州口径。
第三章 农业农村现代化
建设优质水稻基地、高山茶叶基地、生态水产基地和道地药材基地四大基地，打响“云泽山珍”区域公用品牌。
石湾县新建高标准农田。到2030年，石湾县新建高标准农田12.6万亩，改造灌区3处。
柳川县新建高标准农田。到2030年，柳川县新建高标准农田8.5万亩，改造灌区2处。
第四章 交通与能源
建成云泽至柳川高速公路，到2030年全州高速公路通车里程达到418公里，实现县县通高速。
推进抽水蓄能电站建设，到2030年新能源装机规模达到365万千瓦。
第五章 社会事业
到2030年，每千人口拥有医疗机构床位数达到7.4张，城镇养老机构护理型床位占比达到62%，农村养老机构护理型床位占比达到48%。
建设云泽市综合养老服务中心，支持社会力量举办养老机构，推动居家社区机构相协调。
实施文化惠民工程，举办云泽山歌节和柳川龙舟赛，建设州博物馆新馆。
"""

# A plan in Markdown with a real table.
SHUANGLIN = """\
# 霜林市国民经济和社会发展第十五个五年规划纲要

规划期限为2026-2030年。

## 第一章 工业强市

到2030年，规模以上工业企业达到340家，风电装备产业产值突破210亿元。

| 指标名称 | 单位 | 2025年 | 2030年 | 属性 |
| --- | --- | --- | --- | --- |
| 研发经费投入强度 | % | 1.9 | 2.6 | 预期性 |
| 万人发明专利拥有量 | 件 | 5.2 | 8 | 预期性 |

| 项目名称 | 责任单位 | 2030年投资（亿元） |
| --- | --- | --- |
| 风电母港一期工程 | 市能源局 | 18.6 |
| 滨河绿道贯通工程 | 市园林局 | 3.4 |

## 第二章 美丽霜林

到2030年，建成区绿化覆盖率达到43%，污水处理率达到98.5%。
"""

# A document that is no plan: it states no period.
QINGHE = """\
青禾县农村公路养护管理办法
第一条 为加强农村公路养护，保障公路完好畅通，制定本办法。
第二条 县道养护由县交通运输部门负责，乡道、村道养护由乡镇人民政府负责。
第三条 养护资金按县道每年每公里1.2万元、乡道每年每公里0.6万元的标准安排。
第四条 养护单位应当在每年10月底前完成公路病害的集中处治。
"""

# A plan with what several questions ask about together: figures that go together, nicknames of places, boxes.
LINGAN = """\
岭安州国民经济和社会发展第十五个五年规划纲要
规划期限为2026-2030年，展望到2035年。
第一章 发展基础
2025年，全州地区生产总值达到918.6亿元，一般公共预算收入达到64.7亿元，城镇登记失业率控制在3.1%以内。
2025年，城镇居民和农村居民人均可支配收入分别达到41230元和23870元。
州府溪岭市进入全省十强县市。
第二章 主要目标
到2030年，全州地区生产总值达到1350亿元，一般公共预算收入达到88亿元。
到2030年，粮食产量稳定在96万吨，油料产量达到12万吨，肉类产量达到12万吨。
到2030年，溪岭市新建高标准农田12万亩，云坪县新建高标准农田8.5万亩，禾塘县新建高标准农田6万亩。
到2030年，污水处理率达到98%，生活垃圾无害化处理率达到100%，农村自来水普及率达到100%，建成区绿化覆盖率达到43%。
推动溪岭市、云坪县、禾塘县和松阳开发区协同发展，推进溪岭市、云坪县、禾塘县和松阳开发区产业分工。
东三县（云坪县、禾塘县、桐川县）重点发展茶叶和中药材。西部以溪岭市为核心，重点发展装备制造。
云坪县、禾塘县、桐川县和溪岭市加强协作，云坪县、禾塘县、桐川县和溪岭市共建园区。
第三章 产业
重点打造绿色食品、装备制造、文化旅游三大产业，推动产业集聚发展。
竹木加工产业产值突破210亿元，茶叶产业产值达到65亿元，文旅产业收入达到130亿元。
专栏1 “十五五”时期主要指标 |
序号 |
指标名称 |
单位 |
2025年 |
2030年 |
指标属性 |
1 |
森林覆盖率 |
% |
61.2 |
62.5 |
约束性 |
2 |
城镇调查失业率 |
% |
— |
5.2 |
预期性 |
3 |
人均预期寿命 |
岁 |
78.1 |
79.4 |
预期性 |
4 |
单位地区生产总值能耗降低 |
% |
— |
〔12〕 |
约束性 |
专栏2 产业重点项目 |
1.食品加工项目：年产3万吨茶油项目、竹笋深加工项目、肉制品冷链项目。 2.装备制造项目：农机装备项目、智能电机项目等。 |
专栏3 县域发展定位 |
溪岭市。打造州域中心城市。 云坪县。建设生态旅游强县。 禾塘县。建设粮食生产大县。 桐川县。建设清洁能源基地。 |
第四章 基础设施
推进120万千瓦抽水蓄能电站建设，新建松阳通用机场，建成溪岭至云坪高速公路。
因财力有限，暂不新建体育馆。为缓解停车难，新增停车位5000个。
第五章 民生
多渠道促进就业。加大援企稳岗力度，落实社保补贴政策。支持高校毕业生返乡创业，建设创业孵化基地。开展职业技能培训，每年培训2万人次。
"""

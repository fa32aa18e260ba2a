"""Query -> passages, evidence and verdict: the questions within a question are searched each for itself.

到2025年甲县和乙县各新建多少万亩？         one for each place
2020年和2025年的参保率？                   one for each year
建成多少亩，怎么建？                       one for each part
东三县重点发展什么？                       what names the group, else one for each of its places
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from index.chunk import label_of
from index.keyword import fold
from rag.disagree import named_by
from rag.judge import CERTAIN, Judge, Verdict
from rag.measures import enumerates, how, kind_of, measured, points_of
from rag.rerank import Reranker, reranked
from rag.retrieve import Retriever
from rag.select import Selector, level_before_growth, those_so_many
from rag.types import Evidence, Named, Passage, Query, Selection
from rag.understand import MAX_SIDES, Frame, asks_members, asks_of_each, members_of, sides_of, ungrouped

CONSIDERED = 40  # passages that are found
EVIDENCE_FROM = 20  # of which the evidence is taken
NEARLY = 1.0  # how far below the best evidence other may score for the second of two things
BESIDE = 3.0  # how far below the best evidence that of another year of a comparison may score

Found = tuple[tuple[Passage, ...], Selection, Verdict]


@dataclass(frozen=True)
class Search:
    """Callable: (query) -> passages, best first; what is selected of them; whether that answers."""

    frame: Frame
    retrieve: Retriever
    select: Selector
    judge: Judge
    reranker: Reranker | None = None

    def __call__(self, query: Query) -> Found:
        """Passages, the evidence in them, and whether it answers. A question about a group of places is answered by
        what names the group, else asked of its places."""
        sides = sides_of(query, self.frame)
        if len(sides) > 1:
            sides = tuple(one for side in sides for one in self._apart(side))
        found = self._among(query, sides)
        if (group := query.group) is None:
            return found
        if asks_members(query):
            return found if group.stated else (*found[:2], Verdict(0.0, False, CERTAIN))
        of_places = self._among(ungrouped(query), members_of(query, self.frame), 1 if query.want == "figure" else 2)
        named = found[2].answered and _tells_of(group, found[1].parts)
        each = asks_of_each(query) and len(of_places[1].parts) > 1
        if named and not each and (not of_places[2].answered or found[2].confidence >= of_places[2].confidence):
            return found
        passages, selection, verdict = of_places if of_places[2].answered or not group.name else found
        if verdict.answered and query.want == "figure" and not any(map(_names_place, selection.parts)):
            verdict = Verdict(0.0, False, CERTAIN, "place")  # a figure of the whole region is none of its places
        return passages, selection, verdict

    def _apart(self, side: Query) -> tuple[Query, ...]:
        """A side of a comparison; one of a group of places that nothing found speaks of, asked of each of them."""
        if side.group is None:
            return (side,)
        ((evidence, verdict),) = self._of_each([side])
        named = verdict.answered and _tells_of(side.group, evidence[:1])
        return (side,) if named else members_of(side, self.frame)

    def _among(self, query: Query, sides: Sequence[Query], fewest: int = 0) -> Found:
        """The questions within a question are searched each for itself; it is answered where one of them is, and then
        for those that are. Those of the places of a region or group are answered only by what names the place, and
        shown where there are so many of them (`fewest`)."""
        fewest = fewest or (2 if len(sides) > MAX_SIDES else 0)
        found = self.find(query, query.text)
        evidence = level_before_growth(query, self.select(query, found[:EVIDENCE_FROM]))
        evidence, verdict = measured(query, evidence, self.judge)
        evidence = those_so_many(query, evidence)
        alone = Selection(evidence, evidence[:1], points=(points_of(query, evidence),))
        if len(sides) == 1 or not evidence:
            return found, alone, verdict
        by_chunk = {passage.chunk.id: passage for passage in found}
        parts: list[Evidence] = []
        points: list[tuple[Evidence, ...]] = []
        unanswered: list[str] = []
        said: set[tuple[int, int]] = set()

        def placed(one: Evidence) -> Evidence:
            chunk = one.passage.chunk
            made = Passage(chunk, one.passage.score, len(by_chunk) + 1)
            return replace(one, passage=by_chunk.setdefault(chunk.id, made))

        answers = self._of_sides(sides)
        two_things = len({(side.years, side.places) for side in sides}) == 1
        # Documents that tell one side of a comparison are likelier to tell the other than those that tell neither.
        least = self.judge.threshold / 2 if any(judged.answered for _, judged in answers) else self.judge.threshold
        for side, (best, judged) in zip(sides, answers, strict=True):
            if not best or judged.answerable < least:
                unanswered += told_apart(side, sides)
                continue
            if fewest and not (judged.answered and best[0].features["place"]):
                continue
            telling = telling_of(side, best) if side.question != query.question else best[:1]
            if telling == best[:1] and two_things:
                telling = (untold(best, (*parts, *(one for of_part in points for one in of_part))),)
            if not telling:
                unanswered += told_apart(side, sides)
            told = [one for one in map(placed, telling) if (one.passage.rank, one.start) not in said]
            said.update((one.passage.rank, one.start) for one in told)
            if told:
                parts.append(told[0])
                points.append(tuple(told) if how(side) else ())
        if len(parts) < max(fewest, 1):
            return found, alone, verdict
        chosen = tuple(one for part, held in zip(parts, points, strict=True) for one in held or (part,))
        every = tuple(sorted(by_chunk.values(), key=lambda passage: passage.rank))
        unanswered = ["、".join(unanswered)] if fewest and unanswered else unanswered
        others = tuple(one for one in evidence if (one.passage.rank, one.start) not in said)
        surest = max((judged for _, judged in answers), key=lambda judged: judged.answerable)
        weakest = min(judged.confidence for _, judged in answers if judged.answered) if surest.answered else 0.0
        selection = Selection((*chosen, *others), tuple(parts), tuple(unanswered), tuple(points), several=True)
        return every, selection, replace(surest, confidence=weakest)

    def find(self, query: Query, asked: str) -> tuple[Passage, ...]:
        """The passages that may answer, best first. `asked` is what a reranker reads them beside."""
        found = self.retrieve(query, CONSIDERED)
        return found if self.reranker is None else reranked(self.reranker, asked, found)

    def _of_sides(self, sides: Sequence[Query]) -> list[tuple[tuple[Evidence, ...], Verdict]]:
        """Evidence and verdict for each question within a question. Where they ask for one thing in several years, the
        surest answer names it for the others: what 种庄稼用机器的比例 is called in one year, it is called in all."""
        found = self._of_each(sides)
        if len({side.core for side in sides}) > 1:
            return found
        evidence, surest = max(found, key=lambda one: one[1].answerable)
        if not surest.answered:
            return found
        name = named_by(evidence[0], sides[0])
        again = self._of_each([replace(side, core=f"{side.core} {name}") for side in sides])
        return [new if new[1].answerable > old[1].answerable else old for old, new in zip(found, again, strict=True)]

    def _of_each(self, sides: Sequence[Query]) -> list[tuple[tuple[Evidence, ...], Verdict]]:
        # What sets a question within a question apart from the whole is its core; those of one core, which ask for
        # other years, find the same passages.
        found = {(side.text, side.core): side for side in sides}
        passages = {asked: self.find(side, side.core)[:EVIDENCE_FROM] for asked, side in found.items()}
        return [self._of_side(side, passages[side.text, side.core]) for side in sides]

    def _of_side(self, side: Query, passages: Sequence[Passage]) -> tuple[tuple[Evidence, ...], Verdict]:
        evidence = self.select(side, passages)
        if evidence and evidence[0].features["year_other"] >= 1:
            # The other year of a comparison: told next to it, this one may stand just below.
            near = [one for one in evidence if evidence[0].score - one.score <= BESIDE]
            own = [one for one in near if one.features["year"] or one.features["year_near"]]
            evidence = (*own[:1], *(one for one in evidence if one not in own[:1]))
        return measured(side, evidence, self.judge)


def told_apart(side: Query, sides: Sequence[Query]) -> list[str]:
    """What sets a question within a question apart from the others, in words: its year, its places, or its words."""
    if len({other.years for other in sides}) > 1:
        return [f"{year}年" for year in side.years]
    if len({other.places for other in sides}) > 1:
        return list(side.places)
    return [f"“{side.question}”"] if len({other.question for other in sides}) > 1 else []


def untold(evidence: Sequence[Evidence], told: Sequence[Evidence]) -> Evidence:
    """Of two things that are asked for, what tells the second: its best evidence, or the next where that already told
    the first and the next is nearly as good."""
    places = {(one.passage.chunk.id, one.start) for one in told}
    near = (one for one in evidence if evidence[0].score - one.score < NEARLY)
    return next((one for one in near if (one.passage.chunk.id, one.start) not in places), evidence[0])


def telling_of(side: Query, evidence: Sequence[Evidence]) -> tuple[Evidence, ...]:
    """What tells a part of a question: where it asks how the measures, where it asks for what is to be reached the
    words that tell this, () where there are none; where it asks which a sentence that names several; else the best
    evidence."""
    if how(side):
        return points_of(side, evidence)
    best, near = evidence[0], [one for one in evidence if evidence[0].score - one.score <= BESIDE]
    if side.want != "figure" and "目标" in side.text:
        aims = [one for one in near if kind_of(one) == "target"]
        return tuple(aims[:1]) if aims or kind_of(best) in ("measure", "adverse") else (best,)
    if side.want == "list" and not enumerates(best):
        return (next((one for one in near if enumerates(one)), best),)
    return (best,)


def _tells_of(group: Named, parts: Sequence[Evidence]) -> bool:
    """Whether what would be answered with names the group itself."""
    said = [fold(one.text + label_of(one.passage.chunk)) for one in parts]
    return bool(group.name) and any(group.name in text for text in said)


def _names_place(evidence: Evidence) -> bool:
    return bool(evidence.features["place"] or evidence.features["place_near"])

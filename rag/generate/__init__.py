"""Answerers: each turns a query and its evidence into pieces of text whose concatenation is the answer, with marks
[rank] behind what each sentence rests on."""

"""The recipe of the shipped embedding model: `python -m index.train --laws PATH --out DIR`. Nothing here runs when the
tool answers questions."""

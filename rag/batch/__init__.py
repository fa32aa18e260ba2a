"""Lists of questions: a sheet, a table or a list in; the same list out, answered, with its evidence, ready for review.

reading     a file -> rows
split       a cell -> the questions in it
journal     rows, answers and decisions on disk (SQLite), so that nothing done is done twice
run         the whole road: read, answer what is missing, write
writing     rows and answers -> jsonl, csv, xlsx, docx
changes     what a re-run over another index changed, old and new side by side
review      what people decided about the answers
"""

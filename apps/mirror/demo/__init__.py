"""A made-up lab: thirty days of its rows at once (`load`), and the same lab going on living (`simulate`).

`cast` says who and what there is, `lab` puts one together, `rhythm` says when and how well things go, `plan` makes the
runs of a stretch of time, `rows` turns them into rows as the platform's hosts write them, `stream` brings rows into
tables. Everything is repeatable: the same seed and the same end of the stretch give the same rows.
"""

"""Lesson 00, First stream: its quiz."""

from __future__ import annotations

from labkit.course.questions import Choice, Question

QUIZ = (
    Question(
        "A query counts rows per month. Its table says January **12**. The next file holds **3** "
        "rows of January and **7** of February. What does the table say then?",
        facts="group by month, count · complete",
        choices=(
            Choice(
                "January 3, February 7.",
                hint="Those are the rows of the new file alone. What has the query kept from the "
                "batches before?",
            ),
            Choice(
                "January 15, February 7.",
                why="The query keeps its counts from batch to batch: that is its **state**. "
                "January goes from 12 to **15**, and February is new with **7**.",
            ),
            Choice(
                "January 12, February 7.",
                hint="Nobody told the query that January is over. What does it do with a row of a "
                "month that it knows already?",
            ),
        ),
        answer="1c7ce64b56a4",
    ),
    Question(
        "A folder holds **4** files, and a query has read them all. You start a second query on "
        "the same folder. What does it read?",
        facts="maxFilesPerTrigger 1",
        choices=(
            Choice(
                "Only files that come from now on.",
                hint="Where does a query note which files it has read? Does a new query have such "
                "a note?",
            ),
            Choice(
                "Nothing: the first query has taken the files.",
                hint="Look into the folder. Are the files gone when a query has read them?",
            ),
            Choice(
                "All 4 files, one per batch.",
                why="Every query keeps its own place. A new one has no place yet, so it begins "
                "with the oldest file and runs **4** batches.",
            ),
        ),
        answer="f46319e5ed85",
    ),
    Question(
        "A table stands still. `query.isActive` says `True` and `query.exception()` says `None`. "
        "What is the most likely reason?",
        facts="when nothing moves",
        choices=(
            Choice(
                "No new file has come, and the query waits.",
                why="The query lives and did not fail, so it waits for data. The next file starts "
                "the next batch.",
            ),
            Choice(
                "The query ended, because it had read every row.",
                hint="Which of the two calls says whether it still lives? And can a query know "
                "that no more rows will come?",
            ),
            Choice(
                "The last batch failed.",
                hint="Which of the two calls would tell of a failure, and what did it say?",
            ),
        ),
        answer="efb365306f31",
    ),
)

"""The table of lesson 03: which output mode runs with what, measured."""

from labkit.course.truth.table import attempt as attempt
from labkit.course.truth.table import truth_table as truth_table

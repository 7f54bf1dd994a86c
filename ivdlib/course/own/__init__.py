"""What students write themselves: checked, then at work in the place of the library's.

    own.check(dice)                    # right, or what is wrong with it
    with own.plugged(dice):            # within the block the library scores with the student's
        ...

A `Task` says what a function shall do and which mistakes are known; `catalogue` has them by name.
"""

from ivdlib.course.own.checked import check
from ivdlib.course.own.plugged import passed, plugged, yours

__all__ = ["check", "passed", "plugged", "yours"]

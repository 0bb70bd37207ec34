"""Dates and times as the pages write them: the day before the month in letters, 24 hours. Nobody has to guess."""

DATE_FORMAT = "D j M Y"
TIME_FORMAT = "H:i"
DATETIME_FORMAT = "D j M Y, H:i"
SHORT_DATE_FORMAT = "j M Y"
SHORT_DATETIME_FORMAT = "j M Y, H:i"
MONTH_DAY_FORMAT = "j F"
# As in German, in the policy's caps and on the first page: a week begins on Monday.
FIRST_DAY_OF_WEEK = 1

"""As the English ones: the weekday and the month in letters, 24 hours."""

DATE_FORMAT = "D, j. M Y"
TIME_FORMAT = "H:i"
DATETIME_FORMAT = "D, j. M Y, H:i"
SHORT_DATE_FORMAT = "j. M Y"
SHORT_DATETIME_FORMAT = "j. M Y, H:i"
MONTH_DAY_FORMAT = "j. F"

"""The coordinator's desk: windows, sessions, what was promised, and the program's policy."""

from scheduling.admin import feedback, hours, notices, people, program, sessions, windows  # noqa: F401  registers them

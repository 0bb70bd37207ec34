"""The coordinator's desk: windows, sessions, what was promised, and the program's policy."""

from scheduling.admin import hours, people, program, sessions, windows  # noqa: F401  registers them

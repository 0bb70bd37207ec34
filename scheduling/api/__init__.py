"""What the API tells of mentors with their time, and of sessions. Its foundations are in ``people.api``."""

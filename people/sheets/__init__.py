"""What every sheet that comes in or goes out has in common: reading, writing, cells, and row numbers as people count them.

The engine is django-import-export. Its resources are in ``people.resources`` and ``scheduling.resources``; the admin,
the demo and the tests all import through them.
"""

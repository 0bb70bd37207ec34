"""The import desk: a sheet is uploaded, its columns are mapped, every row is looked at, and then all of it is written or nothing.

The engine is django-import-export, through the resources of each kind (``kinds``). Large sheets are the worker's: it goes on
where it stopped (``work``). What is uploaded is personal: it is its uploader's alone, has a name that nobody can guess, and is
gone when it is applied, or after a day.
"""

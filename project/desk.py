"""The admin's face: name, colours, menu and the numbers on its first page."""

UNFOLD = {}

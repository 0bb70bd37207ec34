"""The API, read-only: other programs read here what their owner may read on the pages. docs/api.md tells them how.

DRF authenticates, permits, filters, describes and renders; what it renders are rows as the database gives them
(``shapes``), for its serializers would take ten times as long. They stand in the schema.
"""

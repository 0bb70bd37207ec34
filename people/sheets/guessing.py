"""Which column of ours a header means that is none of our words: the long questions of forms, and words around ours.

For the desk only, where somebody looks at what was guessed before anything is read.
"""

import re
from collections.abc import Sequence

from people.sheets.cells import TICKS, UNTICKED, is_empty, ticked_name
from people.sheets.resource import SheetResource

# Whose column it is, where it is not the person's of the row.
OTHERS = {"assistant", "company", "emergency", "employer", "guardian", "manager", "organisation", "organization"}
OTHERS |= {"parent", "school", "supervisor", "university"}
# Shorter words stand in questions about anything: "to", "day".
SHORTEST = 4


# Found by what is in it where no header tells, if there is just one.
ADDRESSES = {"email", "mentor"}
# What a form writes where it did not ask.
UNASKED = "anonymous"


def guess(resource: type[SheetResource], headers: list[str], samples: Sequence[Sequence[str]] = ()) -> list[str]:
    """Our name for each header, or "". ``samples``: a few rows; what is empty there is taken where nothing else is left."""
    columns = [[row[place] if place < len(row) else "" for row in samples] for place in range(len(headers))]
    said = [
        header if not cells or not all(is_empty(cell) or cell.strip().lower() == UNASKED for cell in cells) else ""
        for header, cells in zip(headers, columns, strict=True)
    ]
    ours, otherwise = _guess(resource, said), _guess(resource, headers)
    ours = [one or (other if other not in ours else "") for one, other in zip(ours, otherwise, strict=True)]
    if resource.joined:
        names = resource.listed_names()
        for place, cells in enumerate(columns):
            ticks = all(is_empty(cell) or cell.strip().lower() in TICKS | UNTICKED for cell in cells)
            if not ours[place] and ticks and ticked_name(headers[place]).lower() in names:
                ours[place] = resource.joined[0]
    for column in ADDRESSES & resource.columns.keys() - set(ours):
        found = [
            place for place, cells in enumerate(columns) if not ours[place] and _are_addresses(cells, headers[place], resource)
        ]
        if len(found) == 1:
            ours[found[0]] = column
    # The whole name says less than its parts, and would be in their way.
    if "name" in ours and {"first_name", "last_name"} <= set(ours):
        ours[ours.index("name")] = ""
    return ours


def _are_addresses(cells: list[str], header: str, resource: type[SheetResource]) -> bool:
    said = [cell for cell in cells if not is_empty(cell)]
    return bool(said) and all(cell.count("@") == 1 for cell in said) and not set(_words(header)) & (OTHERS | resource.others)


def _guess(resource: type[SheetResource], headers: list[str]) -> list[str]:
    """Those we know, and then those that hold what we know, the longest first."""
    ours = resource.recognise(headers)
    # "When can you? [Monday]"
    asked = resource.recognise([ticked_name(header) if header.endswith("]") else "" for header in headers])
    ours = [one or (other if other not in ours else "") for one, other in zip(ours, asked, strict=True)]
    found = []
    for place, header in enumerate(headers):
        words = _words(header)
        if ours[place] or set(words) & (OTHERS | resource.others):
            continue
        for column, names in resource.columns.items():
            held = [len(name) for name in map(_words, names) if _holds(words, name, resource.alone)]
            if held:
                found.append((-max(held), place, column))
    for _length, place, column in sorted(found):
        if not ours[place] and (column not in ours or column in resource.joined):
            ours[place] = column
    return ours


def _words(header: str) -> list[str]:
    """Without what stands in brackets, if anything else does."""
    # "Name2" is how a form calls a second one.
    text = re.sub(r"(?<=[a-z])[0-9]+\b", "", header.lower())
    return re.findall(r"\w+", re.sub(r"\(.*?\)|\[.*?\]", " ", text).replace("_", " ")) or re.findall(r"\w+", text)


def _holds(words: list[str], name: list[str], alone: frozenset[str]) -> bool:
    if len("".join(name)) < SHORTEST or " ".join(name) in alone:
        return False
    return any(words[at : at + len(name)] == name for at in range(len(words) - len(name) + 1))

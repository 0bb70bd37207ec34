"""Which column of ours a header means that is none of our words: the long questions of forms, and words around ours.

For the desk only, where somebody looks at what was guessed before anything is read.
"""

import re

from people.sheets.resource import SheetResource

# Whose column it is, where it is not the person's of the row.
OTHERS = {"assistant", "company", "emergency", "employer", "guardian", "manager", "organisation", "organization"}
OTHERS |= {"parent", "school", "supervisor", "university"}
# Shorter words stand in questions about anything: "to", "day".
SHORTEST = 4


def guess(resource: type[SheetResource], headers: list[str]) -> list[str]:
    """Our name for each header, or "": those we know, and then those that hold what we know, the longest first."""
    ours = resource.recognise(headers)
    found = []
    for place, header in enumerate(headers):
        words = _words(header)
        if ours[place] or set(words) & (OTHERS | resource.others):
            continue
        for column, names in resource.columns.items():
            held = [len(name) for name in map(_words, names) if _holds(words, name)]
            if held:
                found.append((-max(held), place, column))
    for _length, place, column in sorted(found):
        if not ours[place] and (column not in ours or column in resource.joined):
            ours[place] = column
    # The whole name says less than its parts, and would be in their way.
    if "name" in ours and {"first_name", "last_name"} <= set(ours):
        ours[ours.index("name")] = ""
    return ours


def _words(header: str) -> list[str]:
    """Without what stands in brackets, if anything else does."""
    text = header.lower()
    return re.findall(r"\w+", re.sub(r"\(.*?\)|\[.*?\]", " ", text).replace("_", " ")) or re.findall(r"\w+", text)


def _holds(words: list[str], name: list[str]) -> bool:
    if len("".join(name)) < SHORTEST:
        return False
    return any(words[at : at + len(name)] == name for at in range(len(words) - len(name) + 1))

"""The conditions in an object's status."""


def conditions_of(found):
    """By type, in the API's own words; a status that nobody has written yet may hold none, or null in their place."""
    conditions = (found or {}).get("status", {}).get("conditions") or []
    return {each["type"]: each for each in conditions}


def is_true(found, kind):
    return conditions_of(found).get(kind, {}).get("status") == "True"

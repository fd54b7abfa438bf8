"""The MJML that templates may use: tags, their attributes, and what they may stand in.

From the MJML 5 component definitions, without what makes no text-first message: carousels,
accordions, forms. `mj-include` and `mj-font` are left out on purpose, see `REFUSED`.
"""

from collections.abc import Mapping

_PADDING = frozenset(("padding", "padding-top", "padding-right", "padding-bottom", "padding-left"))
_BORDER = frozenset(
    ("border", "border-top", "border-right", "border-bottom", "border-left", "border-radius")
)
_FONT = frozenset(
    (
        *("color", "font-family", "font-size", "font-style", "font-weight", "letter-spacing"),
        *("line-height", "text-decoration", "text-transform"),
    )
)
_BACKGROUND = frozenset(
    (
        *("background-color", "background-url", "background-repeat", "background-size"),
        *("background-position", "background-position-x", "background-position-y"),
    )
)
_BLOCK = _PADDING | {"align", "container-background-color", "css-class", "mj-class"}

# Tag -> its attributes. `mj-all`, `mj-class` and a tag inside `mj-attributes` take any of them.
ATTRIBUTES: Mapping[str, frozenset[str]] = {
    "mjml": frozenset(("lang", "dir", "owa")),
    "mj-head": frozenset(),
    "mj-title": frozenset(),
    "mj-preview": frozenset(),
    "mj-attributes": frozenset(),
    "mj-style": frozenset(),
    "mj-breakpoint": frozenset(("width",)),
    "mj-body": frozenset(("background-color", "css-class", "width", "mj-class")),
    "mj-raw": frozenset(("position",)),
    "mj-wrapper": _PADDING
    | _BORDER
    | _BACKGROUND
    | {"css-class", "full-width", "mj-class", "text-align"},
    "mj-section": _PADDING
    | _BORDER
    | _BACKGROUND
    | {"css-class", "direction", "full-width", "mj-class", "text-align"},
    "mj-group": frozenset(
        ("background-color", "css-class", "direction", "mj-class", "vertical-align", "width")
    ),
    "mj-column": _PADDING
    | _BORDER
    | {"background-color", "css-class", "mj-class", "vertical-align", "width"}
    | {"inner-background-color", "inner-border", "inner-border-radius"},
    "mj-text": _BLOCK | _FONT | {"height", "vertical-align"},
    "mj-button": _BLOCK
    | _FONT
    | _BORDER
    | {"background-color", "height", "href", "inner-padding", "name", "rel", "target"}
    | {"text-align", "vertical-align", "width"},
    "mj-image": _BLOCK
    | _BORDER
    | {"alt", "fluid-on-mobile", "font-size", "height", "href", "max-height", "name", "rel"}
    | {"sizes", "src", "srcset", "target", "title", "usemap", "width"},
    "mj-divider": _BLOCK | {"border-color", "border-style", "border-width", "width"},
    "mj-spacer": _BLOCK | {"height", "width"},
    "mj-table": _BLOCK
    | _FONT
    | {"border", "cellpadding", "cellspacing", "role", "table-layout", "vertical-align", "width"},
    "mj-all": frozenset(),
    "mj-class": frozenset(("name",)),
}

_HEAD = frozenset(("mj-head",))
_CONTENT = frozenset(("mj-column",))

# Tag -> the MJML tags it may stand in directly.
PARENTS: Mapping[str, frozenset[str]] = {
    "mj-head": frozenset(("mjml",)),
    "mj-body": frozenset(("mjml",)),
    "mj-title": _HEAD,
    "mj-preview": _HEAD,
    "mj-attributes": _HEAD,
    "mj-style": _HEAD,
    "mj-breakpoint": _HEAD,
    "mj-all": frozenset(("mj-attributes",)),
    "mj-class": frozenset(("mj-attributes",)),
    "mj-raw": frozenset(("mj-head", "mj-body", "mj-wrapper", "mj-section", "mj-column")),
    "mj-wrapper": frozenset(("mj-body",)),
    "mj-section": frozenset(("mj-body", "mj-wrapper")),
    "mj-group": frozenset(("mj-section",)),
    "mj-column": frozenset(("mj-section", "mj-group")),
    **dict.fromkeys(
        ("mj-text", "mj-button", "mj-image", "mj-divider", "mj-spacer", "mj-table"), _CONTENT
    ),
}

# HTML stands in these; elsewhere MRML copies it to where no browser expects it.
HOLDS_HTML = frozenset(("mj-text", "mj-button", "mj-table", "mj-raw"))

REFUSED: Mapping[str, str] = {
    "mj-include": 'use {% include "file.mjml" %}: a cycle of mj-include ends the process',
    "mj-font": "a font from the network tells a third party who reads; use the reader's own",
    "script": "no mail program runs it, and filters distrust it",
    "iframe": "no mail program shows it",
    "object": "no mail program shows it",
    "embed": "no mail program shows it",
    "form": "most mail programs drop it; link to a page instead",
    "link": "it loads something from the network",
}

VOID = frozenset(
    ("area", "base", "br", "col", "hr", "img", "input", "link", "meta", "source", "track", "wbr")
)

# MRML adds a stylesheet of a font service when it finds one of these names.
REMOTE_FONTS = ("roboto", "open sans", "lato", "droid sans", "ubuntu")

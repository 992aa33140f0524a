"""Entries put into the text of a YAML file; every other character stays as it is.

ruamel.yaml finds the places. Its own round trip is not for this: it rewrites what it does not mean
to change (``null``), and moves the comments below the last entry of a section.
"""

import io
import sys
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.nodes import CollectionNode, MappingNode, Node, SequenceNode

from ganvae.core.errors import ConfigError


def flow(key: str, value: Any) -> str:
    """``key: value`` in one line of YAML, lists and mappings in brackets."""
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = True
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]  # declared as None
    yaml.width = sys.maxsize
    text = io.StringIO()
    yaml.dump({key: value}, text)
    return text.getvalue().strip()[1:-1]


def block(key: str, values: Mapping[str, Any]) -> list[str]:
    """``key:`` and below it a line for each of ``values``; one line if there are none."""
    if not values:
        return [flow(key, {})]
    return [f"{key}:", *(f"  {flow(*item)}" for item in values.items())]


def put_entries(
    text: str, section: str, lines: Sequence[str], replaced: Collection[str] = ()
) -> str:
    """Put lines into a top-level section: in place of entries, or else at its end.

    Args:
        lines: whole entries, not indented.
        replaced: keys of the section whose entries go.

    Raises:
        ConfigError: the section is not there, or is not written as one line or more an entry.
    """
    node = _section(text, section)
    if not isinstance(node, MappingNode) or (node.flow_style and node.value):
        raise ConfigError(f"{section}: cannot be added to: write one line or more an entry.")
    if not node.value:
        head = text[: node.start_mark.index].rstrip(" ")
        text = head + text[node.end_mark.index :]
        return _insert(text, _line_end(text, len(head)), lines, indent=2)
    indent = node.value[0][0].start_mark.column
    spans = [
        (key.start_mark.index - indent, _line_end(text, _end(text, value)))
        for key, value in node.value
        if key.value in replaced
    ]
    if not spans:
        return _insert(text, _line_end(text, _end(text, node)), lines, indent)
    for start, end in reversed(spans[1:]):
        text = text[:start] + text[end + 1 :]
    start, end = spans[0]
    return _insert(text[: start - 1] + text[end:], start - 1, lines, indent)


def append_item(text: str, section: str, item: str) -> str:
    """Append to a top-level list, in brackets or with an item a line.

    Raises:
        ConfigError: the list is not there, or is none.
    """
    node = _section(text, section)
    if not isinstance(node, SequenceNode):
        raise ConfigError(f"{section}: cannot be added to: write a list.")
    if not node.value:
        return f"{text[: node.start_mark.index]}[{item}]{text[node.end_mark.index :]}"
    last = node.value[-1]
    if node.flow_style:
        return f"{text[: last.end_mark.index]}, {item}{text[last.end_mark.index :]}"
    indent = node.start_mark.column
    return _insert(text, _line_end(text, _end(text, last)), [f"- {item}"], indent)


def _section(text: str, name: str) -> Node:
    top = YAML(typ="safe", pure=True).compose(text)
    if isinstance(top, MappingNode):
        for key, value in top.value:
            if key.value == name:
                return value
    raise ConfigError(f"{name}: missing; it has to be there, empty if need be.")


def _end(text: str, node: Node) -> int:
    """Index after a node's last character; a block's own mark stands further below."""
    if isinstance(node, CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        return _end(text, last[1] if isinstance(node, MappingNode) else last)
    return len(text[: node.end_mark.index].rstrip())


def _line_end(text: str, index: int) -> int:
    """Index of the line break after ``index``, or of the text's end."""
    found = text.find("\n", index)
    return len(text) if found < 0 else found


def _insert(text: str, index: int, lines: Sequence[str], indent: int) -> str:
    """Text with lines below the one that ends at ``index``."""
    return text[:index] + "".join(f"\n{' ' * indent}{line}" for line in lines) + text[index:]

"""YAML to plain data, with the line of every key, and with what is wrong before any key has a meaning."""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import yaml
from yaml.constructor import SafeConstructor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

KeyPath: TypeAlias = tuple[str | int, ...]

_MAX_DEPTH: Final = 32
_TOO_DEEP: Final = f"nested more than {_MAX_DEPTH} levels deep"
_TOO_LARGE: Final = "is too large with its aliases (*…) replaced by what they stand for"
_MAX_SIZE: Final = 8 * 1024 * 1024  # with all aliases replaced by what they stand for
_MAX_INTEGER: Final = 2**63 - 1
_NODE_SIZE: Final = 16
_TAG: Final = "tag:yaml.org,2002:"
_MERGE: Final = f"{_TAG}merge"
_TEXTS: Final = frozenset(f"{_TAG}{name}" for name in ("str", "timestamp", "value"))
_NUMBERS: Final[Mapping[str, Callable[[SafeConstructor, yaml.ScalarNode], Any]]] = {
    f"{_TAG}bool": SafeConstructor.construct_yaml_bool,
    f"{_TAG}int": SafeConstructor.construct_yaml_int,
    f"{_TAG}float": SafeConstructor.construct_yaml_float,
}
_SCALARS: Final = _TEXTS | _NUMBERS.keys() | {_MERGE, f"{_TAG}null"}
_QUOTED: Final = re.compile(r"['\"]([^'\"]*)['\"]")
_HARMLESS: Final = re.compile(r"<[a-z ]+>|.{0,2}")  # names of tokens, single characters


@dataclass(frozen=True, slots=True)
class Issue:
    """Something that is wrong.

    Attributes:
        path: keys and indices that lead to it.
        message: what is wrong, and what would be right.
        line: where it stands, or None for the line of its path.
    """

    path: KeyPath
    message: str
    line: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """What a file says, as far as it could be read.

    Attributes:
        data: mappings, lists, text, numbers, booleans and None; None for a file that says nothing.
        lines: of each key and entry, counted from 1.
        issues: what is wrong already.
    """

    data: Any = None
    lines: Mapping[KeyPath, int] = field(default_factory=dict)
    issues: tuple[Issue, ...] = ()

    def line(self, path: KeyPath) -> int:
        """Return the line of ``path``, or of the nearest above it that stands in the file."""
        return next((self.lines[path[:n]] for n in range(len(path), 0, -1) if path[:n] in self.lines), 1)


def mapping(value: Any) -> Mapping[str, Any]:
    """Return ``value`` where it is a mapping, and else an empty one: what has the wrong type is a fault already."""
    return value if isinstance(value, dict) else {}


def read_document(text: str) -> Document:
    """Read YAML; what cannot be read is left out, and told of in the document's issues."""
    try:
        node, size = _compose(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        return _unreadable(_problem(error), line=mark.line + 1 if mark else 1)
    except yaml.reader.ReaderError as error:
        return _unreadable("holds a character that YAML does not allow", line=text.count("\n", 0, error.position) + 1)
    if size > _MAX_SIZE:  # before a walk over all that it stands for, which is longer than the text in any measure
        return _unreadable(_TOO_LARGE, line=1)
    return Document() if node is None else _Walk().document(node)


def _compose(text: str) -> tuple[yaml.Node | None, int]:
    """Return the tree, and its size with each alias replaced by what it stands for."""
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        return node, loader.size_of(node)
    except (ValueError, OverflowError):  # "\UFFFFFFFF"
        raise yaml.MarkedYAMLError(
            problem="an escape stands for no character", problem_mark=loader.get_mark()
        ) from None
    finally:
        loader.dispose()


def _unreadable(message: str, *, line: int) -> Document:
    return Document(issues=(Issue((), message, line),))


def _problem(error: yaml.MarkedYAMLError) -> str:
    """Say what is wrong, without what it quotes: a password without quotes may begin as an alias or a tag does."""
    problem = error.problem or ""
    if problem.startswith("but "):
        problem = f"{error.context} {problem}"
    if any(word in problem for word in ("alias", "anchor", "tag", "cannot start", "could not find expected")):
        problem += "; text with special characters goes in quotes"
    return "is no YAML: " + _QUOTED.sub(lambda quoted: quoted[0] if _HARMLESS.fullmatch(quoted[1]) else "'…'", problem)


class _Loader(yaml.SafeLoader):
    """Composes nodes to a bounded depth, and counts how much they stand for."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._depth = 0
        self._sizes: dict[int, int] = {}

    def size_of(self, node: yaml.Node | None) -> int:
        """Return the size of a node; one inside of itself has none yet, and the walk goes no further there."""
        return self._sizes.get(id(node), 0)

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise yaml.MarkedYAMLError(problem=_TOO_DEEP, problem_mark=self.get_mark())
        is_alias = self.check_event(yaml.AliasEvent)
        try:
            node = super().compose_node(parent, index)
        finally:
            self._depth -= 1
        if node is not None and not is_alias:
            self._sizes[id(node)] = min(_own_size(node) + sum(map(self.size_of, _children(node))), _MAX_SIZE + 1)
        return node


def _children(node: yaml.Node) -> Iterable[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        return chain.from_iterable(node.value)
    return node.value if isinstance(node, yaml.SequenceNode) else ()


def _own_size(node: yaml.Node) -> int:
    return _NODE_SIZE + (len(node.value) if isinstance(node, yaml.ScalarNode) else 0)


class _TooLargeError(Exception):
    """What the aliases stand for is too much."""


class _Walk:
    """One walk over a tree of nodes, in which an alias is the node that it stands for."""

    def __init__(self) -> None:
        self._lines: dict[KeyPath, int] = {}
        self._issues: list[Issue] = []
        self._above: set[int] = set()
        self._size = 0

    def document(self, node: yaml.Node) -> Document:
        data = None
        try:
            data = self._value(node, ())
        except _TooLargeError:
            self._issues.append(Issue((), _TOO_LARGE))
        return Document(data=data, lines=self._lines, issues=tuple(self._issues))

    def _value(self, node: yaml.Node, path: KeyPath) -> Any:
        self._lines.setdefault(path, _line(node))
        with self._inside(node, path) as enter:
            if not enter:
                return None
            if isinstance(node, yaml.MappingNode) and node.tag == f"{_TAG}map":
                mapping: dict[str, Any] = {}
                self._fill(mapping, node, path)
                return mapping
            if isinstance(node, yaml.SequenceNode) and node.tag == f"{_TAG}seq":
                return [self._value(child, (*path, index)) for index, child in enumerate(node.value)]
            if isinstance(node, yaml.ScalarNode) and node.tag in _SCALARS:
                return self._scalar(node, path)
            self._issues.append(Issue(path, "has a tag (!…), which means nothing here; text with a ! goes in quotes"))
            return None

    def _fill(self, into: dict[str, Any], node: yaml.MappingNode, path: KeyPath) -> None:
        """Add the keys of ``node`` that are not there yet."""
        merges = []
        first: dict[str, int] = {}
        for key_node, value_node in node.value:
            self._count(key_node)
            if key_node.tag == _MERGE:
                merges.append(value_node)
                continue
            key = key_node.value
            if key_node.tag not in _TEXTS or not _is_text(key):
                self._issues.append(Issue(path, "has a key that is no text; put it in quotes", _line(key_node)))
                continue
            if key in first:
                again = Issue((*path, key), f"stands twice; the first is in line {first[key]}", _line(key_node))
                self._issues.append(again)
            elif key not in into:
                self._lines[*path, key] = _line(key_node)
                into[key] = self._value(value_node, (*path, key))
            first.setdefault(key, _line(key_node))
        for value_node in merges:
            for child in value_node.value if isinstance(value_node, yaml.SequenceNode) else [value_node]:
                if not isinstance(child, yaml.MappingNode):
                    self._issues.append(Issue(path, "has a << that merges no mapping", _line(value_node)))
                    continue
                with self._inside(child, path) as enter:
                    if enter:
                        self._fill(into, child, path)

    def _scalar(self, node: yaml.ScalarNode, path: KeyPath) -> Any:
        if node.tag == f"{_TAG}null":
            if len(path) > 1:  # a section may be empty, its entries commented out
                self._issues.append(Issue(path, "has no value; leave the key out where its default is meant"))
            return None
        if not _is_text(node.value):
            self._issues.append(Issue(path, "has an escape that stands for half a character"))
            return None
        if construct := _NUMBERS.get(node.tag):
            try:
                number = construct(SafeConstructor(), node)
            except (ValueError, IndexError, KeyError, OverflowError):  # as 0b_, or more digits than Python reads
                return node.value
            if abs(number) <= _MAX_INTEGER or isinstance(number, float):
                return number
            self._issues.append(Issue(path, "is a number with too many digits"))
            return None
        return node.value

    @contextmanager
    def _inside(self, node: yaml.Node, path: KeyPath) -> Iterator[bool]:
        """Tell whether the walk may go into ``node``, which it is then not to come upon again below itself."""
        self._count(node)
        if id(node) in self._above:
            self._issues.append(Issue(path, "refers to itself"))
            yield False
        elif len(self._above) > _MAX_DEPTH:
            self._issues.append(Issue(path, _TOO_DEEP))
            yield False
        else:
            self._above.add(id(node))
            yield True
            self._above.discard(id(node))

    def _count(self, node: yaml.Node) -> None:
        self._size += _own_size(node)
        if self._size > _MAX_SIZE:
            raise _TooLargeError


def _is_text(value: object) -> bool:
    return isinstance(value, str) and not any("\ud800" <= character <= "\udfff" for character in value)


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1

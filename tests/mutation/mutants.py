"""Modules with one thing changed each, by the operators of mutmut."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any, Final

import libcst as cst
from libcst import matchers as m
from mutmut.mutation.mutators import mutation_operators

from tests.mutation.verdict import Change

if TYPE_CHECKING:
    from collections.abc import Iterator

_TYPES: Final = m.Annotation() | m.Decorator() | m.Assign(value=m.Call(func=m.Name("auto")))
"""What no test can notice, or what is applied to a function while it is made, and has no operators."""
_ALIAS: Final = m.AnnAssign(annotation=m.Annotation(m.Name("TypeAlias")))
_CAST: Final = m.Call(func=m.Name("cast"))
_INSPECTION: Final = m.Call(func=m.Name("len") | m.Name("isinstance"))  # as mutmut has it: other arguments only raise
_PROSE: Final = m.Arg(keyword=m.Name("help"))


def mutants(source: str, *, path: str) -> dict[Change, list[str]]:
    """Return the sources of all mutants of a module, by the change of its text.

    More than one has the same change where the changed line stands in the module more than once.
    """
    found: dict[Change, list[str]] = {}
    for text in _texts(cst.parse_module(source)):
        sources = found.setdefault(_change(source, text, path=path), [])
        if text not in sources:
            sources.append(text)
    return found


def _texts(module: cst.Module) -> Iterator[str]:
    """Write the module with each change, one statement of its own level after the other."""
    header, footer = ("".join(map(module.code_for_node, lines)) for lines in (module.header, module.footer))
    statements = [module.code_for_node(statement) for statement in module.body]
    for place, statement in enumerate(module.body):
        visitor = _Visitor()
        statement.visit(visitor)
        for original, mutated in visitor.found:
            changed = module.code_for_node(cst.ensure_type(statement.deep_replace(original, mutated), cst.CSTNode))
            yield "".join((header, *statements[:place], changed, *statements[place + 1 :], footer))


class _Visitor(cst.CSTVisitor):  # type: ignore[misc]  # `make types` does not know it
    """Gathers what can stand in the place of what, functions with decorators and the module's own level included.

    mutmut's own visitor leaves both out, since mutmut chooses a mutant when a function is called.
    """

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[cst.CSTNode, cst.CSTNode]] = []
        self._functions = 0

    def on_visit(self, node: cst.CSTNode) -> bool:
        if m.matches(node, _TYPES | _ALIAS | _PROSE):
            return False
        if m.matches(node, _CAST):
            cst.ensure_type(node, cst.Call).args[1].visit(self)
            return False
        if not m.matches(node, _INSPECTION):
            for kind, operator in mutation_operators:
                if isinstance(node, kind):
                    self.found.extend((node, mutated) for mutated in operator(node))
        self._functions += isinstance(node, cst.FunctionDef)
        if isinstance(node, cst.List | cst.Set | cst.Dict) or (isinstance(node, cst.Tuple) and not self._functions):
            self.found.extend((node, shorter) for shorter in _without_one(node))
        return True

    def on_leave(self, original_node: cst.CSTNode) -> None:
        self._functions -= isinstance(original_node, cst.FunctionDef)


def _without_one(display: Any) -> Iterator[cst.CSTNode]:
    """Leave out one element of a table after the other, which no operator of mutmut does."""
    elements = display.elements
    for place in range(len(elements)):
        yield display.with_changes(elements=[*elements[:place], *elements[place + 1 :]])


def _change(source: str, mutated: str, *, path: str) -> Change:
    """Return the lines that differ; there are some, or the mutant is none."""
    before, after = source.splitlines(), mutated.splitlines()
    _, _, *lines = difflib.unified_diff(before, after, n=0, lineterm="")
    return Change(path, *("\n".join(line[1:].strip() for line in lines if line[0] == sign) for sign in "-+"))

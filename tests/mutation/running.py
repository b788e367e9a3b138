"""Runs tests against the source of a mutant, in a process of its own that has loaded the libraries before."""

from __future__ import annotations

import gc
import importlib.abc
import importlib.util
import multiprocessing
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from importlib.machinery import ModuleSpec, SourceFileLoader
from typing import TYPE_CHECKING, Final

from tests.mutation.scope import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from types import CodeType, ModuleType

    from tests.mutation.scope import Scope

_LIBRARIES: Final = (
    *("pytest", "_hypothesis_pytestplugin", "pytest_aiohttp.plugin", "pytest_asyncio.plugin", "pytest_timeout"),
    *("aioresponses", "blockbuster", "hypothesis.strategies", "msgspec", "prometheus_client.openmetrics.exposition"),
    *("pydantic", "re2", "yaml"),
)
_PYTEST: Final = (
    *("-x", "-qq", "-p", "no:cacheprovider", "-p", "no:xdist", "--hypothesis-profile=mutation"),
    *("-W", "ignore::pytest.PytestAssertRewriteWarning"),  # plugins that are loaded already
)
_PASSED: Final = 100  # what pytest ends with is added to it: nothing else that goes wrong ends with such a code


class CannotRunError(Exception):
    """The tests do not pass as they are, or could not be run."""


class Runner:
    """Runs the tests of modules, as many at once as there are processors.

    Args:
        limit: how many seconds a mutant may take where the module itself takes so many; the machine may be busy.
    """

    def __init__(self, *, limit: Callable[[float], float] = lambda seconds: 10 * seconds + 20) -> None:
        self._limit = limit
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(list(_LIBRARIES))

    def survivors(self, scope: Scope, sources: Sequence[str]) -> Iterator[bool]:
        """Tell of each mutant of a module whether its tests pass with it, in the order of the mutants.

        One that takes longer than the limit does not pass: it may have no end.

        Raises:
            CannotRunError: the tests fail without a mutant, or there are none.
        """
        began = time.monotonic()
        if not self._passes(scope, None, seconds=600):
            raise CannotRunError(f"without a mutant this fails: pytest {' '.join(scope.tests)}")
        seconds = self._limit(time.monotonic() - began)
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            yield from pool.map(lambda source: self._passes(scope, source, seconds=seconds), sources)

    def _passes(self, scope: Scope, source: str | None, *, seconds: float) -> bool:
        process = self._context.Process(target=_test, args=(scope, source))
        process.start()
        process.join(seconds)
        if process.exitcode is None:
            process.kill()
            process.join()
            return False
        if 0 <= process.exitcode < _PASSED:
            raise CannotRunError(f"pytest does not run for {scope.path}")
        return process.exitcode == _PASSED


def _test(scope: Scope, source: str | None) -> None:
    """Run the tests of a module with another source; exit with pytest's code and 100, which no other failure gives."""
    import pytest  # noqa: PLC0415 - loaded in this process already, and in no other
    from hypothesis import HealthCheck, Phase, settings  # noqa: PLC0415 - the same

    settings.register_profile(
        "mutation",
        database=None,
        derandomize=True,  # the same examples for each mutant
        phases=[Phase.explicit, Phase.generate],  # that one fails is enough: it need not be the simplest
        deadline=None,  # the machine may be busy
        suppress_health_check=[HealthCheck.too_slow],
    )
    if source is not None:
        sys.meta_path.insert(0, _Finder(scope, source))
    silent = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silent, sys.stdout.fileno())
    os.dup2(silent, sys.stderr.fileno())
    os.chdir(ROOT)
    gc.freeze()  # pytest looks for garbage at its end: not among what was loaded before
    sys.exit(_PASSED + pytest.main([*_PYTEST, *scope.tests]))


class _Finder(importlib.abc.MetaPathFinder):
    """Finds one module, with another source in place of its file's."""

    def __init__(self, scope: Scope, source: str) -> None:
        self._scope = scope
        self._source = source

    def find_spec(self, fullname: str, _path: object, _target: ModuleType | None = None) -> ModuleSpec | None:
        if fullname != self._scope.name:
            return None
        file = str(self._scope.file)
        return importlib.util.spec_from_file_location(fullname, file, loader=_Loader(fullname, file, self._source))


class _Loader(SourceFileLoader):
    def __init__(self, name: str, file: str, source: str) -> None:
        super().__init__(name, file)
        self._source = source

    def get_code(self, _fullname: str) -> CodeType:
        """Compile the source: the file's own may be cached."""
        code: CodeType = self.source_to_code(self._source.encode(), self.path)
        return code

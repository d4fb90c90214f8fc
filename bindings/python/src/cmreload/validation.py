"""Who may veto a version, and what of an exception is told about it: never the value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .errors import Error, RejectedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .snapshot import Snapshot


class Veto(Exception):
    """What a validator of one key raised, and the key."""

    def __init__(self, key: str, problem: Exception) -> None:
        super().__init__(key)
        self.key = key
        self.problem = problem


def of_values(paths: tuple[str, ...], validate: Callable[[Any], Any]) -> Callable[[Snapshot], None]:
    """A check of candidates that shows a function the values at some paths, where there are any."""

    def check(candidate: Snapshot) -> None:
        for path in paths:
            value = candidate.get(path, candidate)
            if value is candidate:
                continue
            try:
                validate(value)
            except Exception as problem:
                raise Veto(path, problem) from problem

    return check


def rejection(problem: BaseException) -> RejectedError:
    """The rejection that an exception means, with that as its cause where it is harmless."""
    if isinstance(problem, Veto):
        rejected = rejection(problem.problem)
        rejected.key = problem.key
        return rejected
    if isinstance(problem, RejectedError):
        return problem
    if isinstance(problem, Error):
        rejected = RejectedError(problem.message, key=problem.key)
    elif _is_pydantic(problem):
        key, message = next(_findings(problem))
        return RejectedError(message, key=key)
    else:
        rejected = RejectedError(str(problem) or type(problem).__name__)
    rejected.__cause__ = problem
    return rejected


def _is_pydantic(problem: Any) -> bool:
    return hasattr(problem, "errors") and type(problem).__module__.startswith("pydantic")


def _findings(problem: Any) -> Iterator[tuple[str, str]]:
    """What pydantic found, place by place, without the inputs that it quotes."""
    for found in problem.errors(include_input=False, include_url=False, include_context=False):
        yield ".".join(map(str, found["loc"])), found["msg"]

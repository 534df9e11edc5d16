"""Frozen value classes that cost little to define.

`@frozen` does what `dataclass(frozen=True, slots=True)` does for a class of plain fields, and type checkers
take it for that. Dataclasses write the source of each method and compile it, at every start of the process:
close to a millisecond a class. A command that answers in a few hundredths of a second cannot afford thirty of
them. Instances are made a little slower, so what is made by the million stays a dataclass.

>>> @frozen
... class Point:
...     x: int
...     y: int = 0
>>> Point(1), Point(1) == Point(1, y=0), Point(1) == (1, 0)
(Point(x=1, y=0), True, False)
>>> match Point(2, 3):
...     case Point(x, y):
...         print(x, y)
2 3
>>> Point(1).x = 2
Traceback (most recent call last):
    ...
dataclasses.FrozenInstanceError: cannot assign to field 'x'
>>> Point()
Traceback (most recent call last):
    ...
TypeError: Point(x, y) cannot be made of () and {}
"""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Any, NoReturn, TypeVar, dataclass_transform

__all__ = ["frozen"]

T = TypeVar("T")


@dataclass_transform(frozen_default=True)
def frozen(cls: type[T]) -> type[T]:
    """Return the class with slots for its annotated fields; its equality, hash, repr and pickle are by their
    values.

    Fields are those of the class's own body, in its order; its bases must have none. A field that is given a
    value in the body may be left out when an instance is made.
    """
    names = tuple(cls.__annotations__)
    defaults = {name: cls.__dict__[name] for name in names if name in cls.__dict__}
    left = {"__dict__", "__weakref__", *names}
    body = {key: value for key, value in cls.__dict__.items() if key not in left}
    metaclass: Any = type(cls)
    made = metaclass(
        cls.__name__,
        cls.__bases__,
        _methods(names) | body | {"__slots__": names, "__match_args__": names},
    )
    made.__qualname__ = cls.__qualname__
    # The slots' own setters are the way past a class that refuses to be assigned to.
    made.__init__ = _maker(names, defaults, [made.__dict__[name].__set__ for name in names])
    return made  # type: ignore[no-any-return]


def _values(names: tuple[str, ...]) -> Callable[[Any], tuple[Any, ...]]:
    """Return what gives the values of an instance, in the order of its fields."""
    if len(names) > 1:
        return attrgetter(*names)
    return lambda self: tuple(getattr(self, name) for name in names)


def _maker(
    names: tuple[str, ...], defaults: dict[str, Any], setters: list[Callable[[Any, Any], None]]
) -> Callable[..., None]:
    size = len(names)

    def arguments(self: object, given: tuple[Any, ...], named: dict[str, Any]) -> list[Any]:
        held = defaults | dict(zip(names, given, strict=False)) | named
        twice = named.keys() & set(names[: len(given)])
        if len(given) > size or twice or held.keys() != set(names):
            called = f"{type(self).__name__}({', '.join(names)})"
            raise TypeError(f"{called} cannot be made of {given!r} and {named!r}")
        return [held[name] for name in names]

    # What is left out at the end most often: the values of the fields from a place on, where all have one.
    ends = {
        place: tuple(defaults[name] for name in names[place:])
        for place in range(size + 1)
        if defaults.keys() >= set(names[place:])
    }

    def __init__(self: object, *given: Any, **named: Any) -> None:
        if named or (end := ends.get(len(given))) is None:
            given = tuple(arguments(self, given, named))
        elif end:
            given += end
        for put, value in zip(setters, given):  # noqa: B905  # as many, and quicker
            put(self, value)

    # Queries are made of small classes: for those no loop.
    if size == 1:
        (only,) = setters

        def __init1__(self: object, *given: Any, **named: Any) -> None:
            if named or len(given) != 1:
                __init__(self, *given, **named)
            else:
                only(self, given[0])

        return __init1__
    if size == 2:
        one, two = setters

        def __init2__(self: object, *given: Any, **named: Any) -> None:
            if named or len(given) != 2:
                __init__(self, *given, **named)
            else:
                one(self, given[0])
                two(self, given[1])

        return __init2__
    return __init__


def _methods(names: tuple[str, ...]) -> dict[str, Any]:
    values = _values(names)

    def __eq__(self: object, other: object) -> bool:
        return values(self) == values(other) if type(other) is type(self) else NotImplemented

    def __hash__(self: object) -> int:
        return hash(values(self))

    def __repr__(self: object) -> str:
        shown = ", ".join(f"{name}={value!r}" for name, value in zip(names, values(self), strict=True))
        return f"{type(self).__qualname__}({shown})"

    def __setattr__(self: object, name: str, value: object) -> NoReturn:
        from dataclasses import FrozenInstanceError

        raise FrozenInstanceError(f"cannot assign to field {name!r}")

    def __delattr__(self: object, name: str) -> NoReturn:
        from dataclasses import FrozenInstanceError

        raise FrozenInstanceError(f"cannot delete field {name!r}")

    def __reduce__(self: object) -> tuple[type, tuple[Any, ...]]:
        return type(self), values(self)

    made = (__eq__, __hash__, __repr__, __setattr__, __delattr__, __reduce__)
    return {method.__name__: method for method in made}

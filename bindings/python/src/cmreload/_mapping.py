"""A dict whose subclasses are read as fast as a dict.

A subclass of dict pays for every ``[key]``: dict has a method ``__getitem__``, and a class made by
a class statement looks it up by its name. A type that is made of a specification, PyType_FromSpec
in the stable ABI of CPython, has dict's own function in its slot, and its subclasses inherit that.
Where this cannot be done, before CPython 3.10 or elsewhere, dict itself serves, and a look-up costs
half as much again.
"""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING

MP_SUBSCRIPT = 5  # Py_mp_subscript in CPython's typeslots.h; part of the stable ABI
TPFLAGS_BASETYPE = 1 << 10  # Py_TPFLAGS_BASETYPE


class _Slot(ctypes.Structure):
    _fields_ = [("slot", ctypes.c_int), ("function", ctypes.c_void_p)]


class _Spec(ctypes.Structure):
    _fields_ = [
        ("name", ctypes.c_char_p),
        ("basicsize", ctypes.c_int),
        ("itemsize", ctypes.c_int),
        ("flags", ctypes.c_uint),
        ("slots", ctypes.POINTER(_Slot)),
    ]


_NAME = b"cmreload._mapping.FastDict"


def _make() -> type:
    try:
        get_slot = ctypes.pythonapi.PyType_GetSlot
        from_spec = ctypes.pythonapi.PyType_FromSpecWithBases
        get_slot.argtypes, get_slot.restype = [ctypes.py_object, ctypes.c_int], ctypes.c_void_p
        from_spec.argtypes = [ctypes.POINTER(_Spec), ctypes.py_object]
        from_spec.restype = ctypes.py_object
        slots = (_Slot * 2)(_Slot(MP_SUBSCRIPT, get_slot(dict, MP_SUBSCRIPT)))
        made: type = from_spec(_Spec(_NAME, 0, 0, TPFLAGS_BASETYPE, slots), (dict,))
        return made
    except (AttributeError, SystemError):
        return dict


if TYPE_CHECKING:
    FastDict = dict
else:
    FastDict = _make()

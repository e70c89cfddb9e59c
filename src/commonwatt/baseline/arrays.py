"""The array types of this room, named once. Shapes are told where the arrays are, as (meters, days, intervals)."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

FloatArray: TypeAlias = npt.NDArray[np.float64]
BoolArray: TypeAlias = npt.NDArray[np.bool_]
IntArray: TypeAlias = npt.NDArray[np.int64]
CodeArray: TypeAlias = npt.NDArray[np.uint8]
DateArray: TypeAlias = npt.NDArray[np.datetime64]

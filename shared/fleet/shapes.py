"""How usage runs over a day, for each kind of usage point.

The hourly values of households, trade and farms are the means of the quarter hours of the profiles H0, G0 and L0 of the
German association of the energy industry, as the data files of `demandlib` 0.2.2 (MIT) give them, in per cent of the
mean of the year. Street lights burn from dusk to dawn; what is fed in follows the height of the sun. A profile is what
a thousand households are together: what makes one of them spiky is in :mod:`~shared.fleet.metering`.
"""

from datetime import date
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

SLOTS = 96
"""A profile has a weight for each quarter hour of the clock."""

SEASONS, DAY_TYPES = 3, 3


class Kind(IntEnum):
    """What a usage point is; also the row of its profile."""

    HOUSEHOLD = 0
    TRADE = 1
    FARM = 2
    STREET_LIGHT = 3
    SOLAR = 4


_WORDS = {
    Kind.HOUSEHOLD: """
        51 38 35 34 34 41 79 114 117 108 102 104 115 114 101 92 92 113 146 164 148 124 102 76
        59 46 37 35 34 35 47 72 105 124 130 136 146 145 135 126 127 158 184 184 151 118 107 91
        69 49 40 36 34 34 36 44 78 122 153 178 181 152 119 102 94 110 137 155 140 119 101 74
        58 43 39 38 39 46 82 114 121 119 116 117 131 128 111 100 93 102 127 151 147 137 119 88
        64 49 41 38 38 40 51 82 114 132 143 151 159 156 142 130 129 140 161 174 158 129 122 102
        74 55 43 39 38 38 40 58 98 140 162 180 182 148 120 106 94 98 121 141 136 126 112 82
        65 48 44 41 43 52 86 114 124 126 122 125 138 134 116 104 101 107 125 145 146 138 127 98
        73 56 46 44 44 45 56 82 113 137 145 150 160 154 138 130 127 131 146 158 152 135 130 109
        79 58 48 44 44 43 45 61 99 141 164 181 184 154 126 109 95 96 111 133 140 132 123 95""",
    Kind.TRADE: """
        53 45 42 43 51 57 69 99 162 197 200 206 189 158 149 164 173 175 145 100 82 72 65 61
        64 63 56 55 57 61 69 102 146 166 175 178 170 148 111 82 72 78 83 83 80 73 66 59
        52 45 40 36 36 38 43 44 42 48 57 63 67 69 64 57 54 68 79 81 77 67 60 53
        59 52 48 48 57 65 70 93 150 182 184 190 177 150 142 154 157 154 124 87 78 74 70 67
        66 66 60 58 60 62 64 98 145 161 164 168 165 145 108 82 68 69 72 74 78 76 69 63
        56 49 42 38 38 39 39 43 46 52 59 66 71 70 64 57 53 62 69 72 76 71 63 56
        58 50 46 47 56 61 65 88 141 171 174 179 169 147 142 151 151 146 120 84 76 75 70 66
        66 65 59 58 60 62 66 98 138 151 155 159 155 136 101 76 66 65 68 68 73 73 67 62
        57 49 44 41 40 40 40 46 46 50 57 62 66 68 63 55 52 58 65 68 71 70 64 57""",
    Kind.FARM: """
        60 54 52 50 50 55 74 123 180 179 141 136 121 98 95 95 102 135 190 204 154 107 87 72
        64 61 56 52 50 53 63 104 164 185 159 150 130 100 85 77 80 111 167 195 150 103 84 68
        57 54 51 50 50 55 79 129 186 185 144 139 123 103 98 93 99 132 184 203 154 106 87 70
        58 51 49 48 47 52 73 123 172 156 122 124 111 92 89 87 89 107 155 178 145 108 88 71
        60 55 51 49 48 50 59 107 163 166 139 139 124 97 82 76 78 98 143 166 138 102 82 65
        55 51 48 48 48 52 76 127 174 163 127 128 117 94 88 84 84 106 154 175 147 111 88 69
        54 48 46 44 43 48 63 108 153 140 113 121 109 88 84 85 85 96 136 154 125 96 80 66
        57 52 47 45 44 45 53 93 146 149 125 127 112 87 75 71 72 85 124 141 116 89 73 60
        52 48 46 44 43 48 69 116 159 145 119 128 114 91 88 86 86 98 135 156 127 98 81 64""",
}
"""Winter, transition and summer; of each a working day, a Saturday and a Sunday."""

_NIGHTS = ((17, 8), (20, 6), (22, 5))
"""From which hour until which the street lights burn, by season."""

_SUN = ((8, 16, 40), (6, 19, 100), (5, 21, 150))
"""From which hour until which the sun is up, and how high at noon in per cent of spring, by season."""

_SUMMER, _AUTUMN, _WINTER, _SPRING = (5, 15), (9, 15), (11, 1), (3, 21)
"""The first days of the seasons of the profiles, as month and day."""


def season(day: date) -> int:
    """0 in winter, 1 between, 2 in summer."""
    at = (day.month, day.day)
    if at >= _WINTER or at < _SPRING:
        return 0
    return 2 if _SUMMER <= at < _AUTUMN else 1


def day_type(day: date) -> int:
    """0 on a working day, 1 on a Saturday, 2 on a Sunday."""
    return max(0, day.weekday() - 4)


def profiles() -> NDArray[np.int64]:
    """The weights [kind, season, day type, quarter hour], whole numbers of 0 to about 800."""
    hours = np.empty((len(Kind), SEASONS, DAY_TYPES, 24), np.int64)
    for kind, words in _WORDS.items():
        hours[kind] = np.array(words.split(), np.int64).reshape(SEASONS, DAY_TYPES, 24)
    of_day = np.arange(24)
    for number, (dusk, dawn) in enumerate(_NIGHTS):
        hours[Kind.STREET_LIGHT, number] = np.where((of_day >= dusk) | (of_day < dawn), 200, 1)
    for number, (rise, fall, noon) in enumerate(_SUN):
        height = np.maximum(0, (of_day - rise) * (fall - of_day))
        hours[Kind.SOLAR, number] = height * 4 * noon // (fall - rise) ** 2
    # between the middles of two hours the profile is a straight line: the parts are of eighths of an hour
    before, after = np.roll(hours, 1, axis=-1), np.roll(hours, -1, axis=-1)
    quarters = np.stack((3 * before + 5 * hours, before + 7 * hours, 7 * hours + after, 5 * hours + 3 * after), axis=-1)
    return quarters.reshape(*hours.shape[:-1], SLOTS) // 2

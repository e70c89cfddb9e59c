"""Which pass of the repeated autumn hour a local stamp belongs to, told by the order of the rows.

A file that holds the hour twice shows each stamp twice for one meter and quantity, one pass after the other (02:00 02:15 … 02:00 02:15 …)
or interleaved (02:00 02:00 02:15 02:15 …). In both the first occurrence is the first pass. A stamp that occurs once, or more than
twice, cannot be told: it is refused, unless the reader was told which pass is meant.

Labels of an interval's end need care at the edges of the hour, here 02:00 and 03:00. The interval that ends the first pass ends when
the clock, about to show 03:00, is put back to 02:00. Some meters print the new time (02:00 twice, 03:00 once), some the time that
follows from the start (02:00 once, 03:00 twice). Whichever edge occurs twice tells them apart.
"""

from __future__ import annotations

import polars as pl

from commonwatt.wire.csv_options import Label, Repeated

KEY = ("meter", "word")


def resolve(held: pl.DataFrame, *, label: Label, repeated: Repeated) -> pl.Series:
    """The instant of each row, null where it cannot be told. [s since 1970, UTC]

    Args:
        held: Every row of the file with a stamp in a repeated hour (for end labels: or at its end), in the order of the file, with the
            columns meter, word (the quantity as written), wall_s, first_s, second_s (the two instants it may mean, equal at the end
            of the hour), window_start, window_end (the hour on the wall).
        label: Which edge of the interval stamps name.
        repeated: What to do with a stamp that occurs once.
    """
    same_stamp = [*KEY, "wall_s"]
    counted = held.with_columns(
        times=pl.len().over(same_stamp),
        turn=pl.int_range(pl.len()).over(same_stamp),
        at_start=pl.col("wall_s") == pl.col("window_start"),
        at_end=pl.col("wall_s") == pl.col("window_end"),
    )
    by_turn = pl.when(turn=0).then("first_s").when(turn=1).then("second_s")
    once = {
        Repeated.FIRST: pl.col("first_s"),
        Repeated.SECOND: pl.col("second_s"),
        Repeated.REFUSE: pl.lit(None, pl.Int64),
    }[repeated]
    inside = pl.when(times=2).then(by_turn).when(times=1).then(once)
    if label is Label.START:
        return counted.select(inside.alias("stamp_s"))["stamp_s"]
    same_hour = [*KEY, "window_start"]
    counted = counted.with_columns(
        prints_following_time=(pl.col("at_end") & (pl.col("times") == 2)).any().over(same_hour)
        & ~(pl.col("at_start") & (pl.col("times") > 1)).any().over(same_hour)
    )
    hour = pl.col("window_end") - pl.col("window_start")
    at_end = pl.when(pl.col("prints_following_time") & (pl.col("turn") == 0)).then(pl.col("first_s") - hour).otherwise("first_s")
    at_start = pl.when("prints_following_time").then("first_s").otherwise(inside)
    stamp = pl.when("at_end").then(at_end).when("at_start").then(at_start).otherwise(inside)
    return counted.select(stamp.alias("stamp_s"))["stamp_s"]

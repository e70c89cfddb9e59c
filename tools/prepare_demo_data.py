"""Make the demo's data file from the two source archives; kept so that anyone can see what was done, and repeat it.

    python tools/prepare_demo_data.py --buildings electricity.parquet --homes electricity.parquet

Both inputs are long tables (`meter_id`, `ts_utc` = start of the hour, `kwh`). The output is one row per meter and local hour of a year of
52 whole weeks from Monday 2016-08-01, in whole watt-hours.
"""

from __future__ import annotations

import argparse
from datetime import date
from pathlib import Path

import polars as pl

FIRST_DAY = date(2016, 8, 1)
DAYS = 364
OUT = Path(__file__).resolve().parent.parent / "src/commonwatt/ops/demo/data/hourly.parquet"
BUILDINGS = ["ucam_b16", "ucam_b25", "ucam_b41", "ucam_b70", "ucam_b24", "ucam_b9", "ucam_b14", "ucam_b31"]
HOMES_LEFT_OUT = ["fontana_12", "fontana_15"]  # nothing but midday peaks: not the load of a home


def local_hours(frame: pl.DataFrame, zone: str) -> pl.DataFrame:
    """Energy by local date and hour label: the doubled autumn hour is averaged, the missing spring hour filled from its neighbours."""
    local = pl.col("ts_utc").dt.convert_time_zone(zone)
    labelled = frame.select(
        "meter_id",
        (local.dt.date() - FIRST_DAY).dt.total_days().alias("day"),
        local.dt.hour().cast(pl.Int64).alias("hour"),
        "kwh",
    )
    known = (
        labelled.filter(pl.col("day").is_between(0, DAYS - 1))
        .with_columns((pl.col("day") * 24 + pl.col("hour")).alias("hour_of_year"))
        .group_by("meter_id", "hour_of_year")
        .agg(pl.col("kwh").cast(pl.Float64).mean())
    )
    grid = known.select(pl.col("meter_id").unique()).join(pl.DataFrame({"hour_of_year": range(DAYS * 24)}), how="cross")
    return (
        grid.join(known, on=["meter_id", "hour_of_year"], how="left")
        .sort("meter_id", "hour_of_year")
        .with_columns(pl.col("kwh").interpolate().over("meter_id"))
    )


def main() -> None:
    """Read both archives, keep the chosen meters, write whole watt-hours."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--buildings", type=Path, required=True)
    parser.add_argument("--homes", type=Path, required=True)
    given = parser.parse_args()
    buildings = pl.read_parquet(given.buildings).filter(pl.col("meter_id").is_in(BUILDINGS))
    # The archive replaced missing readings by 0: an isolated zero takes the mean of its neighbours.
    buildings = buildings.sort("meter_id", "ts_utc").with_columns(
        pl.when(pl.col("kwh") > 0).then("kwh").interpolate().over("meter_id").alias("kwh")
    )
    homes = pl.read_parquet(given.homes).filter(~pl.col("meter_id").is_in(HOMES_LEFT_OUT))
    frame = pl.concat([local_hours(buildings, "Europe/London"), local_hours(homes, "America/Los_Angeles")])
    out = frame.select("meter_id", pl.col("hour_of_year").cast(pl.Int16), (pl.col("kwh") * 1000).round().cast(pl.Int32).alias("energy_wh"))
    out.write_parquet(OUT, compression="zstd", compression_level=19, statistics=False)
    print(f"{OUT.name}: {out.height} rows, {out['meter_id'].n_unique()} meters, {OUT.stat().st_size} bytes")


if __name__ == "__main__":
    main()

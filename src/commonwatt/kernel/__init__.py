"""Time, intervals, units, money and ids: pure, and imported by every other room."""

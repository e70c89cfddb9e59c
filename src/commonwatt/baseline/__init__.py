"""Customer baselines: what a meter would have used without the event. Pure numbers, no Django.

`rules` (rulebooks as data), `programs` (the ones that ship), `engine` (runs them), `reasons` (names for every outcome),
`calendars` (whose holidays count), `accuracy` (how good a baseline is).
"""

"""The commands: faces that parse, call one action, and report. Data on standard output, talk on standard error."""

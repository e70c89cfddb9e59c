"""The pages, by whom they are for."""

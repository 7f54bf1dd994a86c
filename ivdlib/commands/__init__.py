"""The commands of `ivdlib`, a group of them in each module; `cli` puts them together."""

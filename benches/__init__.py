"""How the engine compares with other ways of timing a model; `make bench-engine`."""

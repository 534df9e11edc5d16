"""How good the answers are: query sets with judgements, asked of the engine and scored. See ../README.md."""

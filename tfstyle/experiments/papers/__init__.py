"""One module for each paper that is reproduced."""

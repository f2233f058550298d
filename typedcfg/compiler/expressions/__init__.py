"""The language inside `${...}`: from a text to a small tree, and from the tree to a value. Nothing is executed."""

"""Completion: what may stand where the cursor is, for bash, zsh and fish.

The scripts beside this file send the command line as it stands to `typedcfg complete`, and show what comes back.
Libraries for completion (argcomplete, shtab) speak for a parser of argparse, and know its options beforehand; here
nearly everything that can be completed follows from the template and the files on the line.
"""

"""Question sets, metrics and runs that say how right the tool is."""

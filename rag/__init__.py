"""The read side: question -> answer."""

"""What many records say together: patterns, differences, performance."""

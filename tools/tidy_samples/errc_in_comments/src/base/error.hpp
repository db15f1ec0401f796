  invalid,

"""From points to specs: arguments, types on the arrows, rules, and the words where they break."""

"""What things are called: concepts with their names, trials linked to them, and names that trials teach."""

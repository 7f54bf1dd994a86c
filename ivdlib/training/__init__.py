"""From cases to trained networks and masks: the grid of trainings, and prediction."""

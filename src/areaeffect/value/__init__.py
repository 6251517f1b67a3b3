"""What prevented incidents are worth: unit costs, prices, discounting, simulation."""

"""What a series will be: forecasts with intervals that hold, from its past alone."""

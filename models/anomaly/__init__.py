"""How odd a sample is, in alarms that nothing would have caused: scores that hold as rates."""

"""What people are told of incidents: to whom, how often, and in which words."""

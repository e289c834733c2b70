"""Where the past of series comes from: months of it, on an even grid."""

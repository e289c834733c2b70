"""Models of services that are fitted on their past, and which of them is used."""

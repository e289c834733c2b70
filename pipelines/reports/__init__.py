"""What is done for reports beside making them: printing."""

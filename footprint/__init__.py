"""What a measured latency means in energy and in grams of CO2: arithmetic only, no Django."""

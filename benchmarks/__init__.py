"""From a file to a chart: models uploaded, runs made, results shown."""

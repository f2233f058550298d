"""Train: ordinary Lightning callbacks and plugins, of use without our runner too. The one place that imports torch."""

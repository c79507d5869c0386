"""The one place that decides and records who may enter: attempts, evidence, consent, visits."""

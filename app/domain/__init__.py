"""The business of the gate, one package per capability, lower ones first."""

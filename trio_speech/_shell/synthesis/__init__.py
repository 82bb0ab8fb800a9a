"""Synthesis sessions on trio: what a user holds, and the lease below it."""
